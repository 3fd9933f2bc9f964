//! Slack's requests over HTTP. Limits come first, then the signature over the raw bytes, and only then is anything read.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use secrecy::SecretString;
use tokio::time::Instant;

use super::{
    Inbox,
    payload::{self, Fields, Unreadable},
    signature::{Forged, verify},
    taken::{Answer, count, errors, measure_ack, take},
};
use crate::schedule::Clock;

const TRANSPORT: &str = "http";

/// Bytes of a slash command's or an event's body.
const LIMIT: usize = 64 << 10;

/// An interaction carries the whole message that was clicked.
const INTERACTION_LIMIT: usize = 1 << 20;

/// What the routes need.
pub struct Door {
    /// More than one while one is being rotated.
    pub secrets: Vec<SecretString>,
    pub inbox: Arc<dyn Inbox>,
    pub clock: Clock,
}

/// `POST /slack/commands`, `/slack/interactions`, `/slack/events`.
pub fn router(door: Door) -> Router {
    async fn commands(State(door): State<Arc<Door>>, request: Request) -> Response {
        door.answer(&COMMANDS, request).await
    }
    async fn interactions(State(door): State<Arc<Door>>, request: Request) -> Response {
        door.answer(&INTERACTIONS, request).await
    }
    async fn events(State(door): State<Arc<Door>>, request: Request) -> Response {
        door.answer(&EVENTS, request).await
    }
    Router::new()
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions))
        .route("/slack/events", post(events))
        .with_state(Arc::new(door))
}

/// What is posted to one address.
struct Route {
    /// The label of what is refused before it is read.
    kind: &'static str,
    limit: usize,
    is_form: bool,
    read: fn(&[u8], DateTime<Utc>) -> Result<payload::Request, Unreadable>,
}

const COMMANDS: Route = Route {
    kind: "command",
    limit: LIMIT,
    is_form: true,
    read: payload::command,
};
const INTERACTIONS: Route = Route {
    kind: "interactive",
    limit: INTERACTION_LIMIT,
    is_form: true,
    read: payload::interaction_form,
};
const EVENTS: Route = Route {
    kind: "events_api",
    limit: LIMIT,
    is_form: false,
    read: |json, _| payload::event(json),
};

impl Door {
    async fn answer(&self, route: &Route, request: Request) -> Response {
        let since = Instant::now();
        let (head, body) = request.into_parts();
        let body = match whole(&head.headers, body, route.limit).await {
            Ok(body) => body,
            Err((status, outcome)) => {
                count(TRANSPORT, route.kind, outcome);
                return status.into_response();
            }
        };
        let now = (self.clock)();
        if let Err(forged) = self.verify(&head.headers, &body, now) {
            return refusal(route, forged, &body);
        }
        let taken = take((route.read)(&body, now), &*self.inbox, TRANSPORT).await;
        count(TRANSPORT, taken.kind, taken.outcome);
        if !matches!(taken.answer, Answer::NotKept | Answer::Unreadable) {
            measure_ack(TRANSPORT, taken.kind, since);
        }
        response(taken.answer)
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Result<(), Forged> {
        let timestamp = only(headers, "x-slack-request-timestamp").ok_or(Forged::NoTimestamp)?;
        let signature = only(headers, "x-slack-signature").ok_or(Forged::NoSignature)?;
        verify(&self.secrets, timestamp, signature, body, now)
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    all.next().is_none().then_some(first.as_bytes())
}

/// The body, unless it is too long; one that says so itself is not read at all.
async fn whole(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Bytes, (StatusCode, &'static str)> {
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large);
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large),
        Err(_) => Err((StatusCode::BAD_REQUEST, "cut_off")),
    }
}

/// Slack's look at our certificate is a form with `ssl_check=1`, which Bolt for JavaScript and for Python answer with
/// 200 before they check any signature. So is it here where there is none: nothing is done for it.
fn refusal(route: &Route, forged: Forged, body: &[u8]) -> Response {
    let is_unsigned = matches!(forged, Forged::NoTimestamp | Forged::NoSignature);
    if route.is_form && is_unsigned && body.len() <= LIMIT && Fields::of_form(body).is_ssl_check() {
        count(TRANSPORT, "ssl_check", "answered");
        return StatusCode::OK.into_response();
    }
    tracing::warn!(
        kind = route.kind,
        "a request was refused as not Slack's: {forged}"
    );
    count(TRANSPORT, route.kind, "forged");
    StatusCode::UNAUTHORIZED.into_response()
}

fn response(answer: Answer) -> Response {
    match answer {
        Answer::Ack => StatusCode::OK.into_response(),
        Answer::Challenge(text) => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        }
        Answer::Errors { block, say } => (
            [(header::CONTENT_TYPE, "application/json")],
            errors(block, say).to_string(),
        )
            .into_response(),
        Answer::Unreadable => StatusCode::BAD_REQUEST.into_response(),
        Answer::NotKept => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
