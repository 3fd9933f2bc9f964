//! What stands around the findings of a message: when and for whom, what is unknown, what has changed, what is counted.

use chrono_tz::Tz;
use slack_morphism::prelude::SlackBlock;

use super::{
    Done, Picture,
    rich::{QUOTE, Rich, list},
    row,
    text::{LINE, Mrkdwn},
};
use crate::{
    render::{changes, counted, span, took},
    text::{count, thousands},
    triage::{Blind, Row, State, Triaged},
};

/// Entries of a list before the rest is counted.
const LISTED: usize = 5;

/// Bytes of a reason.
const REASON: usize = 250;

/// Reasons that are given for one check.
const REASONS: usize = 2;

/// When, and who asked; what was late or missed.
pub(super) fn when(picture: &Picture<'_>, said: &str) -> Mrkdwn {
    delays(first_line(picture, said), picture)
}

fn first_line(picture: &Picture<'_>, said: &str) -> Mrkdwn {
    let line = Mrkdwn::within(LINE).date(picture.started_at, picture.zone);
    let line = match picture.asked_by {
        Some(person) => line.say(" · asked for by ").person(person),
        None => line.say(" · daily round"),
    };
    if said.is_empty() {
        line
    } else {
        line.say(" · ").say(said)
    }
}

fn delays(mut line: Mrkdwn, picture: &Picture<'_>) -> Mrkdwn {
    if let Some(due) = picture.late {
        line = line.say("\n*Late:* it was due ").date(due, picture.zone);
    }
    if !picture.missed.is_empty() {
        line = line
            .say("\n*Missed:* no summary is known to have come on ")
            .say(&days(picture));
    }
    line
}

fn days(picture: &Picture<'_>) -> String {
    let missed = picture.missed;
    let mut days: Vec<String> = missed
        .iter()
        .take(LISTED)
        .map(|day| day.format("%a %-d %b").to_string())
        .collect();
    if missed.len() > LISTED {
        days.push(format!("{} more", missed.len() - LISTED));
    }
    match days.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => days.join(""),
    }
}

/// As [`when`], with how long it took, and whether all stands as it did.
pub(super) fn heading(picture: &Picture<'_>, triaged: &Triaged) -> Mrkdwn {
    let line = first_line(picture, &took(&triaged.report));
    let line = match &triaged.previous {
        Some(previous) if changes(triaged).is_none() && triaged.unknown.is_empty() => line
            .say(" · nothing has changed since ")
            .date(previous.started_at, picture.zone),
        _ => line,
    };
    delays(line, picture)
}

/// The checks that could not look, each with what to do.
pub(super) fn unknown(blind: &[Blind]) -> Option<SlackBlock> {
    if blind.is_empty() {
        return None;
    }
    let mut items: Vec<Rich> = blind.iter().take(LISTED).map(blind_check).collect();
    if blind.len() > LISTED {
        let more = blind[LISTED..].iter().map(|it| it.check.as_str());
        let names = more.collect::<Vec<_>>().join(", ");
        items.push(Rich::new().say("and ").quote(&names, QUOTE));
    }
    let heading = Rich::new().emoji("grey_question").say(" ").bold("Unknown");
    Some(list(heading, items))
}

fn blind_check(blind: &Blind) -> Rich {
    let mut line = Rich::new()
        .bold(&super::text::fit(&blind.check, 80))
        .say("  ");
    for (place, unknown) in blind.reasons.iter().take(REASONS).enumerate() {
        if place > 0 {
            line = line.say("; ");
        }
        line = line.quote(unknown.reason.as_str(), REASON);
    }
    if blind.reasons.len() > REASONS {
        let more = count(blind.reasons.len() - REASONS, "more reason");
        line = line.say(&format!("; and {more}"));
    }
    if !blind.unseen.is_empty() {
        let unseen = count(blind.unseen.len(), "finding");
        line = line.say(&format!(" ({unseen} open at the last look, not seen now)"));
    }
    line
}

/// What is new, worse, better and gone since the round before; nothing if all stands as it did. What got better and has
/// no row is named.
pub(super) fn changed(triaged: &Triaged, shown: &[&Row], zone: Tz) -> Option<SlackBlock> {
    let heading = match &triaged.previous {
        Some(previous) => Rich::new()
            .bold("Since ")
            .date(previous.started_at, zone)
            .say(&format!(": {}", changes(triaged)?)),
        None if triaged.gone.is_empty() => return None,
        None => Rich::new().bold("Since this round"),
    };
    let mut items: Vec<Rich> = hidden(triaged.in_state(State::Better), shown)
        .take(LISTED)
        .map(|row| {
            let finding = &row.finding;
            Rich::new()
                .say("better: ")
                .link(finding.link.as_ref(), finding.title.as_str(), 160)
                .say(&format!(" (now {})  ", finding.severity.as_str()))
                .then(row::key(finding))
        })
        .collect();
    let gone = triaged.gone.iter().take(LISTED).map(|gone| {
        let finding = &gone.known.finding;
        // Some of what newer looks miss may only be too old for them.
        let how = match gone.at == triaged.report.finished_at {
            true => "gone: ",
            false => "no longer found: ",
        };
        Rich::new()
            .say(how)
            .link(finding.link.as_ref(), finding.title.as_str(), 160)
            .say(&format!(" (after {})  ", span(gone.at - gone.known.since)))
            .then(row::key(finding))
    });
    items.extend(gone);
    if triaged.gone.len() > LISTED {
        let more = triaged.gone.len() - LISTED;
        items.push(Rich::new().say(&format!("and {} more", thousands(more as u64))));
    }
    Some(list(heading, items))
}

/// What needs nobody and has no place of its own, in numbers.
pub(super) fn counts(triaged: &Triaged, shown: &[&Row]) -> Option<Mrkdwn> {
    let counted = counted(&[
        (hidden(&triaged.handled, shown).count(), "handled"),
        (hidden(&triaged.snoozed, shown).count(), "snoozed"),
        (hidden(&triaged.low, shown).count(), "low"),
        (triaged.off().count(), "off"),
    ])?;
    Some(Mrkdwn::within(LINE).say(&format!("Also: {counted}")))
}

/// The log's head, which makes Slack a witness, the run, and when the next one is due.
pub(super) fn footer(picture: &Picture<'_>, done: &Done<'_>) -> Mrkdwn {
    let mut line = Mrkdwn::within(LINE);
    if let Some(head) = done.head {
        line = line.say(&format!("{head} · "));
    }
    line = line.say(&format!("run {}", done.triaged.report.run));
    match picture.next {
        Some(next) => line.say(" · next ").date(next, picture.zone),
        None => line,
    }
}

/// Rows without a place of their own.
pub(super) fn hidden<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    shown: &[&Row],
) -> impl Iterator<Item = &'a Row> {
    rows.into_iter()
        .filter(|row| shown.iter().all(|it| it.finding.key != row.finding.key))
}

/// "Daily ops 23 Nov: " and what comes to it; for notifications and screen readers.
pub(super) fn text(picture: &Picture<'_>, said: &str) -> String {
    let day = picture
        .started_at
        .with_timezone(&picture.zone)
        .format("%-d %b");
    Mrkdwn::within(3_000)
        .say(&format!("Daily ops {day}: {said}"))
        .finish()
}
