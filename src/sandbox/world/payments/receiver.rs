//! The company's own handler of Stripe's events: it checks the signature, and does each event once.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    body::Bytes,
    extract::State as Extract,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use url::Url;

use super::super::Door;
use crate::sandbox::time::Time;

/// The endpoint's signing secret. Written so that no scanner takes it for somebody's.
pub const SIGNING_SECRET: &str = concat!("whsec_", "AcmeDailyOps0123456789abcdef");

/// Seconds by which a signature's time may differ from ours, as Stripe's own libraries check it.
const TOLERANCE: i64 = 300;

/// What it is like. A test changes it at any time.
pub struct Handler {
    time: Time,
    pub secret: String,
    /// It answers 500, and does nothing.
    pub fails: bool,
    /// It does the event, and its answer is an error all the same.
    pub forgets_to_answer: bool,
    pub arrived: Vec<Arrival>,
    /// Why deliveries were turned away.
    pub refused: Vec<&'static str>,
    done: BTreeSet<String>,
}

/// A delivery whose signature was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// `evt_...`.
    pub event: String,
    pub kind: String,
    pub at: DateTime<Utc>,
    /// It was done before, so nothing was done.
    pub is_known: bool,
    /// As it came.
    pub body: String,
}

/// The handler on a loopback address; it closes when it is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    handler: Arc<Mutex<Handler>>,
    door: Door,
}

impl Receiver {
    pub async fn open(time: Time) -> anyhow::Result<Self> {
        let handler = Arc::new(Mutex::new(Handler {
            time,
            secret: SIGNING_SECRET.to_owned(),
            fails: false,
            forgets_to_answer: false,
            arrived: Vec::new(),
            refused: Vec::new(),
            done: BTreeSet::new(),
        }));
        let routes = axum::Router::new()
            .route("/webhooks/stripe", axum::routing::post(take))
            .with_state(Arc::clone(&handler));
        let door = Door::open(routes).await?;
        Ok(Self {
            address: door.address,
            handler,
            door,
        })
    }

    pub fn url(&self) -> Url {
        format!("http://{}/webhooks/stripe", self.address)
            .parse()
            .expect("it is an address")
    }

    pub fn handler(&self) -> MutexGuard<'_, Handler> {
        enter(&self.handler)
    }

    /// From now on, it answers 500 or not.
    pub fn fail(&self, fails: bool) {
        self.handler().fails = fails;
    }

    pub(super) fn calm(&self) {
        self.fail(false);
    }

    pub(super) fn cut(&self, gone: bool) -> anyhow::Result<()> {
        self.door.cut(gone)
    }
}

fn enter(handler: &Mutex<Handler>) -> MutexGuard<'_, Handler> {
    handler.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(
    Extract(handler): Extract<Arc<Mutex<Handler>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    enter(&handler).take(&headers, &body).into_response()
}

impl Handler {
    fn take(&mut self, headers: &HeaderMap, body: &[u8]) -> (StatusCode, &'static str) {
        if self.fails {
            return (StatusCode::INTERNAL_SERVER_ERROR, "the handler is broken");
        }
        let signature = headers.get("stripe-signature");
        let signature = signature.and_then(|value| value.to_str().ok());
        if let Err(why) = self.verify(signature.unwrap_or_default(), body) {
            self.refused.push(why);
            return (StatusCode::BAD_REQUEST, why);
        }
        let Ok(event) = serde_json::from_slice::<Value>(body) else {
            self.refused.push("the body is no JSON");
            return (StatusCode::BAD_REQUEST, "the body is no JSON");
        };
        let said = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let is_known = !self.done.insert(said("id"));
        self.arrived.push(Arrival {
            event: said("id"),
            kind: said("type"),
            at: self.time.now(),
            is_known,
            body: String::from_utf8_lossy(body).into_owned(),
        });
        match self.forgets_to_answer {
            true => (StatusCode::BAD_GATEWAY, "the answer was lost"),
            false => (StatusCode::OK, "done"),
        }
    }

    /// `t=1790000000,v1=<hexadecimal HMAC-SHA256 of "{t}.{body}">`.
    fn verify(&self, signature: &str, body: &[u8]) -> Result<(), &'static str> {
        let fields = || {
            signature
                .split(',')
                .filter_map(|field| field.split_once('='))
        };
        let time = fields().find(|(name, _)| *name == "t");
        let time = time.map(|(_, time)| time).ok_or("there is no timestamp")?;
        let at: i64 = time.parse().map_err(|_| "the timestamp is no number")?;
        if (self.time.now().timestamp() - at).abs() > TOLERANCE {
            return Err("the timestamp is too far away");
        }
        let expected = |code: &[u8]| {
            let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes());
            let mac = mac.map(|mac| mac.chain_update(time).chain_update(".").chain_update(body));
            mac.is_ok_and(|mac| mac.verify_slice(code).is_ok())
        };
        let codes = fields().filter(|(name, _)| *name == "v1");
        let mut codes = codes.filter_map(|(_, code)| hex::decode(code).ok());
        codes
            .any(|code| expected(&code))
            .then_some(())
            .ok_or("no signature matches the body and the secret")
    }
}
