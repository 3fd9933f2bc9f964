//! Unpaid invoices that grow older than what the lists hold.

use daily_ops::sandbox::world::payments::End;

use super::{DAY, Days, HOUR};
use crate::world::stripe::{Account, Collection, Invoice, Outcome, Permission, fault, invoice};

const KEY: &str = "payments:invoice/in_1";

/// Declined three times.
fn unpaid(id: &str, age: chrono::TimeDelta) -> Invoice {
    let owed = invoice(id).of("cus_1").eur(4_900);
    owed.declined("insufficient_funds").attempts(3).ago(age)
}

async fn with_one_of_89_days() -> Days {
    Days::of(|stripe| stripe.with(unpaid("in_1", DAY * 89))).await
}

fn pays(days: &Days) {
    let at = days.company.now();
    let mut stripe = days.stripe.world();
    stripe.live.invoices[0].end = Some((at, End::PaidElsewhere));
}

#[tokio::test]
async fn an_old_invoice_stays_until_it_is_paid() {
    let days = with_one_of_89_days().await;
    assert_eq!(days.now().await.needs_you(), [KEY]);
    for _ in 0..4 {
        let morning = days.after(DAY).await;
        assert_eq!(morning.needs_you(), [KEY]);
        assert!(morning.gone().is_empty());
        assert!(morning.row(KEY).as_of.is_none(), "it was looked at");
    }
    pays(&days);
    let morning = days.after(DAY).await;
    assert_eq!(morning.gone(), [KEY]);
    assert_eq!(morning.shown(), [""; 0]);
}

#[tokio::test]
async fn an_old_invoice_that_was_handled_is_let_go_and_not_called_gone() {
    let days = with_one_of_89_days().await;
    days.now().await;
    days.somebody(&format!("handle {KEY} they pay by transfer"))
        .await;
    assert_eq!(days.after(HOUR).await.shown(), [KEY]);
    let morning = days.after(DAY * 3).await;
    assert_eq!((morning.shown(), morning.gone()), (vec![], vec![]));
}

#[tokio::test]
async fn an_old_invoice_that_was_snoozed_comes_back() {
    let days = with_one_of_89_days().await;
    days.now().await;
    days.somebody(&format!("snooze {KEY} 5d")).await;
    assert_eq!(days.after(DAY * 3).await.snoozed(), [KEY]);
    assert_eq!(days.after(DAY * 3).await.needs_you(), [KEY]);
}

#[tokio::test]
async fn an_old_invoice_that_needed_nobody_is_still_seen_to_get_worse() {
    let decline = || Outcome::Declined("insufficient_funds".to_owned());
    let owed = invoice("in_1").of("cus_1").eur(4_900).ago(DAY * 89);
    let retried = owed
        .declined("insufficient_funds")
        .retried_in(DAY * 4, decline());
    let days = Days::of(|stripe| stripe.with(retried)).await;
    let morning = days.now().await;
    assert_eq!(
        (morning.shown(), morning.needs_you()),
        (vec![KEY.to_owned()], vec![])
    );
    assert_eq!(days.after(DAY * 2).await.shown(), [KEY]);
    let morning = days.after(DAY * 3).await;
    assert!(
        morning.needs_you().contains(&KEY.to_owned()),
        "{:?}",
        morning.shown()
    );
}

#[tokio::test]
async fn an_old_draft_that_was_deleted_is_gone() {
    let draft = unpaid("in_1", DAY * 89).not_finalized("customer_tax_location_invalid");
    let days = Days::of(|stripe| stripe.with(draft)).await;
    assert_eq!(days.now().await.needs_you(), [KEY]);
    assert_eq!(days.after(DAY * 3).await.needs_you(), [KEY]);
    days.stripe.world().live.invoices.clear();
    assert_eq!(days.after(DAY).await.gone(), [KEY]);
}

#[tokio::test]
async fn an_old_invoice_that_can_not_be_read_is_unknown_and_stays() {
    let days = with_one_of_89_days().await;
    days.now().await;
    let down = fault("GET /v1/invoices/in_1").unavailable();
    days.stripe.world().faults.push(down);
    let morning = days.after(DAY * 3).await;
    assert!(morning.gone().is_empty());
    let reasons = morning.reasons();
    assert!(
        reasons.iter().any(|why| why.contains("invoices/in_1")),
        "{reasons:?}"
    );
    days.stripe.world().faults.clear();
    assert_eq!(days.after(DAY).await.needs_you(), [KEY]);
}

