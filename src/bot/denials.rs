//! How often the same was denied to a person: the ops log takes one entry an hour, and counts the others.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::triage::Person;

/// How long one entry stands for all that is like it.
const STANDS: TimeDelta = TimeDelta::hours(1);

type Tried = (Person, &'static str);

/// The newest entry of each person and task. Of this process alone, and forgotten when it ends.
#[derive(Default)]
pub struct Denials(Mutex<HashMap<Tried, Newest>>);

struct Newest {
    at: DateTime<Utc>,
    /// Attempts since then that have no entry.
    left_out: u64,
}

impl Denials {
    /// How many attempts were left out before this one. None if this one is to be left out as well.
    pub(super) fn take(&self, who: &Person, task: &'static str, now: DateTime<Utc>) -> Option<u64> {
        let mut kept = self.kept();
        let tried = (who.clone(), task);
        if let Some(newest) = kept.get_mut(&tried)
            && is_fresh(newest, now)
        {
            newest.left_out += 1;
            return None;
        }
        // What was left out waits for the entry that counts it.
        kept.retain(|_, newest| newest.left_out > 0 || is_fresh(newest, now));
        let newest = Newest {
            at: now,
            left_out: 0,
        };
        let before = kept.insert(tried, newest);
        Some(before.map_or(0, |before| before.left_out))
    }

    /// The entry could not be written: the next attempt has one.
    pub(super) fn give_back(&self, who: &Person, task: &'static str) {
        self.kept().remove(&(who.clone(), task));
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Tried, Newest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that went backwards ends it.
fn is_fresh(newest: &Newest, now: DateTime<Utc>) -> bool {
    (TimeDelta::zero()..STANDS).contains(&(now - newest.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_attempts_has_one_entry_and_the_next_one_counts_them() {
        let (denials, otto) = (Denials::default(), Person::at_terminal("otto"));
        let start = DateTime::UNIX_EPOCH;
        assert_eq!(denials.take(&otto, "pay", start), Some(0));
        for second in 1..300 {
            let now = start + TimeDelta::seconds(second);
            assert_eq!(denials.take(&otto, "pay", now), None);
        }
        assert_eq!(denials.take(&otto, "acknowledge", start), Some(0));
        assert_eq!(denials.take(&Person::program(), "pay", start), Some(0));
        let later = start + TimeDelta::hours(1);
        assert_eq!(denials.take(&otto, "pay", later), Some(299));
        assert_eq!(denials.take(&otto, "pay", later), None);
        denials.give_back(&otto, "pay");
        assert_eq!(denials.take(&otto, "pay", later), Some(0));
    }
}
