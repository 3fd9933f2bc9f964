//! What was said, as one person sees it.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    blocks,
    look::{Look, name_of},
    piece::Piece,
    side::{app_avatar, avatar},
    sight::Sight,
};
use crate::sandbox::slack::{Place, Posting, Version};

/// Messages of one author that follow so soon stand under one name.
const TOGETHER: TimeDelta = TimeDelta::minutes(5);

/// Older messages are not shown.
const MESSAGES: usize = 200;

#[derive(Template)]
#[template(path = "sandbox/message.html")]
struct Message {
    id: String,
    is_continued: bool,
    is_only: bool,
    is_app: bool,
    is_edited: bool,
    failed: Option<&'static str>,
    avatar: String,
    name: String,
    datetime: String,
    /// `Monday, 23 November 2026 at 9:00:04 AM`, `9:00 AM`, `9:00`.
    full: String,
    time: String,
    short: String,
    body: String,
    reactions: Vec<Reaction>,
    thread: Option<Thread>,
    /// Where one replies.
    reply: Option<String>,
}

struct Reaction {
    emoji: String,
    count: usize,
    who: String,
}

struct Thread {
    href: String,
    count: String,
    last: String,
}

pub(super) fn pieces(sight: &Sight<'_>) -> askama::Result<Vec<Piece>> {
    let look = sight.look;
    if look.home {
        return Ok(Vec::new());
    }
    let Some(channel) = sight.world.channels.get(&look.channel) else {
        return Ok(Vec::new());
    };
    let seen = |message: &&Posting| {
        !message.deleted && message.only_for.as_ref().is_none_or(|it| *it == look.me)
    };
    let all: Vec<&Posting> = channel.messages.iter().filter(seen).collect();
    let main: Vec<&Posting> = all
        .iter()
        .copied()
        .filter(|it| it.thread.is_none() || it.is_broadcast)
        .collect();
    let newest = &main[main.len().saturating_sub(MESSAGES)..];
    let mut pieces = list(sight, "messages", newest, &all)?;
    if let Some(thread) = &look.thread {
        let replies: Vec<&Posting> = all
            .iter()
            .copied()
            .filter(|it| it.ts == *thread || it.thread.as_ref() == Some(thread))
            .collect();
        pieces.extend(list(sight, "thread", &replies, &[])?);
    }
    Ok(pieces)
}

/// `all`: among which are the replies.
fn list(
    sight: &Sight<'_>,
    region: &'static str,
    messages: &[&Posting],
    all: &[&Posting],
) -> askama::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut before: Option<(&Posting, DateTime<Utc>)> = None;
    for message in messages {
        let at = instant(&message.ts);
        let day = at.with_timezone(&sight.zone).date_naive();
        let is_new_day =
            before.is_none_or(|(_, it)| it.with_timezone(&sight.zone).date_naive() != day);
        if is_new_day {
            let id = format!("{region}-{day}");
            let today = sight.now.with_timezone(&sight.zone).date_naive();
            let label = match (today - day).num_days() {
                0 => "Today".to_owned(),
                1 => "Yesterday".to_owned(),
                _ => day.format("%A, %-d %B").to_string(),
            };
            let html = format!(
                r#"<li id="{id}" class="day"><span><time datetime="{day}" title="{}">{label}</time></span></li>"#,
                day.format("%A, %-d %B %Y")
            );
            pieces.push(Piece { region, id, html });
        }
        let is_continued = !is_new_day
            && before.is_some_and(|(it, then)| {
                it.user == message.user
                    && at - then < TOGETHER
                    && it.only_for == message.only_for
                    && message.user != sight.world.app.user
            });
        let id = format!("{region}-{}", message.ts.replace('.', "-"));
        let html = one(sight, &id, message, at, is_continued, all)?;
        pieces.push(Piece { region, id, html });
        before = Some((message, at));
    }
    Ok(pieces)
}

