//! Failed payments by the code of their decline, with the customers and the money at risk. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{At, lasted, lines, measures, said};
use crate::{
    baseline::Baseline,
    checks::payments::{Event, Fault, money::Sums, walk},
    report::{Finding, Severity},
    text::{Untrusted, count},
};

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

/// Payments that one finding names.
const MOST_NAMED: usize = 5;

pub(super) fn find(at: &At<'_>) -> Vec<Finding> {
    of_all_codes(at)
}

/// Only what is too much for a whole day, in whatever time it came.
pub(super) fn flood(at: &At<'_>) -> Vec<Finding> {
    let mut findings = of_all_codes(at);
    findings.retain(|finding| finding.severity >= Severity::High);
    findings
}

fn of_all_codes(at: &At<'_>) -> Vec<Finding> {
    let mut codes: BTreeMap<&str, Vec<&Failed<'_>>> = BTreeMap::new();
    let payments = payments(at);
    for payment in payments.values() {
        codes.entry(payment.code()).or_default().push(payment);
    }
    codes
        .into_iter()
        .map(|(code, payments)| finding(at, code, &payments))
        .collect()
}

/// One payment that failed, once or more often.
#[derive(Debug)]
pub(super) struct Failed<'a> {
    fault: &'a Fault,
    newest: &'a Event,
    /// The charges that failed; one attempt is told by two events.
    attempts: BTreeSet<&'a str>,
    code: Option<&'a str>,
}

impl<'a> Failed<'a> {
    fn of(event: &'a Event, fault: &'a Fault) -> Self {
        let mut failed = Self {
            fault,
            newest: event,
            attempts: BTreeSet::new(),
            code: None,
        };
        failed.add(event, fault);
        failed
    }

    fn add(&mut self, event: &'a Event, fault: &'a Fault) {
        self.attempts
            .insert(fault.charge.as_deref().unwrap_or(&event.id));
        let is_newer = event.created > self.newest.created;
        if is_newer {
            self.newest = event;
            self.fault = fault;
        }
        let vague = |code: &str| VAGUE.contains(&code);
        let code = fault.code.as_deref();
        if self.code.is_none_or(vague) || (is_newer && code.is_some_and(|code| !vague(code))) {
            self.code = code.or(self.code);
        }
    }

    fn code(&self) -> &'a str {
        self.code.unwrap_or("unknown")
    }
}

/// Failed payments of the time that is judged.
pub(super) fn payments<'a>(at: &At<'a>) -> BTreeMap<&'a str, Failed<'a>> {
    let since = TimeDelta::from_std(at.section.payments_lookback).unwrap_or_default();
    let seen = at.seen;
    let events = seen
        .failures
        .walk
        .items
        .iter()
        .chain(&seen.news.events.items);
    merged(events.filter(|event| event.created.is_none_or(|created| at.age(created) <= since)))
}

/// The number of failed payments by code.
pub(super) fn by_code<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeMap<&'a str, u64> {
    let mut codes = BTreeMap::new();
    for payment in merged(events).values() {
        *codes.entry(payment.code()).or_default() += 1;
    }
    codes
}

/// By the id of the intent; an intent and its charges are one payment.
fn merged<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeMap<&'a str, Failed<'a>> {
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

fn finding(at: &At<'_>, code: &str, payments: &[&Failed<'_>]) -> Finding {
    let whole = events(at).is_whole();
    let customers: BTreeSet<&str> = payments
        .iter()
        .filter_map(|failed| failed.fault.customer.as_deref())
        .collect();
    let at_risk: Sums = payments
        .iter()
        .filter_map(|failed| failed.fault.amount)
        .collect();
    let (severity, rule) = judge(at, code, payments.len());
    let times = || payments.iter().filter_map(|failed| failed.newest.created);
    let number = if whole {
        count(payments.len(), "failed payment")
    } else {
        format!("{} failed payments", walk::said(payments.len(), false))
    };
    let link = match payments {
        [only] => at.link(&format!("payments/{}", only.fault.payment)),
        _ => at.link("payments?status[]=failed"),
    };
    Finding {
        magnitude: payments.len() as u64,
        began_at: times().min(),
        last_at: times().max(),
        link,
        evidence: evidence(payments, &customers, &at_risk),
        ..Finding::new(
            at.key("declines", code),
            severity,
            rule,
            format!(
                "{number}: {} ({}, {at_risk})",
                code.replace('_', " "),
                count(customers.len(), "customer")
            ),
        )
    }
}

