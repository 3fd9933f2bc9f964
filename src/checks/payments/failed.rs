//! Failed payments, put together from the events that tell of them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Event, Fault};

/// Codes that say nothing but that it failed.
const VAGUE: [&str; 3] = ["card_declined", "card_error", "issuer_declined"];

/// Codes behind which there is a fraud, or the suspicion of one.
const SUSPICIOUS: [&str; 5] = [
    "fraudulent",
    "lost_card",
    "merchant_blacklist",
    "pickup_card",
    "stolen_card",
];

pub(super) fn is_suspicious(code: &str) -> bool {
    SUSPICIOUS.contains(&code)
}

/// How much a code says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    Nothing,
    Vague,
    Specific,
    Suspicion,
}

impl Says {
    fn of(code: Option<&str>) -> Self {
        match code {
            None => Self::Nothing,
            Some(code) if VAGUE.contains(&code) => Self::Vague,
            Some(code) if is_suspicious(code) => Self::Suspicion,
            Some(_) => Self::Specific,
        }
    }
}

/// One payment that failed, once or more often.
#[derive(Debug)]
pub(super) struct Failed<'a> {
    /// As the newest event tells it.
    pub fault: &'a Fault,
    pub newest: Option<DateTime<Utc>>,
    /// The charges that failed; one attempt is told by two events.
    pub attempts: BTreeSet<&'a str>,
    code: Option<&'a str>,
    /// When an event told that code.
    told: Option<DateTime<Utc>>,
}

impl<'a> Failed<'a> {
    fn of(event: &'a Event, fault: &'a Fault) -> Self {
        let mut failed = Self {
            fault,
            newest: event.created,
            attempts: BTreeSet::new(),
            code: None,
            told: event.created,
        };
        failed.add(event, fault);
        failed
    }

    fn add(&mut self, event: &'a Event, fault: &'a Fault) {
        self.attempts
            .insert(fault.charge.as_deref().unwrap_or(&event.id));
        if event.created > self.newest {
            self.newest = event.created;
            self.fault = fault;
        }
        let code = fault.code.as_deref();
        let (says, said) = (Says::of(code), Says::of(self.code));
        // A retry with another code doesn't take the first suspicion away.
        let is_better = match says {
            Says::Suspicion => event.created < self.told,
            _ => event.created > self.told,
        };
        if says > said || (says == said && is_better) {
            self.code = code;
            self.told = event.created;
        }
    }

    /// When the oldest event came that it has to be judged by.
    pub(super) fn began(&self) -> Option<DateTime<Utc>> {
        self.told.min(self.newest)
    }

    pub(super) fn code(&self) -> &'a str {
        self.code.unwrap_or("unknown")
    }
}

/// By the id of the intent; an intent and its charges are one payment.
pub(super) fn together<'a>(
    events: impl IntoIterator<Item = &'a Event>,
) -> BTreeMap<&'a str, Failed<'a>> {
    let mut payments: BTreeMap<&str, Failed<'a>> = BTreeMap::new();
    for event in events {
        let Some(fault) = &event.fault else {
            continue;
        };
        payments
            .entry(&fault.payment)
            .and_modify(|failed| failed.add(event, fault))
            .or_insert_with(|| Failed::of(event, fault));
    }
    payments
}

/// The number of failed payments by code.
pub(super) fn by_code<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeMap<&'a str, u64> {
    let mut codes = BTreeMap::new();
    for payment in together(events).values() {
        *codes.entry(payment.code()).or_default() += 1;
    }
    codes
}
