//! How often the same was denied to a person: the ops log takes one entry an hour for each finding, and counts the others.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::Desk;
use crate::{
    ops_log::{Kind, NewEntry, Sentence},
    text::thousands,
    triage::Person,
};

/// How long one entry stands for all that is like it.
const STANDS: TimeDelta = TimeDelta::hours(1);

/// In that time no more of what a person tries one thing on is named: they may type whatever they like.
const NAMED: usize = 20;

type Tried = (Person, &'static str);

/// The entries of each person and task. Of this process alone: what it left out is written before it ends.
#[derive(Default)]
pub struct Denials(Mutex<HashMap<Tried, Newest>>);

#[derive(Default)]
struct Newest {
    /// Since when there are entries.
    since: DateTime<Utc>,
    /// What they are about.
    named: HashSet<String>,
    /// Attempts that no entry counts yet.
    left_out: u64,
}

impl Denials {
    /// How many attempts were left out before this one. None if this one is to be left out as well.
    pub(super) fn take(
        &self,
        who: &Person,
        task: &'static str,
        about: &str,
        now: DateTime<Utc>,
    ) -> Option<u64> {
        let mut kept = self.kept();
        let newest = kept.entry((who.clone(), task)).or_default();
        if !newest.is_fresh(now) {
            newest.since = now;
            newest.named.clear();
        }
        if newest.named.len() >= NAMED || !newest.named.insert(about.to_owned()) {
            newest.left_out += 1;
            return None;
        }
        Some(std::mem::take(&mut newest.left_out))
    }

    /// All that was left out, to be written now.
    fn take_left_out(&self, now: DateTime<Utc>) -> Vec<(Tried, u64)> {
        let mut kept = self.kept();
        let all = kept.iter_mut().map(|(tried, newest)| {
            let left_out = std::mem::take(&mut newest.left_out);
            (tried.clone(), left_out)
        });
        let left_out = all.filter(|(_, left_out)| *left_out > 0).collect();
        kept.retain(|_, newest| newest.is_fresh(now));
        left_out
    }

    /// The entry could not be written: what it counted waits for another, and the next attempt about that has one.
    pub(super) fn give_back(&self, tried: Tried, about: Option<&str>, left_out: u64) {
        let mut kept = self.kept();
        let newest = kept.entry(tried).or_default();
        newest.left_out += left_out;
        if let Some(about) = about {
            newest.named.remove(about);
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Tried, Newest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Newest {
    /// A clock that went backwards ends it.
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..STANDS).contains(&(now - self.since))
    }
}

/// For the log.
pub(super) fn counted(left_out: u64) -> String {
    let more = thousands(left_out);
    format!(" · {more} more since the entry before, only counted")
}

impl Desk {
    /// Writes entries for the denied attempts that have none. What can't be written waits for the next time.
    pub async fn log_left_out(&self) -> anyhow::Result<()> {
        let now = (self.bot.clock)();
        let mut done = Ok(());
        for ((who, task), left_out) in self.denials.take_left_out(now) {
            let entry = NewEntry {
                at: now,
                kind: Kind::Denied,
                subject: String::new(),
                by: who.clone(),
                text: Sentence::new()
                    .say("not allowed: ")
                    .say(task)
                    .say(counted(left_out)),
                checks: Vec::new(),
            };
            match self.bot.store.append(entry).await {
                Ok(entry) => self.bot.project_later(&[entry]),
                Err(error) => {
                    self.denials.give_back((who, task), None, left_out);
                    done = Err(error.context(format!(
                        "{left_out} denied attempts could not be counted in the log"
                    )));
                }
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_attempts_has_one_entry_and_the_next_one_counts_them() {
        let (denials, otto) = (Denials::default(), Person::at_terminal("otto"));
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        assert_eq!(denials.take(&otto, "pay", "a", start), Some(0));
        for second in 1..300 {
            let now = start + TimeDelta::seconds(second);
            assert_eq!(denials.take(&otto, "pay", "a", now), None);
        }
        assert_eq!(denials.take(&otto, "acknowledge", "a", start), Some(0));
        assert_eq!(denials.take(&Person::program(), "pay", "a", start), Some(0));
        let later = start + TimeDelta::hours(1);
        assert_eq!(denials.take(&otto, "pay", "a", later), Some(299));
        assert_eq!(denials.take(&otto, "pay", "a", later), None);
    }

    #[test]
    fn each_finding_has_an_entry_and_beyond_a_number_of_them_attempts_are_counted() {
        let (denials, otto) = (Denials::default(), Person::at_terminal("otto"));
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        for number in 0..NAMED {
            let about = number.to_string();
            assert_eq!(denials.take(&otto, "pay", &about, now), Some(0));
        }
        assert_eq!(denials.take(&otto, "pay", "one more", now), None);
        assert_eq!(
            denials.take_left_out(now),
            [((otto.clone(), "pay"), 1)],
            "it is counted"
        );
        assert_eq!(denials.take_left_out(now), []);
    }

    #[test]
    fn what_could_not_be_written_is_counted_by_the_next_entry() {
        let (denials, otto) = (Denials::default(), Person::at_terminal("otto"));
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        denials.take(&otto, "pay", "a", start);
        denials.take(&otto, "pay", "a", start);
        let later = start + TimeDelta::hours(1);
        assert_eq!(denials.take(&otto, "pay", "a", later), Some(1));
        denials.give_back((otto.clone(), "pay"), Some("a"), 1);
        assert_eq!(denials.take(&otto, "pay", "a", later), Some(1));
        denials.take(&otto, "pay", "a", later);
        let much_later = later + TimeDelta::days(1);
        for ((who, task), left_out) in denials.take_left_out(much_later) {
            denials.give_back((who, task), None, left_out);
        }
        assert_eq!(denials.take(&otto, "pay", "a", much_later), Some(1));
    }
}