/// By what is normal where that is known, else by the limit.
fn judge(at: &At<'_>, code: &str, number: usize) -> (Severity, String) {
    let limit = at.section.limits.declines;
    let lookback = lasted(TimeDelta::from_std(at.section.payments_lookback).unwrap_or_default());
    let failed = walk::said(number, events(at).is_whole());
    let normal = normal(at, code);
    if let Some(normal @ Baseline::Known { high, .. }) = normal {
        let number = number as u64;
        let severity = match number {
            _ if !normal.is_exceeded_by(number) => Severity::Low,
            _ if number > high.saturating_mul(2) => Severity::High,
            _ => Severity::Medium,
        };
        let twice = if severity == Severity::High {
            ": more than twice that"
        } else {
            ""
        };
        return (severity, format!("{failed} in {lookback}, {normal}{twice}"));
    }
    if SUSPICIOUS.contains(&code) && number < limit {
        let rule = format!(
            "{failed} in {lookback}, and this code tells of a fraud or the suspicion of one"
        );
        return (Severity::Medium, rule);
    }
    let severity = if number >= limit {
        Severity::High
    } else {
        Severity::Low
    };
    let learning = normal.map_or_else(String::new, |normal| format!("; {normal}"));
    (
        severity,
        format!("{failed} in {lookback}, limit {limit}{learning}"),
    )
}

/// What is normal on the day in which most of the time lies; none if that time is no day.
fn normal(at: &At<'_>, code: &str) -> Option<Baseline> {
    let lookback = TimeDelta::from_std(at.section.payments_lookback).unwrap_or_default();
    if lookback != TimeDelta::days(1) {
        return None;
    }
    let middle = (at.now - lookback / 2).with_timezone(&at.baselines.zone);
    let name = measures::name(at.seen.account.as_deref(), Some(code));
    Some(at.baselines.of(&name, middle.date_naive()))
}

/// The list that was read.
fn events<'a>(at: &At<'a>) -> &'a walk::Walk<Event> {
    let whole = &at.seen.failures.walk;
    let news = &at.seen.news.events;
    if news.items.is_empty() { whole } else { news }
}

fn evidence(
    payments: &[&Failed<'_>],
    customers: &BTreeSet<&str>,
    at_risk: &Sums,
) -> Vec<Untrusted> {
    let attempts: usize = payments.iter().map(|failed| failed.attempts.len()).sum();
    let unknown = payments
        .iter()
        .filter(|failed| failed.fault.amount.is_none())
        .count();
    let mut said_so = vec![
        format!("attempts: {attempts}"),
        format!("at risk: {at_risk}"),
    ];
    said_so.extend(
        (unknown > 0).then(|| format!("{} without a readable amount", count(unknown, "payment"))),
    );
    said_so.push("whether somebody paid in another way since is not looked at".to_owned());
    let named: Vec<&str> = customers.iter().take(MOST_NAMED).copied().collect();
    if !named.is_empty() {
        let more = customers.len() - named.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        said_so.push(format!("customers: {}{more}", named.join(", ")));
    }
    let mut newest: Vec<&&Failed<'_>> = payments.iter().collect();
    newest.sort_by_key(|failed| std::cmp::Reverse(failed.newest.created));
    for failed in newest.into_iter().take(MOST_NAMED) {
        let amount = failed
            .fault
            .amount
            .map_or_else(String::new, |amount| format!(" {amount}"));
        let time = failed.newest.created.map_or_else(String::new, said);
        let why = failed
            .fault
            .message
            .as_ref()
            .map_or_else(String::new, |message| format!(": {}", message.as_str()));
        said_so.push(format!("{}{amount} {time}{why}", failed.fault.payment));
    }
    lines(said_so)
}
