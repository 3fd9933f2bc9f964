//! Disputes, payouts and the balance.

use chrono::TimeDelta;
use daily_ops::{
    checks::payments::{Balance, Dispute, Payout, Seen},
    report::Severity,
};
use serde_json::{Value, json};

use super::{ago, judge, keys, only, read, well};

fn dispute(status: &str, details: Value) -> Seen {
    let item = json!({"id": "dp_1", "status": status, "reason": "product_not_received", "amount": 12_000, "currency": "usd",
        "charge": "ch_1", "created": ago(TimeDelta::days(9)), "evidence_details": details});
    Seen {
        disputes: read(Dispute::read, [item]),
        ..well()
    }
}

#[test]
fn a_dispute_is_critical_in_its_last_three_days() {
    for (left, severity) in [
        (TimeDelta::days(10), Severity::High),
        (TimeDelta::days(3), Severity::Critical),
        (TimeDelta::hours(1), Severity::Critical),
        (TimeDelta::hours(-1), Severity::High),
    ] {
        let judged = judge(dispute("needs_response", json!({"due_by": ago(-left)})));
        let finding = only(&judged);
        assert_eq!(finding.key.to_string(), "payments:dispute/dp_1");
        assert_eq!(finding.severity, severity, "{left}");
        assert!(finding.title.as_str().starts_with(
            "a dispute over $120.00 (product not received) waits for an answer, due "
        ));
    }
    let judged = judge(dispute("warning_needs_response", json!(null)));
    assert_eq!(only(&judged).severity, Severity::High);
}

#[test]
fn a_dispute_that_waits_for_somebody_else_is_no_finding() {
    for status in ["under_review", "won", "lost", "warning_closed", "prevented"] {
        assert_eq!(keys(&judge(dispute(status, json!({})))), [""; 0]);
    }
}

#[test]
fn a_dispute_of_a_status_that_is_new_may_wait_for_an_answer() {
    let judged = judge(dispute("a_new_word", json!({})));
    assert_eq!(
        only(&judged).title.as_str(),
        "a dispute over $120.00 (product not received) may wait for an answer (a new word)"
    );
}

#[test]
fn a_failed_payout_says_why() {
    let item = json!({"id": "po_1", "status": "failed", "amount": 1_250_500, "currency": "huf", "automatic": true,
        "failure_code": "account_closed", "failure_message": "The bank account has been closed"});
    let judged = judge(Seen {
        payouts: read(Payout::read, [item]),
        ..well()
    });
    let finding = only(&judged);
    assert_eq!(
        finding.title.as_str(),
        "a payout of HUF 12,505.00 failed: account closed"
    );
    assert_eq!(finding.severity, Severity::High);
}

#[test]
fn a_balance_below_zero_is_said_for_each_currency() {
    let balance = |eur: i64, pending: i64| {
        let answer = json!({"object": "balance", "available": [{"amount": eur, "currency": "eur"}, {"amount": 5, "currency": "usd"}],
            "pending": [{"amount": pending, "currency": "eur"}]});
        Seen {
            balance: Some(Ok(Balance::read(&answer).unwrap())),
            ..well()
        }
    };
    let judged = judge(balance(-12_345, 0));
    assert_eq!(only(&judged).key.to_string(), "payments:balance/eur");
    assert_eq!(
        only(&judged).title.as_str(),
        "the balance is below zero: -€123.45"
    );
    assert_eq!(only(&judged).severity, Severity::High);
    assert_eq!(
        only(&judge(balance(-12_345, 12_345))).severity,
        Severity::Medium
    );
    assert_eq!(keys(&judge(balance(0, -5))), [""; 0]);
}

#[test]
fn what_is_no_balance_is_not_taken_for_one() {
    for answer in [
        json!({}),
        json!({"object": "list", "available": [], "pending": []}),
        json!({"object": "balance", "pending": []}),
        json!({"object": "balance", "available": [{"amount": null, "currency": "eur"}], "pending": []}),
    ] {
        assert_eq!(Balance::read(&answer), None, "{answer}");
    }
}
