//! What comes over a socket.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Fields, Request, Unreadable, event,
    fields::command_of,
    interaction, kind_of,
    lenient::{Flag, Text},
};

/// One frame of text.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// From now on requests come.
    Hello,
    Disconnect(Reason),
    Envelope(Envelope),
    /// Neither; nothing is to be answered.
    Other,
}

/// Why Slack is about to close a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// In some 10 seconds.
    Warning,
    RefreshRequested,
    /// Socket Mode was switched off in the app's settings.
    LinkDisabled,
    TooManyWebsockets,
    Other,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::RefreshRequested => "refresh_requested",
            Self::LinkDisabled => "link_disabled",
            Self::TooManyWebsockets => "too_many_websockets",
            Self::Other => "other",
        }
    }

    fn named(name: &str) -> Self {
        [
            Self::Warning,
            Self::RefreshRequested,
            Self::LinkDisabled,
            Self::TooManyWebsockets,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == name)
        .unwrap_or(Self::Other)
    }
}

/// A request over a socket, which is acked by the envelope's id.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope {
    pub id: String,
    /// Whether the ack may say something.
    pub takes_payload: bool,
    pub request: Result<Request, Unreadable>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    envelope_id: Text,
    #[serde(rename = "type", default)]
    kind: Text,
    #[serde(default)]
    reason: Text,
    #[serde(default)]
    accepts_response_payload: Flag,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// Reads one frame. Fails only where not even an envelope's id can be made out.
pub fn frame(json: &[u8], at: DateTime<Utc>) -> Result<Frame, Unreadable> {
    let wire: Wire<'_> = serde_json::from_slice(json).map_err(|_| Unreadable {
        kind: "unknown",
        missing: "its JSON",
    })?;
    let kind = wire.kind.get().unwrap_or_default();
    let Some(id) = wire.envelope_id.get() else {
        return Ok(match kind {
            "hello" => Frame::Hello,
            "disconnect" => Frame::Disconnect(Reason::named(wire.reason.get().unwrap_or_default())),
            _ => Frame::Other,
        });
    };
    Ok(Frame::Envelope(Envelope {
        id: id.to_owned(),
        takes_payload: wire.accepts_response_payload.0,
        request: request(kind, wire.payload, at),
    }))
}

fn request(
    kind: &str,
    payload: Option<&RawValue>,
    at: DateTime<Utc>,
) -> Result<Request, Unreadable> {
    let unreadable = |missing| Unreadable {
        kind: kind_of(kind),
        missing,
    };
    let payload = || payload.map(RawValue::get).ok_or(unreadable("`payload`"));
    match kind {
        "slash_commands" => {
            let fields: Fields =
                serde_json::from_str(payload()?).map_err(|_| unreadable("its JSON"))?;
            command_of(&fields, at)
        }
        "interactive" => interaction(payload()?.as_bytes(), at),
        "events_api" => event(payload()?.as_bytes()),
        other => Ok(Request::Other(kind_of(other))),
    }
}
