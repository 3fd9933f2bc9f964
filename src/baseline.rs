//! What normal looks like, learned from what was counted on earlier days. Pure.

use std::{collections::BTreeMap, fmt};

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What a check counted on one whole local day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// What was counted: `declines`.
    pub name: String,
    pub day: NaiveDate,
    pub value: u64,
}

/// Days that count.
pub const LOOKBACK: TimeDelta = TimeDelta::weeks(12);

/// Days without which nothing is known yet.
pub const LEAST_DAYS: usize = 14;

/// Weekdays of the same name from which on they are a baseline of their own.
const LEAST_WEEKDAYS: usize = 4;

/// All that a check has counted, by name and day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines {
    /// In which days begin.
    pub zone: Tz,
    counted: BTreeMap<String, BTreeMap<NaiveDate, u64>>,
}

impl Baselines {
    pub fn new(zone: Tz, measures: impl IntoIterator<Item = Measure>) -> Self {
        let mut baselines = Self {
            zone,
            ..Self::default()
        };
        baselines.learn(measures);
        baselines
    }

    /// Adds what was counted; a day that is known already is counted anew.
    pub fn learn(&mut self, measures: impl IntoIterator<Item = Measure>) {
        for Measure { name, day, value } in measures {
            self.counted.entry(name).or_default().insert(day, value);
        }
    }

    /// Of everything that was counted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.counted.keys().map(String::as_str)
    }

    /// Whether that day was counted.
    pub fn knows(&self, name: &str, day: NaiveDate) -> bool {
        self.on(name, day).is_some()
    }

    /// What was counted on that day.
    pub fn on(&self, name: &str, day: NaiveDate) -> Option<u64> {
        self.counted.get(name)?.get(&day).copied()
    }

    /// What is normal on such a day, from those before it: those of the same weekday, or all while they are few.
    pub fn of(&self, name: &str, day: NaiveDate) -> Baseline {
        let before = |(date, _): &(&NaiveDate, &u64)| **date < day && day - **date <= LOOKBACK;
        let all: Vec<(Weekday, u64)> = self.counted.get(name).map_or_else(Vec::new, |days| {
            let days = days.iter().filter(before);
            days.map(|(date, value)| (date.weekday(), *value)).collect()
        });
        if all.len() < LEAST_DAYS {
            return Baseline::Learning { days: all.len() };
        }
        let same: Vec<u64> = all
            .iter()
            .filter(|(weekday, _)| *weekday == day.weekday())
            .map(|(_, value)| *value)
            .collect();
        if same.len() >= LEAST_WEEKDAYS {
            let (low, high) = range(same);
            let weekday = Some(day.weekday());
            return Baseline::Known { low, high, weekday };
        }
        let (low, high) = range(all.into_iter().map(|(_, value)| value).collect());
        Baseline::Known {
            low,
            high,
            weekday: None,
        }
    }
}

/// What is normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Baseline {
    /// Too few days have been counted.
    Learning { days: usize },
    Known {
        low: u64,
        high: u64,
        /// None: of all days alike.
        weekday: Option<Weekday>,
    },
}

impl Baseline {
    /// Whether that is more than normal; false while nothing is known.
    pub fn is_exceeded_by(&self, value: u64) -> bool {
        matches!(self, Self::Known { high, .. } if value > *high)
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Learning { days } => write!(f, "learning ({days} of {LEAST_DAYS} days)"),
            Self::Known { low, high, weekday } => {
                write!(f, "normal {low} to {high}")?;
                match weekday {
                    Some(weekday) => write!(f, " on a {}", name(*weekday)),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The median, give or take three times the spread of all days but the oddest, and at least what chance alone gives
/// (the square root of a count, twice).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a day are far below 2^52 and not negative"
)]
fn range(values: Vec<u64>) -> (u64, u64) {
    let values: Vec<f64> = values.into_iter().map(|value| value as f64).collect();
    let middle = median(values.clone());
    let spread = median(values.iter().map(|value| (value - middle).abs()).collect());
    let width = (3.0 * 1.4826 * spread).max(2.0 * middle.sqrt()).max(1.0);
    let low = (middle - width).max(0.0).ceil();
    (low as u64, (middle + width).floor() as u64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

fn name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MONDAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 23).expect("it is a day");

    /// Counted on the days before that Monday, the newest first.
    fn counted(values: impl IntoIterator<Item = u64>) -> Baselines {
        let measures = values.into_iter().zip(1..).map(|(value, days)| Measure {
            name: "declines".to_owned(),
            day: MONDAY - TimeDelta::days(days),
            value,
        });
        Baselines::new(Tz::UTC, measures)
    }

    #[test]
    fn a_few_days_are_no_baseline() {
        let learning = counted([4; 13]).of("declines", MONDAY);
        assert_eq!(learning.to_string(), "learning (13 of 14 days)");
        assert!(!learning.is_exceeded_by(1_000));
        assert_eq!(
            counted([4; 13]).of("others", MONDAY),
            Baseline::Learning { days: 0 }
        );
    }

    #[test]
    fn two_weeks_are_one_for_all_days() {
        let known = counted([4; 14]).of("declines", MONDAY);
        assert_eq!(known.to_string(), "normal 0 to 8");
        assert!(known.is_exceeded_by(9) && !known.is_exceeded_by(8));
    }

    #[test]
    fn a_month_tells_mondays_from_sundays() {
        let like = |weekday| match weekday {
            Weekday::Mon => 50,
            _ => 2,
        };
        let days = (1..=28).map(|days| like((MONDAY - TimeDelta::days(days)).weekday()));
        let baselines = counted(days);
        let monday = baselines.of("declines", MONDAY);
        assert_eq!(monday.to_string(), "normal 36 to 64 on a Monday");
        let sunday = baselines.of("declines", MONDAY - TimeDelta::days(1));
        assert!(sunday.is_exceeded_by(10), "{sunday}");
    }

    #[test]
    fn one_odd_day_is_not_normal() {
        let mut days = vec![4; 20];
        days[3] = 400;
        assert!(counted(days).of("declines", MONDAY).is_exceeded_by(20));
    }

    proptest! {
        #[test]
        fn the_middle_is_normal_and_the_range_is_none_the_wrong_way_round(days in prop::collection::vec(0u64..100_000, 14..80)) {
            let mut sorted = days.clone();
            let Baseline::Known { low, high, weekday } = counted(days).of("declines", MONDAY) else {
                return Err(TestCaseError::fail("it is known"));
            };
            prop_assert!(low <= high);
            sorted.sort_unstable();
            if weekday.is_none() {
                let middle = sorted[sorted.len() / 2];
                prop_assert!(low <= middle && sorted[(sorted.len() - 1) / 2] <= high);
            }
        }
    }
}
