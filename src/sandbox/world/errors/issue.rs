//! An issue in Sentry: what happened, how often, and what was decided about it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Course;

/// An issue whose id is left out of answers.
pub const NAMELESS: u64 = 0;

/// For how long Sentry calls an issue new.
const NEW: TimeDelta = TimeDelta::days(7);

#[derive(Clone, Debug)]
pub struct Issue {
    pub id: u64,
    pub project: String,
    pub title: Value,
    pub culprit: Value,
    pub level: &'static str,
    pub priority: Option<&'static str>,
    pub status: &'static str,
    pub substatus: &'static str,
    pub unhandled: bool,
    /// `user:1` or `team:2`.
    pub assignee: Option<String>,
    /// How often it happens as the time goes on; else the four below hold at any time.
    pub course: Option<Course>,
    pub age: TimeDelta,
    /// Users in 24 h.
    pub users: u64,
    /// The last one is the hour that is not over.
    pub hourly: Vec<u64>,
    /// Before the day that is not over.
    pub earlier_days: Vec<u64>,
    /// When somebody last changed its status.
    pub decided: Option<DateTime<Utc>>,
    /// How long after it was resolved it is seen again.
    pub comes_back: Option<TimeDelta>,
    /// Left out of a page after it was cut, as Sentry does with what it has just resolved by itself.
    pub filtered: bool,
    pub merged_into: Option<u64>,
}

/// What Sentry counts of an issue at one time.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    /// The last one is the hour that is not over.
    pub hourly: Vec<u64>,
    /// The last one is the day that is not over.
    pub daily: Vec<u64>,
    /// In 24 h, as `users`.
    pub today: u64,
    pub users: u64,
    pub ever: u64,
    pub users_ever: u64,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
}

/// An error that was seen now and then.
pub fn issue(id: u64, title: &str) -> Issue {
    Issue {
        id,
        project: "web".to_owned(),
        title: json!(title),
        culprit: json!("pay in checkout"),
        level: "error",
        priority: Some("medium"),
        status: "unresolved",
        substatus: "ongoing",
        unhandled: false,
        assignee: None,
        course: None,
        age: TimeDelta::days(60),
        users: 1,
        hourly: (0..24).map(|hour| u64::from(hour % 8 == 0)).collect(),
        earlier_days: vec![3; 13],
        decided: None,
        comes_back: None,
        filtered: false,
        merged_into: None,
    }
}

/// One that needs somebody.
pub fn broken_cart() -> Issue {
    Issue {
        users: 212,
        ..issue(4501, "TypeError: cart is undefined")
    }
}

impl Issue {
    /// An issue of that project whose counts follow from the time.
    pub(super) fn told(id: u64, project: &str, title: &str, culprit: &str, course: Course) -> Self {
        Self {
            project: project.to_owned(),
            culprit: json!(culprit),
            course: Some(course),
            ..issue(id, title)
        }
    }

    /// Nobody had seen it before, and no code catches it.
    pub(super) fn new_and_unhandled(self) -> Self {
        Self {
            substatus: "new",
            priority: Some("high"),
            unhandled: true,
            ..self
        }
    }

    pub(super) fn given_to(self, actor: &str) -> Self {
        Self {
            assignee: Some(actor.to_owned()),
            ..self
        }
    }

    /// One more event, right now.
    pub(super) fn stir(&mut self) {
        if let Some(hour) = self.hourly.last_mut() {
            *hour += 1;
        }
    }

    /// What somebody decides about it.
    pub(super) fn decide(
        &mut self,
        status: &'static str,
        substatus: &'static str,
        now: DateTime<Utc>,
    ) {
        (self.status, self.substatus, self.decided) = (status, substatus, Some(now));
    }

    /// As a client names the status. False: there is none of that name.
    pub(super) fn decide_by_name(&mut self, status: &str, now: DateTime<Utc>) -> bool {
        match status {
            "resolved" => self.decide("resolved", self.substatus, now),
            "ignored" => self.decide("ignored", "archived_until_escalating", now),
            "unresolved" => self.decide("unresolved", "ongoing", now),
            _ => return false,
        }
        true
    }

    /// Its status and substatus at that time.
    pub(super) fn state(&self, now: DateTime<Utc>) -> (&'static str, &'static str) {
        let is_over =
            |at: DateTime<Utc>| at <= now && self.decided.is_none_or(|decided| decided < at);
        let mended = self.course.as_ref().and_then(|course| course.mended);
        let back = self
            .comes_back
            .zip(self.decided)
            .map(|(after, decided)| decided + after);
        match self.status {
            "unresolved" if mended.is_some_and(is_over) => ("resolved", self.substatus),
            "resolved" if back.is_some_and(|at| at <= now) => ("unresolved", "regressed"),
            status if self.substatus == "new" && now - self.counts(now).first_seen > NEW => {
                (status, "ongoing")
            }
            status => (status, self.substatus),
        }
    }

    /// Whether it has happened by that time, and is not part of another one.
    pub(super) fn is_known(&self, now: DateTime<Utc>) -> bool {
        let has_begun = self
            .course
            .as_ref()
            .is_none_or(|course| course.began <= now);
        has_begun && self.merged_into.is_none()
    }

    pub(super) fn counts(&self, now: DateTime<Utc>) -> Counts {
        if let Some(course) = &self.course {
            return course.counts(now);
        }
        let today = self.hourly.iter().sum();
        Counts {
            hourly: self.hourly.clone(),
            daily: self.earlier_days.iter().copied().chain([today]).collect(),
            today,
            users: self.users,
            ever: today + self.earlier_days.iter().sum::<u64>(),
            users_ever: self.users * 2,
            first_seen: now - self.age,
            last_seen: self.last_seen(now),
        }
    }

    fn last_seen(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let latest = |buckets: &[u64]| buckets.iter().rev().position(|events| *events > 0);
        match (latest(&self.hourly), latest(&self.earlier_days)) {
            (Some(hours), _) => now - TimeDelta::hours(hours as i64),
            (None, Some(days)) => now - TimeDelta::days(days as i64 + 2),
            (None, None) => now - self.age,
        }
    }
}
