//! What is wrong with one invoice, if anything. Pure.

use std::{cmp::Reverse, collections::BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{lasted, stamp};
use crate::{checks::payments::Invoice, report::Severity, text::count};

/// Stripe finalises a draft about an hour after it was made; one that is older by this is stuck.
const DRAFT_AGE: TimeDelta = TimeDelta::hours(2);

/// What should have happened by now, and so long ago, won't.
const PATIENCE: TimeDelta = TimeDelta::days(1);

/// An invoice sent by mail that is overdue for so long is high.
const LONG_OVERDUE: TimeDelta = TimeDelta::days(30);

/// How an invoice failed or got stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Could not be finalised.
    NotFinalised,
    /// Failed, and nothing will try again.
    NoRetry,
    /// Open, and nothing ever tried or will try.
    NeverTried,
    /// Stripe was to try it by now, and didn't.
    RetryMissed,
    Overdue,
    NeverSent,
    /// A draft that should have been finalised long ago.
    StuckDraft,
    WrittenOff,
    /// Failed; Stripe tries again by itself.
    Retrying,
}

impl Kind {
    /// As in the key of those that have no finding of their own.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NotFinalised => "not-finalised",
            Self::NoRetry => "no-retry",
            Self::NeverTried => "never-tried",
            Self::RetryMissed => "retry-missed",
            Self::Overdue => "overdue",
            Self::NeverSent => "never-sent",
            Self::StuckDraft => "stuck-draft",
            Self::WrittenOff => "uncollectible",
            Self::Retrying => "retrying",
        }
    }

    /// After "12 invoices besides": "are overdue".
    pub(super) fn of_many(self) -> &'static str {
        match self {
            Self::NotFinalised => "could not be finalised",
            Self::NoRetry => "failed and are not tried again",
            Self::NeverTried => "are open and were never tried",
            Self::RetryMissed => "should have been tried again by now",
            Self::Overdue => "are overdue",
            Self::NeverSent => "were finalised and never sent",
            Self::StuckDraft => "are drafts that were never finalised",
            Self::WrittenOff => "are uncollectible",
            Self::Retrying => "failed, and Stripe tries again",
        }
    }
}

/// What is wrong with an invoice, how bad that is, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub kind: Kind,
    pub severity: Severity,
    pub rule: String,
    /// What completes "€4,900.00 of invoice 7FE-1 ".
    pub state: String,
}

impl Trouble {
    fn new(kind: Kind, severity: Severity, rule: String, state: impl Into<String>) -> Self {
        Self {
            kind,
            severity,
            rule,
            state: state.into(),
        }
    }
}

/// What is known about invoices that were sent.
pub(super) struct Sent<'a> {
    /// Their ids.
    pub ids: BTreeSet<&'a str>,
    /// What was finalised after this would be among them.
    pub known_since: Option<DateTime<Utc>>,
}

/// The trouble with one invoice, none if there is none.
pub(super) fn judge(invoice: &Invoice, sent: &Sent<'_>, now: DateTime<Utc>) -> Option<Trouble> {
    match invoice.status.as_str() {
        "draft" => draft(invoice, now),
        "uncollectible" => Some(written_off(invoice)),
        "paid" | "void" => None,
        _ if invoice.owed().is_some_and(|owed| owed.minor <= 0) => None,
        _ if invoice.is_sent_by_mail() => by_mail(invoice, sent, now),
        _ => by_itself(invoice, now),
    }
}

fn draft(invoice: &Invoice, now: DateTime<Utc>) -> Option<Trouble> {
    if let Some(error) = &invoice.last_finalization_error {
        return Some(Trouble::new(
            Kind::NotFinalised,
            Severity::High,
            format!("Stripe could not finalise it: {}", error.as_str()),
            "could not be finalised",
        ));
    }
    let age = now - invoice.created?;
    let is_due = invoice
        .automatically_finalizes_at
        .is_none_or(|time| now - time > DRAFT_AGE);
    (invoice.auto_advance && age > DRAFT_AGE && is_due).then(|| {
        Trouble::new(
            Kind::StuckDraft,
            Severity::Medium,
            format!(
                "a draft for {}, which Stripe finalises after about 1 h",
                lasted(age)
            ),
            "is a draft that was never finalised",
        )
    })
}

