//! Whether an issue happens far more often than its own history says. Pure.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::issue::{Bucket, Issue};
use crate::text::thousands;

/// Buckets before the one that is judged; with fewer there is no history.
const LEAST_HISTORY: usize = 3;

/// `[checks.errors.spike]`: what counts as a spike.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Events in one bucket below which nothing is a spike.
    pub minimum: u64,
    /// How many times its median.
    pub factor: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            minimum: 20,
            factor: 3.0,
        }
    }
}

/// A bucket that stands out, and what is normal for it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spike {
    pub events: u64,
    pub width: Width,
    /// Lower and upper quartile of the history.
    pub normal: (u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Day,
    Hour,
}

impl Width {
    fn delta(self) -> TimeDelta {
        match self {
            Self::Day => TimeDelta::days(1),
            Self::Hour => TimeDelta::hours(1),
        }
    }
}

impl fmt::Display for Spike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.width {
            Width::Day => "a day",
            Width::Hour => "an hour",
        };
        write!(f, "{} events in {period}, normal ", thousands(self.events))?;
        match self.normal {
            (low, high) if low == high => write!(f, "{}", thousands(low)),
            (low, high) => write!(f, "{} to {}", thousands(low), thousands(high)),
        }
    }
}

/// The spike of the last complete day, or else the highest of the last 24 complete hours.
pub(super) fn find(issue: &Issue, limits: &Limits, now: DateTime<Utc>) -> Option<Spike> {
    let days = history(&issue.daily, Width::Day, issue.first_seen, now);
    let hours = history(&issue.hourly, Width::Hour, issue.first_seen, now);
    let day = days
        .split_last()
        .and_then(|(last, before)| judge(*last, before, Width::Day, limits));
    day.or_else(|| {
        let first = hours.len().saturating_sub(24);
        (first..hours.len())
            .filter_map(|at| judge(hours[at], &hours[..at], Width::Hour, limits))
            .max_by_key(|spike| spike.events)
    })
}

