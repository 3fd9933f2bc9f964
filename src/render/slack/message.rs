//! The living message of a round: verdict first, then what needs somebody, then what is only counted.

use std::collections::BTreeMap;

use slack_morphism::prelude::SlackBlock;
use url::Url;

use super::{
    Delivery, Done, Finished, Message, Picture, Stage,
    block::{button, context, header, section},
    limits,
    rich::{Rich, list},
    row, sections,
    text::{Mrkdwn, fit, neutral},
};
use crate::{
    command::{Item, Press, View},
    render::{severities, verdict},
    report::{FindingKey, Severity},
    text::{Untrusted, count, thousands},
    triage::{Row, Standing, Triaged, Verdict, worst_first},
};

/// Rows that need somebody and have buttons; the rest is counted.
const OPEN_SHOWN: usize = 7;

/// All rows, with those that somebody decided about meanwhile.
const SHOWN: usize = 10;

/// Checks that the skeleton names.
const PENDING_SHOWN: usize = 30;

/// Bytes of a line of mrkdwn.
pub(super) const LINE: usize = 1_000;

/// The message as the picture stands.
pub fn message(picture: &Picture<'_>) -> Message {
    match &picture.stage {
        Stage::Running(checks) => running(picture, checks),
        Stage::Failed(why) => failed(picture, why),
        Stage::Done(done) => done_message(picture, done),
    }
}

/// The findings that the message shows, in its order; the others are only counted.
pub fn shown(done: &Done<'_>) -> Vec<FindingKey> {
    rows(done, SHOWN)
        .into_iter()
        .map(|row| row.finding.key.clone())
        .collect()
}

/// "Daily ops 23 Nov: " and what comes to it; for notifications and screen readers.
fn text(picture: &Picture<'_>, said: &str) -> String {
    let day = picture
        .started_at
        .with_timezone(&picture.zone)
        .format("%-d %b");
    Mrkdwn::within(3_000)
        .say(&format!("Daily ops {day}: {said}"))
        .finish()
}

fn running(picture: &Picture<'_>, checks: &[(String, Option<Finished>)]) -> Message {
    let finished = checks.iter().filter(|(_, how)| how.is_some()).count();
    let said = format!("{finished} of {} done", count(checks.len(), "check"));
    let mut lines = checks
        .iter()
        .take(PENDING_SHOWN)
        .map(|(name, how)| pending(name, how.as_ref()))
        .collect::<Vec<_>>();
    if checks.len() > PENDING_SHOWN {
        let more = checks.len() - PENDING_SHOWN;
        lines.push(Rich::new().say(&format!("and {more} more")));
    }
    let lines = lines
        .into_iter()
        .reduce(|all, line| all.say("\n").then(line))
        .unwrap_or_else(|| Rich::new().say("no check is switched on"));
    Message {
        text: text(picture, &format!("looking, {said}")),
        blocks: vec![
            header("Looking…"),
            context(sections::when(picture, &said)),
            lines.block(),
        ],
    }
}

fn pending(name: &str, how: Option<&Finished>) -> Rich {
    let line = |emoji, said: &str| {
        Rich::new()
            .emoji(emoji)
            .say(" ")
            .bold(&fit(name, 80))
            .say("  ")
            .say(said)
    };
    let Some(how) = how else {
        return line("hourglass_flowing_sand", "looking…");
    };
    let found = match how.findings {
        0 if how.looked => "nothing found".to_owned(),
        0 => "unknown".to_owned(),
        n if how.looked => format!("{} found", thousands(n as u64)),
        n => format!("unknown, {} found", thousands(n as u64)),
    };
    let emoji = match (how.looked, how.findings) {
        (false, _) => "grey_question",
        (true, 0) => "white_check_mark",
        (true, _) => "large_yellow_circle",
    };
    line(emoji, &found).say(&format!(
        " · {}.{} s",
        how.took_ms / 1000,
        how.took_ms % 1000 / 100
    ))
}

fn failed(picture: &Picture<'_>, why: &Untrusted) -> Message {
    let title = "The round could not be carried out: nothing is known";
    let why = fit(why.as_str(), 600);
    Message {
        text: text(
            picture,
            &format!(
                "could not be carried out, so nothing is known: {}",
                neutral(&why)
            ),
        ),
        blocks: vec![
            header(title),
            context(sections::when(picture, "")),
            Rich::new()
                .quote(&why, 600)
                .say("\nTry again with ")
                .code("/ops daily")
                .say(". If it fails again, whoever runs Daily Ops finds more in its own log.")
                .block(),
        ],
    }
}

fn done_message(picture: &Picture<'_>, done: &Done<'_>) -> Message {
    let blocks = (0..=SHOWN)
        .rev()
        .map(|most| done_blocks(picture, done, most))
        .find(|blocks| limits::size(blocks) <= limits::MESSAGE_SIZE)
        .unwrap_or_else(|| vec![header(&headline(done))]);
    Message {
        text: text(picture, &sentence(done)),
        blocks,
    }
}

fn done_blocks(picture: &Picture<'_>, done: &Done<'_>, most: usize) -> Vec<SlackBlock> {
    let (triaged, zone) = (done.triaged, picture.zone);
    let mut blocks = vec![
        header(&headline(done)),
        context(sections::heading(picture, triaged)),
    ];
    blocks.extend(done.newer.map(superseded));
    let shown = rows(done, most);
    let places = places(triaged);
    for row in &shown {
        let key = &row.finding.key;
        let item = done.newer.is_none().then(|| Item {
            message: picture.message.to_owned(),
            finding: places.get(key).copied(),
            seen: done.versions.get(key).copied().unwrap_or(0),
        });
        let item = item.filter(|item| item.finding.is_some());
        let delivery = done.deliveries.get(key);
        let now = triaged.report.finished_at;
        blocks.extend(row::blocks(row, delivery, item.as_ref(), now, zone));
    }
    blocks.extend(counted_rest(picture, done, &shown));
    blocks.extend(sections::unknown(&triaged.unknown));
    blocks.extend(sections::changed(triaged, zone));
    blocks.extend(sections::counts(triaged, zone));
    blocks.push(context(sections::footer(picture, done)));
    blocks
}

