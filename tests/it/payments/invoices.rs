//! Invoices that failed or got stuck.

use chrono::TimeDelta;
use daily_ops::{
    checks::{
        Evaluation,
        payments::{Event, Invoice, Seen, Why},
    },
    report::Severity,
};
use serde_json::{Value, json};

use super::{ago, judge, judge_with, keys, only, read, shown, well};

const DAY: TimeDelta = TimeDelta::days(1);

/// Open, failed twice, over €49, with these changes.
fn invoice(changes: Value) -> Value {
    let mut invoice = json!({"id": "in_1", "object": "invoice", "status": "open", "collection_method": "charge_automatically",
        "number": "7FE1103-0007", "customer": "cus_1", "customer_name": "Acme GmbH", "customer_email": "pay@acme.example",
        "amount_due": 4900, "amount_remaining": 4900, "currency": "eur", "attempt_count": 2, "attempted": true, "auto_advance": true,
        "next_payment_attempt": null, "created": ago(DAY * 5), "status_transitions": {"finalized_at": ago(DAY * 5)}});
    for (name, value) in changes.as_object().unwrap() {
        invoice[name] = value.clone();
    }
    invoice
}

/// By the list that Stripe would give it in.
fn with(invoices: impl IntoIterator<Item = Value>) -> Seen {
    let mut seen = well();
    for item in invoices {
        let list = match item["status"].as_str() {
            Some("draft") => &mut seen.invoices.drafts,
            Some("uncollectible") => &mut seen.invoices.uncollectible,
            _ => &mut seen.invoices.open,
        };
        list.items.push(Invoice::read(&item).unwrap());
    }
    seen
}

fn judged(changes: Value) -> Evaluation {
    judge(with([invoice(changes)]))
}

#[test]
fn a_card_that_will_not_be_charged_again_wants_the_customer_to_give_another() {
    for (code, is_hard) in [("lost_card", true), ("insufficient_funds", false)] {
        let mut seen = with([invoice(json!({}))]);
        let why = Why {
            code: code.to_owned(),
            message: None,
        };
        seen.invoices.why.insert("in_1".to_owned(), why);
        let judged = judge(seen);
        let rule = only(&judged).rule.as_str();
        assert_eq!(
            rule.ends_with("ask the customer for another means of payment"),
            is_hard,
            "{code}: {rule}"
        );
    }
}

#[test]
fn an_invoice_that_is_not_tried_again_is_worse_than_one_that_is() {
    let judged_none = judged(json!({}));
    let finding = only(&judged_none);
    assert_eq!(finding.key.to_string(), "payments:invoice/in_1");
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(
        finding.title.as_str(),
        "Acme GmbH: €49.00 of invoice 7FE1103-0007 failed"
    );
    assert_eq!(
        finding.rule.as_str(),
        "2 attempts failed, and no automatic retry is left"
    );
    assert_eq!(
        finding.link.as_ref().unwrap().as_str(),
        "https://dashboard.stripe.com/invoices/in_1"
    );
    let lines = shown(finding);
    assert!(
        lines.contains("customer: Acme GmbH (cus_1)") && !lines.contains("acme.example"),
        "{lines}"
    );
    for (attempts, severity) in [(1, Severity::Low), (2, Severity::Medium)] {
        let next = -DAY.num_seconds();
        let retried = judged(
            json!({"attempt_count": attempts, "next_payment_attempt": ago(TimeDelta::seconds(next))}),
        );
        let finding = only(&retried);
        assert_eq!(finding.severity, severity);
        assert!(
            finding
                .rule
                .as_str()
                .contains("Stripe will retry on 2026-11-24 09:00 UTC"),
            "{finding:?}"
        );
    }
}

