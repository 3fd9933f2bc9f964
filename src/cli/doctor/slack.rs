//! The links to Slack.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{Link, State, is_ours_to_mend};
use crate::{
    config::Config,
    permissions::{Directory, Permissions, Right},
    schedule::Clock,
    slack::{
        APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Settings, Transport,
        api::{Api, ApiError, Class, Granted, Limits, NotGranted, granted},
        manifest,
        people::People,
    },
    text::Untrusted,
};

/// How far our clock may be off. Slack's signatures hold for 5 minutes.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// People and groups of `[permissions]` that are looked up.
const LOOKED_UP: usize = 50;

pub(super) async fn walk(config: &Config, clock: &Clock) -> Vec<Link> {
    let Some(settings) = &config.slack else {
        return vec![Link::new("slack", State::Off, "no section [slack]")];
    };
    let mut links = vec![named(config.permissions.as_ref())];
    let api = match connect(settings) {
        Ok(api) => Arc::new(api),
        Err(error) => {
            links.push(Link::wrong("slack token", format!("{error:#}")));
            links.push(transport(settings, None).await);
            return links;
        }
    };
    links.push(transport(settings, Some(&api)).await);
    match whose(settings).await {
        Err(link) => links.push(link),
        Ok(granted) => {
            links.push(token(&granted));
            links.push(scopes(&granted, config.permissions.as_ref()));
            links.push(clocks(&granted));
            links.push(channel(&api, settings, &granted).await);
            if let Some(permissions) = &config.permissions {
                links.push(people(&api, permissions, clock).await);
            }
        }
    }
    links
}

/// By the way it failed: a refusal is ours to mend, anything else says nothing about the link.
fn failed(name: &str, error: &ApiError) -> Link {
    let state = match error.class {
        Class::TokenDead | Class::MissingScope { .. } | Class::Channel | Class::Refused => {
            State::Wrong
        }
        _ => State::Unknown,
    };
    Link::new(name, state, error.to_string())
}

fn connect(settings: &Settings) -> anyhow::Result<Api> {
    let token = settings.bot_token()?;
    let kind = token.expose_secret().split('-').next().unwrap_or_default();
    anyhow::ensure!(
        !matches!(kind, "xoxp" | "xapp" | "xoxe"),
        "{BOT_TOKEN} is no bot token: take the one that begins with xoxb-, under \"OAuth & Permissions\" of the app"
    );
    Api::new(&settings.api_url, token, Limits::default())
}

/// Somebody must be permitted to decide.
fn named(permissions: Option<&Permissions>) -> Link {
    match permissions {
        Some(permissions) => match permissions.validate() {
            Ok(()) => Link::ok("permissions", "somebody may triage"),
            Err(error) => Link::wrong("permissions", format!("{error:#}")),
        },
        None => Link::wrong(
            "permissions",
            "nobody may do anything: write [permissions] with `triage = [\"U012ABCDEF\"]`",
        ),
    }
}

/// What lets Slack's requests in.
async fn transport(settings: &Settings, api: Option<&Api>) -> Link {
    const NAME: &str = "slack transport";
    match settings.transport {
        Transport::Http if settings.secrets.signing.is_empty() => Link::wrong(
            NAME,
            format!(
                "{SIGNING_SECRET} is not set; it proves that requests are Slack's: take it from \"Basic Information\" of the app"
            ),
        ),
        Transport::Http => match settings
            .secrets
            .signing
            .iter()
            .all(|secret| is_hex(secret.expose_secret()))
        {
            true => Link::ok(NAME, "http, and the signing secret is set"),
            false => Link::wrong(
                NAME,
                format!(
                    "{SIGNING_SECRET} is not 32 hexadecimal digits: take it from \"Basic Information\" of the app"
                ),
            ),
        },
        Transport::Socket => match (&settings.secrets.app_token, api) {
            (None, _) => Link::wrong(
                NAME,
                format!(
                    "{APP_TOKEN} is not set; it opens Socket Mode: make an app-level token with the scope connections:write"
                ),
            ),
            (Some(_), None) => {
                Link::unknown(NAME, format!("not looked at: {BOT_TOKEN} comes first"))
            }
            (Some(token), Some(api)) => match api.connections_open(token).await {
                Ok(_) => Link::ok(NAME, "socket, and Slack gives out connections"),
                Err(error) => failed(NAME, &error),
            },
        },
    }
}

fn is_hex(secret: &str) -> bool {
    secret.len() == 32 && secret.bytes().all(|b| b.is_ascii_hexdigit())
}

async fn whose(settings: &Settings) -> Result<Granted, Link> {
    const NAME: &str = "slack token";
    let token = settings
        .bot_token()
        .map_err(|error| Link::wrong(NAME, format!("{error:#}")))?;
    let deadline = Instant::now() + Duration::from_secs(10);
    granted(&settings.api_url, token, deadline)
        .await
        .map_err(|error| match error {
            NotGranted::Refused(error) => failed(NAME, &error),
            NotGranted::Unasked(failure) => {
                let unknown = failure.into();
                let state = if is_ours_to_mend(&unknown) {
                    State::Wrong
                } else {
                    State::Unknown
                };
                Link::new(NAME, state, unknown.reason.as_str())
            }
        })
}

