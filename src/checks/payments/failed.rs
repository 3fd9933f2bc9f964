//! Failed payments, put together from the events that tell of them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Event, Fault};

/// Codes that say nothing but that it failed.
const VAGUE: [&str; 3] = ["card_declined", "card_error", "issuer_declined"];

/// One payment that failed, once or more often.
#[derive(Debug)]
pub(super) struct Failed<'a> {
    /// As the newest event tells it.
    pub fault: &'a Fault,
    pub newest: Option<DateTime<Utc>>,
    /// The charges that failed; one attempt is told by two events.
    pub attempts: BTreeSet<&'a str>,
    code: Option<&'a str>,
}

impl<'a> Failed<'a> {
    fn of(event: &'a Event, fault: &'a Fault) -> Self {
        let mut failed = Self {
            fault,
            newest: event.created,
            attempts: BTreeSet::new(),
            code: None,
        };
        failed.add(event, fault);
        failed
    }

    fn add(&mut self, event: &'a Event, fault: &'a Fault) {
        self.attempts
            .insert(fault.charge.as_deref().unwrap_or(&event.id));
        let is_newer = event.created > self.newest;
        if is_newer {
            self.newest = event.created;
            self.fault = fault;
        }
        let vague = |code: &str| VAGUE.contains(&code);
        let code = fault.code.as_deref();
        if self.code.is_none_or(vague) || (is_newer && code.is_some_and(|code| !vague(code))) {
            self.code = code.or(self.code);
        }
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
