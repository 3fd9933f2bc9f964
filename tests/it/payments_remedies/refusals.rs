//! Invoices that are not to be charged, and keys that may not.

use chrono::TimeDelta;

use super::{Desk, done, not_sent, overtaken, paying::open, refused};
use crate::world::stripe::{Permission, TEST_KEY, customer, fault, invoice, stripe};

const POST: &str = "POST /v1/invoices/in_1/pay";

#[tokio::test]
async fn what_stripe_holds_for_done_or_gone_is_not_charged() {
    let paid = Desk::before(stripe().with(invoice("in_1").eur(4_900).paid())).await;
    assert_eq!(
        done(paid.pay("in_1", "4900 eur").attempt().await),
        "was already paid: €49.00"
    );
    for (of, said) in [
        (
            invoice("in_1").void(),
            "void in Stripe meanwhile; nothing was charged",
        ),
        (
            invoice("in_1").uncollectible(),
            "marked uncollectible in Stripe meanwhile; nothing was charged",
        ),
        (
            invoice("in_1").draft(),
            "a draft in Stripe, which nobody can pay yet; nothing was charged",
        ),
        (
            invoice("in_2"),
            "gone from Stripe: no such invoice; nothing was charged",
        ),
    ] {
        let desk = Desk::before(stripe().with(of)).await;
        assert_eq!(
            overtaken(desk.pay("in_1", "1000 eur").attempt().await),
            said
        );
        assert_eq!((desk.charges("in_1"), desk.asked(&["POST"])), (0, 0));
    }
}

#[tokio::test]
async fn only_what_was_confirmed_is_charged() {
    let desk = Desk::before(open()).await;
    for (confirmed, said) in [
        (
            Some("4800 eur"),
            "€49.00 are to be paid now, and €48.00 were confirmed",
        ),
        (
            Some("4900 usd"),
            "€49.00 are to be paid now, and $49.00 were confirmed",
        ),
        (None, "it is not known which amount was confirmed"),
        (Some("49"), "it is not known which amount was confirmed"),
    ] {
        let mut click = desk.click("pay", "payments:invoice/in_1", confirmed);
        let why = refused(click.attempt().await);
        assert!(
            why.starts_with(said) && why.contains("nothing was charged"),
            "{why}"
        );
    }
    assert_eq!(desk.asked(&["POST"]), 0);
}

#[tokio::test]
async fn what_is_paid_by_a_link_is_not_charged() {
    let desk = Desk::before(stripe().with(invoice("in_1").mailed(TimeDelta::days(-3)))).await;
    let why = refused(desk.pay("in_1", "1000 eur").attempt().await);
    assert!(why.ends_with("send it again instead"), "{why}");
    assert_eq!(desk.asked(&["POST"]), 0);
}

#[tokio::test]
async fn a_hard_decline_is_tried_again_only_with_other_means_of_payment() {
    for (code, said) in [
        (
            "stolen_card",
            "the card was reported stolen (stolen_card): ask the customer for another means of payment; nothing was charged",
        ),
        (
            "revocation_of_authorization",
            "the customer has revoked this recurring payment (revocation_of_authorization): ask the customer for another means of payment; nothing was charged",
        ),
    ] {
        let of = invoice("in_1").eur(4_900).declined(code);
        let desk = Desk::before(stripe().with(of)).await;
        assert_eq!(refused(desk.pay("in_1", "4900 eur").attempt().await), said);
        assert_eq!(desk.asked(&["POST"]), 0);
        desk.stripe.world().live.invoice("in_1").means = Some("pm_new".to_owned());
        assert_eq!(
            done(desk.pay("in_1", "4900 eur").attempt().await),
            "paid: €49.00 (ch_1a2)"
        );
    }
}

#[tokio::test]
async fn a_customer_with_nothing_to_charge_is_said_in_stripes_words() {
    let desk = Desk::before(open().with(customer("cus_1").without_card())).await;
    let why = refused(desk.pay("in_1", "4900 eur").attempt().await);
    assert!(
        why.starts_with(
            "nothing was charged: Stripe refuses it (\"This customer has no attached payment source"
        ),
        "{why}"
    );
}

#[tokio::test]
async fn a_missing_permission_is_named_and_the_order_outlives_it() {
    for (permission, named) in [
        (Permission::InvoiceWrite, "`Invoices: write`"),
        (Permission::InvoiceRead, "`Invoices: read`"),
        (Permission::ChargeRead, "`Charges and Refunds: read`"),
    ] {
        let mut account = open();
        account.key(crate::world::stripe::KEY).lose(permission);
        let desk = Desk::before(account).await;
        let mut click = desk.pay("in_1", "4900 eur");
        let why = not_sent(click.attempt().await);
        assert!(why.contains(named), "{why}");
        desk.stripe.world().keys[0].permissions = None;
        assert_eq!(done(click.attempt().await), "paid: €49.00 (ch_1a4)");
    }
}

#[tokio::test]
async fn a_key_of_the_other_world_sends_nothing() {
    let mut desk = Desk::before(open()).await;
    desk.key = TEST_KEY.to_owned();
    let why = not_sent(desk.pay("in_1", "4900 eur").attempt().await);
    assert!(
        why.starts_with("STRIPE_API_KEY is a key of test mode"),
        "{why}"
    );
    assert_eq!(desk.stripe.world().ledger.requests.len(), 0);
}

#[tokio::test]
async fn a_turned_away_order_is_sent_again_later() {
    for busy in [
        fault(POST).limited("endpoint-rate"),
        fault(POST).locked(),
        fault(POST).unauthorized(),
        fault(POST).html(302),
    ] {
        let desk = Desk::before(open().failing(busy.times(1))).await;
        let mut click = desk.pay("in_1", "4900 eur");
        not_sent(click.attempt().await);
        assert_eq!(desk.charges("in_1"), 0);
        assert_eq!(done(click.attempt().await), "paid: €49.00 (ch_1a4)");
        assert_eq!(desk.charges("in_1"), 1);
    }
}

#[tokio::test]
async fn a_key_that_was_used_for_something_else_is_a_defect_and_said() {
    let desk =
        Desk::before(open().with(invoice("in_2").eur(700).declined("insufficient_funds"))).await;
    let mut other = desk.pay("in_2", "700 eur");
    done(other.attempt().await);
    let mut click = desk.pay("in_1", "4900 eur");
    click.order.idempotency_key = other.order.idempotency_key.clone();
    let why = refused(click.attempt().await);
    assert!(why.starts_with("this is a defect: "), "{why}");
    click.order.idempotency_key.clear();
    let why = refused(click.attempt().await);
    assert!(why.contains("could be done twice"), "{why}");
    assert_eq!(desk.charges("in_1"), 0);
}

#[tokio::test]
async fn what_this_check_can_not_do_is_refused_with_what_it_can() {
    let desk = Desk::before(open()).await;
    for (verb, key) in [
        ("resolve", "payments:invoice/in_1"),
        ("pay", "payments:webhooks/we_1/all"),
        ("pay", "payments:dispute/dp_1"),
        ("replay", "payments:payout/po_1"),
    ] {
        let why = refused(desk.click(verb, key, Some("1 eur")).attempt().await);
        assert!(why.contains("invoices can be paid and sent"), "{why}");
    }
    let why = refused(
        desk.click("pay", "payments:acct_2/invoice/in_1", Some("1 eur"))
            .attempt()
            .await,
    );
    assert!(why.contains("acct_2 is not in `accounts`"), "{why}");
    assert_eq!(desk.stripe.world().ledger.requests.len(), 0);
}
