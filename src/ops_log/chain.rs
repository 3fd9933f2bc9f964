//! The hash chain: each entry seals itself and the one before it. Pure.

use std::{collections::BTreeSet, fmt, str::FromStr};

use anyhow::Context;
use chrono::{SecondsFormat, SubsecRound};
use sha2::{Digest, Sha256};

use super::{
    entry::{Annex, Body, Entry, Kind, NewEntry, Record},
    hash::{Hash, SHOWN, Salt},
};

const ENTRY_TAG: &str = "daily-ops-log/1";
const BODY_TAG: &str = "daily-ops-log/1/body";
const DECISION_TAG: &str = "daily-ops-log/1/decision";

/// The newest entry: whoever holds it can tell whether the log before it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: Hash,
}

impl Head {
    /// That of an empty log.
    pub const START: Self = Self {
        seq: 0,
        hash: Hash::ZERO,
    };
}

impl Entry {
    /// The head of a log that ends with it.
    pub fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: self.hash,
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log #{} · {}", self.seq, self.hash.short())
    }
}

/// A head that was written down elsewhere: `1234:9f3a12`, or as `Head` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub seq: i64,
    pub digits: String,
}

/// A text that is no anchor.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an anchor is an entry's number and the first digits of its hash, such as 1234:9f3a12")]
pub struct NoAnchor;

impl FromStr for Anchor {
    type Err = NoAnchor;

    fn from_str(text: &str) -> Result<Self, NoAnchor> {
        let text = text
            .trim()
            .trim_start_matches("log")
            .trim_start()
            .trim_start_matches('#');
        let (seq, digits) = text.split_once([':', '·']).ok_or(NoAnchor)?;
        let digits = digits.trim().to_ascii_lowercase();
        let seq = seq.trim().parse().map_err(|_| NoAnchor)?;
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if seq < 1 || !hex || !(SHOWN..=64).contains(&digits.len()) {
            return Err(NoAnchor);
        }
        Ok(Self { seq, digits })
    }
}

/// Seals a new entry behind the head, with its annex.
pub fn seal(
    head: &Head,
    new: NewEntry,
    annex: Annex,
    salt: Salt,
) -> anyhow::Result<(Record, Entry)> {
    let body = Body {
        by: new.by,
        text: new.text,
        checks: new.checks,
        erased: annex.erased,
        decision: annex.decision,
    };
    let bytes =
        serde_json::to_string(&body).context("an entry's body could not be written as JSON")?;
    let mut record = Record {
        seq: head.seq + 1,
        at: new.at.trunc_subsecs(6),
        kind: new.kind.as_str().to_owned(),
        subject: crate::text::one_line(&new.subject),
        body_hash: body_hash(&salt, &bytes),
        body: Some(bytes),
        salt: Some(salt),
        prev_hash: head.hash,
        hash: Hash::ZERO,
    };
    record.hash = entry_hash(&record);
    let entry = Entry {
        seq: record.seq,
        at: record.at,
        kind: new.kind,
        subject: record.subject.clone(),
        body: Some(body),
        hash: record.hash,
    };
    Ok((record, entry))
}

/// Of a decision, as the bytes that are kept: the log's entry about it carries it.
pub fn decision_digest(bytes: &[u8]) -> Hash {
    hash_fields(&[DECISION_TAG.as_bytes(), bytes])
}

fn body_hash(salt: &Salt, body: &str) -> Hash {
    hash_fields(&[BODY_TAG.as_bytes(), &salt.0, body.as_bytes()])
}

fn entry_hash(record: &Record) -> Hash {
    hash_fields(&[
        ENTRY_TAG.as_bytes(),
        &record.prev_hash.0,
        &record.seq.to_be_bytes(),
        record
            .at
            .to_rfc3339_opts(SecondsFormat::Micros, true)
            .as_bytes(),
        record.kind.as_bytes(),
        record.subject.as_bytes(),
        &record.body_hash.0,
    ])
}

