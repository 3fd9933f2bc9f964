//! What was seen, without judgement.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};

use crate::{report::Unknown, text::Untrusted};

/// One pass over all endpoints.
#[derive(Clone, Debug)]
pub struct Observation {
    /// In the order of the configuration; what is missing was not asked.
    pub endpoints: Vec<Seen>,
    pub control: Control,
}

/// What became of one endpoint.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The time was up.
    NotAsked,
    /// A rule or this machine forbade it.
    CouldNot(Box<Unknown>),
    /// Asked once: it was good, or the time was up before the second try.
    Once(Attempt),
    /// Looked bad on the first try, and a rule or this machine forbade the second.
    NotAgain(Box<(Attempt, Unknown)>),
    /// Looked bad on the first try.
    Twice(Box<[Attempt; 2]>),
}

impl Seen {
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::NotAsked | Self::CouldNot(_) => &[],
            Self::Once(attempt) => std::slice::from_ref(attempt),
            Self::NotAgain(half) => std::slice::from_ref(&half.0),
            Self::Twice(attempts) => attempts.as_slice(),
        }
    }
}

/// What became of the control address.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// There is none, or there was no need or no time.
    NotAsked,
    Answered,
    /// At the network level, with the reason.
    Failed(Untrusted),
}

/// One request and what came of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub at: DateTime<Utc>,
    pub took: Duration,
    pub result: Result<Answer, Box<Failure>>,
}

/// A complete answer, or at least one with a status that is not the expected one.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// To the end of the headers.
    pub latency: Duration,
    /// The `notAfter` of the leaf certificate.
    pub expires: Option<DateTime<Utc>>,
    /// The text that the body must hold is not there.
    pub lacks_text: bool,
    pub login_page: bool,
    /// Where a redirect leads: its host, or its path on the same one.
    pub moved_to: Option<Box<Untrusted>>,
    /// The first bytes of the body, of an answer that matters.
    pub excerpt: Option<Box<Untrusted>>,
}

/// No answer that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub fault: Fault,
    /// What follows the endpoint's name in a title: "refuses connections".
    pub reason: Untrusted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Dns,
    Unreachable,
    ConnectTimeout,
    Refused,
    Tls,
    /// Connected, and then no complete answer in time.
    Timeout,
    /// Reset, or ended too early.
    BrokenOff,
    /// Not HTTP.
    Garbled,
    /// A redirect that may not be followed.
    Redirect,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "DNS look-up failed",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "no connection in time",
            Self::Refused => "connection refused",
            Self::Tls => "TLS failed",
            Self::Timeout => "no full answer in time",
            Self::BrokenOff => "answer broken off",
            Self::Garbled => "no HTTP answer",
            Self::Redirect => "redirect not followed",
        })
    }
}

impl Fault {
    /// Whether it may be the fault of this machine's own connection.
    pub fn is_network(self) -> bool {
        matches!(
            self,
            Self::Dns | Self::Unreachable | Self::ConnectTimeout | Self::Refused
        )
    }
}
