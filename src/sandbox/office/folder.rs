//! Where the database and the ops log are.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tempfile::TempDir;

const DATABASE: &str = "daily-ops.db";

/// The ops log's file.
pub(super) const LOG: &str = "ops-log.md";

pub(super) enum Folder {
    Kept(PathBuf),
    /// With the sandbox.
    Gone(TempDir),
}

impl Folder {
    /// `keep`: None for one that is gone with the sandbox.
    pub(super) fn of(keep: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = keep else {
            let folder = TempDir::new().context("no folder can be made for the sandbox")?;
            return Ok(Self::Gone(folder));
        };
        std::fs::create_dir_all(path)
            .with_context(|| format!("{} can't be made", path.display()))?;
        Ok(Self::Kept(path.to_owned()))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Gone(folder) => folder.path(),
        }
    }

    /// None: nothing is kept.
    pub(super) fn kept(&self) -> Option<&Path> {
        match self {
            Self::Kept(path) => Some(path),
            Self::Gone(_) => None,
        }
    }

    /// An error if another bot keeps its things here, in whose log nothing of ours may stand.
    pub(super) fn is_free(&self) -> anyhow::Result<()> {
        let path = self.path();
        for name in [DATABASE, LOG] {
            ensure!(
                !path.join(name).exists(),
                "{} holds a {name} that is no sandbox's: name another folder for --keep",
                path.display()
            );
        }
        Ok(())
    }

    /// For `[database]`.
    pub(super) fn database(&self) -> String {
        match self {
            Self::Kept(path) => format!("sqlite:{}", path.join(DATABASE).display()),
            Self::Gone(_) => "sqlite::memory:".to_owned(),
        }
    }
}
