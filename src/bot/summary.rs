//! The daily summary: asked for once per local date, by whichever process sees first that it is due.

use chrono::{DateTime, TimeDelta, Utc};

use super::Bot;
use crate::{
    ops_log::{Kind, NewEntry, Sentence},
    schedule::Due,
    store::RoundOrder,
    triage::Person,
};

/// A summary that is later than this is missed, and mentioned by the next one.
pub const LATEST: TimeDelta = TimeDelta::hours(6);

impl Bot {
    /// Asks for the summary that is due in this channel, if it has not been asked for; and notes those that are too
    /// late, or before another that is due. True if one was asked for.
    pub async fn ask_for_summary(&self, channel: &str) -> anyhow::Result<bool> {
        let now = (self.clock)();
        let today = now.with_timezone(&self.schedule.time_zone).date_naive();
        let newest = self.store.newest_summary(channel, today).await?;
        let due = self.schedule.due(newest, now);
        let latest = due.last().map(|due| due.date);
        let mut asked = false;
        for Due { date, at } in due {
            // Before the first summary there was nobody to make one.
            if newest.is_none() && now - at > LATEST {
                continue;
            }
            if now - at > LATEST || Some(date) != latest {
                let entry = NewEntry {
                    at: now,
                    kind: Kind::Missed,
                    subject: date.to_string(),
                    by: Person::program(),
                    text: Sentence::new().say(format!(
                        "the summary of {date} was not made: it was due at {}, and at {} it was too late",
                        minute(at),
                        minute(now)
                    )),
                    checks: Vec::new(),
                };
                if let Some(entry) = self.store.miss_summary(channel, date, at, entry).await? {
                    self.project_later(&[entry]);
                }
                continue;
            }
            let order = RoundOrder {
                by: None,
                at: now,
                only: None,
                due_at: Some(at),
                missed: Vec::new(),
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

    /// Notes, once, that the summary that was due then was made and could not be posted in time; or, unless that
    /// `is_known`, that it may have been.
    pub async fn miss_delivery(
        &self,
        channel: &str,
        due_at: DateTime<Utc>,
        is_known: bool,
    ) -> anyhow::Result<()> {
        let now = (self.clock)();
        let date = due_at.with_timezone(&self.schedule.time_zone).date_naive();
        let (due, tried) = (minute(due_at), minute(now));
        let said = if is_known {
            format!(
                "the summary of {date} was not posted: it was due at {due}, and at {tried} Slack had not taken it"
            )
        } else {
            format!(
                "whether the summary of {date} was posted is not known: it was due at {due}, Slack never confirmed it, \
                 and at {tried} it could not be looked for"
            )
        };
        let entry = NewEntry {
            at: now,
            kind: Kind::Missed,
            subject: date.to_string(),
            by: Person::program(),
            text: Sentence::new().say(said),
            checks: Vec::new(),
        };
        if let Some(entry) = self.store.miss_delivery(channel, due_at, entry).await? {
            tracing::error!(%date, "a summary is not known to have been posted; the next one mentions it");
            self.project_later(&[entry]);
        }
        Ok(())
    }
}

fn minute(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%Y-%m-%d %H:%M UTC")
}
