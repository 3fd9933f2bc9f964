//! The Markdown file: replaced as a whole or not at all.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use chrono::NaiveDate;
use tempfile::NamedTempFile;

use super::{
    entry::Entry,
    markdown::{heading, line, title},
};
use crate::text::Untrusted;

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    Written,
    /// The file does not end where the entries begin; nothing was written.
    NeedsRebuild(String),
}

/// Adds entries to the file. Those that it holds already are left out.
pub fn append(path: &Path, entries: &[Entry]) -> anyhow::Result<Appended> {
    let old = match fs::read_to_string(path) {
        Ok(old) => old,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return Ok(Appended::NeedsRebuild(
                "the file is no UTF-8 text".to_owned(),
            ));
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("the ops log's file {} can't be read", path.display()));
        }
    };
    let end = match End::of(&old) {
        Ok(end) => end,
        Err(why) => return Ok(Appended::NeedsRebuild(why)),
    };
    let entries = &entries[entries.partition_point(|entry| entry.seq <= end.seq)..];
    let Some(first) = entries.first() else {
        return Ok(Appended::Written);
    };
    if first.seq != end.seq + 1 {
        return Ok(Appended::NeedsRebuild(format!(
            "the file ends with #{}, and the new entry is #{}",
            end.seq, first.seq
        )));
    }
    let mut page = Page::begin(path)?;
    page.write(if old.is_empty() { title() } else { &old })?;
    page.day = end.day;
    for entry in entries {
        page.push(entry)?;
    }
    page.finish()?;
    Ok(Appended::Written)
}

/// Where a file ends.
#[derive(Default)]
struct End {
    seq: i64,
    day: Option<NaiveDate>,
}

impl End {
    fn of(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if !text.starts_with(title()) {
            return Err("the file does not begin as an ops log does".to_owned());
        }
        if !text.ends_with('\n') {
            return Err("the file's last line is not whole".to_owned());
        }
        let Some(last) = text[title().len()..].lines().next_back() else {
            return Ok(Self::default());
        };
        let seq = last
            .strip_prefix("- ")
            .and_then(|line| line.rsplit_once(" · #"))
            .and_then(|(_, end)| end.split_once(' '))
            .and_then(|(seq, _)| seq.parse().ok())
            .ok_or("the file's last line is no entry")?;
        let day = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("## "))
            .and_then(|day| day.parse().ok())
            .ok_or("the file's last entry stands under no day")?;
        Ok(Self {
            seq,
            day: Some(day),
        })
    }
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
    day: Option<NaiveDate>,
}

impl Page {
    fn begin(path: &Path) -> anyhow::Result<Self> {
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
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => {
                bail!(
                    "{shown} is a symbolic link, and replacing it would cut it off: set `path` in [ops_log] to the file itself"
                )
            }
            Ok(found) if !found.is_file() => {
                bail!("{shown} is no file: set `path` in [ops_log] to one")
            }
            _ => {}
        }
        let draft = draft(path, &folder).with_context(|| {
            format!("the ops log's file {shown} can't be written: its folder must be writable")
        })?;
        Ok(Self {
            path: path.to_owned(),
            folder,
            draft: BufWriter::new(draft),
            day: None,
        })
    }

    fn push(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let text = next(&mut self.day, entry);
        self.write(&text)
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.draft
            .write_all(text.as_bytes())
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

/// What an entry adds to the file after an entry of that day.
fn next(day: &mut Option<NaiveDate>, entry: &Entry) -> String {
    let today = entry.at.date_naive();
    if day.replace(today) == Some(today) {
        line(entry)
    } else {
        heading(today) + &line(entry)
    }
}

/// Where the file's end departs from the log's newest entries, if it does. A file that ends early is only behind.
pub fn tail_differs(path: &Path, newest: &[Entry]) -> anyhow::Result<Option<Untrusted>> {
    let text = match fs::read(path) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok((!newest.is_empty()).then(|| "it is not there".into()));
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("the ops log's file {} can't be read", path.display()));
        }
    };
    let end = match End::of(&text) {
        Ok(end) => end,
        Err(why) => return Ok(Some(why.into())),
    };
    let held = &newest[..newest.partition_point(|entry| entry.seq <= end.seq)];
    let mut day = None;
    let expected: String = held.iter().map(|entry| next(&mut day, entry)).collect();
    let found = text.lines().rev().filter(|line| line.starts_with("- "));
    let differs = expected
        .lines()
        .rev()
        .filter(|line| line.starts_with("- "))
        .zip(found)
        .find(|(a, b)| a != b);
    Ok(match differs {
        Some((_, found)) => Some(format!("`{found}` is no entry's line").into()),
        None if text.lines().filter(|line| line.starts_with("- ")).count() < held.len() => {
            Some("lines are missing".into())
        }
        None => None,
    })
}

/// The first line of the file that is not what the database says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the file is not what the database says: it should read `{expected}`, and reads `{}`; `daily-ops log rebuild` writes it anew", found.as_str())]
pub struct Difference {
    /// Counted from 1.
    pub line: u64,
    /// Empty where the file should have ended.
    pub expected: String,
    /// Empty where the file has ended.
    pub found: Untrusted,
}

/// Compares the file with the database, an entry at a time.
pub struct Comparison {
    file: BufReader<File>,
    path: PathBuf,
    line: u64,
    day: Option<NaiveDate>,
    difference: Option<Difference>,
}

impl Comparison {
    pub fn begin(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| {
            format!(
                "the ops log's file {} can't be read; `daily-ops log rebuild` writes it",
                path.display()
            )
        })?;
        let mut comparison = Self {
            file: BufReader::new(file),
            path: path.to_owned(),
            line: 0,
            day: None,
            difference: None,
        };
        comparison.expect(title())?;
        Ok(comparison)
    }

    pub fn push(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let text = next(&mut self.day, entry);
        self.expect(&text)
    }

    /// None if the file is the same to the byte.
    pub fn finish(mut self) -> anyhow::Result<Option<Difference>> {
        if self.difference.is_none() {
            let found = self.read(0)?;
            if !found.is_empty() {
                self.differ("", &found);
            }
        }
        Ok(self.difference)
    }

    fn expect(&mut self, text: &str) -> anyhow::Result<()> {
        for expected in text.split_inclusive('\n') {
            if self.difference.is_some() {
                break;
            }
            let found = self.read(expected.len())?;
            self.line += 1;
            if found != expected.as_bytes() {
                self.line -= 1;
                self.differ(expected, &found);
            }
        }
        Ok(())
    }

    /// The next line, as far as it is needed to tell that it is too long.
    fn read(&mut self, expected: usize) -> anyhow::Result<Vec<u8>> {
        let mut found = Vec::new();
        let most = expected as u64 + 1024;
        (&mut self.file)
            .take(most)
            .read_until(b'\n', &mut found)
            .with_context(|| format!("the ops log's file {} can't be read", self.path.display()))?;
        Ok(found)
    }

    fn differ(&mut self, expected: &str, found: &[u8]) {
        self.difference = Some(Difference {
            line: self.line + 1,
            expected: expected.trim_end().to_owned(),
            found: Untrusted::from(String::from_utf8_lossy(found).into_owned()),
        });
    }
}
