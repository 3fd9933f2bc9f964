//! Bots without checks, whose clock a test sets.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use daily_ops::{bot::Bot, checks::registry, config::Config, schedule::Schedule, store::Store};
use tempfile::TempDir;

/// The time that all bots of a test read.
#[derive(Clone)]
pub(crate) struct Time(Arc<Mutex<DateTime<Utc>>>);

impl Time {
    pub(crate) fn at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    pub(crate) fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().expect("no test panicked") = now;
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("no test panicked")
    }
}

/// One that runs on this store; its log's file is in a folder of its own, as long as it lives.
pub(crate) fn bot(store: Store, schedule: Schedule, time: &Time) -> Bot {
    let folder = TempDir::new().expect("a folder can be made");
    let mut config =
        Config::parse("", &registry(), &|_| None).expect("nothing has to be configured");
    config.schedule = schedule;
    config.ops_log.path = folder.path().join("ops-log.md");
    let time = time.clone();
    config.bot(
        store,
        Arc::new(move || {
            let _kept = &folder;
            time.now()
        }),
    )
}
