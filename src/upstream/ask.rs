//! What is asked of the other side, and what it answers.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Method,
    header::{DATE, HeaderMap},
};
use serde::Serialize;

use super::{Failure, pace};
use crate::report::Cause;

/// One request, and what to say when it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Segments below the base; they are percent-encoded, and an empty last one gives a trailing slash.
    pub path: &'a [&'a str],
    pub query: &'a [(&'a str, &'a str)],
    /// Bytes that the answer may hold.
    pub limit: usize,
    /// What a 403 lacks: "the scope `event:read`".
    pub needs: &'a str,
    /// What a 404 calls in question: "`organization` in [checks.errors]".
    pub place: &'a str,
}

/// What a request carries.
#[derive(Clone, Debug)]
pub enum Body {
    Json(Vec<u8>),
    /// `application/x-www-form-urlencoded`.
    Form(String),
}

impl Body {
    /// Of these fields, in their order; a name may hold brackets and come more than once.
    pub fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Self::Form(form.finish())
    }

    pub(super) fn json<B: Serialize>(name: &str, body: &B) -> Result<Self, Failure> {
        serde_json::to_vec(body).map(Self::Json).map_err(|error| {
            let no = anyhow::anyhow!("the request is no JSON ({error}); this is a defect");
            Failure::before(Cause::Decode, name, &no)
        })
    }
}

/// A change that is asked for, once.
#[derive(Clone, Debug)]
pub struct Write<'a> {
    pub method: Method,
    pub ask: Ask<'a>,
    pub body: Body,
    /// Of this request alone: an idempotency key.
    pub headers: &'a [(&'static str, &'a str)],
}

/// A decoded answer with its headers.
#[derive(Debug)]
pub struct Answer<T> {
    pub body: T,
    pub headers: HeaderMap,
    /// By our own clock.
    pub received_at: DateTime<Utc>,
}

impl<T> Answer<T> {
    /// The other side's clock as its `Date` header says.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        pace::http_date(self.headers.get(DATE)?)
    }

    /// How far the other side's clock is ahead of ours.
    pub fn skew(&self) -> Option<TimeDelta> {
        Some(self.date()? - self.received_at)
    }

    pub(super) fn map<U>(
        self,
        body: impl FnOnce(T) -> Result<U, Failure>,
    ) -> Result<Answer<U>, Failure> {
        Ok(Answer {
            body: body(self.body)?,
            headers: self.headers,
            received_at: self.received_at,
        })
    }
}
