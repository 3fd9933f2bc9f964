//! A finding in the living message: what it is, what may be done about it, and what somebody has done already.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::SlackBlock;

use super::{
    Delivery,
    block::{actions, button, menu},
    rich::Rich,
};
use crate::{
    command::{Item, Press, View},
    render::{action, age},
    report::{Finding, Severity},
    triage::{Action, Decision, Return, Row, Standing},
};

/// Bytes that the parts of a row may take.
const TITLE: usize = 160;
const RULE: usize = 160;
const OWNER: usize = 80;
const KEY: usize = 100;
const REMARK: usize = 160;

/// The menu of a finding that nobody has decided about; Slack takes five entries.
const OPEN_MENU: [(Press, &str); 5] = [
    (Press::Open(View::Acknowledge), "Acknowledge with a reason…"),
    (Press::Open(View::Assign), "Assign…"),
    (Press::Open(View::Snooze), "Snooze…"),
    (Press::Open(View::Note), "Add a note…"),
    (Press::Open(View::Details), "Details"),
];

const DECIDED_MENU: [(Press, &str); 3] = [
    (Press::Undo, "Undo"),
    (Press::Open(View::Note), "Add a note…"),
    (Press::Open(View::Details), "Details"),
];

/// A colour beside the word, never in its place.
fn emoji(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "red_circle",
        Severity::High => "large_orange_circle",
        Severity::Medium => "large_yellow_circle",
        Severity::Low => "white_circle",
    }
}

/// Severity and title, linked.
pub(super) fn title(row: &Row, delivery: Option<&Delivery>) -> Rich {
    let mark = match (&row.standing, delivery) {
        (_, Some(Delivery::NeedsHuman(_))) => "warning",
        (Standing::Handled(decision), _) => mark(&decision.action),
        _ => emoji(row.finding.severity),
    };
    named(&row.finding, mark)
}

/// Only what has been closed gets a tick: what somebody merely has in hand is not well yet.
fn mark(action: &Action) -> &'static str {
    match action {
        Action::Resolve { .. } | Action::Archive => "white_check_mark",
        Action::Snooze { .. } => "zzz",
        _ => "eyes",
    }
}

fn named(finding: &Finding, mark: &str) -> Rich {
    Rich::new()
        .emoji(mark)
        .say(" ")
        .bold(finding.severity.as_str())
        .say("  ")
        .link(finding.link.as_ref(), finding.title.as_str(), TITLE)
}

/// As [`title`], for a finding of which no more is known.
pub(super) fn heading(finding: &Finding) -> Rich {
    named(finding, emoji(finding.severity))
}

/// The rule with its numbers, since when, runbook and key.
pub(super) fn about(row: &Row, now: DateTime<Utc>) -> Rich {
    let finding = &row.finding;
    Rich::new().parts([
        Rich::new().quote(finding.rule.as_str(), RULE),
        Rich::new().say(&age(row, now)),
        finding
            .runbook
            .as_ref()
            .map(|url| Rich::new().link(Some(url), "runbook", 20))
            .unwrap_or_default(),
        key(finding),
    ])
}

pub(super) fn key(finding: &Finding) -> Rich {
    Rich::new().code(&super::text::fit(&finding.key.to_string(), KEY))
}

/// Who has it, or what somebody decided about it.
pub(super) fn standing(row: &Row, zone: Tz) -> Rich {
    match &row.standing {
        Standing::Open => match &row.finding.owner {
            Some(owner) => Rich::new().say("assigned to ").quote(owner.as_str(), OWNER),
            None => Rich::new(),
        },
        Standing::Handled(decision) => decided(decision, zone),
        Standing::Back(decision, Return::Worse) => Rich::new()
            .say("worse since it was ")
            .then(decided(decision, zone)),
        Standing::Back(decision, Return::SeenAgain) => Rich::new()
            .say("there again since it was ")
            .then(decided(decision, zone)),
    }
}

