//! An answer on its way to the wire.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

use super::{Account, refusal::Refusal, request::Request, shapes};

/// Before it becomes a response.
pub(super) struct Said {
    pub status: u16,
    pub body: String,
    pub kind: &'static str,
    pub headers: Vec<(&'static str, String)>,
}

/// Marks an answer that ends in its middle.
pub(super) const CUT: &str = "cut";

pub(super) fn json_said(status: u16, body: String) -> Said {
    Said {
        status,
        body,
        kind: "application/json",
        headers: Vec::new(),
    }
}

pub(super) fn refused(refusal: &Refusal) -> Said {
    Said {
        headers: refusal.headers.clone(),
        ..json_said(refusal.status, json!({"error": refusal.error}).to_string())
    }
}

/// Of something in between.
pub(super) fn html() -> Said {
    Said {
        kind: "text/html",
        ..json_said(
            200,
            "<html><title>Corporate proxy</title><p>Please accept the terms of use.".to_owned(),
        )
    }
}

/// Of the request at that place in the ledger.
pub(super) fn request_id(place: usize) -> String {
    shapes::minted("req_", &place.to_string())
        .chars()
        .take(18)
        .collect()
}

impl Account {
    pub(super) fn respond(&self, request: &Request, place: usize, said: Said) -> Response {
        let is_cut = said.kind == CUT;
        let kind = if is_cut {
            "application/json"
        } else {
            said.kind
        };
        let date = self.date().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let id = request_id(place);
        let version = request.version.as_deref().unwrap_or(&self.version);
        let own = [
            ("content-type", kind),
            ("date", date.as_str()),
            ("request-id", id.as_str()),
            ("stripe-version", version),
        ];
        let echo = request
            .idempotency_key
            .as_deref()
            .map(|key| ("idempotency-key", key));
        let more = said
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let length = said.body.len();
        let mut response = Response::new(match is_cut {
            false => Body::from(said.body),
            true => half(said.body),
        });
        *response.status_mut() =
            StatusCode::from_u16(said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        for (name, value) in own.into_iter().chain(echo).chain(more) {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if is_cut {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        response
    }
}

/// Its first half, and then nothing.
fn half(body: String) -> Body {
    let mut bytes = body.into_bytes();
    bytes.truncate(bytes.len() / 2);
    let first = futures_util::stream::iter([Ok::<_, Infallible>(bytes)]);
    Body::from_stream(first)
}
