//! The parts of Slack's answers that are read. The library's own types refuse what Slack may well send.

use serde::Deserialize;
use url::Url;

use super::EVENT_TYPE;

/// Whom a bot token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Identity {
    #[serde(rename = "team_id")]
    pub team: String,
    #[serde(rename = "enterprise_id")]
    pub enterprise: Option<String>,
    /// Whether the app is installed for the whole organisation.
    #[serde(default)]
    pub is_enterprise_install: bool,
    /// The bot's own user.
    #[serde(rename = "user_id")]
    pub user: String,
    /// The workspace's address.
    pub url: Url,
}

/// A user as `users.info` shows them.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    pub id: String,
    #[serde(default)]
    pub team_id: Option<String>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(default)]
    pub is_workflow_bot: bool,
    /// Multi-channel guests.
    #[serde(default)]
    pub is_restricted: bool,
    /// Single-channel guests.
    #[serde(default)]
    pub is_ultra_restricted: bool,
    #[serde(default)]
    pub is_stranger: bool,
    #[serde(default)]
    pub enterprise_user: Option<EnterpriseUser>,
    #[serde(default)]
    pub profile: Profile,
}

#[derive(Clone, Debug, Deserialize)]
pub struct EnterpriseUser {
    #[serde(default)]
    pub enterprise_id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Profile {
    #[serde(default)]
    pub email: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct UserInfo {
    pub(super) user: User,
}

#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) users: Vec<String>,
}

/// An answer that says nothing but that it is done.
#[derive(Deserialize)]
pub(super) struct Done {}

#[derive(Deserialize)]
pub(super) struct Posted {
    pub(super) ts: String,
}

#[derive(Deserialize)]
pub(super) struct Opened {
    pub(super) view: OpenView,
}

#[derive(Deserialize)]
pub(super) struct OpenView {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct Connection {
    pub(super) url: Url,
}

/// A page of a channel's history.
#[derive(Deserialize)]
pub(super) struct Page {
    messages: Vec<Posting>,
    #[serde(default)]
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Posting {
    ts: String,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    event_type: String,
    #[serde(default)]
    event_payload: serde_json::Value,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

impl Page {
    /// Where the next page begins.
    pub(super) fn next(&self) -> Option<String> {
        self.response_metadata
            .as_ref()
            .map(|cursor| cursor.next_cursor.clone())
            .filter(|cursor| !cursor.is_empty())
    }

    pub(super) fn marked(self, marker: &str) -> impl Iterator<Item = String> {
        let is_ours = move |posting: &Posting| {
            posting.metadata.as_ref().is_some_and(|metadata| {
                metadata.event_type == EVENT_TYPE && metadata.event_payload["message"] == *marker
            })
        };
        self.messages
            .into_iter()
            .filter(is_ours)
            .map(|posting| posting.ts)
    }
}
