//! `doctor` against a described Slack with one thing broken at a time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    checks::registry,
    cli::{
        Exit,
        doctor::{Link, State, exit, walk},
    },
    config::Config,
    store::{Access, Store},
};

use crate::world::{
    slack::web_api::{
        ANNA, APP_TOKEN, BOARD, Fault, GENERAL, LEFT, OLD, ON_CALL, OPS, SECRET, Slack, TOKEN,
        Workspace, workspace,
    },
    stripe::{self, Permission},
};

const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const GOOD_SIGNING: &str = "8f742231b10e8888abcd99eeefff85a5";

/// A company's configuration and folder.
struct Case {
    slack: Slack,
    folder: tempfile::TempDir,
    transport: &'static str,
    channel: &'static str,
    triage: &'static str,
    bot_token: &'static str,
    signing: &'static str,
    /// More of the configuration.
    more: String,
}

impl Case {
    async fn with(world: Workspace) -> Self {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        Self {
            slack: world.open().await.expect("it opens"),
            folder: tempfile::tempdir().unwrap(),
            transport: "socket",
            channel: OPS,
            triage: ANNA,
            bot_token: TOKEN,
            signing: GOOD_SIGNING,
            more: String::new(),
        }
    }

    fn config(&self) -> Config {
        let folder = self.folder.path().display();
        let text = format!(
            "{}\n[database]\nurl = \"sqlite:{folder}/ops.db\"\n[ops_log]\npath = \"{folder}/docs/ops/log.md\"\n\
             [slack]\ntransport = \"{}\"\nchannel = \"{}\"\napi_url = \"{}\"\n[permissions]\ntriage = [\"{}\"]\n",
            self.more,
            self.transport,
            self.channel,
            self.slack.url(),
            self.triage
        );
        let (bot, signing) = (self.bot_token, self.signing);
        let env = move |name: &str| match name {
            "SLACK_BOT_TOKEN" => Some(bot.to_owned()),
            "SLACK_APP_TOKEN" => Some(APP_TOKEN.to_owned()),
            "SLACK_SIGNING_SECRET" => Some(signing.to_owned()),
            "STRIPE_API_KEY" => Some(stripe::KEY.to_owned()),
            _ => None,
        };
        Config::parse(&text, &registry(), &env).unwrap()
    }

    async fn links(&self) -> Vec<Link> {
        let now: DateTime<Utc> = self.slack.world().now();
        walk(&self.config(), &(Arc::new(move || now) as _)).await
    }

    async fn says(&self, name: &str) -> (State, String) {
        let links = self.links().await;
        let link = links.iter().find(|link| link.name == name);
        let link = link.unwrap_or_else(|| panic!("no `{name}` among {links:?}"));
        assert!(
            !link.said.contains(self.bot_token) && !link.said.contains(APP_TOKEN),
            "{link:?}"
        );
        (link.state, link.said.clone())
    }
}

#[tokio::test]
async fn a_company_in_order_is_ok_throughout() {
    for transport in ["socket", "http"] {
        let mut case = Case::with(workspace()).await;
        case.transport = transport;
        let links = case.links().await;
        let bad: Vec<&Link> = links
            .iter()
            .filter(|link| !matches!(link.state, State::Ok | State::Off))
            .collect();
        assert!(bad.is_empty(), "{bad:?}");
        assert_eq!(exit(&links), Exit::Well);
    }
}

