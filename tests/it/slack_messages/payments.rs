//! What a row says of an invoice that somebody had paid again.

use daily_ops::{
    render::slack::{self, Delivery},
    report::{Finding, FindingKey, Remedy, Severity, Verb},
    ticket::{Draft, Marker, StoredTicket, Ticket, TicketState, TicketStatus},
    triage::{Action, Failed, Person},
};

use super::rounds::{Round, at, finding, looked, slack as person};
use crate::world::office::read;

const KEY: &str = "payments:invoice/in_1";

fn unpaid() -> Round {
    let remedy = Remedy::confirmed(Verb::Pay, vec!["customer: Beta GmbH".into()]);
    let unpaid = Finding {
        remedies: vec![remedy],
        can_be_resolved: false,
        ..finding(
            KEY,
            Severity::High,
            "49 EUR of Beta GmbH",
            "declined 3 times",
        )
    };
    Round::of(vec![looked("payments", vec![unpaid])])
}

fn said(round: &Round) -> String {
    let message = round.drawn(slack::message);
    assert_eq!(slack::limits::validate(&message), Ok(()));
    read(&serde_json::to_value(&message.blocks).expect("it is JSON"))
}

#[test]
fn only_what_was_paid_gets_a_tick_whatever_its_words_are() {
    for (delivery, is_ticked) in [
        (Delivery::Done("asked for: it is an odd word".into()), true),
        (
            Delivery::Asked("the bank has not answered yet".into()),
            false,
        ),
    ] {
        let mut round = unpaid();
        let action = Action::Remedy { verb: Verb::Pay };
        round.decide(KEY, person("U012ABCDEF"), action);
        let key = KEY.parse().expect("it is a key");
        round.deliveries.insert(key, delivery.clone());
        let said = said(&round);
        assert_eq!(
            said.contains("white_check_mark"),
            is_ticked,
            "{delivery:?}: {said}"
        );
    }
}

#[test]
fn what_was_declined_stands_in_the_row_once_and_with_its_day() {
    let key = || KEY.parse().expect("it is a key");
    let mut round = unpaid();
    let failed = Failed {
        verb: Verb::Pay,
        at: at("2026-11-23T08:00:00Z"),
        why: "declined: insufficient_funds".into(),
    };
    round.failed.insert(key(), failed.clone());
    let taken_back = Delivery::TakenBack {
        verb: "pay".to_owned(),
        why: failed.why,
    };
    round.deliveries.insert(key(), taken_back);
    let said = said(&round);
    assert_eq!(said.matches("not paid again, ").count(), 1, "{said}");
    assert!(said.contains(": declined: insufficient_funds"), "{said}");
    assert!(
        said.contains("[Pay again…]") && said.contains("[Handled…]"),
        "{said}"
    );
}

#[test]
fn what_can_not_be_resolved_is_offered_to_be_handled() {
    let mut round = unpaid();
    for finding in &mut round.checks[0].findings {
        finding.remedies.clear();
    }
    assert!(said(&round).contains("[Handled…]"), "{}", said(&round));
}

/// Opened in GitHub, and open there still.
fn ticket(round: &Round) -> StoredTicket {
    let key: FindingKey = KEY.parse().expect("it is a key");
    StoredTicket {
        marker: Marker::new(&key, 1),
        number: 3,
        key,
        version: 1,
        tracker: "GitHub".to_owned(),
        state: TicketStatus::Open,
        draft: Draft {
            title: "49 EUR of Beta GmbH".to_owned(),
            body: String::new(),
            severity: Severity::High,
            labels: Vec::new(),
        },
        remote: Some(Ticket {
            id: "17".to_owned(),
            name: "acme/web#17".to_owned(),
            url: None,
            state: TicketState::Open,
        }),
        wanted_at: round.started_at,
        closed_at: None,
    }
}

#[test]
fn an_open_ticket_is_shown_of_what_was_paid_as_well() {
    let key: FindingKey = KEY.parse().expect("it is a key");
    let mut round = unpaid();
    let action = Action::Remedy { verb: Verb::Pay };
    round.decide(KEY, person("U012ABCDEF"), action);
    let paid = Delivery::Done("paid: €49.00".into());
    round.deliveries.insert(key.clone(), paid);
    let ticket = ticket(&round);
    round.tickets.insert(key, vec![ticket]);
    let said = said(&round);
    for words in ["Paid: €49.00", "ticket acme/web#17 in GitHub: open"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_ticket_that_was_opened_again_by_itself_says_why() {
    let mut round = unpaid();
    let ticket = ticket(&round);
    let action = Action::Ticket {
        marker: ticket.marker.clone(),
        tracker: ticket.tracker.clone(),
        title: "49 EUR of Beta GmbH".into(),
        again: true,
    };
    round.decide(KEY, Person::program(), action);
    round.tickets.insert(ticket.key.clone(), vec![ticket]);
    let said = said(&round);
    let words = "ticket acme/web#17 in GitHub, reopened: it has come back";
    assert!(said.contains(words), "{said}");
    round.decisions[0].by = person("U012ABCDEF");
    let said = self::said(&round);
    assert!(
        said.contains("ticket acme/web#17 in GitHub: open"),
        "somebody asked for it: {said}"
    );
}
