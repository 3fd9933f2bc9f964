//! What Linear's errors mean: they come with any status, also with 200, and say in a code what they are.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::TOKEN;
use crate::{
    report::{Cause, Unknown},
    text::Untrusted,
    trackers::{Hindrance, NotEnsured},
    upstream::{Failure, Unwritten},
};

/// An answer that is none.
#[derive(Debug)]
pub(super) struct Refusal {
    pub why: Unknown,
    wait: Option<Duration>,
    /// Whether a change that was asked for may have been made all the same.
    may_be_done: bool,
}

impl From<Refusal> for Unknown {
    fn from(refusal: Refusal) -> Self {
        refusal.why
    }
}

impl Refusal {
    /// What it means when something was only looked up.
    pub(super) fn of_a_look(self) -> NotEnsured {
        NotEnsured::NotSent(self.hindrance())
    }

    /// What it means for a change: a key can be mended, a limit passes; anything else stays refused.
    pub(super) fn of_a_change(self) -> NotEnsured {
        if self.may_be_done {
            return NotEnsured::in_doubt(self.hindrance());
        }
        match self.why.cause {
            Cause::Auth | Cause::Forbidden | Cause::RateLimited => {
                NotEnsured::NotSent(self.hindrance())
            }
            _ => NotEnsured::Refused(self.why.reason),
        }
    }

    /// What it means for a change that could not be looked for: the id may be taken because it was made before.
    pub(super) fn unseen(self) -> NotEnsured {
        NotEnsured::in_doubt(self.hindrance())
    }

    fn hindrance(self) -> Hindrance {
        Hindrance {
            why: self.why,
            asked_wait: self.wait,
        }
    }

    /// Of a failed request, whose body may tell more than its status.
    pub(super) fn of_failure(failure: Failure) -> Self {
        let said = failure.refusal.as_deref().and_then(said);
        let wait = failure.asked_wait();
        match said {
            Some(said) if failure.status().is_some_and(|status| status < 500) => said.refusal(wait),
            _ => Self {
                may_be_done: false,
                wait,
                why: failure.into(),
            },
        }
    }

    pub(super) fn of_unwritten(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Refused(failure) | Unwritten::NotSent(failure) => {
                let mut refusal = Self::of_failure(failure.clone());
                // No connection, no time left: whatever it was, it can be tried again.
                if failure.status().is_none() {
                    refusal.why = Unknown::from(failure);
                }
                refusal
            }
            Unwritten::OutcomeUnknown(failure) => Self {
                may_be_done: true,
                ..Self::of_failure(failure)
            },
        }
    }

    /// Of the errors in an answer with status 200, if there are any.
    pub(super) fn of_answer(body: &Value, headers: &HeaderMap, now: DateTime<Utc>) -> Option<Self> {
        let wait = used_up(headers).map(|until| (until - now).to_std().unwrap_or_default());
        said(body).map(|said| said.refusal(wait))
    }

    /// Of a change that was not made, without a word why.
    pub(super) fn without_success(what: &str) -> Self {
        let reason = format!(
            "Linear answered {what} with `success: false` and no reason; look at the team's settings there, and try again"
        );
        Self {
            why: Unknown::new(Cause::Refused, reason),
            wait: None,
            may_be_done: false,
        }
    }

    pub(super) fn unexpected(what: &str) -> Self {
        let reason = format!(
            "Linear's answer to {what} is not what its schema promises; see whether `url` in [tickets.linear] leads to Linear itself"
        );
        Self {
            why: Unknown::new(Cause::Decode, reason),
            wait: None,
            may_be_done: true,
        }
    }
}

/// When the budget that is used up is filled again: of requests, of complexity, or of one endpoint.
pub(super) fn used_up(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let number =
        |name: String| -> Option<i64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
    ["requests", "complexity", "endpoint-requests"]
        .into_iter()
        .filter(|kind| {
            number(format!("x-ratelimit-{kind}-remaining")).is_some_and(|left| left <= 0)
        })
        .filter_map(|kind| number(format!("x-ratelimit-{kind}-reset")))
        .filter_map(DateTime::from_timestamp_millis)
        .max()
}

/// The first error of an answer.
struct Said {
    code: String,
    message: Untrusted,
}

fn said(body: &Value) -> Option<Said> {
    let error = body.get("errors")?.as_array()?.first()?;
    let extensions = &error["extensions"];
    let message = extensions["userPresentableMessage"]
        .as_str()
        .or(error["message"].as_str())
        .unwrap_or("no message");
    Some(Said {
        code: extensions["code"].as_str().unwrap_or_default().to_owned(),
        message: message.into(),
    })
}

impl Said {
    fn refusal(self, wait: Option<Duration>) -> Refusal {
        let token = TOKEN.0;
        let (cause, advice) = match self.code.as_str() {
            "RATELIMITED" => (Cause::RateLimited, "it is asked again later".to_owned()),
            "AUTHENTICATION_ERROR" => (
                Cause::Auth,
                format!("renew {token}: Linear does not accept the key"),
            ),
            "FORBIDDEN" | "FEATURE_NOT_ACCESSIBLE" => (
                Cause::Forbidden,
                format!(
                    "give the key in {token} write access, and its owner access to the team in [tickets.linear]"
                ),
            ),
            "ENTITY_NOT_FOUND" => (
                Cause::NotFound,
                "look whether it was deleted in Linear, and that the key may see it".to_owned(),
            ),
            "USAGE_LIMIT_EXCEEDED" => (
                Cause::Refused,
                "the workspace has used up its plan: archive issues there, or change the plan"
                    .to_owned(),
            ),
            "GRAPHQL_VALIDATION_FAILED" => (
                Cause::Gone,
                "Linear has changed its API: update daily-ops".to_owned(),
            ),
            "INTERNAL_ERROR" | "INTERNAL_SERVER_ERROR" | "LOCK_TIMEOUT" | "NETWORK_ERROR" | "" => (
                Cause::Upstream,
                "look at Linear's status page, then again".to_owned(),
            ),
            _ => (
                Cause::Refused,
                "change the ticket or [tickets.linear], and try again".to_owned(),
            ),
        };
        let code = match self.code.as_str() {
            "" => "an error".to_owned(),
            code => crate::text::cut(&crate::text::one_line(code), 60),
        };
        let reason = format!(
            "Linear answered {code} (\"{}\"); {advice}",
            crate::text::cut(self.message.as_str(), 120)
        );
        Refusal {
            may_be_done: cause == Cause::Upstream,
            why: Unknown::new(cause, reason),
            wait,
        }
    }
}