#[tokio::test]
async fn looking_changes_nothing_in_slack_and_on_disk() {
    let case = Case::with(workspace()).await;
    case.links().await;
    let world = case.slack.world();
    assert!(world.channels[OPS].messages.is_empty());
    assert_eq!(case.folder.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_dead_token_is_wrong_and_says_which_one() {
    let mut world = workspace();
    world.app.dead = Some("account_inactive");
    let case = Case::with(world).await;
    let (state, said) = case.says("slack token").await;
    assert_eq!(state, State::Wrong);
    assert!(
        said.contains("account_inactive") && said.contains("SLACK_BOT_TOKEN"),
        "{said}"
    );
    assert_eq!(exit(&case.links().await), Exit::NeedsYou);
}

#[tokio::test]
async fn a_token_of_another_kind_is_wrong_before_anybody_is_asked() {
    let mut case = Case::with(workspace()).await;
    case.bot_token = "xoxp-1-2-3";
    let (state, said) = case.says("slack token").await;
    assert_eq!(state, State::Wrong);
    assert!(said.contains("begins with xoxb-"), "{said}");
    assert!(case.slack.world().calls.is_empty());
}

#[tokio::test]
async fn a_missing_scope_is_named_with_what_it_is_for() {
    let mut world = workspace();
    world.app.scopes.remove("users:read");
    let (state, said) = Case::with(world).await.says("slack scopes").await;
    assert_eq!(state, State::Wrong);
    assert!(
        said.starts_with("missing: users:read (tells members from guests"),
        "{said}"
    );
}

#[tokio::test]
async fn user_groups_need_a_scope_and_give_up_the_look_at_the_channel() {
    let mut case = Case::with(workspace()).await;
    case.triage = ON_CALL;
    let (state, said) = case.says("slack scopes").await;
    assert!(
        state == State::Wrong && said.contains("usergroups:read"),
        "{said}"
    );
    {
        let mut world = case.slack.world();
        world.app.scopes.remove("channels:history");
        world.app.scopes.insert("usergroups:read");
    }
    assert_eq!(case.says("slack scopes").await.0, State::Ok);
    assert_eq!(case.says("people").await.0, State::Ok);
    let (state, said) = case.says("slack channel").await;
    assert!(
        state == State::Unknown && said.contains("/invite"),
        "{said}"
    );
    assert_eq!(exit(&case.links().await), Exit::Unknown);
}

#[tokio::test]
async fn a_clock_ten_minutes_off_is_wrong_either_way() {
    for (off, which) in [(10, "behind"), (-10, "ahead")] {
        let mut world = workspace();
        world.clock = TimeDelta::minutes(off);
        let (state, said) = Case::with(world).await.says("clock").await;
        assert_eq!(state, State::Wrong);
        assert!(said.contains(which) && said.contains("NTP"), "{said}");
    }
}

#[tokio::test]
async fn a_channel_without_the_bot_is_wrong_and_says_how_to_invite_it() {
    for channel in [GENERAL, SECRET] {
        let mut case = Case::with(workspace()).await;
        case.channel = channel;
        let (state, said) = case.says("slack channel").await;
        assert_eq!(state, State::Wrong, "{channel}: {said}");
        assert!(said.contains("/invite @daily-ops"), "{said}");
    }
    let mut case = Case::with(workspace()).await;
    case.channel = BOARD;
    let (state, said) = case.says("slack channel").await;
    assert!(
        state == State::Unknown && said.contains("groups:history"),
        "{said}"
    );
    // Its history can be read, so that nothing tells.
    case.channel = OLD;
    assert_eq!(case.says("slack channel").await.0, State::Ok);
}

#[tokio::test]
async fn somebody_who_left_or_was_never_there_is_wrong() {
    let mut case = Case::with(workspace()).await;
    case.triage = LEFT;
    let (state, said) = case.says("people").await;
    assert!(
        state == State::Wrong && said.contains("deactivated"),
        "{said}"
    );
    case.triage = "U0NOBODY";
    let (state, said) = case.says("people").await;
    assert!(
        state == State::Wrong && said.contains("user_not_found"),
        "{said}"
    );
}

#[tokio::test]
async fn what_slack_does_not_answer_is_unknown_and_not_wrong() {
    let case = Case::with(workspace()).await;
    case.slack.world().spoil("auth.test", Fault::ServerError, 1);
    assert_eq!(case.says("slack token").await.0, State::Unknown);
    case.slack
        .world()
        .spoil("apps.connections.open", Fault::RateLimited(30), 1);
    assert_eq!(case.says("slack transport").await.0, State::Unknown);
}

#[tokio::test]
async fn a_signing_secret_that_can_be_none_is_wrong() {
    let mut case = Case::with(workspace()).await;
    case.transport = "http";
    case.signing = SIGNING;
    assert_eq!(case.says("slack transport").await.0, State::Wrong);
    case.signing = "";
    let (state, said) = case.says("slack transport").await;
    assert!(
        state == State::Wrong && said.contains("SLACK_SIGNING_SECRET is not set"),
        "{said}"
    );
}

#[tokio::test]
async fn a_check_without_its_secret_is_wrong_and_one_that_is_off_is_off() {
    let mut case = Case::with(workspace()).await;
    case.more = "[checks.errors]\norganization = \"acme\"\nprojects = [\"web\"]\n".to_owned();
    let (state, said) = case.says("errors").await;
    assert!(
        state == State::Wrong && said.contains("SENTRY_AUTH_TOKEN"),
        "{said}"
    );
    assert_eq!(case.says("health").await.0, State::Off);
}

#[tokio::test]
async fn a_database_is_looked_into_and_a_damaged_one_is_wrong() {
    let case = Case::with(workspace()).await;
    let file = case.folder.path().join("ops.db");
    let url = format!("sqlite:{}", file.display());
    Store::open(&url, Access::ReadWrite)
        .await
        .unwrap()
        .close()
        .await;
    let (state, said) = case.says("database").await;
    assert!(state == State::Ok && said.contains("SQLite 3."), "{said}");
    assert_eq!(case.says("ops log").await.0, State::Ok);
    std::fs::write(
        &file,
        "no database at all, and longer than a hundred bytes: ".repeat(9),
    )
    .unwrap();
    assert_eq!(case.says("database").await.0, State::Wrong);
}

#[cfg(unix)]
#[tokio::test]
async fn a_place_that_can_not_be_written_is_wrong() {
    let case = Case::with(workspace()).await;
    let mut config = case.config();
    // Nobody makes a file there, not even root.
    config.ops_log.path = "/proc/1/log.md".into();
    let links = walk(&config, &(Arc::new(|| DateTime::UNIX_EPOCH) as _)).await;
    let file = links.iter().find(|link| link.name == "log file").unwrap();
    assert_eq!(file.state, State::Wrong, "{file:?}");
}

#[tokio::test]
async fn what_a_remedy_needs_is_a_link_of_its_own() {
    let mut case = Case::with(workspace()).await;
    let stripe = stripe::stripe().open().await.expect("it opens");
    case.more = format!("[checks.payments]\nurl = \"{}\"\n", stripe.url());
    assert_eq!(case.says("payments pay").await.0, State::Ok);
    stripe.world().key(stripe::KEY).lose(Permission::ChargeRead);
    let (state, said) = case.says("payments pay").await;
    assert!(
        state == State::Wrong && said.contains("Charges and Refunds: read"),
        "{said}"
    );
    stripe
        .world()
        .key(stripe::KEY)
        .lose(Permission::InvoiceWrite);
    let (state, said) = case.says("payments pay").await;
    assert!(
        state == State::Off && said.contains("Invoices: write"),
        "{said}"
    );
    assert_eq!(case.says("payments send").await.0, State::Off);
}
