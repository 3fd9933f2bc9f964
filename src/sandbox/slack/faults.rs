//! What can go wrong between the app and its Slack, either way.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429, asking to wait so many seconds.
    RateLimited(u64),
    /// Refused with this code.
    Refused(&'static str),
    /// 503, and nothing is done.
    ServerError,
    /// It is done, and answered with 502.
    ServerErrorAfter,
    /// The connection ends, and nothing is done.
    ResetBefore,
    /// It is done, and the connection ends without an answer.
    ResetAfter,
    /// It is done, and answered with a page of HTML.
    Garbage,
    /// Neither done nor answered.
    Stall,
    /// It is done when the test says so, whether or not anybody waits, and never answered.
    Late,
    /// It is done and answered after that time.
    Slow(Duration),
}

/// What goes wrong on the way to the app, for as long as it is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransportFaults {
    /// Every request and envelope waits so long before it is sent.
    pub delay: Duration,
    /// Every request and envelope is delivered twice.
    pub duplicate: bool,
    /// No request reaches the app, and no Socket Mode address is handed out.
    pub refuse: bool,
    /// Open sockets break without a word, and so does every new one.
    pub drop_sockets: bool,
    /// Sockets stay open, and nothing is said or read on them.
    pub stall_sockets: bool,
}
