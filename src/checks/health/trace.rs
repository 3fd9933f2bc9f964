//! What is known of an attempt while it lasts.

use std::{borrow::Cow, time::Duration};

use chrono::{DateTime, Utc};

use super::{
    Endpoint, page,
    seen::{Answer, Fault},
};
use crate::text::{self, Untrusted};

/// Of the body of an answer that is bad anyway.
pub(super) const ENOUGH_BODY_BYTES: usize = 1024;
const EXCERPT: usize = 200;

/// How far one attempt has come, which names what a time-out means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Lookup,
    Connect,
    Handshake,
    Headers,
    Body,
}

/// What is known of an attempt while it lasts, so that a time-out finds it.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) stage: Stage,
    /// Redirects that were followed.
    pub(super) hops: usize,
    /// The earliest of the certificates on the way.
    pub(super) expires: Option<DateTime<Utc>>,
    pub(super) head: Option<Head>,
    pub(super) body: Vec<u8>,
}

pub(super) struct Head {
    pub(super) status: u16,
    pub(super) latency: Duration,
    pub(super) content_type: Option<String>,
    pub(super) moved_to: Option<Box<Untrusted>>,
}

impl Trace {
    /// What came back, judged by nobody yet.
    pub(super) fn answer(&self, endpoint: &Endpoint) -> Answer {
        let Some(head) = &self.head else {
            return Answer::default();
        };
        let wanted = endpoint.contains.as_deref();
        let html = page::is_html(head.content_type.as_deref(), &self.body);
        let body = if wanted.is_some() || html {
            String::from_utf8_lossy(&self.body)
        } else {
            Cow::Borrowed("")
        };
        let has_text = wanted.map(|text| body.contains(text));
        Answer {
            status: head.status,
            latency: head.latency,
            expires: self.expires,
            lacks_text: has_text == Some(false),
            // A text that proves the service outweighs a form on its page.
            login_page: html && has_text != Some(true) && page::asks_to_log_in(&body),
            moved_to: head.moved_to.clone(),
            excerpt: None,
        }
    }

    /// What it means that the time was up at this point.
    pub(super) fn late(&self, endpoint: &Endpoint, timeout: Duration) -> (Fault, String) {
        let limit = humantime::format_duration(timeout);
        let host = endpoint.url.host_str().unwrap_or_default();
        match (self.stage, self.hops) {
            (Stage::Lookup | Stage::Connect, 1..) => (
                Fault::Redirect,
                format!("redirects to an address that takes no connection within {limit}"),
            ),
            (Stage::Lookup, _) => (
                Fault::Dns,
                format!("can't be found: the DNS look-up of {host} took longer than {limit}"),
            ),
            (Stage::Connect, _) => (
                Fault::ConnectTimeout,
                format!("does not take connections within {limit}"),
            ),
            (Stage::Handshake, _) => (
                Fault::Timeout,
                format!("does not finish the TLS handshake within {limit}"),
            ),
            (Stage::Body, _) => (
                Fault::Timeout,
                format!("sends its headers, but not all of its body within {limit}"),
            ),
            _ => (Fault::Timeout, format!("does not answer within {limit}")),
        }
    }

    /// The first characters, redacted before they are cut, so that no half of a secret stays.
    pub(super) fn excerpt(&self) -> Option<Box<Untrusted>> {
        let start = &self.body[..self.body.len().min(ENOUGH_BODY_BYTES)];
        let line = text::redact(&text::one_line(&String::from_utf8_lossy(start)));
        (!line.is_empty()).then(|| Box::new(text::cut(&line, EXCERPT).into()))
    }
}
