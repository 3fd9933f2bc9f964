//! The living message of a round: verdict first, then what needs somebody, then what is only counted.

use std::collections::BTreeMap;

use slack_morphism::prelude::{SlackBlock, SlackBlockButtonElement};
use url::Url;

use super::{
    Delivery, Done, Message, Picture, Stage,
    block::{button, context, header, section},
    limits,
    rich::{Rich, list},
    row::{self, SoFar},
    sections::{self, hidden, text},
    text::{LINE, Mrkdwn, fit, neutral},
    unfinished,
};
use crate::{
    command::{Item, Press, View},
    render::{age, counted, need, severities, ticket::newest, verdict},
    report::{FindingKey, Outcome, Severity},
    text::thousands,
    triage::{Row, Standing, Triaged, Verdict, worst_first},
};

/// Rows that need somebody and have buttons; the rest is counted.
const OPEN_SHOWN: usize = 7;

/// All rows, with those that somebody decided about meanwhile.
const SHOWN: usize = 10;

/// The message as the picture stands.
pub fn message(picture: &Picture<'_>) -> Message {
    match &picture.stage {
        Stage::Running(checks) => unfinished::running(picture, checks),
        Stage::Failed(why) => unfinished::failed(picture, why),
        Stage::Done(done) => done_message(picture, done),
    }
}

/// The findings that the message shows, in its order; the others are only counted.
pub fn shown(picture: &Picture<'_>) -> Vec<FindingKey> {
    let Stage::Done(done) = &picture.stage else {
        return Vec::new();
    };
    let (most, _) = fitting(picture, done);
    rows(done, most)
        .into_iter()
        .map(|row| row.finding.key.clone())
        .collect()
}

fn done_message(picture: &Picture<'_>, done: &Done<'_>) -> Message {
    Message {
        text: text(picture, &sentence(done)),
        blocks: fitting(picture, done).1,
    }
}

/// The blocks with as many rows as Slack takes, and how many these may be.
fn fitting(picture: &Picture<'_>, done: &Done<'_>) -> (usize, Vec<SlackBlock>) {
    (0..=SHOWN)
        .rev()
        .map(|most| (most, done_blocks(picture, done, most)))
        .find(|(_, blocks)| limits::size(blocks) <= limits::MESSAGE_SIZE)
        .unwrap_or_else(|| (0, vec![title(done)]))
}

fn done_blocks(picture: &Picture<'_>, done: &Done<'_>, most: usize) -> Vec<SlackBlock> {
    let (triaged, zone) = (done.triaged, picture.zone);
    let mut blocks = vec![title(done), context(sections::heading(picture, triaged))];
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
        let so_far = SoFar {
            delivery: done.deliveries.get(key),
            ticket: newest(done.tickets.get(key)),
            note: done.notes.get(key),
        };
        let now = triaged.report.finished_at;
        blocks.extend(row::blocks(row, so_far, item.as_ref(), now, zone));
    }
    blocks.extend(counted_rest(picture, done, &shown));
    blocks.extend(sections::unknown(&triaged.unknown));
    blocks.extend(sections::changed(triaged, &shown, zone));
    blocks.extend(counts(picture, done, &shown));
    blocks.push(context(sections::footer(picture, done)));
    blocks
}

/// The rows that need somebody but have no place.
fn counted_rest(picture: &Picture<'_>, done: &Done<'_>, shown: &[&Row]) -> Option<SlackBlock> {
    let hidden: Vec<&Row> = hidden(&done.triaged.needs_you, shown).collect();
    if hidden.is_empty() {
        return None;
    }
    let line = Mrkdwn::within(LINE).say(&format!(
        "*And {} more {}:* {}",
        thousands(hidden.len() as u64),
        need(hidden.len()),
        severities(hidden)
    ));
    Some(section(line, show_the_rest(picture, done)))
}

/// What needs nobody, in numbers, with the way to it unless that has been shown already.
fn counts(picture: &Picture<'_>, done: &Done<'_>, shown: &[&Row]) -> Option<SlackBlock> {
    let triaged = done.triaged;
    let line = sections::counts(triaged, shown)?;
    let has_rest = hidden(triaged.rows(), shown).next().is_some();
    let way_is_shown = hidden(&triaged.needs_you, shown).next().is_some();
    let way = show_the_rest(picture, done).filter(|_| has_rest && !way_is_shown);
    Some(match way {
        Some(way) => section(line, Some(way)),
        None => context(line),
    })
}

fn show_the_rest(picture: &Picture<'_>, done: &Done<'_>) -> Option<SlackBlockButtonElement> {
    let item = Item {
        message: picture.message.to_owned(),
        finding: None,
        seen: 0,
    };
    done.newer
        .is_none()
        .then(|| button(Press::Open(View::Rest), &item, "Show the rest", None))
}

/// The rows with a place of their own: what needs somebody, worst first, and beside it what somebody decided about
/// since the round began, the latest first if not all of it has room.
fn rows<'a>(done: &Done<'a>, most: usize) -> Vec<&'a Row> {
    let triaged = done.triaged;
    let mut rows = open(&triaged.needs_you, OPEN_SHOWN.min(most));
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