#[tokio::test]
async fn more_old_invoices_than_are_read_one_by_one_stay_as_they_stood() {
    let old = (10..35).map(|i| unpaid(&format!("in_{i}"), DAY * 89));
    let days = Days::of(|stripe| stripe.with_all(old)).await;
    assert_eq!(days.now().await.needs_you().len(), 25);
    let before = days.stripe.world().ledger.requests.len();
    let morning = days.after(DAY * 3).await;
    assert_eq!(morning.needs_you().len(), 25);
    let aged = morning.needs_you();
    let aged = aged.iter().filter(|key| morning.is_aged(key)).count();
    assert_eq!(aged, 5);
    assert!(morning.gone().is_empty());
    let requests = days.stripe.world().ledger.requests.len() - before;
    assert!(requests < 50, "{requests}");
}

#[tokio::test]
async fn old_invoices_that_are_only_counted_stay() {
    let old = (10..16).map(|i| unpaid(&format!("in_{i}"), DAY * 89));
    let days = Days::with("limits = { invoices = 2 }\n", |stripe| stripe.with_all(old)).await;
    let many = "payments:invoices/no-retry";
    assert_eq!(days.now().await.row(many).finding.magnitude, 4);
    let morning = days.after(DAY * 3).await;
    assert_eq!(morning.row(many).finding.magnitude, 4);
    assert!(morning.gone().is_empty() && !morning.is_aged(many));
}

#[tokio::test]
async fn an_invoice_says_why_it_failed_before_anybody_clicks() {
    let days = Days::of(|stripe| stripe.with(unpaid("in_1", DAY * 20))).await;
    let morning = days.now().await;
    let finding = &morning.row(KEY).finding;
    assert!(
        finding
            .title
            .as_str()
            .ends_with("failed: insufficient funds"),
        "{finding:?}"
    );
    let lines = &finding.remedies[0].confirm;
    assert!(
        lines.iter().any(|line| line
            .as_str()
            .starts_with("declined last: insufficient_funds")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn without_the_right_to_read_payments_nothing_is_said_of_why() {
    let forbidden = fault("GET /v1/invoices/in_1 expand");
    let forbidden = forbidden.forbidden(Permission::PaymentIntentRead);
    let described = |stripe: Account| stripe.with(unpaid("in_1", DAY * 20)).failing(forbidden);
    let days = Days::of(described).await;
    let morning = days.now().await;
    assert!(morning.row(KEY).finding.title.as_str().ends_with(" failed"));
    assert_eq!(morning.reasons(), [""; 0]);
}

#[tokio::test]
async fn old_drafts_that_nobody_finalises_are_told_together() {
    let draft = |id: &str| Invoice {
        auto_advance: false,
        ..invoice(id).of("cus_1").eur(4_900).ago(DAY * 8).draft()
    };
    let young = Invoice {
        auto_advance: false,
        ..invoice("in_3").of("cus_1").ago(DAY * 6).draft()
    };
    let days = Days::of(|stripe| stripe.with(draft("in_1")).with(draft("in_2")).with(young)).await;
    let morning = days.now().await;
    assert_eq!(morning.shown(), ["payments:invoices/waiting-drafts"]);
    assert!(morning.needs_you().is_empty());
    let finding = &morning.row("payments:invoices/waiting-drafts").finding;
    assert_eq!(
        finding.title.as_str(),
        "2 drafts wait for somebody to finalise: €98.00"
    );
}

/// Finalised two days ago, to be paid in 60 days, and never sent.
async fn never_sent() -> Days {
    let unsent = invoice("in_1")
        .of("cus_1")
        .eur(4_900)
        .ago(DAY * 2)
        .unsent(DAY * 60);
    Days::of(|stripe| stripe.with(unsent)).await
}

#[tokio::test]
async fn an_invoice_that_was_never_sent_stays_when_no_event_tells_of_it_any_more() {
    let days = never_sent().await;
    assert_eq!(days.now().await.needs_you(), [KEY]);
    for _ in 0..5 {
        let morning = days.after(DAY * 9).await;
        assert_eq!(morning.needs_you(), [KEY]);
        assert!(morning.gone().is_empty());
    }
}

#[tokio::test]
async fn an_old_invoice_that_is_sent_at_last_is_gone() {
    let days = never_sent().await;
    days.now().await;
    days.after(DAY * 35).await;
    let at = days.company.now();
    if let Collection::Mail { sent, .. } = &mut days.stripe.world().live.invoices[0].collection {
        sent.push(at);
    }
    assert_eq!(days.after(DAY).await.gone(), [KEY]);
}

#[tokio::test]
async fn among_more_old_invoices_than_are_read_each_has_its_turn() {
    let old = (10..35).map(|i| unpaid(&format!("in_{i}"), DAY * 89));
    let days = Days::of(|stripe| stripe.with_all(old)).await;
    days.now().await;
    let at = days.company.now();
    for invoice in &mut days.stripe.world().live.invoices {
        invoice.end = Some((at, End::PaidElsewhere));
    }
    days.after(DAY * 3).await;
    assert_eq!(days.after(DAY).await.needs_you(), [""; 0]);
}
