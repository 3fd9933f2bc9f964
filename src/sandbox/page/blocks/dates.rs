//! Times in the reader's zone, in the formats of <https://docs.slack.dev/messaging/formatting-message-text#date-formatting>.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Scene, html::Html};

/// A year is said of what is further away.
const HALF_A_YEAR: TimeDelta = TimeDelta::days(183);

/// `format` with Slack's tokens; none if the time can't be shown. `begins`: a sentence, with its capital letter.
pub(super) fn time(scene: &Scene<'_>, stamp: i64, format: &str, begins: bool) -> Option<Html> {
    let at = DateTime::<Utc>::from_timestamp(stamp, 0)?;
    let local = at.with_timezone(&scene.zone);
    let mut text = String::new();
    let mut rest = format;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        let token = rest[open..]
            .find('}')
            .map(|close| &rest[open..=open + close]);
        let said = token.and_then(|token| say(&token[1..token.len() - 1], local, scene.now));
        let (said, length) = match (said, token) {
            (Some(said), Some(token)) => (said, token.len()),
            _ => ("{".to_owned(), 1),
        };
        let said = if begins && text.is_empty() {
            capital(&said)
        } else {
            said
        };
        text.push_str(&said);
        rest = &rest[open + length..];
    }
    text.push_str(rest);
    let machine = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let full = local.format("%A, %-d %B %Y, %H:%M:%S %Z").to_string();
    let attributes = [("datetime", machine.as_str()), ("title", &full)];
    Some(Html::element("time", &attributes, &Html::text(&text)))
}

fn say(token: &str, at: DateTime<Tz>, now: DateTime<Utc>) -> Option<String> {
    let date = at.date_naive();
    let today = now.with_timezone(&at.timezone()).date_naive();
    let year = if (at.with_timezone(&Utc) - now).abs() > HALF_A_YEAR {
        date.format(", %Y").to_string()
    } else {
        String::new()
    };
    let pretty = |otherwise: String| near(date, today).map_or(otherwise, str::to_owned);
    let usual = || format!("{} {}{year}", date.format("%B"), ordinal(date.day()));
    let short = || format!("{}{year}", date.format("%b %-d"));
    let long = || format!("{}, {}", date.format("%A"), usual());
    Some(match token {
        "date_num" => date.format("%Y-%m-%d").to_string(),
        "date_slash" => date.format("%m/%d/%Y").to_string(),
        "date" => usual(),
        "date_pretty" => pretty(usual()),
        "date_short" => short(),
        "date_short_pretty" => pretty(short()),
        "date_long" => long(),
        "date_long_full" => {
            format!(
                "{}, {} {}, {}",
                date.format("%A"),
                date.format("%B"),
                ordinal(date.day()),
                date.year()
            )
        }
        "date_long_pretty" => pretty(long()),
        "day_divider_pretty" => pretty(long()),
        "time" => at.format("%-I:%M %p").to_string(),
        "time_secs" => at.format("%-I:%M:%S %p").to_string(),
        "ago" => ago(now - at.with_timezone(&Utc)),
        _ => return None,
    })
}

fn near(date: NaiveDate, today: NaiveDate) -> Option<&'static str> {
    match (date - today).num_days() {
        -1 => Some("yesterday"),
        0 => Some("today"),
        1 => Some("tomorrow"),
        _ => None,
    }
}

fn ordinal(day: u32) -> String {
    let end = match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{end}")
}

fn ago(since: TimeDelta) -> String {
    let seconds = since.num_seconds().abs();
    let (count, unit) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        86_400..2_592_000 => (seconds / 86_400, "day"),
        2_592_000..31_536_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if since < TimeDelta::zero() {
        format!("in {count} {unit}{plural}")
    } else {
        format!("{count} {unit}{plural} ago")
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
