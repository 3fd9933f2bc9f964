use serde_json::Value;

/// A message that is posted later.
#[derive(Clone, Debug)]
pub(in super::super) struct Scheduled {
    pub(in super::super) id: String,
    pub(in super::super) channel: String,
    /// Seconds of the epoch.
    pub(in super::super) at: i64,
    /// What `chat.postMessage` takes.
    pub(in super::super) args: Value,
}

/// One call as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// `chat.postMessage`; `response/3` for an answering address.
    pub method: String,
    pub args: Value,
    /// None: none was sent.
    pub token: Option<String>,
    /// Why its arguments can't be read: `invalid_json`.
    pub flaw: Option<&'static str>,
}
