//! What may be done about a finding: at most two buttons, and a menu.

use slack_morphism::prelude::{SlackActionBlockElement, SlackBlock, SlackBlockButtonElement};

use super::{
    Delivery,
    block::{actions, button, menu},
};
use crate::{
    command::{Item, Press, View},
    report::{Finding, Verb},
    ticket::{LOCAL, StoredTicket, TicketStatus},
    triage::{Action, Row, Standing},
};

/// Entries of a menu; Slack takes five.
const ENTRIES: usize = 5;

type Entry = (Press, String);

pub(super) fn buttons(
    row: &Row,
    delivery: Option<&Delivery>,
    ticket: Option<&StoredTicket>,
    item: &Item,
) -> SlackBlock {
    let finding = &row.finding;
    let ticket = ticket.filter(|ticket| ticket.is_open());
    if let Standing::Handled(decision) = &row.standing {
        let entries = decided_menu(&decision.action, delivery, ticket);
        return actions(vec![menu(item, &entries)]);
    }
    let remedies: Vec<Entry> = remedies(finding).collect();
    let (first, rest) = match remedies.split_first() {
        Some((first, rest)) => (first.clone(), rest),
        None => ((Press::Acknowledge, "Acknowledge".to_owned()), &[][..]),
    };
    let button = |(press, label): Entry| -> SlackActionBlockElement {
        let about = Some(finding.title.as_str());
        SlackBlockButtonElement::into(button(press, item, &label, about))
    };
    let menu = menu(item, &open_menu(finding, ticket, rest));
    actions(vec![button(first), button(second(finding)), menu])
}

/// What the finding's check can do about it beside resolving, each behind what has to be read first.
fn remedies(finding: &Finding) -> impl Iterator<Item = Entry> + '_ {
    finding.remedies.iter().filter_map(|remedy| {
        let verb = Verb::named(&remedy.verb)?;
        Some((
            Press::Open(View::Remedy(verb)),
            format!("{}…", remedy.label),
        ))
    })
}

/// Whether somebody can have dealt with it by hand: it can't be resolved, or it happened and doesn't stand on the other
/// side to be resolved there.
fn is_over(finding: &Finding) -> bool {
    let resolves = finding.remedy("resolve").is_some();
    let has_happened = finding.last_at.is_some() || remedies(finding).next().is_some();
    !finding.can_be_resolved || !resolves && has_happened
}

fn second(finding: &Finding) -> Entry {
    match finding.remedy("resolve") {
        Some(remedy) => (Press::Resolve, remedy.label.clone()),
        None if is_over(finding) => (Press::Open(View::Handle), "Handled…".to_owned()),
        None => (Press::Snooze, "Snooze 1 day".to_owned()),
    }
}

/// The menu of a finding that nobody has decided about. A reason is a note, where there is no room for both.
fn open_menu(finding: &Finding, ticket: Option<&StoredTicket>, remedies: &[Entry]) -> Vec<Entry> {
    let say = |press, label: &str| (press, label.to_owned());
    let mut entries = remedies.to_vec();
    entries.push(match ticket {
        None => say(Press::Open(View::Ticket), "Open a ticket…"),
        Some(ticket) => closing(ticket)
            .unwrap_or_else(|| say(Press::Open(View::Acknowledge), "Acknowledge with a reason…")),
    });
    if is_over(finding) {
        entries.push(say(Press::Open(View::Acknowledge), "Acknowledge…"));
    } else {
        entries.push(say(Press::Open(View::Assign), "Assign…"));
    }
    entries.push(say(Press::Open(View::Snooze), "Snooze…"));
    entries.push(say(Press::Open(View::Note), "Add a note…"));
    entries.truncate(ENTRIES - 1);
    entries.push(say(Press::Open(View::Details), "Details"));
    entries
}

fn decided_menu(
    action: &Action,
    delivery: Option<&Delivery>,
    ticket: Option<&StoredTicket>,
) -> Vec<Entry> {
    let is_final = matches!(
        action,
        Action::Resolve { .. } | Action::Archive | Action::Handle { .. }
    );
    let filing = match ticket {
        Some(ticket) => closing(ticket),
        None if is_final => None,
        None => Some((Press::Open(View::Ticket), "Open a ticket…".to_owned())),
    };
    let can_be_undone = match action {
        Action::Ticket { .. } => ticket.is_none(),
        Action::Remedy { .. } => !matches!(delivery, Some(Delivery::Done(_) | Delivery::Asked(_))),
        _ => true,
    };
    let undo = can_be_undone.then(|| (Press::Undo, "Undo".to_owned()));
    let others = [
        (Press::Open(View::Note), "Add a note…".to_owned()),
        (Press::Open(View::Details), "Details".to_owned()),
    ];
    undo.into_iter().chain(filing).chain(others).collect()
}

/// Only what is kept here can be closed from here.
fn closing(ticket: &StoredTicket) -> Option<Entry> {
    (ticket.tracker == LOCAL && ticket.state == TicketStatus::Open)
        .then(|| (Press::CloseTicket, format!("Close {}", ticket.name())))
}
