//! Slack's payloads, read leniently: only what is needed has to be there, and the rest may have any shape. Both
//! transports share it. Pure.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::command::{Asked, What};

mod envelope;
mod fields;
mod interaction;
mod lenient;

pub use envelope::{Envelope, Frame, Reason, frame};
pub use fields::Fields;
pub use interaction::interaction;

use fields::command_of;
use lenient::{Maybe, Text};

/// What one request of Slack comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Asked(Box<Asked>),
    /// A form's answer that can't be taken, to be said under the input with that block's id.
    Invalid {
        block: &'static str,
        say: &'static str,
    },
    /// Slack makes sure that this address is ours: the text is sent back.
    Challenge(String),
    /// Slack looks at the certificate of our address, and wants a 200.
    Ssl,
    /// Nothing that is asked of us; its kind, of a closed set.
    Other(&'static str),
}

impl Request {
    /// Of a closed set, for logs and the label of a metric.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Asked(asked) => match asked.what {
                What::Command(_) => "command",
                What::Press { .. } => "block_actions",
                What::Submit { .. } => "view_submission",
            },
            Self::Invalid { .. } => "view_submission",
            Self::Challenge(_) => "url_verification",
            Self::Ssl => "ssl_check",
            Self::Other(kind) => kind,
        }
    }
}

/// A request that can't be taken for what it is. It says what is missing, and never what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a request of Slack of the kind {kind} can't be read: {missing} is missing or not as it should be"
)]
pub struct Unreadable {
    /// Of the same closed set as [`Request::kind`].
    pub kind: &'static str,
    pub missing: &'static str,
}

/// What Slack sends beside what is asked of us; any other type is `unknown`.
const OTHERS: [&str; 30] = [
    "app_home_opened",
    "app_mention",
    "app_rate_limited",
    "app_uninstalled",
    "block_actions",
    "block_suggestion",
    "channel_archive",
    "channel_deleted",
    "channel_rename",
    "dialog_cancellation",
    "dialog_submission",
    "dialog_suggestion",
    "event_callback",
    "events_api",
    "function_executed",
    "interactive",
    "interactive_message",
    "member_joined_channel",
    "member_left_channel",
    "message",
    "message_action",
    "reaction_added",
    "shortcut",
    "slash_commands",
    "tokens_revoked",
    "view_closed",
    "view_submission",
    "workflow_step_edit",
    "workflow_step_execute",
    "workflow_step_save",
];

fn kind_of(name: &str) -> &'static str {
    OTHERS
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("unknown")
}

/// A slash command's form, which ends in `Ssl` where Slack only looks at the certificate.
pub fn command(form: &[u8], at: DateTime<Utc>) -> Result<Request, Unreadable> {
    command_of(&Fields::of_form(form), at)
}

/// An interaction as HTTP brings it: JSON in a form's field.
pub fn interaction_form(form: &[u8], at: DateTime<Utc>) -> Result<Request, Unreadable> {
    let fields = Fields::of_form(form);
    if fields.is_ssl_check() {
        return Ok(Request::Ssl);
    }
    let payload = fields.get("payload").ok_or(Unreadable {
        kind: "unknown",
        missing: "`payload`",
    })?;
    interaction(payload.as_bytes(), at)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "type")]
    kind: Text,
    challenge: Text,
    event: Maybe<Inner>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inner {
    #[serde(rename = "type")]
    kind: Text,
}

/// An event's JSON. No event asks anything of us.
pub fn event(json: &[u8]) -> Result<Request, Unreadable> {
    let unreadable = |missing| Unreadable {
        kind: "event_callback",
        missing,
    };
    let event: Event = serde_json::from_slice(json).map_err(|_| unreadable("its JSON"))?;
    match event.kind.get().ok_or(unreadable("`type`"))? {
        "url_verification" => {
            let challenge = event.challenge.get().ok_or(Unreadable {
                kind: "url_verification",
                missing: "`challenge`",
            })?;
            Ok(Request::Challenge(challenge.to_owned()))
        }
        "event_callback" => {
            let inner = event.event.as_ref().and_then(|inner| inner.kind.get());
            Ok(Request::Other(match inner.map(kind_of) {
                None | Some("unknown") => "event_callback",
                Some(kind) => kind,
            }))
        }
        other => Ok(Request::Other(kind_of(other))),
    }
}

/// A natural key of the parts; no two different lists of parts share one.
fn key(kind: &str, parts: &[&str]) -> String {
    let mut key = kind.to_owned();
    for part in parts {
        key.push(':');
        for c in part.chars() {
            match c {
                '%' => key.push_str("%25"),
                ':' => key.push_str("%3A"),
                _ => key.push(c),
            }
        }
    }
    key
}
