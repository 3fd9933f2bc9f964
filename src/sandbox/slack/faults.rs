//! What can go wrong between the app and its Slack, either way.

use std::time::Duration;

use super::{Call, Workspace, methods};

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

/// A fault that calls of a method meet.
#[derive(Clone, Debug)]
pub struct Spoiled {
    /// `chat.postMessage`; `response` for answering addresses; `*` for all.
    pub method: String,
    pub fault: Fault,
    /// How many calls more; `usize::MAX`: until it is cleared.
    pub left: usize,
}

impl Workspace {
    /// Spoils the next calls of a method (`chat.postMessage`, `response_url`, `*`).
    pub fn spoil(&mut self, method: &str, fault: Fault, times: usize) {
        self.faults.push(Spoiled {
            method: known_as(method).to_owned(),
            fault,
            left: times,
        });
    }

    /// Whether there is a method of that name: `chat.postMessage`, `response_url`, `*`.
    pub fn has_method(name: &str) -> bool {
        matches!(known_as(name), "*" | "response") || methods::find(name).is_some()
    }

    /// What is spoilt.
    pub fn spoilt(&self) -> &[Spoiled] {
        &self.faults
    }

    /// Heals a method; None: all of them.
    pub fn heal(&mut self, method: Option<&str>) {
        let healed = method.map(known_as);
        self.faults
            .retain(|spoilt| healed.is_some_and(|method| spoilt.method != method));
    }

    /// The fault that this call meets, if any is left for its method.
    pub(super) fn strike(&mut self, call: &Call) -> Option<Fault> {
        let method = call.method.split('/').next().unwrap_or_default();
        let found = self
            .faults
            .iter_mut()
            .find(|spoilt| spoilt.method == method || spoilt.method == "*");
        if let Some(spoilt) = found {
            let fault = spoilt.fault;
            if spoilt.left != usize::MAX {
                spoilt.left -= 1;
            }
            self.faults.retain(|spoilt| spoilt.left > 0);
            return Some(fault);
        }
        self.is_rate_limited
            .then(|| self.hurry(call))
            .flatten()
            .map(Fault::RateLimited)
    }

    /// How many seconds are to be waited before this call.
    fn hurry(&mut self, call: &Call) -> Option<u64> {
        let tier = methods::find(&call.method)?.tier;
        let now = self.now().timestamp();
        let channel = call.args["channel"].as_str().unwrap_or_default();
        let (name, most, span) = match call.method.as_str() {
            // One in a second, with a burst of a few.
            "chat.postMessage" => (format!("{}/{channel}", call.method), 4, 4),
            method => (method.to_owned(), tier, 60),
        };
        let recent = self.recent.entry(name).or_default();
        recent.retain(|at| now - at < span);
        if recent.len() < most {
            recent.push_back(now);
            return None;
        }
        let oldest = recent.front().copied().unwrap_or(now);
        Some((oldest + span - now).max(1).unsigned_abs())
    }
}

fn known_as(method: &str) -> &str {
    match method {
        "response_url" => "response",
        method => method,
    }
}
