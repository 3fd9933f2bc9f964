//! The check `payments`: what it judges of what Stripe says.

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    checks::{
        Check, Evaluation,
        payments::{
            Balance, Dispute, Endpoint, Event, Invoice, Mode, Observation, Payments, Payout, Seen,
            Walk,
        },
    },
    report::{Cause, Finding, Severity, Unknown},
};
use serde_json::{Value, json};

mod amounts;
mod budget;
mod faults;
mod fixtures;
mod invoices;
mod reach;
mod standing;
mod stripe;
mod stripe_contract;
mod webhooks;

/// The time of judgement: 2026-11-23, a Monday.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

/// Seconds since 1970, so long before now.
pub(crate) fn ago(time: TimeDelta) -> i64 {
    (now() - time).timestamp()
}

pub(crate) fn section(toml: &str) -> Payments {
    let payments: Payments = toml::from_str(toml).unwrap();
    payments.validate().unwrap();
    payments
}

/// An account in which all is well, of a live key.
pub(crate) fn well() -> Seen {
    Seen {
        balance: Some(Ok(Balance::default())),
        ..Seen::default()
    }
}

pub(crate) fn judge_with(toml: &str, seen: Seen) -> Evaluation {
    let observed = Observation {
        key: Some(Mode::Live),
        accounts: vec![seen],
        ..Observation::default()
    };
    section(toml).evaluate(&observed, now())
}

pub(crate) fn judge(seen: Seen) -> Evaluation {
    judge_with("", seen)
}

fn read<T>(read: impl Fn(&Value) -> Option<T>, items: impl IntoIterator<Item = Value>) -> Walk<T> {
    Walk {
        items: items
            .into_iter()
            .map(|item| read(&item).expect("the item has an id"))
            .collect(),
        ..Walk::default()
    }
}

fn event(id: &str, kind: &str, age: TimeDelta, pending: u64) -> Value {
    json!({"id": id, "object": "event", "type": kind, "created": ago(age), "pending_webhooks": pending, "livemode": true,
        "data": {"object": {"id": "in_1"}}})
}

fn endpoint(id: &str, status: &str, takes: &[&str]) -> Value {
    json!({"id": id, "object": "webhook_endpoint", "url": format!("https://hooks.example.com/{id}"), "status": status, "enabled_events": takes})
}

#[track_caller]
fn only(judged: &Evaluation) -> &Finding {
    assert_eq!(judged.findings.len(), 1, "{:#?}", judged.findings);
    &judged.findings[0]
}

fn keys(judged: &Evaluation) -> Vec<String> {
    let mut keys: Vec<String> = judged
        .findings
        .iter()
        .map(|finding| finding.key.to_string())
        .collect();
    keys.sort();
    keys
}

fn shown(finding: &Finding) -> String {
    let lines: Vec<&str> = finding.evidence.iter().map(|line| line.as_str()).collect();
    lines.join("\n")
}

#[test]
fn an_account_in_which_nothing_failed_is_ok() {
    let judged = judge(well());
    assert!(judged.findings.is_empty() && judged.unknown.is_empty());
    assert_eq!(judged.unseen, Some(vec![]));
    assert_eq!(judged.summary.as_str(), "nothing failed");
}

#[test]
fn a_test_key_on_a_live_check_is_critical_and_never_ok() {
    for (toml, key, shown) in [
        ("", Some(Mode::Test), None),
        ("", None, Some(Mode::Test)),
        ("", Some(Mode::Live), Some(Mode::Test)),
        ("mode = 'test'", Some(Mode::Live), None),
        ("mode = 'test'", None, Some(Mode::Live)),
    ] {
        let mut observed = Observation {
            key,
            accounts: vec![well()],
            ..Observation::default()
        };
        observed.notices.modes.extend(shown);
        let judged = section(toml).evaluate(&observed, now());
        let finding = only(&judged);
        assert_eq!(finding.key.to_string(), "payments:key");
        assert_eq!(finding.severity, Severity::Critical);
        assert!(finding.rule.as_str().contains("`mode` says"), "{finding:?}");
        assert_eq!(judged.unknown[0].cause, Cause::NotConfigured);
        assert!(judged.unknown[0].reason.as_str().contains("STRIPE_API_KEY"));
        assert_eq!(judged.unseen, None);
    }
}

