//! The log as people read it: Markdown, a line per entry, in which nothing from outside can forge a line or a link. Pure.

use chrono::NaiveDate;

use super::entry::{Entry, Piece, Sentence, fold};
use crate::{text::one_line, triage::Person};

/// What stands above the first day.
pub fn title() -> &'static str {
    "# Ops log\n\nA projection of the database, which is the truth: changes made here are lost. Times are UTC.\n"
}

/// What stands above the entries of a day.
pub fn heading(day: NaiveDate) -> String {
    format!("\n## {day}\n\n")
}

/// `- 09:00:04 · 2 need you, 1 unknown · by anna · #12 9f3a12`, with its line's end.
pub fn line(entry: &Entry) -> String {
    let words = match &entry.body {
        None => "erased".to_owned(),
        Some(body) => format!("{} · by {}", body.text.markdown(), person(&body.by)),
    };
    format!(
        "- {} · {} · #{} {}\n",
        entry.at.format("%H:%M:%S"),
        words.trim(),
        entry.seq,
        entry.hash.short()
    )
}

/// Puts entries under the headings of their days.
#[derive(Clone, Copy, Debug, Default)]
pub struct Days(Option<NaiveDate>);

impl Days {
    /// Goes on behind entries of that day.
    pub fn after(day: Option<NaiveDate>) -> Self {
        Self(day)
    }

    /// What the next entry adds to the file.
    pub fn next(&mut self, entry: &Entry) -> String {
        let today = entry.at.date_naive();
        if self.0.replace(today) == Some(today) {
            line(entry)
        } else {
            heading(today) + &line(entry)
        }
    }
}

impl Sentence {
    /// One line of Markdown.
    pub fn markdown(&self) -> String {
        sentence(&self.0)
    }
}

fn sentence(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Said(words) => fold(words)
                .split_inclusive(' ')
                .for_each(|word| say(&mut text, word)),
            Piece::Quoted(quoted) => quote(&mut text, quoted.as_str()),
            Piece::Named(person) => quote(&mut text, person.name()),
        }
    }
    text
}

fn person(person: &Person) -> String {
    let mut text = String::new();
    if person
        .name()
        .chars()
        .all(|c| c.is_alphanumeric() || c == '-')
    {
        text.push_str(person.name());
    } else {
        quote(&mut text, person.name());
    }
    text
}

/// Our own words; but what a reader could take for a link is quoted, since escaping does not always stop that.
fn say(text: &mut String, word: &str) {
    if is_link(word) {
        let bare = word.trim_end();
        quote(text, bare);
        text.push_str(&word[bare.len()..]);
        return;
    }
    for c in word.chars() {
        match c {
            // As a reference, because a backslash would leave it beside a code span's fence.
            '`' => text.push_str("&#96;"),
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '$' | '^' | '!' | '{'
            | '}' => {
                text.push('\\');
                text.push(c);
            }
            _ => text.push(c),
        }
    }
}

/// Whether GFM would make a link of it: a URL, `www.`, an e-mail address.
fn is_link(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.contains('@')
        || word.contains("www.")
        || ["://", "http:", "https:", "mailto:", "xmpp:"]
            .iter()
            .any(|scheme| word.contains(scheme))
}

/// A code span, whose fence is longer than any run of backticks in it.
fn quote(text: &mut String, quoted: &str) {
    let quoted = one_line(quoted);
    if quoted.is_empty() {
        return;
    }
    if text.ends_with('`') {
        text.push(' ');
    }
    let longest = quoted.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if quoted.starts_with('`') || quoted.ends_with('`') {
        " "
    } else {
        ""
    };
    text.push_str(&format!("{fence}{pad}{quoted}{pad}{fence}"));
}
