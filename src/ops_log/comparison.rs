//! The Markdown file beside the database, from the first entry to the last.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    entry::Entry,
    markdown::{Days, title},
    tail::unreadable,
};
use crate::text::Untrusted;

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
    days: Days,
    difference: Option<Difference>,
    behind: u64,
}

/// What became of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// To the byte.
    Same,
    /// The file ends where entries are still to come: as many as this.
    Behind(u64),
    Differs(Difference),
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
            days: Days::default(),
            difference: None,
            behind: 0,
        };
        comparison.expect(title())?;
        Ok(comparison)
    }

    pub fn push(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let text = self.days.next(entry);
        if self.difference.is_none() && self.ended()? {
            self.behind += 1;
            return Ok(());
        }
        self.expect(&text)
    }

    pub fn finish(mut self) -> anyhow::Result<Compared> {
        if self.difference.is_none() && !self.ended()? {
            let found = self.read(0)?;
            self.differ("", &found);
        }
        Ok(match self.difference {
            Some(difference) => Compared::Differs(difference),
            None if self.behind > 0 => Compared::Behind(self.behind),
            None => Compared::Same,
        })
    }

    /// Whether all of the file was read.
    fn ended(&mut self) -> anyhow::Result<bool> {
        let left = self.file.fill_buf();
        left.map(<[u8]>::is_empty)
            .with_context(|| unreadable(&self.path))
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
            .with_context(|| unreadable(&self.path))?;
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
