//! `Idempotency-Key`: the first answer to a change is the answer to every repetition.

use std::collections::BTreeMap;

use super::{refusal::Refusal, request::Request};

/// What is known of one key.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Somebody's request with it is being carried out.
    InProgress,
    Answered(Kept),
}

#[derive(Clone, Debug)]
pub(super) struct Kept {
    line: String,
    pub status: u16,
    pub body: String,
    /// `Request-Id` of the first request.
    pub request: String,
}

/// By account, mode and key.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(BTreeMap<String, Known>);

/// What is to be done with a request.
#[derive(Debug)]
pub(super) enum Turn {
    /// Nothing is known of it: carry it out.
    First,
    Again(Kept),
}

impl Keys {
    pub(super) fn turn(&self, name: &str, request: &Request) -> Result<Turn, Refusal> {
        let key = request.idempotency_key.as_deref().unwrap_or_default();
        if key.len() > 255 {
            let message = "Idempotency keys can be at most 255 characters long.";
            return Err(Refusal::new(400, "idempotency_error", message));
        }
        match self.0.get(name) {
            None => Ok(Turn::First),
            Some(Known::InProgress) => {
                let message = format!(
                    "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): {key}. Please try again later."
                );
                Err(Refusal::new(409, "idempotency_error", &message)
                    .coded("idempotency_key_in_use"))
            }
            Some(Known::Answered(kept)) if kept.line == request.line() => {
                Ok(Turn::Again(kept.clone()))
            }
            Some(Known::Answered(_)) => {
                let message = format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request."
                );
                Err(Refusal::new(400, "idempotency_error", &message))
            }
        }
    }

    pub(super) fn begin(&mut self, name: &str) {
        self.0.insert(name.to_owned(), Known::InProgress);
    }

    /// It was not carried out after all.
    pub(super) fn forget(&mut self, name: &str) {
        if matches!(self.0.get(name), Some(Known::InProgress)) {
            self.0.remove(name);
        }
    }

    pub(super) fn keep(&mut self, name: &str, request: &Request, answer: (u16, &str), id: &str) {
        let kept = Kept {
            line: request.line(),
            status: answer.0,
            body: answer.1.to_owned(),
            request: id.to_owned(),
        };
        self.0.insert(name.to_owned(), Known::Answered(kept));
    }
}
