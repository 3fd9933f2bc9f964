//! Laws: whatever goes wrong and however often it is tried, nobody is charged more than once for a click.

use chrono::TimeDelta;
use daily_ops::checks::{Applied, NotApplied};
use proptest::prelude::*;

use super::Desk;
use crate::world::stripe::{Fault, Outcome, customer, fault, invoice, stripe};

const POST: &str = "POST /v1/invoices/in_1/pay";

/// What goes wrong in one attempt.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Nothing,
    LostAnswer,
    CutAnswer,
    GarbageAfter,
    FailsBefore,
    FailsAfter,
    Unavailable,
    Limited,
    Forbidden,
    /// The order is carried out, and neither the answer nor the invoice can be read.
    BlindAfter,
    NoReads,
}

impl Wrong {
    fn faults(self) -> Vec<Fault> {
        let post = || fault(POST);
        let reads = || fault("GET /v1");
        match self {
            Self::Nothing => Vec::new(),
            Self::LostAnswer => vec![post().hangs_up()],
            Self::CutAnswer => vec![post().cuts_off()],
            Self::GarbageAfter => vec![post().garbage().done_all_the_same()],
            Self::FailsBefore => vec![post().fails()],
            Self::FailsAfter => vec![post().fails().done_all_the_same()],
            Self::Unavailable => vec![post().unavailable()],
            Self::Limited => vec![post().limited("global-rate")],
            Self::Forbidden => vec![post().unauthorized()],
            Self::BlindAfter => vec![
                post().hangs_up(),
                fault("GET /v1/charges").after(2).unavailable(),
            ],
            Self::NoReads => vec![reads().unavailable()],
        }
    }
}

fn wrong() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        2 => Just(Wrong::Nothing),
        2 => Just(Wrong::LostAnswer),
        1 => Just(Wrong::CutAnswer),
        1 => Just(Wrong::GarbageAfter),
        2 => Just(Wrong::FailsBefore),
        2 => Just(Wrong::FailsAfter),
        1 => Just(Wrong::Unavailable),
        1 => Just(Wrong::Limited),
        1 => Just(Wrong::Forbidden),
        2 => Just(Wrong::BlindAfter),
        1 => Just(Wrong::NoReads),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Succeeds),
        2 => Just(Outcome::Declined("insufficient_funds".to_owned())),
        1 => Just(Outcome::Declined("stolen_card".to_owned())),
        1 => Just(Outcome::NeedsAction),
    ]
}

async fn clicks(clicks: &[Vec<Wrong>], outcome: &Outcome) -> Result<(), TestCaseError> {
    let account = stripe()
        .with(customer("cus_1").does(outcome.clone()))
        .with(invoice("in_1").eur(4_900).declined("insufficient_funds"));
    let desk = Desk::before(account).await;
    for (number, attempts) in clicks.iter().enumerate() {
        let before = desk.charges("in_1");
        let mut click = desk.pay("in_1", "4900 eur");
        for wrong in attempts {
            desk.stripe.world().faults = wrong.faults();
            let result = click.attempt().await;
            let charges = desk.charges("in_1") - before;
            prop_assert!(charges <= 1, "click {number} charged {charges} times");
            let paid = desk.taken("in_1") > 0;
            match &result {
                Ok(Applied::Done { .. }) => prop_assert!(paid, "{result:?}"),
                Ok(_) => prop_assert!(false, "{result:?}"),
                Err(NotApplied::Refused(why)) => {
                    prop_assert!(!paid, "{why:?}, and it was paid");
                }
                Err(_) => {}
            }
            if !matches!(
                result,
                Err(NotApplied::NotSent(_) | NotApplied::OutcomeUnknown(_))
            ) {
                break;
            }
            desk.time.advance(TimeDelta::seconds(100));
        }
        desk.time.advance(TimeDelta::hours(9));
    }
    prop_assert!(desk.taken("in_1") <= 4_900, "it was paid twice");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_invoice_is_charged_at_most_once_for_each_click(
        sequence in prop::collection::vec(prop::collection::vec(wrong(), 1..6), 1..4),
        outcome in outcome(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(clicks(&sequence, &outcome))?;
    }
}
