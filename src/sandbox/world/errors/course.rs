//! How often an error happens, as a function of the time: what was and what will be follows from one description.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::issue::Counts;

/// The course that an error takes.
#[derive(Clone, Debug)]
pub struct Course {
    /// The first event.
    pub began: DateTime<Utc>,
    /// Events of a usual day.
    pub daily: u64,
    /// Beyond the usual days.
    pub surge: Option<Surge>,
    /// Events that one user meets in a day.
    pub each: u64,
    /// When a release mends it.
    pub mended: Option<DateTime<Utc>>,
}

/// Many events at once, which become fewer.
#[derive(Clone, Copy, Debug)]
pub struct Surge {
    pub at: DateTime<Utc>,
    /// From its begin to its end.
    pub events: u64,
    /// After this time, half of them were seen.
    pub half: TimeDelta,
}

impl Course {
    /// An error that happens so often on each day, since then.
    pub fn steady(began: DateTime<Utc>, daily: u64) -> Self {
        Self {
            began,
            daily,
            surge: None,
            each: 2,
            mended: None,
        }
    }

    /// An error that came with a release and fades.
    pub fn surge(at: DateTime<Utc>, events: u64, half: TimeDelta) -> Self {
        Self {
            surge: Some(Surge { at, events, half }),
            ..Self::steady(at, 0)
        }
    }

    /// Events up to then.
    fn until(&self, time: DateTime<Utc>) -> u64 {
        let time = self.mended.map_or(time, |mended| mended.min(time));
        if time < self.began {
            return 0;
        }
        let usual = self.daily as f64 * (day_shaped(time) - day_shaped(self.began));
        let surge = self.surge.filter(|surge| surge.at <= time);
        let of_surge = surge.map_or(0.0, |surge| {
            let halves = seconds(time - surge.at) / seconds(surge.half);
            surge.events as f64 * (1.0 - 0.5f64.powf(halves))
        });
        1 + (usual + of_surge) as u64
    }

    fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
        self.until(to) - self.until(from.min(to))
    }

    /// What Sentry would count at that time.
    pub(super) fn counts(&self, now: DateTime<Utc>) -> Counts {
        let a_day = TimeDelta::days(1);
        let today = self.between(now - a_day, now);
        let ever = self.until(now);
        Counts {
            hourly: self.buckets(now, TimeDelta::hours(1), 24),
            daily: self.buckets(now, a_day, 14),
            today,
            users: today.div_ceil(self.each),
            ever,
            users_ever: ever.div_ceil(self.each),
            first_seen: self.began,
            last_seen: self.last(now),
        }
    }

    /// The last one holds now, and is not over.
    fn buckets(&self, now: DateTime<Utc>, width: TimeDelta, number: i32) -> Vec<u64> {
        let last = now.duration_trunc(width).unwrap_or(now);
        let begins = (0..number).rev().map(|ago| last - width * ago);
        begins
            .map(|begin| self.between(begin, now.min(begin + width)))
            .collect()
    }

    /// When the last event was, to the second.
    fn last(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let ever = self.until(now);
        let (mut before, mut since) = (-1, (now - self.began).num_seconds().max(0));
        while since - before > 1 {
            let middle = before + (since - before) / 2;
            if self.until(self.began + TimeDelta::seconds(middle)) == ever {
                since = middle;
            } else {
                before = middle;
            }
        }
        self.began + TimeDelta::seconds(since)
    }
}

/// Days since the epoch, in which most goes by about noon.
fn day_shaped(time: DateTime<Utc>) -> f64 {
    let days = time.timestamp() as f64 / 86_400.0;
    let turn = std::f64::consts::TAU;
    days - 0.8 * (turn * days).sin() / turn
}

fn seconds(time: TimeDelta) -> f64 {
    time.num_milliseconds() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn monday() -> DateTime<Utc> {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_surge_of_a_release_fades() {
        let course = Course::surge(monday() - TimeDelta::hours(3), 600, TimeDelta::hours(2));
        let counts = |days| course.counts(monday() + TimeDelta::days(days));
        assert_eq!(
            (counts(0).today, counts(1).today, counts(2).today),
            (388, 212, 0)
        );
        assert_eq!(counts(2).ever, 600);
        assert!(counts(2).last_seen < monday() + TimeDelta::days(1));
    }

    #[test]
    fn a_steady_error_is_as_frequent_on_each_day_and_has_its_quiet_nights() {
        let course = Course::steady(monday() - TimeDelta::days(60), 240);
        let counts = course.counts(monday());
        assert_eq!(counts.today, 240);
        assert!(counts.daily[..13].iter().all(|day| day.abs_diff(240) <= 1));
        // Sixteen hours ago it was four in the afternoon, and eight hours ago midnight.
        assert!(
            counts.hourly[23 - 16] > 3 * counts.hourly[23 - 8],
            "{:?}",
            counts.hourly
        );
    }

    proptest! {
        #[test]
        fn time_only_adds_and_no_event_is_counted_twice(
            daily in 0..5_000u64, events in 0..5_000u64, age in 0..2_000i64, half in 1..50i64, hours in 0..500i64, more in 0..500i64,
        ) {
            let began = monday() - TimeDelta::hours(age);
            let course = Course { daily, ..Course::surge(began, events, TimeDelta::hours(half)) };
            let at = monday() + TimeDelta::hours(hours);
            let (now, later) = (course.counts(at), course.counts(at + TimeDelta::minutes(more)));
            prop_assert!(later.ever >= now.ever && later.last_seen >= now.last_seen);
            prop_assert!(now.hourly.iter().sum::<u64>() <= now.today);
            prop_assert!(now.daily.iter().sum::<u64>() <= now.ever);
            prop_assert!(now.users <= now.users_ever && now.last_seen <= at && now.first_seen <= now.last_seen);
        }
    }
}
