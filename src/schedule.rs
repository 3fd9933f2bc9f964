//! When rounds are expected, and the clock that tells. Pure.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use chrono_tz::Tz;
use serde::Deserialize;

/// What tells the time. Only edges make one.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// `[schedule]`: the days that want a round, in whose time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    pub days: Vec<Weekday>,
    pub time_zone: Tz,
}

impl Default for Schedule {
    fn default() -> Self {
        use Weekday::{Fri, Mon, Thu, Tue, Wed};
        Self {
            days: vec![Mon, Tue, Wed, Thu, Fri],
            time_zone: Tz::UTC,
        }
    }
}

impl Schedule {
    /// Local days after the last round's and before today that wanted a round; the oldest first.
    pub fn missed(&self, last_round: DateTime<Utc>, now: DateTime<Utc>) -> Vec<NaiveDate> {
        let local = |at: DateTime<Utc>| at.with_timezone(&self.time_zone).date_naive();
        let today = local(now);
        local(last_round)
            .iter_days()
            .skip(1)
            .take_while(|day| *day < today)
            .filter(|day| self.days.contains(&day.weekday()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("it is a time")
    }

    fn missed(schedule: &Schedule, last: &str, now: &str) -> Vec<String> {
        schedule
            .missed(at(last), at(now))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_weekend_is_not_missed_but_a_working_day_is() {
        let schedule = Schedule::default();
        assert_eq!(
            missed(&schedule, "2026-11-20T09:00:00Z", "2026-11-23T09:00:00Z"),
            Vec::<String>::new()
        );
        assert_eq!(
            missed(&schedule, "2026-11-19T09:00:00Z", "2026-11-23T09:00:00Z"),
            ["2026-11-20"]
        );
    }

    #[test]
    fn days_are_those_of_the_local_calendar() {
        let auckland = Schedule {
            time_zone: Tz::Pacific__Auckland,
            ..Schedule::default()
        };
        assert_eq!(
            missed(&auckland, "2026-11-22T20:00:00Z", "2026-11-24T20:00:00Z"),
            ["2026-11-24"]
        );
        assert_eq!(
            missed(
                &Schedule::default(),
                "2026-11-22T20:00:00Z",
                "2026-11-24T20:00:00Z"
            ),
            ["2026-11-23"]
        );
    }

    #[test]
    fn a_clock_that_went_backwards_misses_nothing() {
        assert_eq!(
            missed(
                &Schedule::default(),
                "2026-11-25T09:00:00Z",
                "2026-11-20T09:00:00Z"
            ),
            Vec::<String>::new()
        );
    }
}
