//! Whether the remedies could be carried out, seen without carrying one out.

use daily_ops::{
    checks::{Able, Check},
    report::{Cause, Verb},
};

use super::Desk;
use crate::world::stripe::{KEY, Permission, stripe};

impl Desk {
    async fn able(&self, remedy: Verb) -> Able {
        let proofs = self.section.prove(&self.looking()).await;
        let proof = proofs.into_iter().find(|proof| proof.remedy == remedy);
        let proof = proof.unwrap_or_else(|| panic!("nothing is said of {remedy:?}"));
        proof.able
    }

    fn lose(&self, permission: Permission) {
        self.stripe.world().key(KEY).lose(permission);
    }
}

fn yes(able: Able) -> String {
    match able {
        Able::Yes(said) => said.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn no(able: Able) -> (Cause, String) {
    match able {
        Able::No(why) => (why.cause, why.reason.as_str().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_that_may_all_of_it_says_so_and_nothing_is_done_to_find_that_out() {
    let desk = Desk::with("allow_event_retry = true", stripe()).await;
    {
        let mut account = desk.stripe.world();
        account.key(KEY).permissions = None;
        account.allows_retry = true;
    }
    for remedy in [Verb::Pay, Verb::Send, Verb::Resend] {
        let said = yes(desk.able(remedy).await);
        assert!(said.contains("doesn't exist"), "{said}");
    }
    let account = desk.stripe.world();
    assert!(account.ledger.charged.is_empty() && account.ledger.resent.is_empty());
}

#[tokio::test]
async fn a_key_that_may_only_read_has_its_remedies_off_and_the_permission_is_named() {
    let desk = Desk::before(stripe()).await;
    desk.lose(Permission::InvoiceWrite);
    for remedy in [Verb::Pay, Verb::Send] {
        match desk.able(remedy).await {
            Able::Off(said) => assert!(
                said.as_str()
                    .starts_with("to have it, give the restricted key")
                    && said.as_str().contains("`Invoices: write`"),
                "{}",
                said.as_str()
            ),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_key_that_may_pay_but_not_see_what_was_tried_lacks_a_permission() {
    for (lost, named) in [
        (Permission::ChargeRead, "Charges and Refunds: read"),
        (Permission::PaymentIntentRead, "PaymentIntents: read"),
        (Permission::CustomerRead, "Customers: read"),
    ] {
        let desk = Desk::before(stripe()).await;
        desk.lose(lost);
        let (cause, why) = no(desk.able(Verb::Pay).await);
        assert!(cause == Cause::Forbidden && why.contains(named), "{why}");
        yes(desk.able(Verb::Send).await);
    }
}

#[tokio::test]
async fn resending_that_is_switched_on_and_can_not_be_had_is_said() {
    let desk = Desk::with("allow_event_retry = true", stripe()).await;
    let (_, why) = no(desk.able(Verb::Resend).await);
    assert!(why.contains("`Events: write`"), "{why}");
    {
        let mut account = desk.stripe.world();
        account.key(KEY).permissions = None;
        account.allows_retry = false;
    }
    let (cause, why) = no(desk.able(Verb::Resend).await);
    assert!(cause == Cause::NotFound, "{why}");
}

#[tokio::test]
async fn replaying_wants_the_signing_secret_of_each_endpoint_and_asks_nobody() {
    let (mut desk, receiver) = Desk::with_handler(stripe()).await;
    let said = yes(desk.able(Verb::Replay).await);
    assert!(said.starts_with("1 endpoint"), "{said}");
    desk.signing_secret = "sk_something".to_owned();
    let (_, why) = no(desk.able(Verb::Replay).await);
    assert!(why.contains("STRIPE_WEBHOOK_SECRET"), "{why}");
    assert!(receiver.handler().arrived.is_empty());
}

#[tokio::test]
async fn where_the_check_says_what_is_wrong_with_the_key_nothing_more_is_said() {
    let mut desk = Desk::before(stripe()).await;
    desk.key = crate::world::stripe::TEST_KEY.to_owned();
    assert!(desk.section.prove(&desk.looking()).await.is_empty());
    assert!(desk.stripe.world().ledger.requests.is_empty());
}
