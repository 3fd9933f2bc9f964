//! A ticket as plain data: what is to be written, how it is found again, and where it stands. No I/O.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    report::{FindingKey, Severity},
    text::{cut, one_line, redact},
};

/// What every ticket that is kept in this database has for a tracker.
pub const LOCAL: &str = "local";

/// Graphemes of a title: GitHub takes 256 characters, Jira 255.
pub const TITLE_LIMIT: usize = 200;

/// Characters of a body: a form in Slack takes 3,000.
pub const BODY_LIMIT: usize = 3_000;

/// What a ticket is to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    pub severity: Severity,
    pub labels: Vec<String>,
}

impl Draft {
    /// As people may have changed it: one line of a title, no secrets, nothing too long.
    pub fn tidy(self) -> Self {
        let body: Vec<String> = self
            .body
            .lines()
            .map(|line| redact(line.trim_end()))
            .collect();
        let mut labels: Vec<String> = Vec::new();
        for label in self.labels {
            let label = cut(&one_line(&label), 50);
            if !label.is_empty() && !labels.contains(&label) {
                labels.push(label);
            }
        }
        Self {
            title: cut(&redact(&one_line(&self.title)), TITLE_LIMIT),
            body: shortened(&graded(body.join("\n").trim(), self.severity)),
            labels,
            ..self
        }
    }
}

/// With the severity that somebody chose in the place of the one that a body begins with: `**high**: ...`.
fn graded(body: &str, chosen: Severity) -> String {
    for line in body.lines() {
        let written = Severity::ALL
            .into_iter()
            .find(|severity| line.starts_with(&format!("**{severity}**: ")));
        if let Some(written) = written {
            return body.replacen(&format!("**{written}**: "), &format!("**{chosen}**: "), 1);
        }
    }
    body.to_owned()
}

/// Leaves out of the middle, and says how much: the last lines tell who wants the ticket.
fn shortened(body: &str) -> String {
    let length = body.chars().count();
    if length <= BODY_LIMIT {
        return body.to_owned();
    }
    let (_, end) = body.rsplit_once("\n\n").unwrap_or_default();
    let end = if end.chars().count() > 500 { "" } else { end };
    // Room for the longest note that there can be.
    let kept = BODY_LIMIT - end.chars().count() - 60;
    let start: String = body.chars().take(kept).collect();
    let start = start.rsplit_once('\n').map_or(&*start, |(lines, _)| lines);
    let left_out = length - start.chars().count() - end.chars().count();
    let note = format!("({left_out} characters are left out here)");
    format!("{start}\n\n{note}\n\n{end}").trim_end().to_owned()
}

/// Names a ticket for ever, here and in the tracker: the same for the same finding and number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marker(String);

impl Marker {
    /// `number` counts the tickets that the finding has had, from 1.
    pub fn new(key: &FindingKey, number: u32) -> Self {
        let digest = Sha256::digest(format!("daily-ops ticket\n{key}\n{number}"));
        Self(hex::encode(&digest[..12]))
    }

    /// One that the store gave back.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// 24 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A line that Markdown does not show.
    pub fn comment(&self) -> String {
        format!("<!-- {} -->", self.words())
    }

    /// Where nothing can be hidden: a label without spaces.
    pub fn label(&self) -> String {
        format!("daily-ops-{}", self.0)
    }

    /// As a search looks for it.
    pub fn words(&self) -> String {
        format!("daily-ops:ticket={}", self.0)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A ticket that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// As the tracker's API names it.
    pub id: String,
    /// As people name it: `acme/web#17`, `ENG-12`, `OPS-3`, `T-4`.
    pub name: String,
    pub url: Option<Url>,
    pub state: TicketState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TicketState {
    Open,
    Closed,
    /// Deleted, or nowhere to be seen any more.
    Gone,
}

/// What a tracker is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub enum TicketOrder {
    /// To have this ticket, once.
    Open { marker: Marker, draft: Draft },
    /// To have this one open again, with a comment that says why.
    Reopen {
        marker: Marker,
        id: String,
        comment: String,
    },
}

/// A ticket as it is kept here.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTicket {
    pub marker: Marker,
    /// Ours, from 1; `T-4` for people.
    pub number: i64,
    pub key: FindingKey,
    /// The decision that asked for it.
    pub version: i64,
    /// "GitHub", or [`LOCAL`].
    pub tracker: String,
    pub state: TicketStatus,
    pub draft: Draft,
    /// As the tracker knows it.
    pub remote: Option<Ticket>,
    /// When it was asked for; of one that was opened again, the first time.
    pub wanted_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
}

