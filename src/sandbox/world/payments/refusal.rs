//! What Stripe answers when it does not do what was asked.

use serde_json::{Value, json};

use super::shapes;

/// An answer that is no 200.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub status: u16,
    /// `error`.
    pub error: Value,
    pub headers: Vec<(&'static str, String)>,
    /// The work had begun, so the answer is kept under its idempotency key.
    pub is_kept: bool,
}

pub(super) type Answered = Result<Value, Refusal>;

impl Refusal {
    pub(super) fn new(status: u16, kind: &str, message: &str) -> Self {
        Self {
            status,
            error: json!({"message": message, "type": kind}),
            headers: Vec::new(),
            is_kept: false,
        }
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    pub(super) fn of_param(self, param: &str) -> Self {
        self.with("param", param)
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Value::Object(fields) = &mut self.error {
            fields.insert(name.to_owned(), value.into());
        }
        self
    }

    pub(super) fn coded(self, code: &str) -> Self {
        let doc = shapes::doc_url(code);
        self.with("code", code).with("doc_url", doc)
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn kept(self) -> Self {
        Self {
            is_kept: true,
            ..self
        }
    }

    pub(super) fn unrecognized(method: &str, path: &str) -> Self {
        let message = format!(
            "Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
        );
        Self::new(404, "invalid_request_error", &message)
    }

    pub(super) fn unknown_param(name: &str) -> Self {
        let message = format!("Received unknown parameter: {name}");
        Self::invalid(&message)
            .coded("parameter_unknown")
            .of_param(name)
    }

    /// `No such invoice: 'in_1'`; 404 if the address named it, 400 if a parameter did.
    pub(super) fn missing(status: u16, what: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {what}: '{id}'");
        Self::new(status, "invalid_request_error", &message)
            .coded("resource_missing")
            .of_param(param)
    }

    pub(super) fn failed() -> Self {
        let message = "An unknown error occurred. If you need help, contact us at https://support.stripe.com/.";
        Self::new(500, "api_error", message).kept()
    }

    pub(super) fn unavailable() -> Self {
        let message = "Stripe is being maintained. Please try again shortly.";
        Self::new(503, "api_error", message)
    }

    /// Too many requests, for one of Stripe's reasons: `global-rate`.
    pub(super) fn limited(reason: &str) -> Self {
        let message = "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.";
        Self::new(429, "invalid_request_error", message)
            .coded("rate_limit")
            .header("stripe-rate-limited-reason", reason)
    }

    /// The object is in another's hands.
    pub(super) fn locked() -> Self {
        let message = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.";
        Self::new(429, "invalid_request_error", message).coded("lock_timeout")
    }
}
