//! A finding in the living message: what it is, what may be done about it, and what somebody has done already.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::SlackBlock;

use super::{
    Delivery,
    buttons::buttons,
    outcome::{beside, delivered, failed, is_said},
    rich::Rich,
};
use crate::{
    command::Item,
    render::{self, action, age},
    report::{Finding, Severity, Verb},
    ticket::{StoredTicket, TicketStatus},
    triage::{Action, Decision, Return, Row, Standing},
};

/// Bytes that the parts of a row may take.
const TITLE: usize = 160;
const RULE: usize = 160;
const OWNER: usize = 80;
const KEY: usize = 100;
const REMARK: usize = 160;

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
pub(super) fn title(row: &Row, delivery: Option<&Delivery>, ticket: Option<&StoredTicket>) -> Rich {
    let mark = match (&row.standing, delivery) {
        (_, Some(Delivery::NeedsHuman(_))) => "warning",
        (Standing::Handled(decision), _) => mark(&decision.action, delivery, ticket),
        _ => emoji(row.finding.severity),
    };
    named(&row.finding, mark)
}

/// Only what has been closed gets a tick: what somebody merely has in hand is not well yet.
fn mark(
    action: &Action,
    delivery: Option<&Delivery>,
    ticket: Option<&StoredTicket>,
) -> &'static str {
    let is_done = match action {
        Action::Handle { .. } => true,
        // Nothing is owed where no delivery is known: what was decided then concerns nobody else.
        Action::Resolve { .. } | Action::Archive => {
            delivery.is_none_or(|it| matches!(it, Delivery::Done(_)))
        }
        Action::Remedy { verb: Verb::Pay } => matches!(delivery, Some(Delivery::Done(_))),
        Action::Ticket { .. } => ticket.is_some_and(StoredTicket::is_done),
        _ => false,
    };
    match action {
        _ if is_done => "white_check_mark",
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
        Standing::Back(decision, Return::NotDone) => Rich::new()
            .say("not done yet, as far as is known: ")
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
        Action::Ticket { again, .. } => Rich::new().say(render::ticket::done(*again)),
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

/// As [`filed`], in the row of its finding, which says why it is open again.
pub(super) fn filed_in(row: &Row, ticket: &StoredTicket, zone: Tz) -> Rich {
    let state = render::ticket::state_in(row, ticket);
    if state == render::ticket::state(ticket) {
        return filed(ticket, zone);
    }
    let place = render::ticket::place(&ticket.tracker);
    let name = match (ticket.state, &ticket.remote) {
        (TicketStatus::Wanted, None) => Rich::new().say("a ticket"),
        _ => Rich::new().say("ticket ").then(ticket_name(ticket)),
    };
    name.say(&format!(" {place}, {state}"))
}

/// A ticket's name, linked, and where it stands: "ticket ENG-12 in Linear: open".
pub(super) fn filed(ticket: &StoredTicket, zone: Tz) -> Rich {
    let place = render::ticket::place(&ticket.tracker);
    match (ticket.state, &ticket.remote) {
        (TicketStatus::Wanted, None) => {
            return Rich::new().say(&format!("opening a ticket {place}…"));
        }
        (TicketStatus::Wanted, Some(_)) => {
            return Rich::new()
                .say("opening the ticket ")
                .then(ticket_name(ticket))
                .say(&format!(" again {place}…"));
        }
        _ => {}
    }
    let line = Rich::new()
        .say("ticket ")
        .then(ticket_name(ticket))
        .say(&format!(" {place}: {}", render::ticket::state(ticket)));
    match ticket.closed_at.filter(|_| ticket.is_done()) {
        Some(at) => line.say(", closed ").date(at, zone),
        None => line,
    }
}

pub(super) fn ticket_name(ticket: &StoredTicket) -> Rich {
    let url = ticket
        .remote
        .as_ref()
        .and_then(|remote| remote.url.as_ref());
    Rich::new().link(url, &ticket.name(), KEY)
}

/// What has come of a finding beside what was decided.
#[derive(Clone, Copy, Default)]
pub(super) struct SoFar<'a> {
    pub(super) delivery: Option<&'a Delivery>,
    /// The newest, unless its tracker refused it.
    pub(super) ticket: Option<&'a StoredTicket>,
    pub(super) note: Option<&'a Decision>,
}

/// Everything about one row; `item` is None where there is nothing to press any more.
pub(super) fn blocks(
    row: &Row,
    so_far: SoFar<'_>,
    item: Option<&Item>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<SlackBlock> {
    let SoFar {
        delivery,
        ticket,
        note,
    } = so_far;
    let about = if is_paid(row, delivery) {
        key(&row.finding)
    } else {
        about(row, now)
    };
    let mut text = title(row, delivery, ticket).say("\n").then(about);
    for line in status(row, delivery, ticket, zone) {
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
    blocks.extend(item.map(|item| buttons(row, delivery, ticket, item)));
    blocks
}

/// Whether what the rule says of it is over.
fn is_paid(row: &Row, delivery: Option<&Delivery>) -> bool {
    let Standing::Handled(decision) = &row.standing else {
        return false;
    };
    decision.action == Action::Remedy { verb: Verb::Pay }
        && matches!(delivery, Some(Delivery::Done(_)))
}

/// What the check has done about it, and who asked for that: "paid: €49.00, asked for by @anna, today at 09:12".
fn done_for(row: &Row, delivery: Option<&Delivery>, zone: Tz) -> Option<Rich> {
    match (&row.standing, delivery) {
        (Standing::Handled(decision), Some(Delivery::Done(said)))
            if matches!(decision.action, Action::Remedy { .. }) && !said.is_empty() =>
        {
            let line = Rich::new().quote(said.as_str(), REMARK);
            let line = line.say(", asked for by ").person(&decision.by);
            Some(line.say(", ").date(decision.at, zone))
        }
        _ => None,
    }
}

/// Who has it or decided what, and what has come of that: beside it if all goes well, else in a line of its own.
fn status(
    row: &Row,
    delivery: Option<&Delivery>,
    ticket: Option<&StoredTicket>,
    zone: Tz,
) -> Vec<Rich> {
    let filed = ticket.map(|ticket| filed_in(row, ticket, zone));
    let filed = filed.unwrap_or_default();
    if let Some(done) = done_for(row, delivery, zone) {
        return vec![Rich::new().parts([done, filed])];
    }
    let standing = standing(row, zone);
    let delivery = delivery
        .and_then(|delivery| beside(ticket, delivery))
        .filter(|delivery| !is_said(row, delivery));
    let said = delivery
        .as_ref()
        .map(|delivery| delivered(&row.finding, delivery, zone));
    let mut lines = match (delivery, said) {
        (
            Some(
                Delivery::Pending { .. }
                | Delivery::Done(_)
                | Delivery::Asked(_)
                | Delivery::Ticketed { .. },
            ),
            Some(said),
        ) => {
            vec![Rich::new().parts([standing, filed, said])]
        }
        (_, said) => vec![
            Rich::new().parts([standing, filed]),
            said.unwrap_or_default(),
        ],
    };
    lines.extend(failed(row, zone));
    lines.retain(|line| !line.is_empty());
    lines
}
