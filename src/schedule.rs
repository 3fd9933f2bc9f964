//! When rounds are expected, and the clock that tells. Pure.

use std::{str::FromStr, sync::Arc};

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday,
};
use chrono_tz::Tz;
use croner::Cron;
use serde::Deserialize;

/// What tells the time. Only edges make one.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Local dates before today that are looked at for a summary that was missed.
const LONGEST_ABSENCE: u64 = 31;

/// A schedule that wants nothing for longer has no next time to speak of.
const LONGEST_PAUSE_DAYS: usize = 400;

/// Longer than any gap that a clock change has left in local time: a day, when an island crossed the date line.
const LONGEST_GAP: i64 = 25 * 60 * 60;

const A_DAY: i64 = 24 * 60 * 60;

/// `[schedule]`: the days that want a round, in whose time, and when the summary is posted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// None: no summary is posted.
    pub daily: Option<Daily>,
    pub days: Vec<Weekday>,
    pub time_zone: Tz,
}

impl Default for Schedule {
    fn default() -> Self {
        use Weekday::{Fri, Mon, Thu, Tue, Wed};
        Self {
            daily: None,
            days: vec![Mon, Tue, Wed, Thu, Fri],
            time_zone: Tz::UTC,
        }
    }
}

/// When a summary is due: a local time, or a cron expression, of which each date's first time counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub enum Daily {
    At(NaiveTime),
    Cron(Box<Cron>),
}

/// A text that is neither a time nor a cron expression.
#[derive(Debug, thiserror::Error)]
#[error(
    "`daily` in [schedule] is a local time such as \"09:00\", or a cron expression such as \"30 8 * * mon-fri\""
)]
pub struct NoTime;

impl TryFrom<String> for Daily {
    type Error = NoTime;

    fn try_from(text: String) -> Result<Self, NoTime> {
        if let Ok(time) = NaiveTime::parse_from_str(&text, "%H:%M") {
            return Ok(Self::At(time));
        }
        let cron = Cron::from_str(&text).map_err(|_| NoTime)?;
        // "0 9 30 2 *" never comes.
        cron.find_next_occurrence(&DateTime::UNIX_EPOCH, true)
            .map_err(|_| NoTime)?;
        Ok(Self::Cron(Box::new(cron)))
    }
}

/// A local date that wants a summary, and from when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub date: NaiveDate,
    pub at: DateTime<Utc>,
}

impl Schedule {
    /// What is due by now after the newest local date that was dealt with; the oldest first. Without such a date,
    /// nothing before today is.
    pub fn due(&self, newest: Option<NaiveDate>, now: DateTime<Utc>) -> Vec<Due> {
        let today = now.with_timezone(&self.time_zone).date_naive();
        let earliest = today
            .checked_sub_days(chrono::Days::new(LONGEST_ABSENCE))
            .unwrap_or(today);
        let first = match newest.map(|newest| newest.succ_opt()) {
            None => today,
            Some(next) => next.unwrap_or(NaiveDate::MAX).max(earliest),
        };
        first
            .iter_days()
            .take_while(|date| *date <= today)
            .filter_map(|date| {
                Some(Due {
                    date,
                    at: self.due_at(date)?,
                })
            })
            .filter(|due| due.at <= now)
            .collect()
    }

    /// When the summary of a local date is due, if that date has one.
    pub fn due_at(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        let time = match self.daily.as_ref()? {
            Daily::At(time) => self.days.contains(&date.weekday()).then_some(*time)?,
            Daily::Cron(cron) => {
                let begin = date.and_time(NaiveTime::MIN).and_utc();
                let next = cron.find_next_occurrence(&begin, true).ok()?.naive_utc();
                (next.date() == date).then_some(next.time())?
            }
        };
        self.instant(date.and_time(time))
    }

    /// When the next summary is due.
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = now.with_timezone(&self.time_zone).date_naive();
        let days = today.iter_days().take(LONGEST_PAUSE_DAYS);
        days.filter_map(|date| self.due_at(date))
            .find(|at| *at > now)
    }

    /// The first instant of a local time; of one that a clock change skips, the first after it. None if the change skips
    /// the whole date.
    fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let first = |from: NaiveDateTime, seconds: i64, step: usize| {
            (0..seconds)
                .step_by(step)
                .map(|second| from + TimeDelta::seconds(second))
                .find_map(|later| self.time_zone.from_local_datetime(&later).earliest())
        };
        if let Some(at) = first(local, 1, 1) {
            return Some(at.with_timezone(&Utc));
        }
        let midnight = local.date().and_time(NaiveTime::MIN);
        first(midnight, A_DAY, 60)?;
        // Two steps, as a look at each second of an hour takes long.
        let minute = first(local, LONGEST_GAP, 60)?.naive_local();
        let at = first(minute - TimeDelta::seconds(59), 60, 1)?;
        Some(at.with_timezone(&Utc))
    }

    /// Whether that local date is to have a round.
    fn wants(&self, date: NaiveDate) -> bool {
        match self.daily {
            Some(Daily::Cron(_)) => self.due_at(date).is_some(),
            Some(Daily::At(_)) | None => self.days.contains(&date.weekday()),
        }
    }

    /// Local days after the last round's and before today that wanted a round; the oldest first.
    pub fn missed(&self, last_round: DateTime<Utc>, now: DateTime<Utc>) -> Vec<NaiveDate> {
        let local = |at: DateTime<Utc>| at.with_timezone(&self.time_zone).date_naive();
        let today = local(now);
        local(last_round)
            .iter_days()
            .skip(1)
            .take_while(|day| *day < today)
            .filter(|day| self.wants(*day))
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
