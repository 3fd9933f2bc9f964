//! Tickets are kept before their tracker is asked, and one finding has one that is open; on both engines.

use chrono::NaiveDate;
use daily_ops::{
    baseline::Measure,
    checks::{Applied, Order},
    ops_log::Kind,
    permissions::Permit,
    report::{CheckReport, Outcome, Report, RunId, Severity},
    store::{Decided, EffectState, NewEffect, NewTicket, Settlement, Store, Wants},
    ticket::{Draft, LOCAL, Marker, StoredTicket, Ticket, TicketOrder, TicketState, TicketStatus},
    triage::{Action, Memory, Verdict},
};

use crate::world::{
    database::on_each_engine,
    records::{a_run, at, claim, decision, entry, intact, key, note},
};

fn draft() -> Draft {
    Draft {
        title: "Checkout fails".to_owned(),
        body: "It does; 'really'.".to_owned(),
        severity: Severity::High,
        labels: vec!["daily-ops".to_owned()],
    }
}

fn wants(subject: &str, version: i64, tracker: &str) -> Wants {
    let marker = Marker::new(&key(subject), 1);
    let open = TicketOrder::Open {
        marker: marker.clone(),
        draft: draft(),
    };
    let order = Order {
        ticket: Some(open),
        ..Order::new(&key(subject), "ticket", &decision(subject, 1, "anna").by)
    };
    let permit = Permit::at_terminal("anna");
    let effect = NewEffect::new(order, version, at(0), &permit).expect("nobody is charged");
    Wants {
        effect: (tracker != LOCAL).then_some(effect),
        ticket: Some(NewTicket {
            marker,
            tracker: tracker.to_owned(),
            draft: draft(),
        }),
        cancels: None,
    }
}

async fn ask(store: &Store, subject: &str, version: i64, tracker: &str) -> Decided {
    ask_again_as(store, "anna", (subject, version), tracker).await
}

async fn ask_as(store: &Store, who: &str, subject: &str, tracker: &str) {
    let decided = ask_again_as(store, who, (subject, 1), tracker).await;
    assert!(matches!(decided, Decided::Recorded(_)), "{decided:?}");
}

async fn ask_again_as(
    store: &Store,
    who: &str,
    (subject, version): (&str, i64),
    tracker: &str,
) -> Decided {
    let mut decided = decision(subject, version, who);
    decided.action = Action::Ticket {
        marker: Marker::new(&key(subject), 1),
        tracker: tracker.to_owned(),
        title: "Checkout fails".into(),
        again: version > 1,
    };
    let entry = entry(version, Kind::Decision, who, "a ticket");
    store
        .decide(decided, entry, wants(subject, version, tracker), None)
        .await
        .expect("the store answers")
}

async fn only(store: &Store, subject: &str) -> StoredTicket {
    let tickets = store
        .tickets_of([&key(subject)])
        .await
        .expect("they are read");
    let mut tickets = tickets.into_values().flatten();
    let first = tickets.next().expect("there is one");
    assert_eq!(tickets.next(), None);
    first
}

fn there() -> Ticket {
    Ticket {
        id: "17".to_owned(),
        name: "acme/web#17".to_owned(),
        url: Some(
            "https://github.com/acme/web/issues/17"
                .parse()
                .expect("it is one"),
        ),
        state: TicketState::Open,
    }
}

async fn settle(store: &Store, minute: i64, settlement: Settlement) {
    let claimed = claim(store, minute).await.expect("one is due");
    assert!(
        store
            .mark_sent(&claimed, at(minute))
            .await
            .expect("it is ours")
    );
    store
        .settle_effect(&claimed.effect_key, claimed.fence, settlement, None, None)
        .await
        .expect("it is settled");
}

