//! Slack's requests over HTTP. Limits and the look of the signature come first, then the signature over the raw bytes, and
//! only then is anything understood.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use secrecy::SecretString;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{
    Inbox,
    payload::{self, Fields, Unreadable},
    signature::{Forged, could_be_right, verify},
    taken::{Answer, count, errors, measure_ack, take},
};
use crate::schedule::Clock;

const TRANSPORT: &str = "http";

/// Bytes of a slash command's or an event's body.
const LIMIT: usize = 64 << 10;

/// An interaction carries the whole message that was clicked.
const INTERACTION_LIMIT: usize = 1 << 20;

/// Bytes of an unsigned form: Slack's look at our certificate is far smaller.
const UNSIGNED_LIMIT: usize = 4 << 10;

/// Bytes of all bodies that are being read and checked, in `UNIT`s.
const ROOM: usize = 64 << 10;

/// Bytes.
const UNIT: usize = 1 << 10;

/// What the routes need.
pub struct Door {
    /// More than one while one is being rotated.
    pub secrets: Vec<SecretString>,
    pub inbox: Arc<dyn Inbox>,
    pub clock: Clock,
}

/// `POST /slack/commands`, `/slack/interactions`, `/slack/events`.
pub fn router(door: Door) -> Router {
    async fn commands(State(entrance): State<Arc<Entrance>>, request: Request) -> Response {
        entrance.answer(&COMMANDS, request).await
    }
    async fn interactions(State(entrance): State<Arc<Entrance>>, request: Request) -> Response {
        entrance.answer(&INTERACTIONS, request).await
    }
    async fn events(State(entrance): State<Arc<Entrance>>, request: Request) -> Response {
        entrance.answer(&EVENTS, request).await
    }
    Router::new()
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions))
        .route("/slack/events", post(events))
        .with_state(Arc::new(Entrance {
            door,
            room: Semaphore::new(ROOM),
        }))
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

/// The door, and what fits through it at a time.
struct Entrance {
    door: Door,
    room: Semaphore,
}

impl Entrance {
    async fn answer(&self, route: &Route, request: Request) -> Response {
        let since = Instant::now();
        let (head, body) = request.into_parts();
        if is_announced_beyond(&head.headers, route.limit) {
            return Unread::TooLarge.refuse(route);
        }
        let signed = match Signed::of(&head.headers, (self.door.clock)()) {
            Ok(signed) => signed,
            Err(forged) => return self.unsigned(route, forged, &head.headers, body).await,
        };
        let (body, room) = match whole(&self.room, &head.headers, body, route.limit).await {
            Ok(read) => read,
            Err(unread) => return unread.refuse(route),
        };
        let now = (self.door.clock)();
        if let Err(forged) = signed.verify(&self.door.secrets, &body, now) {
            return refuse(route, forged);
        }
        let read = (route.read)(&body, now);
        drop((body, room));
        let taken = take(read, &*self.door.inbox, TRANSPORT).await;
        count(TRANSPORT, taken.kind, taken.outcome);
        if !matches!(taken.answer, Answer::NotKept | Answer::Unreadable) {
            measure_ack(TRANSPORT, taken.kind, since);
        }
        response(taken.answer)
    }

    /// Slack's look at our certificate is a form with `ssl_check=1`, which Bolt for JavaScript and for Python answer with
    /// 200 before they check any signature. So is it here where there is none: nothing is done for it.
    async fn unsigned(
        &self,
        route: &Route,
        forged: Forged,
        headers: &HeaderMap,
        body: Body,
    ) -> Response {
        let is_unsigned = matches!(forged, Forged::NoTimestamp | Forged::NoSignature);
        if route.is_form
            && is_unsigned
            && let Ok((body, _room)) = whole(&self.room, headers, body, UNSIGNED_LIMIT).await
            && Fields::of_form(&body).is_ssl_check()
        {
            count(TRANSPORT, "ssl_check", "answered");
            return StatusCode::OK.into_response();
        }
        refuse(route, forged)
    }
}

