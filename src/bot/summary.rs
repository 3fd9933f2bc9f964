//! The daily summary: asked for once per local date, by whichever process sees first that it is due.

use chrono::TimeDelta;

use super::Bot;
use crate::{
    ops_log::{Kind, NewEntry, Sentence},
    schedule::Due,
    store::RoundOrder,
    triage::Person,
};

/// A summary that is later than this is missed, and mentioned by the next one.
const LATEST: TimeDelta = TimeDelta::hours(6);

impl Bot {
    /// Asks for the summary that is due in this channel, if it has not been asked for; and notes those that are too
    /// late. True if one was asked for.
    pub async fn ask_for_summary(&self, channel: &str) -> anyhow::Result<bool> {
        let now = (self.clock)();
        let (newest, mut missed) = self.store.summaries(channel).await?;
        let mut asked = false;
        for Due { date, at } in self.schedule.due(newest, now) {
            if now - at > LATEST {
                let entry = NewEntry {
                    at: now,
                    kind: Kind::Missed,
                    subject: date.to_string(),
                    by: Person::program(),
                    text: Sentence::new().say(format!(
                        "the summary of {date} was not made: it was due at {}, and Daily Ops did not run then",
                        at.format("%Y-%m-%d %H:%M UTC")
                    )),
                    checks: Vec::new(),
                };
                if let Some(entry) = self.store.miss_summary(channel, date, at, entry).await? {
                    missed.push(date);
                    self.project_or_warn(&[entry]).await;
                }
                continue;
            }
            let order = RoundOrder {
                by: None,
                at: now,
                only: None,
                due_at: Some(at),
                missed: missed.clone(),
                reply_to: None,
            };
            asked |= self.store.begin_summary(channel, date, order).await?;
        }
        if asked {
            self.wake.rounds.notify_one();
            self.wake.messages.notify_one();
        }
        Ok(asked)
    }
}
