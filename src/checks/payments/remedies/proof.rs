//! Whether the remedies could be carried out. Stripe tells nobody what a key may change; but what it may not is refused
//! before anything else, so that it is asked to change what doesn't exist.

use super::{endpoint::Handler, resend};
use crate::{
    checks::{
        Able, Looking, Proof,
        payments::{
            Payments,
            client::{Change, Stripe, is_missing, mode_of_key},
            permission,
        },
    },
    report::{Cause, Unknown, Verb},
    text::count,
    upstream::{Failure, Unwritten},
};

/// Ids that Stripe has never given out.
const NO_INVOICE: &str = "in_0DailyOpsDoctor";
const NO_EVENT: &str = "evt_0DailyOpsDoctor";
const NO_ENDPOINT: &str = "we_0DailyOpsDoctor";

/// Nothing where the check itself says what is wrong with the key.
pub(in crate::checks::payments) async fn prove(
    section: &Payments,
    looking: &Looking,
) -> Vec<Proof> {
    let is_right = mode_of_key(looking).is_ok_and(|mode| mode.is_none_or(|it| it == section.mode));
    let Ok(stripe) = Stripe::connect(section, looking) else {
        return Vec::new();
    };
    if !is_right {
        return Vec::new();
    }
    let mut proofs = Vec::new();
    match changes_invoices(&stripe).await {
        Able::Yes(said) => {
            proofs.push(proof(Verb::Pay, reads_what_was_tried(&stripe).await));
            proofs.push(proof(Verb::Send, Able::Yes(said)));
        }
        Able::Off(said) => {
            proofs.push(proof(Verb::Pay, Able::Off(said.clone())));
            proofs.push(proof(Verb::Send, Able::Off(said)));
        }
        // What is wrong with one is wrong with both.
        Able::No(why) => proofs.push(proof(Verb::Pay, Able::No(why))),
    }
    if section.allow_event_retry {
        proofs.push(proof(Verb::Resend, resends(&stripe).await));
    }
    if !section.replay.endpoints.is_empty() {
        proofs.push(proof(Verb::Replay, signs(section, looking)));
    }
    proofs
}

fn proof(remedy: Verb, able: Able) -> Proof {
    Proof { remedy, able }
}

async fn changes_invoices(stripe: &Stripe<'_>) -> Able {
    let path = ["invoices", NO_INVOICE, "pay"];
    match refusal(stripe, &path, &[], permission::INVOICES_CHANGE).await {
        Ok(failure) if is_missing(&failure) => {
            Able::Yes("the key may change invoices (asked about one that doesn't exist)".into())
        }
        Ok(failure) if failure.status() == Some(403) => {
            Able::Off(format!("to have it, {}", failure.advice).into())
        }
        Ok(failure) => Able::No(failure.into()),
        Err(unknown) => Able::No(unknown),
    }
}

async fn reads_what_was_tried(stripe: &Stripe<'_>) -> Able {
    let lists = [
        ("charges", permission::CHARGES),
        ("payment_intents", permission::PAYMENTS),
        ("customers", permission::CUSTOMERS),
    ];
    for (list, needs) in lists {
        if let Err(unknown) = stripe.page(&[list], &[("limit", "1")], needs).await {
            return Able::No(unknown);
        }
    }
    Able::Yes(
        "the key may change invoices (asked about one that doesn't exist), and read charges, payments and customers"
            .into(),
    )
}

async fn resends(stripe: &Stripe<'_>) -> Able {
    let path = ["events", NO_EVENT, "retry"];
    let form = [("webhook_endpoint", NO_ENDPOINT)];
    match refusal(stripe, &path, &form, permission::EVENTS_CHANGE).await {
        Ok(failure) if resend::is_gone(&failure) => {
            Able::Yes("the key may (asked about an event that doesn't exist)".into())
        }
        Ok(failure) => Able::No(failure.into()),
        Err(unknown) => Able::No(unknown),
    }
}

/// Our own handler is not asked: it would take what it is given.
fn signs(section: &Payments, looking: &Looking) -> Able {
    let targets = &section.replay.endpoints;
    for target in targets {
        if let Err(unknown) = Handler::of(target, &section.settings, looking) {
            return Able::No(unknown);
        }
    }
    let known = count(targets.len(), "endpoint");
    Able::Yes(
        format!("{known} and signing secrets are known; whether events are taken shows with the first one").into(),
    )
}

/// How Stripe turns down a change of what doesn't exist.
async fn refusal(
    stripe: &Stripe<'_>,
    path: &[&str],
    form: &[(&str, &str)],
    needs: &str,
) -> Result<Failure, Unknown> {
    let change = Change {
        path,
        form,
        idempotency_key: None,
        needs,
    };
    match stripe.change(&change).await {
        Ok(_) => {
            let reason = "Stripe took a change of something that doesn't exist; see whether `url` in [checks.payments] leads to Stripe itself";
            Err(Unknown::new(Cause::Decode, reason))
        }
        Err(Unwritten::Refused(failure)) => Ok(failure),
        Err(Unwritten::NotSent(failure) | Unwritten::OutcomeUnknown(failure)) => {
            Err(failure.into())
        }
    }
}
