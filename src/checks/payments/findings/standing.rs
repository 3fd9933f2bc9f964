//! Disputes that wait for an answer, payouts that failed, and a balance below zero. Pure.

use chrono::TimeDelta;

use super::{At, lasted, lines, stamp};
use crate::{
    checks::payments::{Dispute, Payout, money::Money},
    report::{Finding, Severity},
};

pub(super) fn find(at: &At<'_>) -> Vec<Finding> {
    let disputes = at
        .seen
        .disputes
        .items
        .iter()
        .filter(|dispute| dispute.needs_response())
        .map(|dispute| disputed(at, dispute));
    let payouts = at
        .seen
        .payouts
        .items
        .iter()
        .filter(|payout| matches!(payout.status.as_str(), "failed" | ""))
        .map(|payout| not_paid_out(at, payout));
    let balance = at.seen.balance.as_ref().and_then(|read| read.as_ref().ok());
    let below = balance
        .into_iter()
        .flat_map(|balance| &balance.available)
        .filter(|money| money.minor < 0)
        .map(|money| below_zero(at, *money));
    disputes.chain(payouts).chain(below).collect()
}

pub(super) fn disputed(at: &At<'_>, dispute: &Dispute) -> Finding {
    let limit = TimeDelta::from_std(at.section.limits.dispute_due).unwrap_or_default();
    let left = dispute.due_by.map(|due| due - at.now);
    let (severity, rule) = match left {
        _ if dispute.past_due => (
            Severity::High,
            "the time to answer is over, as Stripe says".to_owned(),
        ),
        None => (
            Severity::High,
            "an answer is wanted; Stripe gives no due date".to_owned(),
        ),
        Some(left) if left <= TimeDelta::zero() => (
            Severity::High,
            format!("the time to answer is over for {}", lasted(-left)),
        ),
        Some(left) => (
            if left <= limit {
                Severity::Critical
            } else {
                Severity::High
            },
            format!(
                "{} left to answer, critical from {}",
                lasted(left),
                lasted(limit)
            ),
        ),
    };
    let amount = said_amount(dispute.amount);
    let reason = dispute
        .reason
        .as_deref()
        .map_or_else(String::new, |reason| {
            format!(" ({})", reason.replace('_', " "))
        });
    let due = dispute
        .due_by
        .map_or_else(String::new, |due| format!(", due {}", stamp(due)));
    let waits = match dispute.status.as_str() {
        "needs_response" | "warning_needs_response" => "waits for an answer".to_owned(),
        "" => "may wait for an answer (Stripe gives no status)".to_owned(),
        new => format!("may wait for an answer ({})", or_unknown(new)),
    };
    let page = dispute.charge.as_ref().map_or_else(
        || format!("disputes/{}", dispute.id),
        |charge| format!("payments/{charge}"),
    );
    let evidence = if dispute.has_evidence {
        "evidence is there, and not submitted yet"
    } else {
        "no evidence is there yet"
    };
    Finding {
        began_at: dispute.created,
        link: at.link(&page),
        evidence: lines(vec![
            format!("dispute: {}, {}", dispute.id, or_unknown(&dispute.status)),
            format!("charge: {}", dispute.charge.as_deref().unwrap_or("unknown")),
            evidence.to_owned(),
        ]),
        ..Finding::new(
            at.key("dispute", &dispute.id),
            severity,
            rule,
            format!("a dispute over {amount}{reason} {waits}{due}"),
        )
    }
}

pub(super) fn not_paid_out(at: &At<'_>, payout: &Payout) -> Finding {
    let amount = said_amount(payout.amount);
    let code = payout.failure_code.as_deref().unwrap_or("no code");
    let why = payout
        .failure_message
        .as_ref()
        .map_or_else(String::new, |why| format!(": {}", why.as_str()));
    let by = if payout.automatic {
        "automatic"
    } else {
        "manual"
    };
    Finding {
        began_at: payout.created,
        link: at.link(&format!("payouts/{}", payout.id)),
        evidence: lines(vec![
            format!("payout: {}, {by}", payout.id),
            format!("why: {code}{why}"),
        ]),
        ..Finding::new(
            at.key("payout", &payout.id),
            Severity::High,
            format!("the bank did not take it ({code})"),
            format!("a payout of {amount} failed: {}", code.replace('_', " ")),
        )
    }
}

fn below_zero(at: &At<'_>, available: Money) -> Finding {
    let balance = at.seen.balance.as_ref().and_then(|read| read.as_ref().ok());
    let pending = balance.and_then(|balance| balance.pending_in(available.currency));
    let is_covered = pending.is_some_and(|pending| pending.minor + available.minor >= 0);
    let said_pending = said_amount(pending);
    let (severity, rule) = if is_covered {
        (
            Severity::Medium,
            format!("{available} available, which {said_pending} on the way covers"),
        )
    } else {
        (
            Severity::High,
            format!("{available} available, {said_pending} on the way: Stripe may debit the bank"),
        )
    };
    let missing = u64::try_from(available.minor.unsigned_abs()).unwrap_or(u64::MAX);
    Finding {
        magnitude: missing,
        link: at.link("balance/overview"),
        evidence: lines(vec![
            format!("available: {available}"),
            format!("pending: {said_pending}"),
        ]),
        ..Finding::new(
            at.key("balance", available.currency.as_str()),
            severity,
            rule,
            format!("the balance is below zero: {available}"),
        )
    }
}

fn said_amount(money: Option<Money>) -> String {
    money.map_or_else(|| "an unknown amount".to_owned(), |money| money.to_string())
}

fn or_unknown(word: &str) -> String {
    if word.is_empty() {
        "of an unknown status".to_owned()
    } else {
        word.replace('_', " ")
    }
}