/// Each field goes behind its length, so that no two lists of fields are the same bytes.
fn hash_fields(fields: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    Hash(hasher.finalize().into())
}

/// A log that fits together up to its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    pub entries: u64,
    pub head: Head,
}

/// The first entry that doesn't fit, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry #{seq} {why}")]
pub struct Flaw {
    pub seq: i64,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("is missing")]
    Missing,
    #[error("stands in the wrong place, or twice")]
    Misplaced,
    #[error("does not continue the entry before it")]
    Unlinked,
    #[error("was changed: time, kind, subject or a hash is not what was sealed")]
    Changed,
    #[error("was changed: its text is not what was sealed")]
    BodyChanged,
    #[error("has lost its text, and no `erased` entry says so")]
    BodyMissing,
    #[error("is not what the anchor says")]
    NotAnchored,
    #[error("can't be read: {0}")]
    Unreadable(String),
}

/// Recomputes the chain, an entry at a time.
pub struct Verifier {
    head: Head,
    entries: u64,
    anchor: Option<Anchor>,
    without_body: BTreeSet<i64>,
}

impl Verifier {
    /// From the first entry on.
    pub fn new(anchor: Option<Anchor>) -> Self {
        Self::from(Head::START, anchor)
    }

    /// From the entry after `head`, which is trusted.
    pub fn from(head: Head, anchor: Option<Anchor>) -> Self {
        Self {
            head,
            entries: 0,
            anchor,
            without_body: BTreeSet::new(),
        }
    }

    pub fn push(&mut self, record: &Record) -> Result<(), Flaw> {
        let flaw = |seq, why| Err(Flaw { seq, why });
        let expected = self.head.seq + 1;
        if record.seq > expected {
            return flaw(expected, Why::Missing);
        }
        if record.seq < expected {
            return flaw(record.seq, Why::Misplaced);
        }
        if record.prev_hash != self.head.hash {
            return flaw(record.seq, Why::Unlinked);
        }
        if entry_hash(record) != record.hash {
            return flaw(record.seq, Why::Changed);
        }
        match (&record.salt, &record.body) {
            (Some(salt), Some(body)) if body_hash(salt, body) == record.body_hash => {
                if record.kind == Kind::Erased.as_str() {
                    self.forgive(record.seq, body)?;
                }
            }
            (None, None) => {
                self.without_body.insert(record.seq);
            }
            _ => return flaw(record.seq, Why::BodyChanged),
        }
        if let Some(anchor) = &self.anchor
            && anchor.seq == record.seq
            && !record.hash.to_string().starts_with(&anchor.digits)
        {
            return flaw(record.seq, Why::NotAnchored);
        }
        self.head = Head {
            seq: record.seq,
            hash: record.hash,
        };
        self.entries += 1;
        Ok(())
    }

    fn forgive(&mut self, seq: i64, body: &str) -> Result<(), Flaw> {
        let body: Body = serde_json::from_str(body).map_err(|_| Flaw {
            seq,
            why: Why::Unreadable("its text is no JSON of ours".to_owned()),
        })?;
        for seq in body.erased {
            self.without_body.remove(&seq);
        }
        Ok(())
    }

    /// `head` is the one that was kept beside the entries: without it, a tail that was cut off would not show.
    pub fn finish(self, head: &Head) -> Result<Verified, Flaw> {
        let flaw = |seq, why| Err(Flaw { seq, why });
        if head.seq > self.head.seq {
            return flaw(self.head.seq + 1, Why::Missing);
        }
        if *head != self.head {
            return flaw(head.seq.max(1), Why::Changed);
        }
        if self.anchor.is_some_and(|anchor| anchor.seq > self.head.seq) {
            return flaw(self.head.seq + 1, Why::Missing);
        }
        // Last, because what is missing at the end may have said that a body was erased.
        match self.without_body.first() {
            Some(seq) => flaw(*seq, Why::BodyMissing),
            None => Ok(Verified {
                entries: self.entries,
                head: self.head,
            }),
        }
    }
}
