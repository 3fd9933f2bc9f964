//! The Markdown file: replaced as a whole or not at all.

use std::{
    fs::{self, File},
    io::{BufWriter, Read, Seek, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use tempfile::NamedTempFile;

use super::{
    entry::Entry,
    markdown::{Days, title},
    tail::{End, open, unreadable},
};

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    Written,
    /// The file ends before the entry that the first of them continues; nothing was written.
    Behind,
}

/// Adds entries to the file. Those that it holds already are left out.
pub fn append(path: &Path, entries: &[Entry]) -> anyhow::Result<Appended> {
    let mut old = open(path)?;
    let end = match &mut old {
        Some(file) => End::of(file).with_context(|| unreadable(path))?,
        None => Ok(End::default()),
    };
    let end = match end {
        Ok(end) => end,
        Err(why) => bail!(
            "the ops log's file {} was not written, because it was changed: {why}; look at what was changed, then `daily-ops log rebuild` writes it anew",
            path.display()
        ),
    };
    let entries = &entries[entries.partition_point(|entry| entry.seq <= end.seq)..];
    let Some(first) = entries.first() else {
        return Ok(Appended::Written);
    };
    let has_gap = entries
        .windows(2)
        .any(|pair| pair[1].seq != pair[0].seq + 1);
    if first.seq != end.seq + 1 || has_gap {
        return Ok(Appended::Behind);
    }
    let mut page = Page::begin(path)?;
    match &mut old {
        Some(file) if !end.empty => page.copy(file)?,
        _ => page.write(title())?,
    }
    page.days = Days::after(end.day);
    for entry in entries {
        page.push(entry)?;
    }
    page.finish()?;
    Ok(Appended::Written)
}

/// Writes the file anew, an entry at a time; until `finish`, the old one stays.
pub struct Rebuild(Page);

impl Rebuild {
    pub fn begin(path: &Path) -> anyhow::Result<Self> {
        let mut page = Page::begin(path)?;
        page.write(title())?;
        Ok(Self(page))
    }

    pub fn push(&mut self, entry: &Entry) -> anyhow::Result<()> {
        self.0.push(entry)
    }

    pub fn finish(self) -> anyhow::Result<()> {
        self.0.finish()
    }
}

/// A new version of the file, beside it until it is whole.
struct Page {
    path: PathBuf,
    folder: PathBuf,
    draft: BufWriter<NamedTempFile>,
    days: Days,
}

impl Page {
    fn begin(path: &Path) -> anyhow::Result<Self> {
        // A link stays one: what it leads to is replaced.
        let path = &match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => fs::canonicalize(path)
                .with_context(|| format!("the symbolic link {} leads nowhere", path.display()))?,
            _ => path.to_owned(),
        };
        let shown = path.display();
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&folder).with_context(|| {
            format!(
                "the folder {} for the ops log can't be made",
                folder.display()
            )
        })?;
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            bail!("{shown} is no file: set `path` in [ops_log] to one");
        }
        ensure!(
            is_ops_log_or_empty(path)?,
            "{shown} is no ops log, and what it holds is not overwritten: set `path` in [ops_log] to a file of its own, or move this one away"
        );
        let draft = draft(path, &folder).with_context(|| {
            format!("the ops log's file {shown} can't be written: its folder must be writable")
        })?;
        Ok(Self {
            path: path.to_owned(),
            folder,
            draft: BufWriter::new(draft),
            days: Days::default(),
        })
    }

    fn push(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let text = self.days.next(entry);
        self.write(&text)
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.draft
            .write_all(text.as_bytes())
            .with_context(|| self.failed())
    }

    /// Begins with all that the old file holds.
    fn copy(&mut self, old: &mut File) -> anyhow::Result<()> {
        old.rewind()
            .and_then(|()| std::io::copy(old, &mut self.draft))
            .map(drop)
            .with_context(|| self.failed())
    }

    /// The file is on disk before it takes the old one's name, and the name before this returns.
    fn finish(self) -> anyhow::Result<()> {
        let failed = self.failed();
        let draft = self
            .draft
            .into_inner()
            .map_err(|error| error.into_error())
            .context(failed.clone())?;
        draft.as_file().sync_all().context(failed.clone())?;
        draft.persist(&self.path).context(failed.clone())?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .context(failed)
    }

    fn failed(&self) -> String {
        format!(
            "the ops log's file {} could not be written",
            self.path.display()
        )
    }
}

/// Whether a file may be replaced: it isn't there, is empty, or begins as an ops log does.
fn is_ops_log_or_empty(path: &Path) -> anyhow::Result<bool> {
    const HEADING: &str = "# Ops log\n";
    let Some(file) = open(path)? else {
        return Ok(true);
    };
    let mut start = Vec::new();
    file.take(HEADING.len() as u64)
        .read_to_end(&mut start)
        .with_context(|| unreadable(path))?;
    Ok(start.is_empty() || start == HEADING.as_bytes())
}

/// An empty file in the same folder, with the permissions that the file has, or that a new one would get.
fn draft(path: &Path, folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ops-log-").suffix(".tmp");
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let draft = builder.tempfile_in(folder)?;
    if let Ok(old) = fs::metadata(path) {
        draft.as_file().set_permissions(old.permissions())?;
    }
    Ok(draft)
}