fn one(
    sight: &Sight<'_>,
    id: &str,
    message: &Posting,
    at: DateTime<Utc>,
    is_continued: bool,
    all: &[&Posting],
) -> askama::Result<String> {
    let (world, look) = (sight.world, sight.look);
    let own = message.username.clone();
    let name = own.unwrap_or_else(|| name_of(world, &message.user));
    let is_app = message.user == world.app.user
        || world.users.get(&message.user).is_some_and(|it| it.is_bot);
    let local = at.with_timezone(&sight.zone);
    let is_ours = message.user == world.app.user || message.user == "USLACKBOT";
    Message {
        id: id.to_owned(),
        is_continued,
        is_only: message.only_for.is_some(),
        is_app,
        is_edited: message.now().edited.is_some(),
        failed: failed(sight, message),
        avatar: if is_ours {
            app_avatar()
        } else {
            avatar(&message.user, &name)
        },
        name,
        datetime: at.to_rfc3339(),
        full: local.format("%A, %-d %B %Y at %-I:%M:%S %p").to_string(),
        time: local.format("%-I:%M %p").to_string(),
        short: local.format("%-I:%M").to_string(),
        body: body(sight, message, message.now()),
        reactions: message
            .reactions
            .iter()
            .map(|(emoji, users)| Reaction {
                emoji: emojis::get_by_shortcode(emoji)
                    .map_or_else(|| format!(":{emoji}:"), ToString::to_string),
                count: users.len(),
                who: users
                    .iter()
                    .map(|id| name_of(world, id))
                    .collect::<Vec<_>>()
                    .join(", "),
            })
            .collect(),
        thread: thread(sight, message, all),
        reply: (message.only_for.is_none() && !all.is_empty())
            .then(|| message.thread.as_ref().unwrap_or(&message.ts))
            .map(|ts| look.in_thread(Some(ts)).at("/")),
    }
    .render()
}

/// A click of this person that did not reach the app.
fn failed(sight: &Sight<'_>, message: &Posting) -> Option<&'static str> {
    let look = sight.look;
    let place = Place::Message {
        channel: look.channel.clone(),
        ts: message.ts.clone(),
    };
    let failures = &sight.world.delivery.failures;
    let failure = failures
        .iter()
        .find(|it| it.user == look.me && it.place == place)?;
    Some(match failure.why {
        "operation_timeout" => {
            "The app took longer than 3 seconds to answer the click: Slack gave up waiting"
        }
        _ => "The click did not reach the app: try again",
    })
}

fn thread(sight: &Sight<'_>, message: &Posting, all: &[&Posting]) -> Option<Thread> {
    let replies = || {
        all.iter()
            .filter(|it| it.thread.as_ref() == Some(&message.ts))
    };
    let last = replies().next_back()?;
    let count = replies().count();
    Some(Thread {
        href: sight.look.in_thread(Some(&message.ts)).at("/"),
        count: match count {
            1 => "1 reply".to_owned(),
            count => format!("{count} replies"),
        },
        last: instant(&last.ts)
            .with_timezone(&sight.zone)
            .format("at %-I:%M %p")
            .to_string(),
    })
}

fn body(sight: &Sight<'_>, message: &Posting, version: &Version) -> String {
    let hidden = [
        ("channel", sight.look.channel.clone()),
        ("ts", message.ts.clone()),
    ];
    let action = sight.look.at("/act");
    let scene = sight.scene(&action, &hidden);
    let html = blocks::message(&scene, &version.text, &version.blocks, &version.attachments);
    at_home(&html, sight.look)
}

/// Links to messages of this workspace lead to them on this page.
fn at_home(html: &str, look: &Look) -> String {
    const ARCHIVE: &str = "href=\"https://acme.slack.com/archives/";
    let mut parts = html.split(ARCHIVE);
    let mut home = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let link = part.split_once('"').and_then(|(link, rest)| {
            let (channel, message) = link.split_once("/p")?;
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let (seconds, micros) = message
                .split_at_checked(10)
                .filter(|(a, b)| digits(a) && digits(b))?;
            let at = look.in_channel(channel).at("/").replace('&', "&amp;");
            Some(format!(
                "href=\"{at}#messages-{seconds}-{micros}\" data-here{rest}"
            ))
        });
        home += &link.unwrap_or_else(|| format!("{ARCHIVE}{part}"));
    }
    home
}

/// `1795424400.000100`.
pub(super) fn instant(ts: &str) -> DateTime<Utc> {
    let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
    let seconds = seconds.parse().unwrap_or(0);
    let nanos = micros
        .parse::<u32>()
        .map_or(0, |micros| micros % 1_000_000 * 1000);
    DateTime::from_timestamp(seconds, nanos).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_message_leads_to_it_here() {
        let look = Look {
            me: "U1".to_owned(),
            channel: "C9".to_owned(),
            thread: None,
            home: false,
        };
        let html = r#"<a href="https://acme.slack.com/archives/C1/p1795424400000100" x>a</a> href="https://acme.slack.com/archives/C1">"#;
        assert_eq!(
            at_home(html, &look),
            r##"<a href="/?as=U1&amp;in=C1#messages-1795424400-000100" data-here x>a</a> href="https://acme.slack.com/archives/C1">"##
        );
    }
}
