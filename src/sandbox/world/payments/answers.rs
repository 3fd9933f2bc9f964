//! From a request to its answer.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State as Extract,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
};
use serde_json::json;

use super::{
    super::HangUp,
    Account, Trouble,
    admission::Admitted,
    faults::{Spoils, Strike, strike},
    idempotency::Turn,
    keys,
    refusal::Refusal,
    request::Request,
    shapes,
};

/// What each answer of a slow Stripe takes.
const SLOW: Duration = Duration::from_millis(130);

type World = Arc<Mutex<Account>>;

/// Before it becomes a response.
struct Said {
    status: u16,
    body: String,
    kind: &'static str,
    headers: Vec<(&'static str, String)>,
}

/// A request that is being answered. It is over when it is dropped, as when its caller goes away.
struct Visit {
    world: World,
    request: Request,
    place: usize,
    /// Under which its answer is kept.
    key: Option<String>,
    status: Option<u16>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut account = enter(&self.world);
        account.ledger.leave(self.place, self.status);
        if let Some(key) = &self.key {
            account.keys_used.forget(key);
        }
    }
}

fn enter(world: &Mutex<Account>) -> MutexGuard<'_, Account> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn answer(
    Extract(world): Extract<World>,
    Extension(hang_up): Extension<HangUp>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (mut visit, trouble, struck) = {
        let mut account = enter(&world);
        let request = Request::read(&method, &uri, &headers, &body, account.time.now());
        let struck = strike(&mut account.faults, &request);
        let place = account.ledger.enter(request.clone());
        let visit = Visit {
            world: Arc::clone(&world),
            request,
            place,
            key: None,
            status: None,
        };
        (visit, account.trouble, struck)
    };
    match trouble {
        Trouble::Slow => tokio::time::sleep(SLOW).await,
        Trouble::Hangs => pending().await,
        _ => {}
    }
    if trouble == Trouble::Garbage {
        return enter(&world).respond(&visit.request, html());
    }
    let admitted = {
        let mut account = enter(&world);
        let admitted = account.admit(&visit.request, &headers);
        if let Ok(Admitted {
            key: Some(key),
            turn: Turn::First,
            ..
        }) = &admitted
        {
            account.keys_used.begin(key);
            visit.key = Some(key.clone());
        }
        admitted
    };
    let before = struck.as_ref().filter(|strike| !strike.is_after);
    let mut said = match (admitted, before) {
        (Err(refusal), _) => refused(&refusal),
        (Ok(admitted), None) => visit.carry_out(admitted, None),
        (Ok(admitted), Some(strike)) => visit.spoilt(admitted, strike).await,
    };
    enter(&world).meanwhile(&visit.request);
    if let Some(strike) = struck.filter(|strike| strike.is_after) {
        said = visit.spoil_after(said, &strike, &hang_up).await;
    }
    visit.status = Some(said.status);
    let account = enter(&world);
    let response = account.respond(&visit.request, said);
    drop(account);
    response
}

impl Visit {
    /// Before anything was done.
    async fn spoilt(&mut self, admitted: Admitted, strike: &Strike) -> Said {
        let refusal = match &strike.spoils {
            Spoils::Nothing => return self.carry_out(admitted, None),
            Spoils::Waits(time) => {
                tokio::time::sleep(*time).await;
                return self.carry_out(admitted, None);
            }
            Spoils::Hangs | Spoils::HangsUp | Spoils::CutsOff => pending().await,
            Spoils::Says { status, kind, body } => {
                return Said {
                    status: *status,
                    body: (*body).to_owned(),
                    kind,
                    headers: Vec::new(),
                };
            }
            Spoils::Refuses(refusal) => refusal.clone(),
            Spoils::Unauthorized => keys::unknown_key(&admitted.secret),
            Spoils::Forbids(permission) => {
                let account = enter(&self.world);
                account.lacks(&admitted.secret, *permission)
            }
        };
        let refusal = advised(refusal, strike);
        self.carry_out(admitted, Some(refusal))
    }