/// Complete buckets that lie wholly within the issue's life.
fn history(
    buckets: &[Bucket],
    width: Width,
    first_seen: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Vec<u64> {
    let born = first_seen.or_else(|| Some(buckets.iter().find(|b| b.events > 0)?.start));
    buckets
        .iter()
        .filter(|bucket| bucket.start + width.delta() <= now)
        .filter(|bucket| born.is_some_and(|born| bucket.start >= born))
        .map(|bucket| bucket.events)
        .collect()
}

/// A spike is at least the minimum, `factor` times the median, and three standard deviations above the mean.
fn judge(events: u64, before: &[u64], width: Width, limits: &Limits) -> Option<Spike> {
    if before.len() < LEAST_HISTORY || events < limits.minimum {
        return None;
    }
    let mut sorted = before.to_vec();
    sorted.sort_unstable();
    let number = sorted.len() as f64;
    let mean = sorted.iter().sum::<u64>() as f64 / number;
    let variance = sorted
        .iter()
        .map(|x| (*x as f64 - mean).powi(2))
        .sum::<f64>()
        / number;
    let middle = sorted.len() / 2;
    let median = if sorted.len().is_multiple_of(2) {
        (sorted[middle - 1] + sorted[middle]) as f64 / 2.0
    } else {
        sorted[middle] as f64
    };
    let limit = (limits.factor * median).max(mean + 3.0 * variance.sqrt());
    (events as f64 >= limit && events as f64 > mean).then(|| Spike {
        events,
        width,
        normal: (
            sorted[(sorted.len() - 1) / 4],
            sorted[(sorted.len() - 1) * 3 / 4],
        ),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    /// The last number is today's, which is not over.
    fn daily(events: &[u64]) -> Issue {
        let today: DateTime<Utc> = "2026-11-22T00:00:00Z".parse().unwrap();
        Issue {
            first_seen: Some(today - TimeDelta::days(400)),
            daily: lay(events, today, TimeDelta::days(1)),
            ..Issue::default()
        }
    }

    fn hourly(events: &[u64]) -> Issue {
        let hour: DateTime<Utc> = "2026-11-22T09:00:00Z".parse().unwrap();
        Issue {
            first_seen: Some(hour - TimeDelta::days(400)),
            hourly: lay(events, hour, TimeDelta::hours(1)),
            ..Issue::default()
        }
    }

    fn lay(events: &[u64], last: DateTime<Utc>, width: TimeDelta) -> Vec<Bucket> {
        let place = |at: usize| last - width * (events.len() - 1 - at) as i32;
        events
            .iter()
            .enumerate()
            .map(|(at, events)| Bucket {
                start: place(at),
                events: *events,
            })
            .collect()
    }

    fn spike(issue: &Issue) -> Option<String> {
        find(issue, &Limits::default(), now()).map(|spike| spike.to_string())
    }

    #[test]
    fn a_day_far_above_its_own_history_is_a_spike() {
        assert_eq!(
            spike(&daily(&[40, 50, 60, 45, 55, 480, 0])).as_deref(),
            Some("480 events in a day, normal 45 to 55")
        );
        assert_eq!(spike(&daily(&[40, 50, 60, 45, 55, 90, 0])), None);
    }

    #[test]
    fn today_is_not_over_and_does_not_count() {
        assert_eq!(spike(&daily(&[40, 50, 60, 45, 55, 50, 9000])), None);
    }

    #[test]
    fn an_old_issue_that_comes_back_is_a_spike_but_a_new_one_has_no_history() {
        assert!(spike(&daily(&[0, 0, 0, 0, 0, 25, 3])).is_some());
        let mut new = daily(&[0, 0, 0, 0, 0, 25, 3]);
        new.first_seen = Some(now() - TimeDelta::days(2));
        assert_eq!(spike(&new), None);
    }

    #[test]
    fn the_worst_hour_of_a_day_counts_even_after_it_calmed_down() {
        let mut hours = vec![2; 24];
        hours[15] = 120;
        hours[16] = 90;
        assert_eq!(
            spike(&hourly(&hours)).as_deref(),
            Some("120 events in an hour, normal 2")
        );
    }

    fn numbers(least: usize) -> impl Strategy<Value = Vec<u64>> {
        proptest::collection::vec(0..5_000u64, least..14)
    }

    proptest! {
        #[test]
        fn more_events_never_unmake_a_spike(before in numbers(3), events in 0..50_000u64, more in 0..50_000u64) {
            let limits = Limits::default();
            if judge(events, &before, Width::Day, &limits).is_some() {
                prop_assert!(judge(events + more, &before, Width::Day, &limits).is_some());
            }
        }

        #[test]
        fn below_the_minimum_nothing_is_a_spike(before in numbers(3), events in 0..20u64) {
            prop_assert_eq!(judge(events, &before, Width::Day, &Limits::default()), None);
        }

        #[test]
        fn a_steady_issue_has_no_spike(level in 0..100_000u64, days in 4..14usize) {
            prop_assert_eq!(spike(&daily(&vec![level; days])), None);
        }

        #[test]
        fn the_order_of_the_history_does_not_matter(before in numbers(3), events in 0..50_000u64) {
            let reversed: Vec<u64> = before.iter().rev().copied().collect();
            let limits = Limits::default();
            prop_assert_eq!(judge(events, &before, Width::Day, &limits), judge(events, &reversed, Width::Day, &limits));
        }

        #[test]
        fn fewer_than_three_days_are_no_history(before in proptest::collection::vec(0..9u64, 0..3), events in 0..50_000u64) {
            prop_assert_eq!(judge(events, &before, Width::Day, &Limits::default()), None);
        }

        #[test]
        fn what_is_not_over_never_matters(days in numbers(2), today in any::<u32>()) {
            let mut with = days.clone();
            with.push(u64::from(today));
            let mut without = days;
            without.push(0);
            prop_assert_eq!(spike(&daily(&with)), spike(&daily(&without)));
        }
    }
}