#[tokio::test]
async fn a_ticket_of_our_own_is_open_at_once_and_closed_once() {
    on_each_engine(async |database| {
        let store = &database.store;
        assert!(matches!(
            ask(store, "1", 1, LOCAL).await,
            Decided::Recorded(_)
        ));
        assert!(matches!(
            ask(store, "2", 1, LOCAL).await,
            Decided::Recorded(_)
        ));
        let ticket = only(store, "2").await;
        assert_eq!(
            (ticket.name().as_str(), ticket.state, &ticket.draft),
            ("T-2", TicketStatus::Open, &draft())
        );
        let close = || store.close_ticket(&ticket.marker, at(5), note(5));
        assert!(close().await.expect("it is closed").is_some());
        assert!(
            close().await.expect("it answers").is_none(),
            "it was closed"
        );
        let closed = only(store, "2").await;
        assert_eq!(
            (closed.state, closed.closed_at),
            (TicketStatus::Closed, Some(at(5)))
        );
        let names = |tickets: Vec<StoredTicket>| -> Vec<String> {
            tickets.iter().map(StoredTicket::name).collect()
        };
        assert_eq!(
            names(store.tickets(false).await.expect("read")),
            ["T-2", "T-1"]
        );
        assert_eq!(names(store.tickets(true).await.expect("read")), ["T-1"]);
        assert_eq!(intact(store).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_finding_with_an_open_ticket_gets_no_second_one_and_a_closed_one_is_opened_again() {
    on_each_engine(async |database| {
        let store = &database.store;
        ask(store, "1", 1, LOCAL).await;
        let entries = intact(store).await;
        assert_eq!(ask(store, "1", 2, LOCAL).await, Decided::Conflict);
        assert_eq!(intact(store).await, entries, "nothing of it was written");
        assert_eq!(store.history(&key("1")).await.expect("read").len(), 1);

        let marker = only(store, "1").await.marker;
        store
            .close_ticket(&marker, at(3), note(3))
            .await
            .expect("it is closed");
        assert!(matches!(
            ask(store, "1", 2, LOCAL).await,
            Decided::Recorded(_)
        ));
        let again = only(store, "1").await;
        assert_eq!(
            (again.state, again.version, again.number, again.closed_at),
            (TicketStatus::Open, 2, 1, None)
        );
    })
    .await;
}

#[tokio::test]
async fn a_ticket_elsewhere_is_wanted_until_its_tracker_has_it_or_refuses_it() {
    on_each_engine(async |database| {
        let store = &database.store;
        ask(store, "1", 1, "GitHub").await;
        assert_eq!(only(store, "1").await.state, TicketStatus::Wanted);
        let done = Applied::Ticketed {
            said: "ticket acme/web#17 in GitHub".into(),
            ticket: there(),
            remark: None,
        };
        settle(store, 1, Settlement::Done(done)).await;
        let ticket = only(store, "1").await;
        assert_eq!(
            (ticket.name().as_str(), ticket.state, ticket.remote),
            ("acme/web#17", TicketStatus::Open, Some(there()))
        );

        ask(store, "2", 1, "GitHub").await;
        settle(store, 2, Settlement::Failed("issues are disabled".into())).await;
        assert_eq!(only(store, "2").await.state, TicketStatus::Failed);
        assert!(matches!(
            ask(store, "2", 2, "GitHub").await,
            Decided::Recorded(_)
        ));
        assert_eq!(only(store, "2").await.state, TicketStatus::Wanted);
    })
    .await;
}

#[tokio::test]
async fn a_ticket_that_is_not_opened_again_stays_closed_and_is_gone_only_if_its_tracker_has_it_no_more()
 {
    on_each_engine(async |database| {
        let store = &database.store;
        ask(store, "1", 1, "GitHub").await;
        let done = Applied::Ticketed {
            remark: None,
            said: "ticket acme/web#17 in GitHub".into(),
            ticket: there(),
        };
        settle(store, 1, Settlement::Done(done)).await;
        let open = only(store, "1").await;
        store
            .close_ticket(&open.marker, at(3), note(3))
            .await
            .expect("it is closed");
        ask(store, "1", 2, "GitHub").await;
        settle(store, 4, Settlement::Failed("issues are disabled".into())).await;
        let refused = only(store, "1").await;
        assert_eq!(
            (
                refused.state,
                refused.closed_at,
                refused.wanted_at,
                &refused.remote
            ),
            (
                TicketStatus::Closed,
                Some(at(3)),
                open.wanted_at,
                &open.remote
            )
        );
        ask(store, "1", 3, "GitHub").await;
        assert_eq!(only(store, "1").await.state, TicketStatus::Wanted);
        settle(store, 5, Settlement::Gone("deleted".into())).await;
        let gone = only(store, "1").await;
        assert_eq!(
            (gone.state, gone.closed_at, gone.name().as_str()),
            (TicketStatus::Gone, Some(at(3)), "acme/web#17")
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_not_sent_can_be_taken_back_and_what_was_sent_can_not() {
    on_each_engine(async |database| {
        let store = &database.store;
        let undo = async |subject: &str| {
            let mut undo = decision(subject, 2, "ben");
            undo.action = Action::Undo { version: 1 };
            let wants = Wants {
                cancels: Some(1),
                ..Wants::default()
            };
            let entry = entry(2, Kind::Decision, "ben", "an undo");
            store
                .decide(undo, entry, wants, None)
                .await
                .expect("the store answers")
        };
        ask(store, "1", 1, "GitHub").await;
        let claimed = claim(store, 1).await.expect("one is due");
        assert!(matches!(undo("1").await, Decided::Recorded(_)));
        assert!(
            !store.mark_sent(&claimed, at(1)).await.expect("it answers"),
            "whoever had claimed it sends nothing"
        );
        let effect = store
            .effect_of(&key("1"), 1)
            .await
            .expect("read")
            .expect("kept");
        assert_eq!(effect.state, EffectState::Failed);
        assert_eq!(only(store, "1").await.state, TicketStatus::Failed);

        ask(store, "2", 1, "GitHub").await;
        let claimed = claim(store, 2).await.expect("one is due");
        assert!(store.mark_sent(&claimed, at(2)).await.expect("it is ours"));
        assert_eq!(undo("2").await, Decided::Sent);
        assert_eq!(store.history(&key("2")).await.expect("read").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_counted_is_kept_by_day_until_it_counts_no_more() {
    on_each_engine(async |database| {
        let store = &database.store;
        let day = |text: &str| text.parse::<NaiveDate>().expect("it is a day");
        let today = at(0).date_naive();
        let old = today - chrono::TimeDelta::weeks(13);
        let counted = |value, day| Measure {
            name: "declines".to_owned(),
            day,
            value,
        };
        let run = |minute, measures: Vec<Measure>| {
            let check = CheckReport {
                name: "payments".to_owned(),
                outcome: Outcome::Looked,
                findings: Vec::new(),
                unseen: None,
                aged: Vec::new(),
                summary: "".into(),
                took_ms: 1,
                measures,
            };
            let report = Report {
                run: RunId::of(at(minute)),
                started_at: at(minute),
                finished_at: at(minute),
                checks: vec![check],
            };
            a_run(&report, Verdict::Ok, Memory::new(), note(minute))
        };
        let yesterday = today - chrono::TimeDelta::days(1);
        let first = run(0, vec![counted(4, yesterday), counted(9, old)]);
        store.record_run(first).await.expect("it is kept");
        let second = run(1, vec![counted(5, yesterday), counted(u64::MAX, today)]);
        store.record_run(second).await.expect("it is kept");
        let kept = store.measures(today).await.expect("they are read");
        assert_eq!(
            kept["payments"],
            [counted(5, yesterday), counted(i64::MAX as u64, today)]
        );
        let long_ago = store
            .measures(day("2020-01-01"))
            .await
            .expect("they are read");
        assert_eq!(long_ago["payments"].len(), 2, "the old one was removed");
    })
    .await;
}

#[tokio::test]
async fn whoever_is_erased_is_taken_out_of_their_tickets_and_nobody_else_is() {
    on_each_engine(async |database| {
        let store = &database.store;
        ask_as(store, "anna", "1", LOCAL).await;
        ask_as(store, "anna", "2", "GitHub").await;
        ask_as(store, "ben", "3", LOCAL).await;
        let done = Applied::Ticketed {
            remark: None,
            said: "ticket acme/web#17 in GitHub".into(),
            ticket: there(),
        };
        settle(store, 1, Settlement::Done(done)).await;
        let anna = decision("1", 1, "anna").by;
        let entry = entry(2, Kind::Erased, "ben", "a person was erased");
        store.erase(anna, entry).await.expect("she is erased");
        for subject in ["1", "2"] {
            let ticket = only(store, subject).await;
            let draft = &ticket.draft;
            assert_eq!((draft.title.as_str(), draft.body.as_str()), ("erased", "erased"));
            assert!(ticket.is_open() && draft.labels.is_empty(), "{ticket:?}");
        }
        assert_eq!(only(store, "3").await.draft, draft());
        for left in [
            "UPDATE tickets SET number = number WHERE key LIKE '%1' AND CAST(draft AS TEXT) LIKE '%really%'",
            "UPDATE effects SET fence = fence WHERE CAST(ordered AS TEXT) LIKE '%really%'",
            "UPDATE decisions SET version = version WHERE CAST(decision AS TEXT) LIKE '%anna%'",
        ] {
            assert_eq!(database.raw(left).await.expect("it runs"), 0, "{left}");
        }
        intact(store).await;
    })
    .await;
}