fn written_off(invoice: &Invoice) -> Trouble {
    let when = invoice
        .marked_uncollectible_at
        .map_or_else(String::new, |time| format!(" on {}", stamp(time)));
    Trouble::new(
        Kind::WrittenOff,
        Severity::Medium,
        format!("marked as uncollectible{when}: nobody tries any more"),
        "was given up as uncollectible",
    )
}

fn by_mail(invoice: &Invoice, sent: &Sent<'_>, now: DateTime<Utc>) -> Option<Trouble> {
    let never_sent = invoice.finalized_at.is_some_and(|finalized| {
        now - finalized > PATIENCE
            && sent.known_since.is_some_and(|since| finalized >= since)
            && !sent.ids.contains(invoice.id.as_str())
    });
    let overdue = invoice.due_date.map(|due| now - due);
    if let Some(late) = overdue.filter(|late| *late > TimeDelta::zero()) {
        let severity = if late >= LONG_OVERDUE {
            Severity::High
        } else {
            Severity::Medium
        };
        let also = if never_sent {
            ", and Stripe has no record of sending it"
        } else {
            ""
        };
        let rule = format!(
            "overdue for {}, high from {}{also}",
            lasted(late),
            lasted(LONG_OVERDUE)
        );
        return Some(Trouble::new(
            Kind::Overdue,
            severity,
            rule,
            format!("is overdue for {}", lasted(late)),
        ));
    }
    never_sent.then(|| {
        let age = invoice.finalized_at.map_or_else(String::new, |finalized| {
            format!(" {} ago", lasted(now - finalized))
        });
        Trouble::new(
            Kind::NeverSent,
            Severity::Medium,
            format!("finalised{age}, and Stripe has no record of sending it"),
            "was finalised and never sent",
        )
    })
}

fn by_itself(invoice: &Invoice, now: DateTime<Utc>) -> Option<Trouble> {
    let attempts = usize::try_from(invoice.attempt_count).unwrap_or(usize::MAX);
    let failed = attempts > 0 || invoice.attempted;
    let tried = count(attempts.max(1), "attempt");
    match invoice.next_payment_attempt {
        Some(next) if now - next > PATIENCE => Some(Trouble::new(
            Kind::RetryMissed,
            Severity::High,
            format!("Stripe was to try it on {}, and did not", stamp(next)),
            "should have been tried by now",
        )),
        Some(next) if failed => {
            let severity = if attempts > 1 {
                Severity::Medium
            } else {
                Severity::Low
            };
            Some(Trouble::new(
                Kind::Retrying,
                severity,
                format!(
                    "{tried} failed, Stripe will retry on {}; medium from 2 attempts",
                    stamp(next)
                ),
                "failed",
            ))
        }
        Some(_) => None,
        None if failed => Some(Trouble::new(
            Kind::NoRetry,
            Severity::High,
            format!("{tried} failed, and no automatic retry is left"),
            "failed",
        )),
        None => {
            let since = invoice.finalized_at.or(invoice.created)?;
            (now - since > PATIENCE).then(|| {
                Trouble::new(
                    Kind::NeverTried,
                    Severity::Medium,
                    format!(
                        "open for {}, never tried, and no attempt is planned",
                        lasted(now - since)
                    ),
                    "was never tried, and no attempt is planned",
                )
            })
        }
    }
}

/// One step worse, for what is much money.
pub(super) fn worse(severity: Severity) -> Severity {
    match severity {
        Severity::Low => Severity::Medium,
        Severity::Medium => Severity::High,
        Severity::High | Severity::Critical => Severity::Critical,
    }
}

/// Of those that a card was asked for in vain, the worst first.
pub(in crate::checks::payments) fn declined<'a>(
    invoices: impl Iterator<Item = &'a Invoice>,
    now: DateTime<Utc>,
) -> Vec<&'a Invoice> {
    let failed = |trouble: &Trouble| {
        matches!(
            trouble.kind,
            Kind::NoRetry | Kind::RetryMissed | Kind::Retrying
        )
    };
    let by_card = invoices.filter(|invoice| invoice.status == "open" && !invoice.is_sent_by_mail());
    let troubled = by_card.filter_map(|invoice| Some((by_itself(invoice, now)?, invoice)));
    let mut declined: Vec<_> = troubled.filter(|(trouble, _)| failed(trouble)).collect();
    declined.sort_by_key(|(trouble, invoice)| {
        let severity = Reverse(trouble.severity);
        (severity, trouble.kind, invoice.created, invoice.id.clone())
    });
    declined.into_iter().map(|(_, invoice)| invoice).collect()
}
