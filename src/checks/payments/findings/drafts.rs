//! Old drafts that Stripe leaves to people. Pure.

use chrono::TimeDelta;

use super::{At, lines, stamp};
use crate::{
    checks::payments::{Invoice, money::Sums},
    report::{Finding, Severity},
    text::count,
};

/// A younger one may be being written.
const OLD: TimeDelta = TimeDelta::days(7);

/// Ids that the finding shows.
const MOST_NAMED: usize = 10;

/// The oldest first.
pub(super) fn waiting<'a>(at: &At<'a>) -> Vec<&'a Invoice> {
    let is_waiting = |invoice: &&Invoice| {
        invoice.status == "draft"
            && !invoice.auto_advance
            && invoice.last_finalization_error.is_none()
            && invoice.created.is_some_and(|created| at.age(created) > OLD)
    };
    let mut waiting: Vec<&Invoice> = at.seen.invoices.drafts.items.iter().collect();
    waiting.retain(is_waiting);
    waiting.sort_by_key(|invoice| (invoice.created, invoice.id.as_str()));
    waiting
}

/// One for all of them: they are told so that nobody forgets them, and nothing has failed.
pub(super) fn find(at: &At<'_>) -> Option<Finding> {
    let waiting = waiting(at);
    let oldest = waiting.first()?.created;
    let owed: Sums = waiting.iter().filter_map(|it| it.owed()).collect();
    let named: Vec<&str> = waiting
        .iter()
        .take(MOST_NAMED)
        .map(|it| it.id.as_str())
        .collect();
    let number = count(waiting.len(), "draft");
    let verb = if waiting.len() == 1 { "waits" } else { "wait" };
    Some(Finding {
        magnitude: waiting.len() as u64,
        began_at: oldest,
        link: at.link("invoices?status=draft"),
        evidence: lines(vec![
            format!("owed: {owed}"),
            format!("the oldest: {}", oldest.map_or_else(String::new, stamp)),
            format!("the first {}: {}", named.len(), named.join(", ")),
        ]),
        ..Finding::new(
            at.key("invoices", "waiting-drafts"),
            Severity::Low,
            format!(
                "{number} older than {} days, which Stripe doesn't finalise by itself (`auto_advance` is off)",
                OLD.num_days()
            ),
            format!("{number} {verb} for somebody to finalise: {owed}"),
        )
    })
}
