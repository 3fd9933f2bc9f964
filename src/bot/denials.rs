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
    /// What the entry of this attempt has to count. None if this one is to be left out.
    pub(super) fn take(
        &self,
        who: &Person,
        task: &'static str,
        about: &str,
        now: DateTime<Utc>,
    ) -> Option<Taken<'_>> {
        let mut kept = self.kept();
        let newest = kept.entry((who.clone(), task)).or_default();
        if !newest.is_fresh(now) {
            newest.since = now;
            newest.named.clear();
        }
        if newest.named.len() >= NAMED || !newest.named.insert(about.to_owned()) {
            return None;
        }
        Some(Taken {
            left_out: std::mem::take(&mut newest.left_out),
            tried: (who.clone(), task),
            about: Some(about.to_owned()),
            of: self,
            is_written: false,
        })
    }

    /// Counts an attempt that has no entry, once it is dealt with.
    pub(super) fn leave_out(&self, who: &Person, task: &'static str) {
        self.kept().entry((who.clone(), task)).or_default().left_out += 1;
    }

    /// All that was left out, to be written now.
    fn take_left_out(&self, now: DateTime<Utc>) -> Vec<Taken<'_>> {
        let mut kept = self.kept();
        let all = kept
            .iter_mut()
            .map(|(tried, newest)| (tried.clone(), std::mem::take(&mut newest.left_out)));
        let left_out: Vec<_> = all.filter(|(_, left_out)| *left_out > 0).collect();
        kept.retain(|_, newest| newest.is_fresh(now));
        drop(kept);
        let taken = |(tried, left_out)| Taken {
            left_out,
            tried,
            about: None,
            of: self,
            is_written: false,
        };
        left_out.into_iter().map(taken).collect()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Tried, Newest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an entry counts. Where that is not written, for whatever reason, it waits for another, and the next attempt about
/// that has one.
pub(super) struct Taken<'a> {
    pub(super) left_out: u64,
    tried: Tried,
    about: Option<String>,
    of: &'a Denials,
    is_written: bool,
}

impl Taken<'_> {
    pub(super) fn written(mut self) {
        self.is_written = true;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.is_written {
            return;
        }
        let mut kept = self.of.kept();
        let newest = kept.entry(self.tried.clone()).or_default();
        newest.left_out += self.left_out;
        if let Some(about) = &self.about {
            newest.named.remove(about);
        }
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
        for taken in self.denials.take_left_out(now) {
            let ((who, task), left_out) = (&taken.tried, taken.left_out);
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
                Ok(entry) => {
                    taken.written();
                    self.bot.project_later(&[entry]);
                }
                Err(error) => {
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

    /// An attempt of otto's to pay, whose entry is written if it has one, and what that counts.
    fn tries(denials: &Denials, about: &str, now: DateTime<Utc>) -> Option<u64> {
        let otto = otto();
        let Some(taken) = denials.take(&otto, "pay", about, now) else {
            denials.leave_out(&otto, "pay");
            return None;
        };
        let left_out = taken.left_out;
        taken.written();
        Some(left_out)
    }

    fn otto() -> Person {
        Person::at_terminal("otto")
    }

    #[test]
    fn an_hour_of_attempts_has_one_entry_and_the_next_one_counts_them() {
        let denials = Denials::default();
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        assert_eq!(tries(&denials, "a", start), Some(0));
        for second in 1..300 {
            let now = start + TimeDelta::seconds(second);
            assert_eq!(tries(&denials, "a", now), None);
        }
        let of_others = [(otto(), "acknowledge"), (Person::program(), "pay")];
        for (who, task) in &of_others {
            let taken = denials.take(who, task, "a", start).expect("it has one");
            assert_eq!(taken.left_out, 0);
        }
        let later = start + TimeDelta::hours(1);
        assert_eq!(tries(&denials, "a", later), Some(299));
        assert_eq!(tries(&denials, "a", later), None);
    }

    #[test]
    fn each_finding_has_an_entry_and_beyond_a_number_of_them_attempts_are_counted() {
        let denials = Denials::default();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        for number in 0..NAMED {
            assert_eq!(tries(&denials, &number.to_string(), now), Some(0));
        }
        assert_eq!(tries(&denials, "one more", now), None);
        for taken in denials.take_left_out(now) {
            assert_eq!((&taken.tried, taken.left_out), (&(otto(), "pay"), 1));
            taken.written();
        }
        assert!(denials.take_left_out(now).is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_counted_by_the_next_entry() {
        let denials = Denials::default();
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        tries(&denials, "a", start);
        tries(&denials, "a", start);
        let later = start + TimeDelta::hours(1);
        let cut_off = denials.take(&otto(), "pay", "a", later).expect("an entry");
        assert_eq!(cut_off.left_out, 1);
        drop(cut_off);
        assert_eq!(tries(&denials, "a", later), Some(1));
        tries(&denials, "a", later);
        let much_later = later + TimeDelta::days(1);
        drop(denials.take_left_out(much_later));
        assert_eq!(tries(&denials, "a", much_later), Some(1));
    }
}
