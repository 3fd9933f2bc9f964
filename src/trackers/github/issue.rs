//! An issue as GitHub's API shows it. Pure.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::IgnoredAny};
use url::Url;

use crate::ticket::{Marker, Ticket, TicketState};

/// `acme/web`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository(pub(super) String);

impl Repository {
    pub(super) fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    pub(super) fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `acme/web#17`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub repository: Repository,
    pub number: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repository, self.number)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Issue {
    pub number: u64,
    pub state: String,
    pub created_at: DateTime<Utc>,
    html_url: Option<String>,
    body: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    assignees: Option<Vec<Login>>,
    /// Lists of issues hold pull requests too, which have this.
    pull_request: Option<IgnoredAny>,
}

/// GitHub's document allows both.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Label {
    Name(String),
    Object { name: Option<String> },
}

#[derive(Clone, Debug, Deserialize)]
struct Login {
    login: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    body: Option<String>,
}

impl Comment {
    pub(super) fn holds(&self, words: &str) -> bool {
        self.body.as_ref().is_some_and(|body| body.contains(words))
    }
}

impl Issue {
    pub(super) fn carries(&self, marker: &Marker) -> bool {
        self.pull_request.is_none()
            && self
                .body
                .as_ref()
                .is_some_and(|body| body.contains(&marker.words()))
    }

    pub(super) fn ticket(&self, repository: &Repository) -> Ticket {
        let name = format!("{repository}#{}", self.number);
        let url = self.html_url.as_ref().and_then(|url| Url::parse(url).ok());
        Ticket {
            id: name.clone(),
            name,
            url: url.filter(|url| matches!(url.scheme(), "http" | "https")),
            state: if self.state == "open" {
                TicketState::Open
            } else {
                TicketState::Closed
            },
        }
    }

    /// Those of the labels that it does not have; GitHub's labels don't tell upper from lower case.
    pub(super) fn lacks_labels(&self, wanted: &[String]) -> Vec<String> {
        let has = |wanted: &String| {
            self.labels.iter().any(|label| match label {
                Label::Name(name) => same(name, wanted),
                Label::Object { name } => name.as_ref().is_some_and(|name| same(name, wanted)),
            })
        };
        wanted.iter().filter(|name| !has(name)).cloned().collect()
    }

    pub(super) fn lacks_assignees(&self, wanted: &[String]) -> Vec<String> {
        let assigned = self.assignees.as_deref().unwrap_or_default();
        let has = |login: &String| assigned.iter().any(|one| same(&one.login, login));
        wanted.iter().filter(|login| !has(login)).cloned().collect()
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}