/// The rows that need somebody but have no place, with the way to them.
fn counted_rest(picture: &Picture<'_>, done: &Done<'_>, shown: &[&Row]) -> Option<SlackBlock> {
    let is_shown = |row: &&Row| shown.iter().any(|it| it.finding.key == row.finding.key);
    let hidden: Vec<&Row> = done
        .triaged
        .needs_you
        .iter()
        .filter(|row| !is_shown(row))
        .collect();
    if hidden.is_empty() {
        return None;
    }
    let line = Mrkdwn::within(LINE).say(&format!(
        "*And {} more:* {}",
        thousands(hidden.len() as u64),
        severities(hidden)
    ));
    let item = Item {
        message: picture.message.to_owned(),
        finding: None,
        seen: 0,
    };
    let rest = || button(Press::Open(View::Rest), &item, "Show the rest", None);
    Some(section(line, done.newer.is_none().then(rest)))
}

/// The rows with a place of their own: what needs somebody, worst first, and beside it what somebody decided about since
/// the round began, the latest first if not all of it has room.
fn rows<'a>(done: &Done<'a>, most: usize) -> Vec<&'a Row> {
    let triaged = done.triaged;
    let mut rows: Vec<&Row> = triaged
        .needs_you
        .iter()
        .take(OPEN_SHOWN.min(most))
        .collect();
    let mut decided: Vec<(&Row, _)> = triaged
        .handled
        .iter()
        .chain(&triaged.snoozed)
        .filter_map(|row| match &row.standing {
            Standing::Handled(decision) => Some((row, decision.at)),
            _ => None,
        })
        .filter(|(row, at)| {
            let since_then =
                *at >= triaged.report.started_at && row.finding.severity > Severity::Low;
            since_then || is_stuck(done.deliveries, row)
        })
        .collect();
    decided.sort_by_key(|(row, at)| (!is_stuck(done.deliveries, row), std::cmp::Reverse(*at)));
    let room = most.saturating_sub(rows.len());
    rows.extend(decided.into_iter().take(room).map(|(row, _)| row));
    rows.sort_by(|a, b| worst_first(a, b));
    rows
}

fn is_stuck(deliveries: &BTreeMap<FindingKey, Delivery>, row: &Row) -> bool {
    matches!(
        deliveries.get(&row.finding.key),
        Some(Delivery::NeedsHuman(_))
    )
}

/// Each finding's place over all checks of the report.
fn places(triaged: &Triaged) -> BTreeMap<&FindingKey, u32> {
    let findings = triaged.report.checks.iter().flat_map(|it| &it.findings);
    findings
        .zip(0..)
        .map(|(finding, place)| (&finding.key, place))
        .collect()
}

/// What a phone shows of it: "3 need you, 1 unknown, 12 ok".
fn headline(done: &Done<'_>) -> String {
    let triaged = done.triaged;
    let stuck = triaged
        .rows()
        .filter(|row| is_stuck(done.deliveries, row))
        .count();
    let said = verdict(triaged);
    if stuck > 0 {
        return format!(
            "{said}, {} stuck on the other side",
            count(stuck, "decision")
        );
    }
    let is_quiet = triaged.handled.is_empty() && triaged.snoozed.is_empty();
    match triaged.verdict() {
        Verdict::Ok if triaged.ok().next().is_none() => said,
        Verdict::Ok if is_quiet => format!("All well: {said}"),
        Verdict::Ok => format!("Nothing needs you: {said}"),
        _ => said,
    }
}

/// The headline with the worst finding's title.
fn sentence(done: &Done<'_>) -> String {
    let said = headline(done);
    let Some(worst) = done.triaged.needs_you.first() else {
        return said;
    };
    let title = neutral(&fit(worst.finding.title.as_str(), 120));
    match said.split_once(", ") {
        Some((first, rest)) => format!("{first} ({title}), {rest}"),
        None => format!("{said} ({title})"),
    }
}

fn superseded(newest: &Url) -> SlackBlock {
    context(
        Mrkdwn::within(LINE)
            .say("There is a newer round: ")
            .link(newest, "how things stand now"),
    )
}

/// One screen for one person: no buttons, a line for each finding.
pub fn status(picture: &Picture<'_>) -> Message {
    let Stage::Done(done) = &picture.stage else {
        return message(picture);
    };
    let triaged = done.triaged;
    let rows = triaged
        .needs_you
        .iter()
        .take(SHOWN)
        .map(|row| row::title(row).say("  ").then(row::key(&row.finding)));
    let mut blocks = vec![
        header(&headline(done)),
        context(sections::heading(picture, triaged)),
    ];
    if !triaged.needs_you.is_empty() {
        blocks.push(list(Rich::new().bold("Needs you"), rows));
    }
    if triaged.needs_you.len() > SHOWN {
        let more = triaged.needs_you.len() - SHOWN;
        let line = format!("and {} more", thousands(more as u64));
        blocks.push(context(Mrkdwn::within(LINE).say(&line)));
    }
    blocks.extend(sections::unknown(&triaged.unknown));
    blocks.extend(sections::counts(triaged, picture.zone));
    blocks.push(context(sections::footer(picture, done)));
    Message {
        text: text(picture, &sentence(done)),
        blocks,
    }
}
