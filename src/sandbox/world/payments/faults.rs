//! What can go wrong with single requests; what Stripe suffers from as a whole is `Trouble`.

use std::time::Duration;

use super::{keys::Permission, refusal::Refusal, request::Request};

/// Spoils the requests whose line holds all its words.
#[derive(Clone, Debug)]
pub struct Fault {
    words: Vec<String>,
    /// Requests that pass before the first one that is spoilt.
    passed: usize,
    times: usize,
    /// What was asked is done all the same.
    is_after: bool,
    pub(super) spoils: Spoils,
    should_retry: Option<bool>,
    /// How many were spoilt.
    pub struck: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Spoils {
    Nothing,
    Refuses(Refusal),
    Forbids(Permission),
    Unauthorized,
    Waits(Duration),
    Hangs,
    /// The connection ends without an answer.
    HangsUp,
    /// The connection ends in the middle of the answer.
    CutsOff,
    Says {
        status: u16,
        kind: &'static str,
        body: &'static str,
    },
}

/// Each request with all these words in its line, from now on: `fault("GET /v1/events delivery_success=false")`.
pub fn fault(words: &str) -> Fault {
    Fault {
        words: words.split_whitespace().map(str::to_owned).collect(),
        passed: 0,
        times: usize::MAX,
        is_after: false,
        spoils: Spoils::Nothing,
        should_retry: None,
        struck: 0,
    }
}

impl Fault {
    /// After that many were answered well: `after(1)` spoils each page but the first.
    #[must_use]
    pub fn after(self, passed: usize) -> Self {
        Self { passed, ..self }
    }

    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// What was asked is done, and only the answer is another.
    #[must_use]
    pub fn done_all_the_same(self) -> Self {
        Self {
            is_after: true,
            ..self
        }
    }

    /// What `Stripe-Should-Retry` says.
    #[must_use]
    pub fn should_retry(self, should: bool) -> Self {
        Self {
            should_retry: Some(should),
            ..self
        }
    }

    #[must_use]
    pub fn unauthorized(self) -> Self {
        self.that(Spoils::Unauthorized)
    }

    #[must_use]
    pub fn forbidden(self, permission: Permission) -> Self {
        self.that(Spoils::Forbids(permission))
    }

    /// 429, with `Stripe-Rate-Limited-Reason`: `endpoint-rate`.
    #[must_use]
    pub fn limited(self, reason: &str) -> Self {
        self.that(Spoils::Refuses(Refusal::limited(reason)))
    }

    /// 429, for another request holds the object.
    #[must_use]
    pub fn locked(self) -> Self {
        self.that(Spoils::Refuses(Refusal::locked()))
    }

    /// 500, which is kept under the idempotency key.
    #[must_use]
    pub fn fails(self) -> Self {
        self.that(Spoils::Refuses(Refusal::failed()))
    }

    /// 503, which is not.
    #[must_use]
    pub fn unavailable(self) -> Self {
        self.that(Spoils::Refuses(Refusal::unavailable()))
    }

    /// Before the answer; with [`Fault::done_all_the_same`], after the effect.
    #[must_use]
    pub fn slow(self, time: Duration) -> Self {
        self.that(Spoils::Waits(time))
    }

    #[must_use]
    pub fn hangs(self) -> Self {
        self.that(Spoils::Hangs)
    }

    /// What was asked is done, and the connection ends without an answer.
    #[must_use]
    pub fn hangs_up(self) -> Self {
        self.that(Spoils::HangsUp).done_all_the_same()
    }

    /// What was asked is done, and the connection ends in the middle of the answer.
    #[must_use]
    pub fn cuts_off(self) -> Self {
        self.that(Spoils::CutsOff).done_all_the_same()
    }

    /// 200, and no JSON.
    #[must_use]
    pub fn garbage(self) -> Self {
        self.that(Spoils::Says {
            status: 200,
            kind: "application/json",
            body: "\u{1}]]{\"id\":",
        })
    }

    /// A page of something in between, with that status.
    #[must_use]
    pub fn html(self, status: u16) -> Self {
        self.that(Spoils::Says {
            status,
            kind: "text/html",
            body: "<html><title>Corporate proxy</title><p>Please accept the terms of use.",
        })
    }

    fn that(self, spoils: Spoils) -> Self {
        Self { spoils, ..self }
    }

    fn is_meant(&self, request: &Request) -> bool {
        let line = request.line();
        self.words.iter().all(|word| line.contains(word.as_str()))
    }
}

/// How one request is spoilt.
#[derive(Clone, Debug)]
pub(super) struct Strike {
    pub spoils: Spoils,
    pub is_after: bool,
    pub should_retry: Option<bool>,
}

/// Lets each fault see the request; the first that hits it spoils it.
pub(super) fn strike(faults: &mut [Fault], request: &Request) -> Option<Strike> {
    for fault in faults {
        if !fault.is_meant(request) {
            continue;
        }
        if fault.passed > 0 {
            fault.passed -= 1;
        } else if fault.times > 0 {
            fault.times -= 1;
            fault.struck += 1;
            return Some(Strike {
                spoils: fault.spoils.clone(),
                is_after: fault.is_after,
                should_retry: fault.should_retry,
            });
        }
    }
    None
}