#[test]
fn a_key_that_tells_no_mode_by_itself_or_by_what_it_shows_is_unknown() {
    let observed = Observation {
        accounts: vec![well()],
        ..Observation::default()
    };
    let judged = section("").evaluate(&observed, now());
    assert_eq!(judged.unknown[0].cause, Cause::NotConfigured);
    assert!(judged.unknown[0].reason.as_str().contains("rk_live_"));
}

#[test]
fn a_wrong_clock_makes_all_of_it_unknown() {
    let mut observed = Observation {
        key: Some(Mode::Live),
        accounts: vec![well()],
        ..Observation::default()
    };
    observed.notices.skew = Some(TimeDelta::minutes(-7));
    let judged = section("").evaluate(&observed, now());
    assert_eq!(judged.unknown[0].cause, Cause::ClockSkew);
    assert_eq!(judged.unseen, None);
}

#[test]
fn a_missing_permission_hides_only_its_own_part() {
    let gap = || Unknown::new(Cause::Forbidden, "give the key `Invoices: read`");
    let mut seen = well();
    seen.invoices.open.gaps.push(gap());
    seen.invoices.drafts.gaps.push(gap());
    seen.disputes = read(
        Dispute::read,
        [json!({"id": "dp_1", "status": "needs_response"})],
    );
    let judged = judge(seen);
    assert_eq!(judged.unknown, [gap()]);
    assert_eq!(keys(&judged), ["payments:dispute/dp_1"]);
    let unseen: Vec<String> = judged
        .unseen
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(unseen, ["payments:invoice", "payments:invoices"]);
    assert_eq!(judged.summary.as_str(), "1 dispute, not all seen");
}

#[test]
fn one_failure_of_many_requests_is_said_once() {
    let gap = |request: &str| {
        let reason = format!("Stripe GET /v1/{request}: 503 came back; look again");
        Unknown::new(Cause::Upstream, reason)
    };
    let mut seen = well();
    seen.undelivered.gaps.push(gap("events (request req_1)"));
    seen.disputes.gaps.push(gap("disputes (request req_2)"));
    seen.payouts.gaps.push(gap("payouts"));
    let unknown = judge(seen).unknown;
    assert_eq!(
        unknown,
        [gap("events, /v1/disputes, /v1/payouts")],
        "{unknown:#?}"
    );
}

#[test]
fn a_connected_account_has_findings_of_its_own() {
    let mut connected = well();
    connected.account = Some("acct_1".to_owned());
    connected.payouts = read(
        Payout::read,
        [json!({"id": "po_1", "status": "failed", "amount": 5, "currency": "jpy"})],
    );
    let mut barred = Seen {
        account: Some("acct_2".to_owned()),
        ..Seen::default()
    };
    barred.barred = Some(Unknown::new(Cause::Forbidden, "no access to acct_2"));
    let observed = Observation {
        key: Some(Mode::Live),
        accounts: vec![well(), connected, barred],
        ..Observation::default()
    };
    let judged = section("accounts = ['acct_1', 'acct_2']").evaluate(&observed, now());
    assert_eq!(keys(&judged), ["payments:acct_1/payout/po_1"]);
    assert_eq!(
        judged.findings[0].link.as_ref().unwrap().as_str(),
        "https://dashboard.stripe.com/acct_1/payouts/po_1"
    );
    assert_eq!(judged.unknown.len(), 1);
    assert_eq!(judged.unseen.unwrap(), ["payments:acct_2".parse().unwrap()]);
    assert_eq!(
        judged.summary.as_str(),
        "nothing failed; acct_1: 1 failed payout; acct_2: not looked at"
    );
}