impl StoredTicket {
    /// As people name it: `acme/web#17`, `T-4`.
    pub fn name(&self) -> String {
        match &self.remote {
            Some(ticket) => ticket.name.clone(),
            None => format!("T-{}", self.number),
        }
    }

    /// Whether it is open, or about to be.
    pub fn is_open(&self) -> bool {
        matches!(self.state, TicketStatus::Wanted | TicketStatus::Open)
    }

    /// Whether nothing more is expected of it.
    pub fn is_done(&self) -> bool {
        matches!(self.state, TicketStatus::Closed | TicketStatus::Gone)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketStatus {
    /// Its tracker is still to be asked for it, or asked to open it again.
    Wanted,
    Open,
    Closed,
    /// Closed for ever, since its tracker has it no more, or never will open it again.
    Gone,
    /// Its tracker refused it.
    Failed,
}

impl TicketStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }
}

/// The tickets that findings have had, the oldest first.
pub type Tickets = BTreeMap<FindingKey, Vec<StoredTicket>>;

/// When the newest ticket of each finding was closed, of those where it is; one that was refused is none.
pub fn closed(tickets: &Tickets) -> BTreeMap<FindingKey, DateTime<Utc>> {
    let newest = tickets
        .iter()
        .filter_map(|(key, all)| Some((key, newest_made(all)?)));
    newest
        .filter(|(_, ticket)| ticket.is_done())
        .filter_map(|(key, ticket)| Some((key.clone(), ticket.closed_at?)))
        .collect()
}

/// The newest that its tracker didn't refuse.
pub fn newest_made(tickets: &[StoredTicket]) -> Option<&StoredTicket> {
    let mut made = tickets.iter().rev();
    made.find(|ticket| ticket.state != TicketStatus::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_has_the_same_marker_for_ever_and_each_of_its_tickets_another() {
        let key = FindingKey::new("payments", "invoice/in_1");
        assert_eq!(Marker::new(&key, 1), Marker::new(&key, 1));
        assert_ne!(Marker::new(&key, 1), Marker::new(&key, 2));
        assert_ne!(
            Marker::new(&key, 1),
            Marker::new(&FindingKey::new("payments", "invoice/in_2"), 1)
        );
        assert_eq!(Marker::new(&key, 1).as_str().len(), 24);
    }

    #[test]
    fn a_long_body_says_how_much_is_left_out_and_still_who_wants_it() {
        let draft = |lines: usize, end: &str| {
            let draft = Draft {
                title: "t".to_owned(),
                body: format!("{}\n\n{end}", "- ätt\n".repeat(lines)),
                severity: Severity::High,
                labels: Vec::new(),
            };
            draft.tidy().body
        };
        let body = draft(1_000, "Opened by Ann.");
        assert!(body.chars().count() <= BODY_LIMIT);
        let end = " characters are left out here)\n\nOpened by Ann.";
        assert!(body.ends_with(end), "{body}");
        let (start, note) = body.rsplit_once("\n\n(").unwrap();
        let said: usize = note.split_once(' ').unwrap().0.parse().unwrap();
        let whole = 6 * 1_000 + 2 + "Opened by Ann.".len();
        assert_eq!(said + start.chars().count() + "Opened by Ann.".len(), whole);
        assert!(draft(1, &"x".repeat(5_000)).chars().count() <= BODY_LIMIT);
        assert!(!draft(100, "Opened by Ann.").contains("left out"));
    }

    #[test]
    fn a_draft_keeps_its_lines_and_loses_its_secrets() {
        let draft = Draft {
            title: " a\ntitle ".to_owned(),
            body: "first\n\ntoken=abcdefgh  \n".to_owned(),
            severity: Severity::High,
            labels: vec!["a".to_owned(), " ".to_owned(), "a".to_owned()],
        }
        .tidy();
        assert_eq!(draft.title, "a title");
        assert_eq!(draft.body, "first\n\ntoken=[redacted]");
        assert_eq!(draft.labels, ["a"]);
    }

    #[test]
    fn a_body_says_the_severity_that_was_chosen() {
        let draft = |body: &str| Draft {
            title: "a title".to_owned(),
            body: body.to_owned(),
            severity: Severity::Low,
            labels: Vec::new(),
        };
        let body = draft("Opened by anna.\n\n**high**: 4 attempts\n**high**: x")
            .tidy()
            .body;
        assert_eq!(body, "Opened by anna.\n\n**low**: 4 attempts\n**high**: x");
        assert_eq!(draft("all is **high**").tidy().body, "all is **high**");
    }
}