#[test]
fn what_is_paid_new_or_owes_nothing_is_no_finding() {
    for changes in [
        json!({"status": "paid"}),
        json!({"status": "void"}),
        json!({"amount_remaining": 0}),
        json!({"attempt_count": 0, "attempted": false, "next_payment_attempt": ago(-DAY)}),
        json!({"attempt_count": 0, "attempted": false, "status_transitions": {"finalized_at": ago(TimeDelta::hours(2))}}),
        json!({"status": "draft", "created": ago(TimeDelta::minutes(90))}),
        json!({"status": "draft", "auto_advance": false}),
        json!({"status": "draft", "automatically_finalizes_at": ago(-DAY)}),
        json!({"collection_method": "send_invoice", "due_date": ago(-DAY)}),
    ] {
        assert_eq!(keys(&judged(changes.clone())), [""; 0], "{changes}");
    }
}

#[test]
fn stuck_invoices_are_named_for_what_they_are() {
    for (changes, severity, said) in [
        (
            json!({"status": "draft", "created": ago(TimeDelta::hours(3))}),
            Severity::Medium,
            "draft for 3 h",
        ),
        (
            json!({"status": "draft", "last_finalization_error": {"type": "invalid_request_error", "code": "customer_tax_location_invalid", "message": "No tax location."}}),
            Severity::High,
            "No tax location.",
        ),
        (
            json!({"status": "draft", "auto_advance": false, "last_finalization_error": {"type": "new_word"}}),
            Severity::High,
            "new_word",
        ),
        (
            json!({"status": "draft", "created": null, "last_finalization_error": {"type": "new_word"}}),
            Severity::High,
            "new_word",
        ),
        (
            json!({"status": "uncollectible"}),
            Severity::Medium,
            "uncollectible",
        ),
        (
            json!({"attempt_count": 0, "attempted": false}),
            Severity::Medium,
            "never tried",
        ),
        (
            json!({"next_payment_attempt": ago(DAY * 2)}),
            Severity::High,
            "was to try it",
        ),
        (
            json!({"collection_method": "send_invoice", "due_date": ago(DAY * 3)}),
            Severity::Medium,
            "overdue for 3 days",
        ),
        (
            json!({"collection_method": "send_invoice", "due_date": ago(DAY * 30)}),
            Severity::High,
            "overdue for 30 days",
        ),
    ] {
        let judged = judged(changes.clone());
        let finding = only(&judged);
        assert_eq!(finding.severity, severity, "{changes}");
        assert!(
            finding.rule.as_str().contains(said),
            "{}",
            finding.rule.as_str()
        );
    }
}

#[test]
fn an_invoice_happened_last_when_it_last_failed() {
    let hour = TimeDelta::hours(1);
    let event = |kind: &str, object: Value| json!({"id": "evt_1", "type": kind, "created": ago(hour), "data": {"object": object}});
    let mut seen = with([invoice(json!({}))]);
    seen.failures.walk = read(
        Event::read,
        [event(
            "invoice.payment_failed",
            json!({"id": "in_1", "object": "invoice"}),
        )],
    );
    let failed_again = judge(seen);
    let invoice_of = |judged: &Evaluation| {
        let mut findings = judged.findings.iter();
        findings
            .find(|finding| finding.key.subject() == "invoice/in_1")
            .unwrap()
            .last_at
    };
    assert_eq!(invoice_of(&failed_again).unwrap().timestamp(), ago(hour));
    assert_eq!(
        invoice_of(&judged(json!({}))).unwrap().timestamp(),
        ago(DAY * 5)
    );
}

#[test]
fn an_invoice_that_is_only_counted_now_is_not_gone() {
    let many = |number: usize| {
        let ids = (0..number).map(|i| invoice(json!({"id": format!("in_{i:03}")})));
        judge_with("limits = { invoices = 2 }", with(ids))
    };
    assert_eq!(many(2).unseen.unwrap(), []);
    let counted = many(4).unseen.unwrap();
    assert_eq!(
        counted,
        ["payments:invoice/in_002", "payments:invoice/in_003"].map(|key| key.parse().unwrap())
    );
    assert_eq!(many(400).unseen.unwrap().len(), 200, "bounded");
}