#[test]
fn the_runbook_of_the_section_is_linked() {
    let mut seen = well();
    seen.disputes = read(
        Dispute::read,
        [json!({"id": "dp_1", "status": "needs_response"})],
    );
    let judged = judge_with("runbook = 'https://example.com/pay'", seen);
    assert_eq!(only(&judged).runbook.as_ref().unwrap().path(), "/pay");
}

fn declined(
    id: &str,
    payment: &str,
    code: &str,
    amount: (i64, &str),
    customer: &str,
    age: TimeDelta,
) -> Value {
    json!({"id": id, "type": "payment_intent.payment_failed", "created": ago(age), "data": {"object": {
        "id": payment, "amount": amount.0, "currency": amount.1, "customer": customer,
        "last_payment_error": {"code": "card_declined", "decline_code": code, "message": "Your card was declined."}}}})
}

#[test]
fn failed_payments_are_counted_by_code_with_customers_and_money() {
    let hour = TimeDelta::hours(1);
    let charge = json!({"id": "evt_9", "type": "charge.failed", "created": ago(hour), "data": {"object": {
        "id": "ch_1", "payment_intent": "pi_1", "amount": 490_000, "currency": "eur", "customer": "cus_1",
        "failure_code": "card_declined", "outcome": {"reason": "insufficient_funds"}}}});
    let mut seen = well();
    seen.failures.walk = read(
        Event::read,
        [
            charge,
            declined(
                "evt_1",
                "pi_1",
                "insufficient_funds",
                (490_000, "eur"),
                "cus_1",
                hour,
            ),
            declined(
                "evt_2",
                "pi_1",
                "insufficient_funds",
                (490_000, "eur"),
                "cus_1",
                hour * 3,
            ),
            declined(
                "evt_3",
                "pi_2",
                "insufficient_funds",
                (12_000, "jpy"),
                "cus_2",
                hour,
            ),
            declined(
                "evt_4",
                "pi_3",
                "insufficient_funds",
                (1_250, "kwd"),
                "cus_2",
                hour,
            ),
            declined("evt_5", "pi_4", "stolen_card", (100, "usd"), "cus_3", hour),
            declined(
                "evt_6",
                "pi_5",
                "expired_card",
                (100, "usd"),
                "cus_3",
                hour * 25,
            ),
        ],
    );
    let judged = judge(seen);
    assert_eq!(
        keys(&judged),
        [
            "payments:declines/insufficient_funds",
            "payments:declines/stolen_card"
        ]
    );
    let funds = &judged.findings[0];
    assert_eq!(
        funds.title.as_str(),
        "3 failed payments: insufficient funds (2 customers, €4,900.00, ¥12,000, KWD 1.250)"
    );
    assert_eq!((funds.magnitude, funds.severity), (3, Severity::Low));
    assert_eq!(judged.findings[1].severity, Severity::Medium);
    assert_eq!(judged.summary.as_str(), "4 failed payments");
}

#[test]
fn many_failures_with_one_code_are_high() {
    let mut seen = well();
    seen.failures.walk = read(
        Event::read,
        (0..20).map(|i| {
            declined(
                &format!("evt_{i}"),
                &format!("pi_{i}"),
                "do_not_honor",
                (100, "usd"),
                "cus_1",
                TimeDelta::hours(2),
            )
        }),
    );
    let judged = judge(seen);
    assert_eq!(only(&judged).severity, Severity::High);
    assert!(
        only(&judged)
            .rule
            .as_str()
            .starts_with("20 in 24 h, limit 20")
    );
}

#[test]
fn an_invoice_is_unreadable_only_without_an_id() {
    assert!(Invoice::read(&json!({"id": "in_1", "status": "a_new_word", "customer": {"id": "cus_1"}, "attempt_count": null})).is_some());
    assert!(Invoice::read(&json!({"status": "open"})).is_none());
    assert!(Endpoint::read(&json!({"id": null})).is_none());
}
