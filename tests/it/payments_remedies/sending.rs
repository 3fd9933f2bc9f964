//! Invoices that are sent again.

use chrono::TimeDelta;

use super::{Desk, done, not_sent, overtaken, refused};
use crate::world::stripe::{Account, KEY, Permission, customer, fault, invoice, stripe};

const POST: &str = "POST /v1/invoices/in_1/send";

/// Overdue since three days; its e-mail went out weeks ago.
fn overdue() -> Account {
    stripe().with(customer("cus_1").named("Beta GmbH")).with(
        invoice("in_1")
            .ago(TimeDelta::days(20))
            .mailed(TimeDelta::days(-3)),
    )
}

fn send(desk: &Desk) -> super::Click<'_> {
    desk.click("send", "payments:invoice/in_1", None)
}

fn mailed(desk: &Desk) -> usize {
    desk.stripe.world().ledger.mailed.len()
}

#[tokio::test]
async fn an_invoice_is_sent_again_and_said_with_its_customer() {
    let desk = Desk::before(overdue()).await;
    let lines = send(&desk).rehearse().await;
    let (first, last) = (lines.first(), lines.last());
    assert_eq!(
        (first.map(String::as_str), last.map(String::as_str)),
        (Some(POST), Some("sends an e-mail to Beta GmbH"))
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("stripe-version: "))
    );
    assert_eq!(mailed(&desk), 0);
    assert_eq!(done(send(&desk).attempt().await), "sent again to Beta GmbH");
    assert_eq!(mailed(&desk), 1);
}

#[tokio::test]
async fn a_lost_answer_sends_no_second_e_mail() {
    for lost in [
        fault(POST).hangs_up(),
        fault(POST).cuts_off(),
        fault(POST).fails().done_all_the_same(),
    ] {
        let desk = Desk::before(overdue().failing(lost)).await;
        let mut click = send(&desk);
        assert_eq!(done(click.attempt().await), "sent again to Beta GmbH");
        assert_eq!(done(click.attempt().await), "sent again to Beta GmbH");
        assert_eq!(mailed(&desk), 1);
    }
}

#[tokio::test]
async fn an_e_mail_goes_out_once_an_hour() {
    let desk = Desk::before(overdue()).await;
    done(send(&desk).attempt().await);
    desk.time.advance(TimeDelta::minutes(20));
    assert_eq!(
        refused(send(&desk).attempt().await),
        "it was sent 20 min ago, and once an hour is the most; nothing was sent"
    );
    desk.time.advance(TimeDelta::minutes(41));
    done(send(&desk).attempt().await);
    assert_eq!(mailed(&desk), 2);
}

#[tokio::test]
async fn what_does_not_apply_is_not_sent() {
    let by_card = Desk::before(stripe().with(invoice("in_1").declined("insufficient_funds"))).await;
    let why = refused(send(&by_card).attempt().await);
    assert!(why.ends_with("pay it again instead"), "{why}");
    let void = Desk::before(stripe().with(invoice("in_1").mailed(TimeDelta::days(1)).void())).await;
    assert_eq!(
        overtaken(send(&void).attempt().await),
        "void in Stripe meanwhile; nothing was sent"
    );
    let paid = Desk::before(stripe().with(invoice("in_1").mailed(TimeDelta::days(1)).paid())).await;
    assert_eq!(
        done(send(&paid).attempt().await),
        "paid meanwhile; nothing was sent"
    );
    let gone = Desk::before(stripe()).await;
    assert!(overtaken(send(&gone).attempt().await).starts_with("gone from Stripe"));
    for desk in [by_card, void, paid, gone] {
        assert_eq!(desk.asked(&["POST"]), 0);
    }
    let mut account = overdue();
    account.live.customer("cus_1").email = None;
    let nowhere = Desk::before(account).await;
    let why = refused(send(&nowhere).attempt().await);
    assert!(
        why.contains("no email address") && why.starts_with("nothing was sent: "),
        "{why}"
    );
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    for (permission, named) in [
        (Permission::InvoiceWrite, "`Invoices: write`"),
        (Permission::EventRead, "`Events: read`"),
    ] {
        let mut account = overdue();
        account.key(KEY).lose(permission);
        let desk = Desk::before(account).await;
        let why = not_sent(send(&desk).attempt().await);
        assert!(why.contains(named), "{why}");
        assert_eq!(mailed(&desk), 0);
    }
}