    /// Does what was asked, or what is told instead; the first answer under a key is kept.
    fn carry_out(&mut self, admitted: Admitted, instead: Option<Refusal>) -> Said {
        if let Turn::Again(kept) = admitted.turn {
            let headers = vec![
                ("idempotent-replayed", "true".to_owned()),
                ("original-request", kept.request),
            ];
            return Said {
                status: kept.status,
                body: kept.body,
                kind: "application/json",
                headers,
            };
        }
        let world = Arc::clone(&self.world);
        let mut account = enter(&world);
        let answered = match instead {
            Some(refusal) => Err(refusal),
            None => (admitted.route.does)(&mut account, &admitted.call(&self.request)),
        };
        let is_kept = answered.as_ref().map_or_else(|it| it.is_kept, |_| true);
        let said = match answered {
            Ok(shown) => {
                let version = self.request.version.as_deref().unwrap_or(&account.version);
                let shown = if shapes::is_older(version) {
                    shapes::older(shown)
                } else {
                    shown
                };
                json_said(200, shown.to_string())
            }
            Err(refusal) => refused(&refusal),
        };
        if let Some(key) = &self.key {
            let id = request_id(self.place);
            if is_kept {
                account
                    .keys_used
                    .keep(key, &self.request, (said.status, &said.body), &id);
            } else {
                account.keys_used.forget(key);
            }
        }
        said
    }

    /// After all was done.
    async fn spoil_after(&mut self, said: Said, strike: &Strike, hang_up: &HangUp) -> Said {
        match &strike.spoils {
            Spoils::Nothing => {}
            Spoils::Waits(time) => tokio::time::sleep(*time).await,
            Spoils::Hangs => pending().await,
            Spoils::HangsUp => {
                hang_up.now();
                pending().await
            }
            Spoils::CutsOff => {
                return Said { kind: CUT, ..said };
            }
            Spoils::Says { status, kind, body } => {
                return Said {
                    status: *status,
                    body: (*body).to_owned(),
                    kind,
                    headers: Vec::new(),
                };
            }
            Spoils::Refuses(refusal) => {
                let said = refused(&advised(refusal.clone(), strike));
                if let Some(key) = self.key.as_ref().filter(|_| refusal.is_kept) {
                    let id = request_id(self.place);
                    enter(&self.world).keys_used.keep(
                        key,
                        &self.request,
                        (said.status, &said.body),
                        &id,
                    );
                }
                return said;
            }
            Spoils::Unauthorized | Spoils::Forbids(_) => {
                return refused(&keys::no_key());
            }
        }
        said
    }
}

/// Of something in between.
fn html() -> Said {
    Said {
        kind: "text/html",
        ..json_said(
            200,
            "<html><title>Corporate proxy</title><p>Please accept the terms of use.".to_owned(),
        )
    }
}

/// Marks an answer that ends in its middle.
const CUT: &str = "cut";

fn advised(refusal: Refusal, strike: &Strike) -> Refusal {
    match strike.should_retry {
        Some(should) => refusal.header("stripe-should-retry", &should.to_string()),
        None => refusal,
    }
}

fn json_said(status: u16, body: String) -> Said {
    Said {
        status,
        body,
        kind: "application/json",
        headers: Vec::new(),
    }
}

fn refused(refusal: &Refusal) -> Said {
    Said {
        headers: refusal.headers.clone(),
        ..json_said(refusal.status, json!({"error": refusal.error}).to_string())
    }
}

/// Of the request at that place in the ledger.
fn request_id(place: usize) -> String {
    shapes::minted("req_", &place.to_string())
        .chars()
        .take(18)
        .collect()
}

impl Account {
    fn respond(&self, request: &Request, said: Said) -> Response {
        let is_cut = said.kind == CUT;
        let kind = if is_cut {
            "application/json"
        } else {
            said.kind
        };
        let date = self.date().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let id = request_id(self.ledger.requests.len());
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
