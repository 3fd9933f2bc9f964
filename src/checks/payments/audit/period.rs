//! Which invoices are audited, and how far beyond the edges each side is read. Pure.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// No gap that a clock change left in local time is longer.
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// Whole local days. An invoice that is created in them must be on both sides; the margins around them are read so that
/// its other half is found although it was written down a little earlier or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: DateTime<Utc>,
    /// Not itself part of it.
    pub to: DateTime<Utc>,
    grace: TimeDelta,
}

impl Period {
    /// The last so many days that ended at least `grace` ago, so that the youngest invoice had time to be written down.
    pub fn before(now: DateTime<Utc>, days: u32, grace: TimeDelta, time_zone: Tz) -> Self {
        let today = (now - grace).with_timezone(&time_zone).date_naive();
        let first = today - Days::new(days.into());
        Self {
            from: first_moment(first, time_zone),
            to: first_moment(today, time_zone),
            grace,
        }
    }

    /// Whether what was created then must be on both sides.
    pub fn holds(&self, created: DateTime<Utc>) -> bool {
        (self.from..self.to).contains(&created)
    }

    /// What is read of one's own records: from, and up to but not including.
    pub fn here(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.from - self.grace, self.to + self.grace)
    }

    /// What is read of Stripe's invoices: wider by the grace, for the partners of all that is read here.
    pub fn at_stripe(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.from - self.grace * 2, self.to + self.grace * 2)
    }
}

/// When a local date begins, also where a clock change took its midnight.
pub(super) fn first_moment(date: NaiveDate, time_zone: Tz) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    (0..=LONGEST_GAP_MINUTES)
        .map(|minutes| midnight + TimeDelta::minutes(minutes))
        .find_map(|local| time_zone.from_local_datetime(&local).earliest())
        .map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn period(now: &str, days: u32, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        let period = Period::before(at(now), days, TimeDelta::hours(1), zone);
        (period.from, period.to)
    }

    #[test]
    fn a_day_ends_only_after_the_grace() {
        let yesterday = (at("2026-11-22T00:00:00Z"), at("2026-11-23T00:00:00Z"));
        assert_eq!(period("2026-11-23T09:00:00Z", 1, Tz::UTC), yesterday);
        assert_eq!(period("2026-11-23T01:00:00Z", 1, Tz::UTC), yesterday);
        let before = (at("2026-11-21T00:00:00Z"), at("2026-11-22T00:00:00Z"));
        assert_eq!(period("2026-11-23T00:59:59Z", 1, Tz::UTC), before);
    }

    #[test]
    fn days_are_local_and_as_long_as_the_clocks_make_them() {
        let berlin = Tz::Europe__Berlin;
        let longer = (at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"));
        assert_eq!(period("2026-10-26T08:00:00Z", 1, berlin), longer);
        let shorter = (at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z"));
        assert_eq!(period("2026-03-30T08:00:00Z", 1, berlin), shorter);
    }

    #[test]
    fn a_day_without_a_midnight_begins_when_the_clocks_have_jumped() {
        let date = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        let beirut = first_moment(date, Tz::Asia__Beirut);
        assert_eq!(beirut, at("2026-03-28T22:00:00Z"));
        assert_eq!(beirut.with_timezone(&Tz::Asia__Beirut).date_naive(), date);
    }

    #[test]
    fn days_that_follow_each_other_leave_no_gap() {
        let one = period("2026-11-23T09:00:00Z", 1, Tz::America__New_York);
        let next = period("2026-11-24T09:00:00Z", 1, Tz::America__New_York);
        assert_eq!(one.1, next.0);
    }

    #[test]
    fn each_side_is_read_beyond_the_edges() {
        let now = at("2026-11-23T09:00:00Z");
        let period = Period::before(now, 1, TimeDelta::hours(1), Tz::UTC);
        let here = (at("2026-11-21T23:00:00Z"), at("2026-11-23T01:00:00Z"));
        let there = (at("2026-11-21T22:00:00Z"), at("2026-11-23T02:00:00Z"));
        assert_eq!((period.here(), period.at_stripe()), (here, there));
        assert!(period.holds(period.from) && !period.holds(period.to));
    }
}
