//! Invoices that are paid again.

use chrono::TimeDelta;

use super::{Desk, done, refused, unknown};
use crate::world::stripe::{Account, Outcome, customer, fault, invoice, stripe};

const POST: &str = "POST /v1/invoices/in_1/pay";

/// Over €49.00, declined three times by Stripe's own tries; the card works by now.
pub(super) fn open() -> Account {
    stripe().with(
        invoice("in_1")
            .eur(4_900)
            .declined("insufficient_funds")
            .attempts(3),
    )
}

#[tokio::test]
async fn an_open_invoice_is_paid_once_under_the_orders_own_key() {
    let desk = Desk::before(open()).await;
    let mut click = desk.pay("in_1", "4900 eur");
    assert_eq!(done(click.attempt().await), "paid: €49.00 (ch_1a4)");
    assert_eq!((desk.charges("in_1"), desk.taken("in_1")), (1, 4_900));
    let account = desk.stripe.world();
    let key = account.ledger.charged[0].idempotency_key.as_ref();
    assert_eq!(key, Some(&click.order.idempotency_key));
}

#[tokio::test]
async fn an_amount_is_said_in_its_currencys_own_decimals() {
    for (minor, currency, said) in [
        (4_900, "jpy", "¥4,900"),
        (1_250, "kwd", "KWD 1.250"),
        (123_456, "usd", "$1,234.56"),
    ] {
        let of = invoice("in_1")
            .amount(minor, currency)
            .declined("insufficient_funds");
        let desk = Desk::before(stripe().with(of)).await;
        let paid = desk
            .pay("in_1", &format!("{minor} {currency}"))
            .attempt()
            .await;
        assert_eq!(done(paid), format!("paid: {said} (ch_1a2)"));
        assert_eq!(desk.taken("in_1"), minor);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_effect_is_found_by_reading() {
    for lost in [
        fault(POST).hangs_up(),
        fault(POST).cuts_off(),
        fault(POST).garbage().done_all_the_same(),
        fault(POST).fails().done_all_the_same(),
    ] {
        let desk = Desk::before(open().failing(lost.times(1))).await;
        let mut click = desk.pay("in_1", "4900 eur");
        assert_eq!(done(click.attempt().await), "paid: €49.00 (ch_1a4)");
        assert_eq!(
            done(click.attempt().await),
            "paid: €49.00 (ch_1a4)",
            "it is not forgotten"
        );
        assert_eq!((desk.charges("in_1"), desk.asked(&[POST])), (1, 1));
    }
}

#[tokio::test]
async fn what_can_neither_be_heard_nor_read_is_unknown_until_it_is_read() {
    let desk = Desk::before(open()).await;
    {
        let mut account = desk.stripe.world();
        account.faults.push(fault(POST).hangs_up());
        account.after(POST, 0, |account| {
            account
                .faults
                .push(fault("GET /v1/invoices/in_1").unavailable());
        });
    }
    let mut click = desk.pay("in_1", "4900 eur");
    unknown(click.attempt().await);
    desk.stripe.world().faults.clear();
    assert_eq!(done(click.attempt().await), "paid: €49.00 (ch_1a4)");
    assert_eq!((desk.charges("in_1"), desk.asked(&[POST])), (1, 1));
}

#[tokio::test]
async fn two_attempts_at_one_order_at_once_charge_once() {
    let slow = fault(POST).slow(std::time::Duration::from_millis(300));
    let desk = Desk::before(open().failing(slow.done_all_the_same())).await;
    let mut first = desk.pay("in_1", "4900 eur");
    let mut second = desk.pay("in_1", "4900 eur");
    second.order = first.order.clone();
    let both = tokio::join!(first.attempt(), second.attempt());
    for result in [both.0, both.1] {
        match result {
            Ok(_) => {}
            Err(other) => {
                unknown(Err(other));
            }
        }
    }
    assert_eq!(desk.charges("in_1"), 1);
}

#[tokio::test]
async fn a_decline_is_shown_as_what_it_is() {
    for (code, said) in [
        (
            "insufficient_funds",
            "declined: insufficient_funds (\"Your card has insufficient funds.\"), the invoice stays open; nothing was charged",
        ),
        (
            "expired_card",
            "declined: expired_card (\"Your card has expired.\"), the invoice stays open; nothing was charged",
        ),
        (
            "stolen_card",
            "declined: stolen_card (\"Your card was declined.\"), the invoice stays open; nothing was charged; the card was reported stolen: ask the customer for another means of payment",
        ),
    ] {
        let desk = Desk::before(open().with(customer("cus_1").declines(code))).await;
        assert_eq!(refused(desk.pay("in_1", "4900 eur").attempt().await), said);
        assert_eq!((desk.charges("in_1"), desk.taken("in_1")), (1, 0));
    }
}

#[tokio::test]
async fn a_bank_that_wants_the_customer_gets_the_customer() {
    let desk = Desk::before(open().with(customer("cus_1").needs_action())).await;
    let said = refused(desk.pay("in_1", "4900 eur").attempt().await);
    assert!(
        said.starts_with("not paid: the customer has to confirm it"),
        "{said}"
    );
    assert!(said.contains("nothing was charged"), "{said}");
    let again = refused(desk.pay("in_1", "4900 eur").attempt().await);
    assert!(again.contains("the customer has to confirm it"), "{again}");
    assert_eq!(desk.charges("in_1"), 1, "the bank is not asked again");
}

#[tokio::test]
async fn a_decline_whose_answer_is_lost_is_read_from_the_charge_and_not_tried_again() {
    let account = open().with(customer("cus_1").declines("insufficient_funds"));
    let desk = Desk::before(account.failing(fault(POST).hangs_up())).await;
    let said = refused(desk.pay("in_1", "4900 eur").attempt().await);
    assert!(said.starts_with("declined: insufficient_funds"), "{said}");
    assert_eq!(desk.charges("in_1"), 1);
}

#[tokio::test]
async fn by_hand_an_invoice_is_tried_once_a_day() {
    let desk = Desk::before(open().with(customer("cus_1").declines("insufficient_funds"))).await;
    refused(desk.pay("in_1", "4900 eur").attempt().await);
    desk.time.advance(TimeDelta::minutes(5));
    let said = refused(desk.pay("in_1", "4900 eur").attempt().await);
    assert_eq!(
        said,
        "it was tried by hand 5 min ago (ch_1a4), and once a day is the most; nothing was charged"
    );
    assert_eq!(desk.charges("in_1"), 1);
    desk.time.advance(TimeDelta::hours(24));
    desk.stripe
        .world()
        .live
        .customer("cus_1")
        .card
        .as_mut()
        .unwrap()
        .outcome = Outcome::Succeeds;
    assert_eq!(
        done(desk.pay("in_1", "4900 eur").attempt().await),
        "paid: €49.00 (ch_1a5)"
    );
}

#[tokio::test]
async fn stripes_own_try_of_this_morning_is_none_by_hand() {
    let of = invoice("in_1")
        .eur(4_900)
        .ago(TimeDelta::hours(3))
        .declined("insufficient_funds");
    let desk = Desk::before(stripe().with(of)).await;
    assert_eq!(
        done(desk.pay("in_1", "4900 eur").attempt().await),
        "paid: €49.00 (ch_1a2)"
    );
}

#[tokio::test]
async fn a_server_error_that_stripe_repeats_for_ever_ends_the_order_and_not_the_matter() {
    let desk = Desk::before(open().failing(fault(POST).fails().times(1))).await;
    let mut click = desk.pay("in_1", "4900 eur");
    unknown(click.attempt().await);
    unknown(click.attempt().await);
    desk.time.advance(TimeDelta::minutes(5));
    let said = refused(click.attempt().await);
    assert!(
        said.contains("gives that answer again") && said.contains("It shows no charge"),
        "{said}"
    );
    assert_eq!(desk.charges("in_1"), 0);
    assert_eq!(
        done(desk.pay("in_1", "4900 eur").attempt().await),
        "paid: €49.00 (ch_1a4)"
    );
}

#[tokio::test]
async fn a_dry_run_tells_the_request_and_sends_none() {
    let desk = Desk::before(open()).await;
    let click = desk.pay("in_1", "4900 eur");
    let lines = click.rehearse().await;
    let key = format!("idempotency-key: {}", click.order.idempotency_key);
    assert_eq!(lines[3], key, "it is no secret");
    let key = desk.key.as_str();
    assert!(lines.iter().all(|line| !line.contains(key)), "{lines:?}");
    assert_eq!(
        [&lines[..3], &lines[4..]].concat(),
        [
            "POST /v1/invoices/in_1/pay",
            "authorization: the key rk_live_... in STRIPE_API_KEY",
            "stripe-version: 2026-10-28.endive",
            "charges €49.00, after 3 earlier charges"
        ]
    );
    assert_eq!(desk.asked(&["POST"]), 0);
}

#[tokio::test]
async fn an_order_that_stripe_may_have_forgotten_is_only_read() {
    let desk = Desk::before(open().failing(fault(POST).unavailable())).await;
    let mut click = desk.pay("in_1", "4900 eur");
    let _ = click.attempt().await;
    desk.stripe.world().faults.clear();
    desk.time.advance(TimeDelta::hours(24));
    let said = refused(click.attempt().await);
    assert!(
        said.starts_with("it was decided 24 h ago") && said.ends_with("decide again"),
        "{said}"
    );
    assert_eq!(desk.charges("in_1"), 0);
    done(desk.pay("in_1", "4900 eur").attempt().await);
}

#[tokio::test]
async fn a_first_try_by_hand_is_the_only_one_of_its_day() {
    let never = invoice("in_1").eur(4_900).ago(TimeDelta::days(3));
    let account = stripe()
        .with(never)
        .with(customer("cus_1").declines("insufficient_funds"));
    let desk = Desk::before(account).await;
    refused(desk.pay("in_1", "4900 eur").attempt().await);
    desk.time.advance(TimeDelta::minutes(5));
    let said = refused(desk.pay("in_1", "4900 eur").attempt().await);
    assert!(said.starts_with("it was tried by hand 5 min ago"), "{said}");
    assert_eq!(desk.charges("in_1"), 1);
}