/// What, by whom, when and why: "acknowledged by @anna, today at 09:12: fixed in 1.2".
pub(super) fn decided(decision: &Decision, zone: Tz) -> Rich {
    let what = match &decision.action {
        Action::Assign { to } => Rich::new().say("assigned to ").person(to),
        Action::Snooze { until } => Rich::new().say("snoozed until ").date(*until, zone),
        other => Rich::new().sentence(&action(other, zone, decision.at), REMARK),
    };
    let line = what
        .say(" by ")
        .person(&decision.by)
        .say(", ")
        .date(decision.at, zone);
    match decision.action.remark() {
        Some(remark) => line.say(": ").quote(remark.as_str(), REMARK),
        None => line,
    }
}

/// What has come of the decision on the other side.
pub(super) fn delivered(finding: &Finding, delivery: &Delivery, zone: Tz) -> Rich {
    match delivery {
        Delivery::Pending { verb } => Rich::new().quote(&under_way(finding, verb), REMARK),
        Delivery::Done(said) => Rich::new().quote(said.as_str(), REMARK),
        Delivery::TakenBack { verb, why } => Rich::new()
            .emoji("warning")
            .say(&format!(" {} was taken back: ", wish(verb)))
            .quote(why.as_str(), REMARK),
        Delivery::Retrying { why, at } => Rich::new()
            .emoji("hourglass_flowing_sand")
            .say(" not done on the other side yet: ")
            .quote(why.as_str(), REMARK)
            .say("; trying again ")
            .date(*at, zone),
        Delivery::NeedsHuman(why) => Rich::new()
            .emoji("warning")
            .say(" the other side needs a human: ")
            .quote(why.as_str(), REMARK),
    }
}

fn wish(verb: &str) -> &'static str {
    match verb {
        "resolve" => "resolving it",
        "assign" => "assigning it",
        "archive" => "archiving it",
        "undo" => "the undo",
        _ => "that",
    }
}

/// "resolving in Sentry…": the remedy's label in its continuous form.
fn under_way(finding: &Finding, verb: &str) -> String {
    let doing = match verb {
        "resolve" => "resolving",
        "assign" => "assigning",
        "archive" => "archiving",
        "undo" => "undoing it",
        _ => "carrying it out",
    };
    let place = finding
        .remedies
        .iter()
        .find(|remedy| remedy.verb == verb)
        .and_then(|remedy| remedy.label.split_once(' '))
        .map_or("on the other side", |(_, place)| place);
    format!("{doing} {place}…")
}

/// Everything about one row; `item` is None where there is nothing to press any more.
pub(super) fn blocks(
    row: &Row,
    delivery: Option<&Delivery>,
    note: Option<&Decision>,
    item: Option<&Item>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<SlackBlock> {
    let mut text = title(row, delivery).say("\n").then(about(row, now));
    for line in status(row, delivery, zone) {
        text = text.say("\n").then(line.capital());
    }
    if let Some((note, said)) = note.and_then(|note| Some((note, note.action.remark()?))) {
        text = text
            .say("\nNote by ")
            .person(&note.by)
            .say(": ")
            .quote(said.as_str(), REMARK);
    }
    let mut blocks = vec![text.block()];
    blocks.extend(item.map(|item| buttons(row, item)));
    blocks
}

/// Who has it or decided what, and what has come of that: beside it if all goes well, else in a line of its own.
fn status(row: &Row, delivery: Option<&Delivery>, zone: Tz) -> Vec<Rich> {
    let standing = standing(row, zone);
    let said = delivery.map(|delivery| delivered(&row.finding, delivery, zone));
    let lines = match (delivery, said) {
        (Some(Delivery::Pending { .. } | Delivery::Done(_)), Some(said)) => {
            vec![Rich::new().parts([standing, said])]
        }
        (_, said) => vec![standing, said.unwrap_or_default()],
    };
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

fn buttons(row: &Row, item: &Item) -> SlackBlock {
    if let Standing::Handled(_) = row.standing {
        return actions(vec![menu(item, &DECIDED_MENU)]);
    }
    let finding = &row.finding;
    let about = Some(finding.title.as_str());
    let second = match finding.remedies.iter().find(|it| it.verb == "resolve") {
        Some(remedy) => button(Press::Resolve, item, &remedy.label, about),
        None => button(Press::Snooze, item, "Snooze 1 day", about),
    };
    actions(vec![
        button(Press::Acknowledge, item, "Acknowledge", about).into(),
        second.into(),
        menu(item, &OPEN_MENU),
    ])
}
