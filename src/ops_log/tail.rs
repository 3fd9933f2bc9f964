//! The end of the Markdown file, for which it is not read whole.

use std::{
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use anyhow::Context;
use chrono::NaiveDate;

use super::{
    entry::Entry,
    markdown::{line, title},
};
use crate::text::Untrusted;

/// Bytes of the file's end that are read at first.
const WINDOW: u64 = 64 * 1024;

/// None if there is no file.
pub(super) fn open(path: &Path) -> anyhow::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| unreadable(path)),
    }
}

pub(super) fn unreadable(path: &Path) -> String {
    format!("the ops log's file {} can't be read", path.display())
}

/// Whole lines at the end of a file.
struct Window {
    lines: Vec<u8>,
    /// Whether they are all of the file.
    all: bool,
}

impl Window {
    fn read(file: &mut File, most: u64) -> std::io::Result<Self> {
        let length = file.metadata()?.len();
        let start = length.saturating_sub(most);
        file.seek(SeekFrom::Start(start))?;
        let mut lines = Vec::new();
        file.read_to_end(&mut lines)?;
        if start > 0 {
            let cut = lines.iter().position(|byte| *byte == b'\n');
            lines.drain(..cut.map_or(lines.len(), |cut| cut + 1));
        }
        Ok(Self {
            lines,
            all: start == 0,
        })
    }
}

/// Where a file ends.
#[derive(Default)]
pub(super) struct End {
    pub(super) seq: i64,
    pub(super) day: Option<NaiveDate>,
    pub(super) empty: bool,
}

impl End {
    /// The inner error says why it is no ops log's end.
    pub(super) fn of(file: &mut File) -> std::io::Result<Result<Self, &'static str>> {
        let mut start = Vec::new();
        file.rewind()?;
        file.take(title().len() as u64).read_to_end(&mut start)?;
        if start.is_empty() {
            return Ok(Ok(Self {
                empty: true,
                ..Self::default()
            }));
        }
        if start != title().as_bytes() {
            return Ok(Err(match std::str::from_utf8(&start) {
                Err(error) if error.error_len().is_some() => "the file is no UTF-8 text",
                _ => "the file does not begin as an ops log does",
            }));
        }
        // A day of many entries has its heading far up.
        let mut most = WINDOW;
        loop {
            let window = Window::read(file, most)?;
            match Self::in_window(&window) {
                Err(Short) if !window.all => most *= 8,
                Err(Short) => return Ok(Err("the file's last entry stands under no day")),
                Ok(end) => return Ok(end),
            }
        }
    }

    fn in_window(window: &Window) -> Result<Result<Self, &'static str>, Short> {
        let Ok(text) = std::str::from_utf8(&window.lines) else {
            return Ok(Err("the file is no UTF-8 text"));
        };
        if !window.all && text.is_empty() {
            return Err(Short);
        }
        if !text.ends_with('\n') {
            return Ok(Err("the file's last line is not whole"));
        }
        let entries = text.strip_prefix(title()).unwrap_or(text);
        let Some(last) = entries.lines().next_back() else {
            return Ok(Ok(Self::default()));
        };
        let Some(seq) = seq(last) else {
            return Ok(Err("the file's last line is no entry"));
        };
        let day = entries
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("## "))
            .ok_or(Short)?;
        Ok(day
            .parse()
            .map_or(Err("the file's last entry stands under no day"), |day| {
                Ok(Self {
                    seq,
                    day: Some(day),
                    empty: false,
                })
            }))
    }
}

/// The window doesn't reach far enough back.
struct Short;

fn seq(line: &str) -> Option<i64> {
    let (_, end) = line.strip_prefix("- ")?.rsplit_once(" · #")?;
    end.split_once(' ')?.0.parse().ok()
}

/// Where the file's end departs from the log's newest entries, if it does. A file that ends early is only behind.
pub fn tail_differs(path: &Path, newest: &[Entry]) -> anyhow::Result<Option<Untrusted>> {
    let Some(mut file) = open(path)? else {
        return Ok((!newest.is_empty()).then(|| "it is not there".into()));
    };
    let end = match End::of(&mut file).with_context(|| unreadable(path))? {
        Ok(end) => end,
        Err(why) => return Ok(Some(why.into())),
    };
    let head = newest.last().map_or(0, |entry| entry.seq);
    if end.seq > head {
        return Ok(Some(
            format!("it ends with #{}, and the log with #{head}", end.seq).into(),
        ));
    }
    if end.empty && head > 0 {
        return Ok(Some("it is empty".into()));
    }
    let window = Window::read(&mut file, WINDOW).with_context(|| unreadable(path))?;
    let text = String::from_utf8_lossy(&window.lines);
    let found = text.lines().filter(|line| line.starts_with("- "));
    let held = &newest[..newest.partition_point(|entry| entry.seq <= end.seq)];
    let differs = held
        .iter()
        .rev()
        .map(line)
        .zip(found.clone().rev())
        .find(|(expected, found)| expected.trim_end_matches('\n') != *found);
    Ok(match differs {
        Some((_, found)) => Some(format!("the log does not say `{found}`").into()),
        None if window.all && found.count() < held.len() => Some("lines are missing".into()),
        None => None,
    })
}