/// The body, with the room that it takes, unless it is too long; one that says so itself is not read at all.
async fn whole<'r>(
    room: &'r Semaphore,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<(Vec<u8>, SemaphorePermit<'r>), Unread> {
    if is_announced_beyond(headers, limit) {
        return Err(Unread::TooLarge);
    }
    let mut body = Limited::new(body, limit);
    let (mut read, mut taken) = (Vec::new(), take_room(room, 0)?);
    // Room is taken for what has come, not for what is announced: who sends nothing keeps nobody out.
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| Unread::of(&*error))?.into_data() else {
            continue;
        };
        let more = (read.len() + data.len()).div_ceil(UNIT) - read.len().div_ceil(UNIT);
        taken.merge(take_room(room, more)?);
        read.extend_from_slice(&data);
    }
    Ok((read, taken))
}

fn is_announced_beyond(headers: &HeaderMap, limit: usize) -> bool {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
        .is_some_and(|length| length > limit as u64)
}

fn take_room(room: &Semaphore, units: usize) -> Result<SemaphorePermit<'_>, Unread> {
    let units = u32::try_from(units).map_err(|_| Unread::TooLarge)?;
    room.try_acquire_many(units).map_err(|_| Unread::Crowded)
}

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
enum Unread {
    TooLarge,
    CutOff,
    /// Others fill the room.
    Crowded,
}

impl Unread {
    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        if error.is::<LengthLimitError>() {
            Self::TooLarge
        } else {
            Self::CutOff
        }
    }

    fn refuse(self, route: &Route) -> Response {
        let (status, outcome) = match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::CutOff => (StatusCode::BAD_REQUEST, "cut_off"),
            Self::Crowded => (StatusCode::SERVICE_UNAVAILABLE, "crowded"),
        };
        count(TRANSPORT, route.kind, outcome);
        status.into_response()
    }
}

/// What a request claims to be signed with.
struct Signed<'a> {
    timestamp: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    fn of(headers: &'a HeaderMap, now: DateTime<Utc>) -> Result<Self, Forged> {
        let timestamp = only(headers, "x-slack-request-timestamp").ok_or(Forged::NoTimestamp)?;
        let signature = only(headers, "x-slack-signature").ok_or(Forged::NoSignature)?;
        could_be_right(timestamp, signature, now)?;
        Ok(Self {
            timestamp,
            signature,
        })
    }

    fn verify(
        &self,
        secrets: &[SecretString],
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), Forged> {
        verify(secrets, self.timestamp, self.signature, body, now)
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    all.next().is_none().then_some(first.as_bytes())
}

fn refuse(route: &Route, forged: Forged) -> Response {
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(room: &Semaphore, length: usize) -> Result<usize, Unread> {
        let body = Body::from(vec![b'x'; length]);
        let read = whole(room, &HeaderMap::new(), body, LIMIT).await;
        read.map(|(body, _)| body.len())
    }

    #[tokio::test]
    async fn bodies_share_one_room_and_leave_it_when_they_are_dealt_with() {
        let room = Semaphore::new(4);
        for _ in 0..3 {
            assert_eq!(read(&room, 4 * UNIT).await, Ok(4 * UNIT));
        }
        assert_eq!(read(&room, 4 * UNIT + 1).await, Err(Unread::Crowded));
        let body = Body::from(vec![b'x'; UNIT + 1]);
        let held = whole(&room, &HeaderMap::new(), body, LIMIT).await.unwrap();
        assert_eq!(read(&room, 2 * UNIT + 1).await, Err(Unread::Crowded));
        assert_eq!(read(&room, 2 * UNIT).await, Ok(2 * UNIT));
        drop(held);
        assert_eq!(room.available_permits(), 4);
    }

    #[tokio::test]
    async fn what_is_announced_takes_no_room_before_it_comes() {
        let room = Semaphore::new(1);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, (LIMIT as u64).into());
        let slow = Body::from_stream(futures_util::stream::pending::<
            Result<Vec<u8>, std::io::Error>,
        >());
        let mut slow = std::pin::pin!(whole(&room, &headers, slow, LIMIT));
        assert!(futures_util::poll!(&mut slow).is_pending());
        assert_eq!(read(&room, UNIT).await, Ok(UNIT));
    }
}
