//! What a remedy makes of an issue: what is sent, and how one sees that it is so. Pure.

use serde_json::{Value, json};

use super::issue::Issue;
use crate::text::Untrusted;

/// What an issue is to become.
pub(super) enum Goal {
    Resolved,
    Archived,
    /// Unresolved again, from the status that is to be undone.
    Reopened {
        from: &'static str,
    },
    /// `user:1`, `team:2`, or nobody; how people call them; and the only owner that they may take it from.
    Owned {
        actor: Option<String>,
        name: String,
        instead_of: Option<String>,
    },
}

impl Goal {
    /// The owner that it leaves, for an undo to recognise.
    pub(super) fn actor(&self) -> Option<Untrusted> {
        match self {
            Self::Owned {
                actor: Some(actor), ..
            } => Some(actor.as_str().into()),
            _ => None,
        }
    }

    /// Only the field that changes.
    pub(super) fn body(&self) -> Value {
        match self {
            Self::Resolved => json!({ "status": "resolved" }),
            Self::Archived => {
                json!({ "status": "ignored", "substatus": "archived_until_escalating" })
            }
            Self::Reopened { .. } => json!({ "status": "unresolved", "substatus": "ongoing" }),
            Self::Owned { actor, .. } => json!({ "assignedTo": actor.as_deref().unwrap_or("") }),
        }
    }

    pub(super) fn is_reached(&self, issue: &Issue) -> bool {
        match self {
            Self::Resolved => issue.status == "resolved",
            Self::Archived => issue.status == "ignored",
            Self::Reopened { .. } => issue.status == "unresolved",
            Self::Owned { actor, .. } => {
                issue.assignee.as_ref().map(|a| a.actor.as_str()) == actor.as_deref()
            }
        }
    }

    /// What happened meanwhile that makes the change wrong.
    pub(super) fn overtaken_by(&self, issue: &Issue) -> Option<&'static str> {
        match (self, issue.status.as_str()) {
            (Self::Archived | Self::Owned { .. }, "resolved") => {
                Some("resolved in Sentry meanwhile; nothing was changed")
            }
            (Self::Reopened { from: "resolved" }, "ignored") => {
                Some("archived in Sentry meanwhile; nothing was changed")
            }
            (Self::Reopened { from: "ignored" }, "resolved") => {
                Some("resolved in Sentry meanwhile; nothing was changed")
            }
            (
                Self::Owned {
                    instead_of: Some(ours),
                    ..
                },
                _,
            ) if issue.assignee.as_ref().map(|a| &a.actor) != Some(ours) => {
                Some("assigned to somebody else in Sentry meanwhile; nothing was changed")
            }
            _ => None,
        }
    }

    pub(super) fn participle(&self) -> String {
        match self {
            Self::Resolved => "resolved".to_owned(),
            Self::Archived => "archived until it escalates".to_owned(),
            Self::Reopened { .. } => "reopened".to_owned(),
            Self::Owned { actor: None, .. } => "assigned to nobody".to_owned(),
            Self::Owned { name, .. } => format!("assigned to {name}"),
        }
    }
}
