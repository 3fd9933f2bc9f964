//! Commands turned into rounds and decisions.

use std::path::{Path, PathBuf};

use crate::{
    checks::Checklist,
    ops_log::{Appended, Entry, Rebuild, append},
    schedule::{Clock, Schedule},
    store::Store,
};

mod decide;
mod log_check;
mod round;
mod said;

pub use log_check::NAME as LOG_CHECK;
pub use round::Round;
pub use said::Said;

/// All that a command needs.
pub struct Bot {
    pub store: Store,
    pub checklist: Checklist,
    pub schedule: Schedule,
    /// Where the ops log's Markdown file is.
    pub log_path: PathBuf,
    pub clock: Clock,
}

impl Bot {
    /// Brings the Markdown file up to date after `entries` were recorded: appends them, or writes the file anew where
    /// it is further behind. One that was changed by hand is left as it is.
    async fn project(&self, entries: &[Entry]) -> anyhow::Result<()> {
        match append(&self.log_path, entries)? {
            Appended::Written => Ok(()),
            Appended::Behind => rebuild(&self.store, &self.log_path).await,
        }
    }
}

/// Writes the ops log's file anew, from the first entry on.
pub async fn rebuild(store: &Store, path: &Path) -> anyhow::Result<()> {
    let mut file = Rebuild::begin(path)?;
    store.visit(0, |record| file.push(&record.open()?)).await?;
    file.finish()
}
