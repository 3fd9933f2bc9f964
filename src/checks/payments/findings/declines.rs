//! Failed payments by the code of their decline, with the customers and the money at risk. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{At, lasted, lines, measures, stamp};
use crate::{
    baseline::Baseline,
    checks::payments::{
        Event,
        failed::{Failed, is_suspicious, together},
        money::Sums,
        walk::{Walk, at_least},
    },
    report::{Finding, Severity},
    text::{Untrusted, count},
};

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

/// Failed payments of the time that is judged, and those before of which nobody has said yet that they are handled.
pub(super) fn payments<'a>(at: &At<'a>) -> BTreeMap<&'a str, Failed<'a>> {
    let unsettled = at.unsettled.declines();
    let began = |code: &str| {
        let before = unsettled.get(code).and_then(|finding| finding.began_at);
        before.map_or(recent(at), |before| before.min(recent(at)))
    };
    let first = unsettled.keys().map(|code| began(code)).min();
    let first = first.unwrap_or(recent(at));
    let failures = &at.seen.failures;
    let events = failures.walk.items.iter().chain(&failures.earlier);
    let events = events.chain(&at.seen.news.events.items);
    let mut payments = together(events.filter(|it| it.created.is_none_or(|at| at >= first)));
    payments.retain(|_, failed| {
        failed
            .newest
            .is_none_or(|newest| newest >= began(failed.code()))
    });
    payments
}

/// Since when payments are judged by their number.
fn recent(at: &At<'_>) -> DateTime<Utc> {
    at.now - at.section.payments_lookback
}

fn finding(at: &At<'_>, code: &str, payments: &[&Failed<'_>]) -> Finding {
    let customers: BTreeSet<&str> = payments
        .iter()
        .filter_map(|failed| failed.fault.customer.as_deref())
        .collect();
    let at_risk: Sums = payments
        .iter()
        .filter_map(|failed| failed.fault.amount)
        .collect();
    let judged = judge_all(at, code, payments);
    let times = || payments.iter().filter_map(|failed| failed.newest);
    let number = if judged.is_whole {
        count(payments.len(), "failed payment")
    } else {
        format!("{} failed payments", at_least(payments.len(), false))
    };
    let link = match payments {
        [only] => at.link(&format!("payments/{}", only.fault.payment)),
        _ => at.link("payments?status[]=failed"),
    };
    Finding {
        magnitude: payments.len() as u64,
        began_at: payments.iter().filter_map(|failed| failed.began()).min(),
        last_at: times().max(),
        link,
        evidence: evidence(payments, &customers, &at_risk),
        ..Finding::new(
            at.key("declines", code),
            judged.severity,
            judged.rule,
            format!(
                "{number}: {} ({}, {at_risk})",
                code.replace('_', " "),
                count(customers.len(), "customer")
            ),
        )
    }
}

struct Judged {
    severity: Severity,
    rule: String,
    /// Whether those are all.
    is_whole: bool,
}

/// By those of late; never better than an earlier look judged those before, as long as nobody has dealt with them.
fn judge_all(at: &At<'_>, code: &str, payments: &[&Failed<'_>]) -> Judged {
    let is_recent = |failed: &&&Failed<'_>| failed.newest.is_none_or(|it| it >= recent(at));
    let number = payments.iter().filter(is_recent).count();
    let (severity, rule) = judge(at, code, number);
    let mut judged = Judged {
        severity,
        rule,
        is_whole: events(at).is_whole(),
    };
    let unsettled = at.unsettled.declines();
    let before = unsettled.get(code);
    let before =
        before.and_then(|it| Some((it.severity, it.began_at.filter(|it| *it < recent(at))?)));
    let Some((severity, began)) = before else {
        return judged;
    };
    let complete_since = at.seen.failures.complete_since;
    let are_read = complete_since.is_some_and(|since| since <= began);
    let older = payments.len() - number;
    if older > 0 || !are_read {
        judged.is_whole &= are_read;
        judged.severity = judged.severity.max(severity);
        let number = match older {
            0 => "others".to_owned(),
            number => at_least(number, are_read),
        };
        judged.rule = format!(
            "{}; before that {number} since {}, and nobody has said that they are handled",
            judged.rule,
            stamp(began)
        );
    }
    judged
}

/// By what is normal where that is known, else by the limit.
fn judge(at: &At<'_>, code: &str, number: usize) -> (Severity, String) {
    let limit = at.section.limits.declines;
    let lookback = lasted(TimeDelta::from_std(at.section.payments_lookback).unwrap_or_default());
    let failed = at_least(number, events(at).is_whole());
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
    if is_suspicious(code) && number < limit {
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
fn events<'a>(at: &At<'a>) -> &'a Walk<Event> {
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
    said_so.push(
        "later successes are not subtracted: whether somebody has paid since is not looked at"
            .to_owned(),
    );
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
    newest.sort_by_key(|failed| std::cmp::Reverse(failed.newest));
    for failed in newest.into_iter().take(MOST_NAMED) {
        let amount = failed
            .fault
            .amount
            .map_or_else(String::new, |amount| format!(" {amount}"));
        let time = failed.newest.map_or_else(String::new, stamp);
        let why = failed
            .fault
            .message
            .as_ref()
            .map_or_else(String::new, |message| format!(": {}", message.as_str()));
        said_so.push(format!("{}{amount} {time}{why}", failed.fault.payment));
    }
    lines(said_so)
}
