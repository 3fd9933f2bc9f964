//! Failed payments of whole days, by which tomorrow's are judged. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::{MOST_SKEW, other_world};
use crate::{
    baseline::{Baseline, Baselines, Measure},
    checks::payments::{Event, Observation, Payments, Seen, failed::by_code, walk::Walk},
};

/// Days that are learned at once, from events that Stripe still keeps.
const LEARNED_DAYS: i64 = 28;

/// Codes of which a day without one is counted as well.
const COMMON: [&str; 10] = [
    "authentication_required",
    "card_declined",
    "do_not_honor",
    "expired_card",
    "fraudulent",
    "generic_decline",
    "incorrect_cvc",
    "insufficient_funds",
    "stolen_card",
    "transaction_not_allowed",
];

/// `declines`, `declines/do_not_honor`, `acct_1/declines`.
pub(crate) fn name(account: Option<&str>, code: Option<&str>) -> String {
    [account, Some("declines"), code]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("/")
}

/// The begin of the first day that would have to be read to know what is normal; none if nothing has to.
pub(crate) fn unknown_since(
    baselines: &Baselines,
    name: &str,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let today = now.with_timezone(&baselines.zone).date_naive();
    let is_known = matches!(baselines.of(name, today), Baseline::Known { .. });
    let days = (1..=LEARNED_DAYS).map(|back| today - TimeDelta::days(back));
    let is_unknown = |day: &NaiveDate| !baselines.knows(name, *day);
    // Once enough is known, only what came since is added.
    let first = if is_known {
        days.take_while(is_unknown).last()
    } else {
        days.rev().find(is_unknown)
    };
    midnight(first?, baselines.zone)
}

/// From when on a list holds everything, if it is read newest first; none if nothing can be said.
pub(crate) fn complete_since(walk: &Walk<Event>, asked: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if walk.is_whole() {
        return Some(asked);
    }
    let times: Vec<_> = walk.items.iter().map(|event| event.created).collect();
    let is_newest_first = times.is_sorted_by(|a, b| a >= b);
    let oldest = times.last().copied().flatten()?;
    is_newest_first.then_some(oldest + TimeDelta::seconds(1))
}

/// What was counted on whole days that are not known yet.
pub(crate) fn measure(section: &Payments, seen: &Observation, now: DateTime<Utc>) -> Vec<Measure> {
    let is_off = seen.notices.skew.is_some_and(|skew| skew.abs() > MOST_SKEW);
    if is_off || other_world(section, seen).is_some() || seen.since.is_some() {
        return Vec::new();
    }
    seen.accounts
        .iter()
        .flat_map(|account| of_account(account, &seen.baselines, now))
        .collect()
}

fn of_account(seen: &Seen, baselines: &Baselines, now: DateTime<Utc>) -> Vec<Measure> {
    let failures = &seen.failures;
    let Some(since) = failures.complete_since else {
        return Vec::new();
    };
    let zone = baselines.zone;
    let today = now.with_timezone(&zone).date_naive();
    let total = name(seen.account.as_deref(), None);
    let days: Vec<NaiveDate> = (1..=LEARNED_DAYS)
        .map(|back| today - TimeDelta::days(back))
        .take_while(|day| midnight(*day, zone).is_some_and(|begin| begin >= since))
        .filter(|day| !baselines.knows(&total, *day))
        .collect();
    let mut by_day: BTreeMap<NaiveDate, Vec<&Event>> = BTreeMap::new();
    for event in failures.walk.items.iter().chain(&failures.earlier) {
        let day = event
            .created
            .map(|time| time.with_timezone(&zone).date_naive());
        by_day.entry(day.unwrap_or(today)).or_default().push(event);
    }
    let counted: BTreeMap<NaiveDate, BTreeMap<&str, u64>> = by_day
        .into_iter()
        .map(|(day, events)| (day, by_code(events)))
        .collect();
    // A day without a code that fails now and then is counted too, else only its bad days were.
    let known = baselines.names().filter_map(|name| {
        let code = name.strip_prefix(total.as_str())?;
        code.strip_prefix('/')
    });
    let codes: BTreeSet<&str> = counted
        .values()
        .flat_map(BTreeMap::keys)
        .copied()
        .chain(COMMON)
        .chain(known)
        .collect();
    let measured = |day: NaiveDate| {
        let of_day = counted.get(&day);
        let number = |code: &str| {
            of_day
                .and_then(|codes| codes.get(code))
                .copied()
                .unwrap_or(0)
        };
        let all = Measure {
            name: total.clone(),
            day,
            value: of_day.map_or(0, |codes| codes.values().sum()),
        };
        let each = codes.iter().map(move |code| Measure {
            name: name(seen.account.as_deref(), Some(code)),
            day,
            value: number(code),
        });
        std::iter::once(all).chain(each).collect::<Vec<_>>()
    };
    days.into_iter().flat_map(measured).collect()
}

/// When a local day begins; an hour later where the clocks leave midnight out.
fn midnight(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let begin = day.and_hms_opt(0, 0, 0)?;
    let local = zone.from_local_datetime(&begin).earliest();
    let later = || {
        zone.from_local_datetime(&(begin + TimeDelta::hours(1)))
            .earliest()
    };
    Some(local.or_else(later)?.to_utc())
}
