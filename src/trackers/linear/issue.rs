//! An issue as Linear shows it, and the ids that we choose for ours. Pure.

use serde::Deserialize;
use url::Url;

use crate::{
    report::Severity,
    ticket::{Ticket, TicketState},
};

/// What is asked for of an issue.
pub(super) const FIELDS: &str = "id identifier url trashed archivedAt state { type }";

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issue {
    pub id: String,
    pub identifier: String,
    url: Option<String>,
    trashed: Option<bool>,
    archived_at: Option<String>,
    state: State,
    pub team: Option<Team>,
}

#[derive(Clone, Debug, Deserialize)]
struct State {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Team {
    pub id: String,
    pub key: String,
    states: Option<Nodes<Step>>,
}

/// A state of a team's workflow.
#[derive(Clone, Debug, Deserialize)]
struct Step {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    position: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Nodes<T> {
    pub nodes: Vec<T>,
}

impl Issue {
    /// Deleted by somebody, and kept by Linear for some days.
    pub(super) fn is_trashed(&self) -> bool {
        self.trashed == Some(true)
    }

    pub(super) fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }

    pub(super) fn ticket(&self) -> Ticket {
        let url = self.url.as_ref().and_then(|url| Url::parse(url).ok());
        let is_done = matches!(
            self.state.kind.as_str(),
            "completed" | "canceled" | "duplicate"
        );
        Ticket {
            id: self.id.clone(),
            name: crate::text::cut(&crate::text::one_line(&self.identifier), 40),
            url: url.filter(|url| url.scheme() == "https"),
            state: if is_done || self.is_trashed() {
                TicketState::Closed
            } else {
                TicketState::Open
            },
        }
    }
}

impl Team {
    /// Where an issue begins again: the first state that is still to do, or else the first that is not done.
    pub(super) fn beginning(&self) -> Option<&str> {
        let order = ["unstarted", "backlog", "triage", "started"];
        let steps = self.states.iter().flat_map(|states| &states.nodes);
        steps
            .filter_map(|step| Some((order.iter().position(|kind| *kind == step.kind)?, step)))
            .min_by(|(a, one), (b, other)| a.cmp(b).then(one.position.total_cmp(&other.position)))
            .map(|(_, step)| step.id.as_str())
    }
}

/// Linear's own scale, on which 0 is none.
pub(super) fn priority(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 1,
        Severity::High => 2,
        Severity::Medium => 3,
        Severity::Low => 4,
    }
}

/// A UUID of version 4, as Linear takes it from its callers, made of a digest instead of chance.
pub(super) fn uuid(digest: [u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::encode(bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_version_and_variant() {
        assert_eq!(uuid([0; 32]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 32]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn an_issue_begins_again_where_its_team_begins() {
        let team = |states: &str| -> Team {
            let text = format!(r#"{{"id":"t","key":"ENG","states":{{"nodes":[{states}]}}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let done = r#"{"id":"d","type":"completed","position":0}"#;
        let doing = r#"{"id":"w","type":"started","position":1}"#;
        let later = r#"{"id":"l","type":"unstarted","position":3}"#;
        let todo = r#"{"id":"u","type":"unstarted","position":2}"#;
        let all = team(&[done, doing, later, todo].join(","));
        assert_eq!(all.beginning(), Some("u"));
        assert_eq!(team(&[done, doing].join(",")).beginning(), Some("w"));
        assert_eq!(team(done).beginning(), None);
    }
}