#[test]
fn an_invoice_that_was_never_sent_is_told_by_the_events_of_sending() {
    let mailed = || invoice(json!({"collection_method": "send_invoice", "due_date": ago(-DAY)}));
    let sent = |about: &str| json!({"id": "evt_1", "type": "invoice.sent", "data": {"object": {"id": about}}});
    let mut seen = with([mailed()]);
    seen.invoices.sent = Some(read(Event::read, [sent("in_2")]));
    seen.invoices.sent_since = Some(super::now() - DAY * 29);
    let judged = judge(seen);
    assert!(
        only(&judged)
            .title
            .as_str()
            .ends_with("was finalised and never sent")
    );
    let mut seen = with([mailed()]);
    seen.invoices.sent = Some(read(Event::read, [sent("in_1")]));
    assert_eq!(keys(&judge(seen)), [""; 0]);
    let mut seen = with([mailed()]);
    let mut walk = read(Event::read, []);
    walk.gaps.push(daily_ops::report::Unknown::new(
        daily_ops::report::Cause::Truncated,
        "read a part",
    ));
    seen.invoices.sent = Some(walk);
    let judged = judge(seen);
    assert_eq!(
        (keys(&judged), judged.unknown.len()),
        (vec![], 1),
        "what was not read proves nothing"
    );
}

#[test]
fn a_payment_that_the_customer_has_to_confirm_is_told() {
    let mut seen = with([invoice(json!({}))]);
    seen.failures.walk = read(
        Event::read,
        [
            json!({"id": "evt_1", "type": "invoice.payment_action_required", "data": {"object": {"id": "in_1"}}}),
        ],
    );
    assert!(shown(only(&judge(seen))).contains("3D Secure"));
}

#[test]
fn much_money_is_a_step_worse() {
    let toml = "limits = { large = { EUR = '49', JPY = '1' } }";
    let judged = judge_with(toml, with([invoice(json!({}))]));
    let finding = only(&judged);
    assert_eq!(finding.severity, Severity::Critical);
    assert!(
        finding
            .rule
            .as_str()
            .ends_with("a step worse as €49.00 is at least €49.00")
    );
    let toml = "limits = { large = { EUR = '49.01' } }";
    assert_eq!(
        only(&judge_with(toml, with([invoice(json!({}))]))).severity,
        Severity::High
    );
}

#[test]
fn many_invoices_are_counted_by_kind_with_the_money() {
    let failed = (0..43)
        .map(|i| invoice(json!({"id": format!("in_{i:02}"), "created": ago(DAY * (60 - i))})));
    let yen = invoice(
        json!({"id": "in_yen", "amount_remaining": 12_000, "currency": "jpy", "created": ago(DAY)}),
    );
    let draft = invoice(json!({"id": "in_draft", "status": "draft"}));
    let judged = judge(with(failed.chain([yen, draft])));
    assert_eq!(judged.findings.len(), 42);
    let many = judged
        .findings
        .iter()
        .find(|f| f.key.to_string() == "payments:invoices/no-retry")
        .unwrap();
    assert_eq!(
        many.title.as_str(),
        "4 invoices besides failed and are not tried again: €147.00, ¥12,000"
    );
    assert_eq!((many.severity, many.magnitude), (Severity::High, 4));
    assert!(
        judged
            .findings
            .iter()
            .any(|f| f.key.to_string() == "payments:invoices/stuck-draft")
    );
    assert_eq!(judged.summary.as_str(), "45 invoices");
}

#[test]
fn an_invoice_on_two_lists_is_one_finding() {
    let mut seen = with([invoice(json!({}))]);
    seen.invoices
        .drafts
        .items
        .push(Invoice::read(&invoice(json!({"status": "draft"}))).unwrap());
    only(&judge(seen));
}
