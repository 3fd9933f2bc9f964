//! What the log holds.

use std::{fmt, str::FromStr};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::hash::{Hash, Salt};
use crate::{
    text::{Untrusted, cut, did_you_mean, one_line, thousands},
    triage::Person,
};

/// What an entry records. The names are stored, and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The checklist was walked.
    Round,
    /// Somebody decided about a finding.
    Decision,
    /// An order was carried out on the other side, or could not be.
    Effect,
    /// Somebody tried what they may not do.
    Denied,
    Alert,
    Drill,
    /// Bodies of earlier entries were erased.
    Erased,
    /// A summary that the schedule wanted was not made.
    Missed,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Round,
        Self::Decision,
        Self::Effect,
        Self::Denied,
        Self::Alert,
        Self::Drill,
        Self::Erased,
        Self::Missed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Round => "round",
            Self::Decision => "decision",
            Self::Effect => "effect",
            Self::Denied => "denied",
            Self::Alert => "alert",
            Self::Drill => "drill",
            Self::Erased => "erased",
            Self::Missed => "missed",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no kind of entry.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of entry `{word}`; {choice}")]
pub struct NoKind {
    word: String,
    choice: String,
}

impl FromStr for Kind {
    type Err = NoKind;

    fn from_str(word: &str) -> Result<Self, NoKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| NoKind {
                word: cut(&one_line(word), 40),
                choice: did_you_mean(word, Self::ALL.into_iter().map(Self::as_str)),
            })
    }
}

/// One sentence, which keeps apart what we say ourselves and what we quote from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sentence(pub Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    Said(String),
    Quoted(Untrusted),
    /// A person; each medium names them in its own way.
    Named(Person),
}

impl Sentence {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds our own words.
    #[must_use]
    pub fn say(mut self, words: impl AsRef<str>) -> Self {
        self.0.push(Piece::Said(fold(words.as_ref())));
        self
    }

    /// Adds text from outside.
    #[must_use]
    pub fn quote(mut self, text: impl Into<Untrusted>) -> Self {
        self.0.push(Piece::Quoted(text.into()));
        self
    }

    /// Adds a person.
    #[must_use]
    pub fn name(mut self, person: &Person) -> Self {
        self.0.push(Piece::Named(person.clone()));
        self
    }

    /// Adds another sentence.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// One line, for terminals and for search.
    pub fn plain(&self) -> String {
        let words: String = self.0.iter().map(Piece::text).collect();
        one_line(&words)
    }
}

impl Piece {
    pub fn text(&self) -> &str {
        match self {
            Self::Said(words) => words,
            Self::Quoted(text) => text.as_str(),
            Self::Named(person) => person.name(),
        }
    }
}

impl From<&Untrusted> for Untrusted {
    fn from(text: &Untrusted) -> Self {
        text.clone()
    }
}

/// One line, whose outer spaces stay: a piece of a sentence needs them.
pub(super) fn fold(words: &str) -> String {
    let space = |c: char| c.is_whitespace() || c.is_control();
    let line = one_line(words);
    let before = if words.starts_with(space) { " " } else { "" };
    let after = if words.ends_with(space) && !line.is_empty() {
        " "
    } else {
        ""
    };
    format!("{before}{line}{after}")
}

/// An entry that the log doesn't hold yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    pub at: DateTime<Utc>,
    pub kind: Kind,
    /// A run's id or a finding's key. It is never erased, so it names no person.
    pub subject: String,
    pub by: Person,
    pub text: Sentence,
    /// The checks that it is about, for search.
    pub checks: Vec<String>,
}

/// What can be erased of an entry. Everything personal is in here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    pub by: Person,
    pub text: Sentence,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// In an entry of kind `erased`: the entries whose bodies are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<i64>,
    /// In an entry of kind `decision`: the digest of the decision as it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Hash>,
}

/// What an entry seals beside its words.
#[derive(Clone, Debug, Default)]
pub struct Annex {
    pub erased: Vec<i64>,
    pub decision: Option<Hash>,
}

/// An entry as people read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub kind: Kind,
    pub subject: String,
    /// None once erased.
    pub body: Option<Body>,
    pub hash: Hash,
}

/// "1 entry", "1,234 entries".
pub fn count(entries: u64) -> String {
    if entries == 1 {
        "1 entry".to_owned()
    } else {
        format!("{} entries", thousands(entries))
    }
}

/// An entry as it is sealed and stored; serialized, a line of the export. `body` holds the exact bytes that were hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub kind: String,
    pub subject: String,
    pub body: Option<String>,
    pub salt: Option<Salt>,
    pub body_hash: Hash,
    pub prev_hash: Hash,
    pub hash: Hash,
}

impl Record {
    pub fn open(&self) -> anyhow::Result<Entry> {
        let body = match &self.body {
            None => None,
            Some(bytes) => Some(serde_json::from_str(bytes).with_context(|| {
                format!(
                    "entry #{} has no readable body; `log verify` says more",
                    self.seq
                )
            })?),
        };
        Ok(Entry {
            seq: self.seq,
            at: self.at,
            kind: self
                .kind
                .parse()
                .with_context(|| format!("entry #{}", self.seq))?,
            subject: self.subject.clone(),
            body,
            hash: self.hash,
        })
    }
}
