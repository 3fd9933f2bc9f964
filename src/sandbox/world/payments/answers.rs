//! From a request to its answer.

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    body::Bytes,
    extract::State as Extract,
    http::{HeaderMap, Method, Uri},
    response::Response,
};

use super::{
    super::HangUp,
    Account, Trouble,
    admission::Admitted,
    faults::{Spoils, Strike, strike},
    idempotency::Turn,
    keys,
    refusal::Refusal,
    request::Request,
    said::{CUT, Said, html, json_said, refused, request_id},
    shapes,
};

/// What each answer of a slow Stripe takes.
const SLOW: Duration = Duration::from_millis(130);

type World = Arc<Mutex<Account>>;

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
        return enter(&world).respond(&visit.request, visit.place, html());
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
    let response = account.respond(&visit.request, visit.place, said);
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

fn advised(refusal: Refusal, strike: &Strike) -> Refusal {
    match strike.should_retry {
        Some(should) => refusal.header("stripe-should-retry", &should.to_string()),
        None => refusal,
    }
}
