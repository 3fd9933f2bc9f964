//! How far back a look reached: whether it would have found again what an earlier one found. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    EVENTS_ARE_KEPT, Observation, Payments, Seen, audit::may_be_missing, earlier::Unsettled,
    findings::other_world, subject::Subject,
};
use crate::report::Finding;

/// No dispute is open to an answer for longer.
const DISPUTES_LOOKBACK: Duration = Duration::from_secs(120 * 86_400);

/// A payout that failed is paid out with a later one, or not; then somebody has seen it.
const PAYOUTS_LOOKBACK: Duration = Duration::from_secs(30 * 86_400);

/// Stripe may forget an event a little before its time.
const MARGIN: TimeDelta = TimeDelta::hours(6);

/// From when on each list of an account was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    pub undelivered: DateTime<Utc>,
    /// Failed payments that nobody has to deal with any more; the others as far as they could be read.
    pub failures: DateTime<Utc>,
    pub invoices: DateTime<Utc>,
    pub disputes: DateTime<Utc>,
    pub payouts: DateTime<Utc>,
}

impl Reach {
    /// As configured, or further where somebody still has to deal with what is older.
    pub(super) fn of(section: &Payments, unsettled: &Unsettled<'_>, now: DateTime<Utc>) -> Self {
        let since = |kinds: &[&str], lookback: Duration| unsettled.since(kinds, now - lookback);
        let webhooks = &["webhooks", "endpoint"];
        Self {
            undelivered: since(webhooks, section.webhooks_lookback).max(events_kept(now)),
            failures: now - section.payments_lookback,
            invoices: since(&["invoices"], section.invoices_lookback),
            disputes: since(&["dispute"], DISPUTES_LOOKBACK),
            payouts: since(&["payout"], PAYOUTS_LOOKBACK),
        }
    }
}

/// Since when Stripe surely has all events.
pub(super) fn events_kept(now: DateTime<Utc>) -> DateTime<Utc> {
    now - EVENTS_ARE_KEPT + MARGIN
}

/// Whether it is of a connected account that is not listed any more, or of an audit that nobody has made any more.
pub(super) fn leaves_out(section: &Payments, finding: &Finding) -> bool {
    let is_asked = |id: &String| section.accounts.contains(id);
    Subject::of(&finding.key).is_some_and(|subject| {
        !subject.account.as_ref().is_none_or(is_asked)
            || (is_of_audit(&subject) && section.audit.is_none())
    })
}

fn is_of_audit(subject: &Subject) -> bool {
    matches!(subject.kind.as_str(), "audit" | "audits")
}

/// Whether this look would have found it if it were there still. What nobody looked for at all is told otherwise.
pub(super) fn reaches(section: &Payments, finding: &Finding, seen: &Observation) -> bool {
    let is_looked_at = seen.since.is_none()
        && other_world(section, seen).is_none()
        && seen.accounts.first().is_some_and(|own| own.reach.is_some());
    let Some(subject) = Subject::of(&finding.key).filter(|_| is_looked_at) else {
        return true;
    };
    if leaves_out(section, finding) {
        return false;
    }
    if is_of_audit(&subject) {
        return audited(finding, seen);
    }
    let mut accounts = seen.accounts.iter();
    let account = accounts.find(|account| account.account == subject.account);
    let mut earlier = seen.earlier.iter();
    let is_unsettled = earlier.any(|it| it.finding.key == finding.key && !it.is_settled);
    account.is_none_or(|account| is_within(&subject, finding, account, is_unsettled))
}

fn is_within(subject: &Subject, finding: &Finding, account: &Seen, is_unsettled: bool) -> bool {
    let Some(reach) = account.reach else {
        return true;
    };
    let (failures, invoices) = (&account.failures, &account.invoices);
    let began = match subject.kind.as_str() {
        "webhooks" => Some(reach.undelivered),
        // What could not be read is unknown, and not too old.
        "declines" if !failures.gaps.is_empty() => None,
        "declines" if is_unsettled => failures.complete_since,
        "declines" => Some(reach.failures),
        "invoice" if invoices.may_be_unsent(&subject.rest) => return false,
        "invoice" if invoices.again.unread.contains_key(&subject.rest) => None,
        "invoice" if invoices.again.answers(&subject.rest) => None,
        "invoice" | "invoices" => Some(reach.invoices),
        "dispute" => Some(reach.disputes),
        "payout" => Some(reach.payouts),
        _ => None,
    };
    // The oldest part of it counts: what is left of it may be just that.
    let has_begun = |began| finding.began_at.is_some_and(|at| at >= began);
    began.is_none_or(has_begun)
}

fn audited(finding: &Finding, seen: &Observation) -> bool {
    let began = seen.audit.as_ref().map(|audit| {
        // In the margin, what both sides have is compared, and what one of them lacks is not asked.
        if may_be_missing(finding) {
            audit.period.from
        } else {
            audit.period.here().0
        }
    });
    began.is_none_or(|began| finding.began_at.is_none_or(|at| at >= began))
}
