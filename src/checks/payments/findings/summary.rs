//! What was looked at, in a few words. Pure.

use chrono::TimeDelta;

use super::{At, declines, drafts, invoices, measures, webhooks};
use crate::{
    baseline::Baseline,
    checks::payments::walk::at_least,
    text::{count, thousands},
};

/// "12 undelivered (2 on their way), 3 invoices, 4 failed payments".
pub(super) fn of(at: &At<'_>) -> String {
    let seen = at.seen;
    let mut said = Vec::new();
    let due = webhooks::due(at).count();
    let young = seen.undelivered.items.len() - due;
    let off = seen
        .endpoints
        .items
        .iter()
        .filter(|endpoint| !endpoint.is_enabled())
        .count();
    said.extend((off > 0).then(|| format!("{} off", count(off, "endpoint"))));
    said.extend(
        (due > 0).then(|| format!("{} undelivered", at_least(due, seen.undelivered.is_whole()))),
    );
    said.extend((young > 0).then(|| format!("{young} on the way")));
    let unpaid = invoices::troubles(at).len();
    said.extend((unpaid > 0).then(|| count(unpaid, "invoice")));
    let drafts = drafts::waiting(at).len();
    said.extend((drafts > 0).then(|| format!("{} waiting", count(drafts, "draft"))));
    let failed = declines::payments(at).len();
    said.extend((failed > 0).then(|| count(failed, "failed payment")));
    said.extend(yesterday(at));
    let waiting = seen
        .disputes
        .items
        .iter()
        .filter(|dispute| dispute.needs_response())
        .count();
    said.extend((waiting > 0).then(|| count(waiting, "dispute")));
    let payouts = seen.payouts.items.len();
    said.extend((payouts > 0).then(|| count(payouts, "failed payout")));
    if said.is_empty() {
        said.push("nothing failed".to_owned());
    }
    if !at.is_whole() {
        said.push("not all seen".to_owned());
    }
    if seen.barred.is_some() {
        said = vec!["not looked at".to_owned()];
    }
    let connects = seen
        .endpoints
        .items
        .iter()
        .any(|endpoint| endpoint.application.is_some());
    if connects && at.section.accounts.is_empty() {
        said.push("platform account only".to_owned());
    }
    let said = said.join(", ");
    match &seen.account {
        None => said,
        Some(account) => format!("{account}: {said}"),
    }
}

/// All failed payments of the last whole local day, where it is known what is normal: "yesterday 4 (normal 3 to 6 on a
/// Monday)".
fn yesterday(at: &At<'_>) -> Option<String> {
    let name = measures::name(at.seen.account.as_deref(), None);
    let today = at.now.with_timezone(&at.baselines.zone).date_naive();
    let yesterday = today - TimeDelta::days(1);
    let number = at.baselines.on(&name, yesterday)?;
    let normal = at.baselines.of(&name, yesterday);
    let is_worth_it = number > 0 && matches!(normal, Baseline::Known { .. });
    is_worth_it.then(|| format!("yesterday {} failed ({normal})", thousands(number)))
}