fn token(granted: &Granted) -> Link {
    let (user, url) = (
        Untrusted::from(granted.identity.user.as_str()),
        &granted.identity.url,
    );
    Link::ok("slack token", format!("the bot {} of {url}", user.as_str()))
}

fn scopes(granted: &Granted, permissions: Option<&Permissions>) -> Link {
    const NAME: &str = "slack scopes";
    let Some(scopes) = &granted.scopes else {
        return Link::unknown(NAME, "Slack does not say which scopes the token has");
    };
    let groups = permissions.is_some_and(Permissions::name_groups);
    let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
    let mut needed = vec![manifest::COMMANDS, manifest::CHAT, manifest::USERS];
    needed.extend(groups.then_some(manifest::GROUPS));
    let missing: Vec<String> = needed
        .iter()
        .filter(|(scope, _)| !has(scope))
        .map(|(scope, purpose)| format!("{scope} ({purpose})"))
        .collect();
    if !missing.is_empty() {
        return Link::wrong(
            NAME,
            format!(
                "missing: {}; add them under \"OAuth & Permissions\" of the app, and install it again",
                missing.join(", ")
            ),
        );
    }
    Link::ok(
        NAME,
        if history(granted) {
            "all that is needed"
        } else {
            "all that is needed; without channels:history a message whose post was not confirmed is sent again, with a note"
        },
    )
}

fn history(granted: &Granted) -> bool {
    let reads = |scope: &String| matches!(scope.as_str(), "channels:history" | "groups:history");
    granted.scopes.iter().flatten().any(reads)
}

fn clocks(granted: &Granted) -> Link {
    const NAME: &str = "clock";
    match granted.skew {
        None => Link::unknown(NAME, "Slack's answer has no date"),
        Some(skew) if skew.abs() <= SKEW => Link::ok(NAME, "as Slack's, within a minute"),
        Some(skew) => Link::wrong(
            NAME,
            format!(
                "this machine's is {} {} of Slack's, and Slack's signatures hold for 5 minutes: set it, with NTP",
                humantime::format_duration(Duration::from_secs(skew.num_seconds().unsigned_abs())),
                if skew > TimeDelta::zero() {
                    "behind"
                } else {
                    "ahead"
                },
            ),
        ),
    }
}

/// Reads the channel's newest message: the one look at membership that posts nothing and needs no further scope.
async fn channel(api: &Api, settings: &Settings, granted: &Granted) -> Link {
    const NAME: &str = "slack channel";
    let id = &settings.channel;
    if !history(granted) {
        return Link::unknown(
            NAME,
            format!(
                "whether the bot is in {id} can't be told without channels:history: write `/invite @daily-ops` there"
            ),
        );
    }
    match api.is_in(id).await {
        Ok(()) => Link::ok(NAME, format!("the bot is in {id}")),
        Err(error) if matches!(&error.class, Class::MissingScope { needed } if needed == "groups:history") => {
            Link::unknown(
                NAME,
                format!(
                    "{id} is private: with groups:history in the place of channels:history it can be looked at"
                ),
            )
        }
        Err(error) => failed(NAME, &error),
    }
}

/// Looks up whom `[permissions]` names.
async fn people(api: &Arc<Api>, permissions: &Permissions, clock: &Clock) -> Link {
    const NAME: &str = "people";
    let directory = People::new(Arc::clone(api), Arc::clone(clock));
    let ids: BTreeSet<&String> = Right::ALL
        .into_iter()
        .flat_map(|right| permissions.list(right).unwrap_or_default())
        .collect();
    let mut wrong = Vec::new();
    let mut unknown = Vec::new();
    for id in ids.iter().take(LOOKED_UP) {
        match trouble(&directory, id).await {
            Ok(None) => {}
            Ok(Some(what)) => wrong.push(format!("{id} {what}: take it out of [permissions]")),
            Err(why) if is_ours_to_mend(&why) => {
                wrong.push(format!("{id}: {}", why.reason.as_str()))
            }
            Err(why) => unknown.push(format!("{id}: {}", why.reason.as_str())),
        }
    }
    if !wrong.is_empty() {
        wrong.extend(unknown);
        return Link::wrong(NAME, wrong.join("\n"));
    }
    if !unknown.is_empty() {
        return Link::unknown(NAME, unknown.join("\n"));
    }
    if ids.len() > LOOKED_UP {
        let said = format!("only the first {LOOKED_UP} of {} were looked up", ids.len());
        return Link::unknown(NAME, said);
    }
    Link::ok(
        NAME,
        format!("all {} of [permissions] are there", ids.len()),
    )
}

async fn trouble(
    directory: &People,
    id: &str,
) -> Result<Option<&'static str>, crate::report::Unknown> {
    if id.starts_with('S') {
        let users = directory.group(id).await?;
        return Ok(users.is_empty().then_some("is a group of nobody"));
    }
    let member = directory.member(id).await?;
    Ok(if member.is_deactivated {
        Some("is a deactivated account")
    } else if member.is_bot {
        Some("is a bot")
    } else if member.is_guest {
        Some("is a guest")
    } else if member.is_stranger {
        Some("is of another workspace")
    } else {
        None
    })
}
