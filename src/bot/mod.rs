//! Commands turned into rounds and decisions.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, bail};
use tokio::{sync::Notify, task::spawn_blocking};

use crate::{
    checks::Checklist,
    effects::Sides,
    ops_log::{Appended, Entry, Rebuild, append},
    schedule::{Clock, Schedule},
    store::Store,
    trackers::{Returned, Tracker},
};

mod asked_round;
mod decide;
mod denials;
mod desk;
mod filed;
mod log_check;
mod looks;
mod offers;
mod orders;
mod outcomes;
mod picture;
mod pressed;
mod round;
mod said;
mod summary;
mod task;
mod tickets;
mod tickets_read;
mod typed;
mod whom;

pub use asked_round::{KEEP_ROUND, RoundProgress};
pub use decide::{Outcome, Wish};
pub use denials::Denials;
pub use desk::{Desk, Reply, Shown};
pub use log_check::NAME as LOG_CHECK;
pub use picture::{Judged, Pictured};
pub use round::Round;
pub use said::Said;
pub use summary::LATEST;
pub use tickets::NAME as TICKETS;

/// All that a command needs.
pub struct Bot {
    pub store: Store,
    pub checklist: Checklist,
    pub tracker: Tracker,
    /// What becomes of a closed ticket whose finding comes back.
    pub returned: Returned,
    pub schedule: Schedule,
    /// Where the ops log's Markdown file is.
    pub log_path: PathBuf,
    pub clock: Clock,
    /// The e-mail addresses by which the other side knows people, by Slack user id.
    pub people: BTreeMap<String, String>,
    pub wake: Wake,
    pub projection: Projection,
}

/// Entries that the Markdown file does not have yet. Whoever comes first writes those of the others as well.
#[derive(Default)]
pub struct Projection {
    waiting: Mutex<Vec<Entry>>,
    alone: tokio::sync::Mutex<()>,
}

impl Projection {
    fn waiting(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, entries: &[Entry]) {
        self.waiting().extend_from_slice(entries);
    }

    /// In the order of the log.
    fn take(&self) -> Vec<Entry> {
        let mut entries = std::mem::take(&mut *self.waiting());
        entries.sort_by_key(|entry| entry.seq);
        entries
    }
}

/// Wakes those who work off what was recorded, so that they need not poll for it.
#[derive(Default)]
pub struct Wake {
    pub rounds: Notify,
    pub effects: Notify,
    pub messages: Notify,
    pub log: Notify,
}

impl Bot {
    /// Those who can carry out what people decide.
    pub fn sides(&self) -> Sides<'_> {
        Sides {
            checklist: &self.checklist,
            tracker: &self.tracker,
        }
    }

    fn own_items(&self) -> impl Iterator<Item = &'static str> {
        own_items(&self.tracker)
    }

    /// Brings the Markdown file up to date after `entries` were recorded: appends them, or writes the file anew where
    /// it is further behind. One that was changed by hand is left as it is.
    pub async fn project(&self, entries: &[Entry]) -> anyhow::Result<()> {
        self.projection.add(entries);
        let _alone = self.projection.alone.lock().await;
        let entries = self.projection.take();
        if entries.is_empty() {
            return Ok(());
        }
        let path = self.log_path.clone();
        let appended = spawn_blocking(move || append(&path, &entries)).await?;
        match appended? {
            Appended::Written => Ok(()),
            Appended::Behind => rebuild(&self.store, &self.log_path).await,
        }
    }

    /// As [`Bot::project`], but later and by whoever writes the file while the bot serves: nobody waits for it.
    pub fn project_later(&self, entries: &[Entry]) {
        self.projection.add(entries);
        self.wake.log.notify_one();
    }

    /// Writes what [`Bot::project_later`] was given.
    pub async fn project_waiting(&self) -> anyhow::Result<()> {
        self.project(&[])
            .await
            .context("recorded, but the ops log's file was not written")
    }
}

/// Items of the checklist that the bot looks at itself, in their order.
fn own_items(tracker: &Tracker) -> impl Iterator<Item = &'static str> + use<> {
    let tickets = (!tracker.is_local()).then_some(TICKETS);
    tickets.into_iter().chain([LOG_CHECK])
}

/// Refuses names that are no check's, or of one that is off.
pub fn check_names(
    checklist: &Checklist,
    tracker: &Tracker,
    names: &[String],
) -> anyhow::Result<()> {
    let own: Vec<&'static str> = own_items(tracker).collect();
    checklist.know(names, &own)?;
    let checks = checklist.list();
    let off = checks
        .iter()
        .find(|check| !check.on && names.iter().any(|name| name == check.name));
    if let Some(check) = off {
        bail!(
            "the check `{0}` is off: give it a section [checks.{0}], as in daily-ops.example.toml",
            check.name
        );
    }
    Ok(())
}

/// Writes the ops log's file anew, from the first entry on.
pub async fn rebuild(store: &Store, path: &Path) -> anyhow::Result<()> {
    let mut file = Rebuild::begin(path)?;
    store.visit(0, |record| file.push(&record.open()?)).await?;
    file.finish()
}