/// Each finding's place among all that have a row.
fn places(triaged: &Triaged) -> BTreeMap<&FindingKey, u32> {
    triaged
        .findings()
        .zip(0..)
        .map(|(finding, place)| (&finding.key, place))
        .collect()
}

/// What a phone shows of it: "3 need you, 1 unknown, 12 ok".
fn headline(done: &Done<'_>) -> String {
    of_which(done, outcome(done))
}

/// After the names of the checks that were asked for, if that were not all.
fn of_which(done: &Done<'_>, said: String) -> String {
    if done.only.is_empty() {
        return said;
    }
    format!("only {}: {said}", fit(&done.only.join(", "), 60))
}

fn outcome(done: &Done<'_>) -> String {
    let triaged = done.triaged;
    let decided = rows(done, usize::MAX)
        .into_iter()
        .filter(|row| matches!(row.standing, Standing::Handled(_)));
    let (stuck, handled): (Vec<_>, Vec<_>) =
        decided.partition(|row| is_stuck(done.deliveries, row));
    let needs_you = triaged.needs_you.len();
    let said = counted(&[
        (needs_you, need(needs_you)),
        (triaged.unknown.len(), "unknown"),
        (triaged.ok().count(), "ok"),
        (handled.len(), "handled"),
        (stuck.len(), "stuck on the other side"),
        (triaged.gone_since(), "no longer found"),
    ]);
    let said = said.unwrap_or_else(|| verdict(triaged));
    let is_quiet = triaged.handled.is_empty() && triaged.snoozed.is_empty();
    match triaged.verdict() {
        Verdict::Ok if checks_nothing(done) => "nothing is checked: no check is on".to_owned(),
        Verdict::Ok if triaged.ok().next().is_none() || !stuck.is_empty() => said,
        // How those checks are now, a newer look says.
        Verdict::Ok if !triaged.overtaken.is_empty() => said,
        Verdict::Ok if is_quiet => format!("all well, {said}"),
        Verdict::Ok => format!("nothing needs you, {said}"),
        _ => said,
    }
}

/// Whether the log's own check, the last of all, is the only one that is on.
fn checks_nothing(done: &Done<'_>) -> bool {
    match done.triaged.report.checks.split_last() {
        Some((_, others)) if done.only.is_empty() => {
            !others.is_empty() && others.iter().all(|check| check.outcome == Outcome::Off)
        }
        _ => false,
    }
}

/// The worst rows, and among them the worst of each check: an outage is not hidden behind many errors.
fn open(needs_you: &[Row], room: usize) -> Vec<&Row> {
    let is_first = |place: usize, row: &Row| {
        let earlier = needs_you[..place].iter();
        earlier
            .take_while(|one| one.finding.key.check() != row.finding.key.check())
            .count()
            == place
    };
    let mut places: Vec<usize> = (0..needs_you.len()).collect();
    places.sort_by_key(|place| (!is_first(*place, &needs_you[*place]), *place));
    places.truncate(room);
    places.sort_unstable();
    places.into_iter().map(|place| &needs_you[place]).collect()
}

/// The headline as a title.
fn title(done: &Done<'_>) -> SlackBlock {
    let said = headline(done);
    let (first, rest) = said.split_at(said.chars().next().map_or(0, char::len_utf8));
    header(&(first.to_uppercase() + rest))
}

/// The headline with the worst finding's title.
fn sentence(done: &Done<'_>) -> String {
    let Some(worst) = done.triaged.needs_you.first() else {
        return headline(done);
    };
    let title = neutral(&fit(worst.finding.title.as_str(), 120));
    let said = outcome(done);
    let said = match said.split_once(", ") {
        Some((first, rest)) => format!("{first} ({title}), {rest}"),
        None => format!("{said} ({title})"),
    };
    of_which(done, said)
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
    let shown: Vec<&Row> = triaged.needs_you.iter().collect();
    let rows = shown.iter().take(SHOWN).map(|row| {
        let ticket = newest(done.tickets.get(&row.finding.key));
        row::title(row, None, ticket)
            .say(&format!(" · {} · ", age(row, triaged.report.finished_at)))
            .then(row::key(&row.finding))
    });
    let heading = Mrkdwn::within(LINE)
        .say("How each check stood at its newest look; the newest of all was ")
        .date(triaged.report.finished_at, picture.zone);
    let mut blocks = vec![title(done), context(heading)];
    if !triaged.needs_you.is_empty() {
        blocks.push(list(Rich::new().bold("Needs you"), rows));
    }
    if triaged.needs_you.len() > SHOWN {
        let more = triaged.needs_you.len() - SHOWN;
        let line = format!("and {} more", thousands(more as u64));
        blocks.push(context(Mrkdwn::within(LINE).say(&line)));
    }
    blocks.extend(sections::unknown(&triaged.unknown));
    blocks.extend(sections::counts(triaged, &shown).map(context));
    blocks.push(context(sections::footer(picture, done)));
    Message {
        text: text(picture, &sentence(done)),
        blocks,
    }
}
