//! How the app is told what people do: over a socket while one is open, else by a signed request.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use url::form_urlencoded;

use super::{
    Place, Shared, TransportFaults, Workspace,
    workspace::remembered::{insert_id, push},
};

mod http;
mod retries;
mod socket;

pub(super) use retries::tell;
pub(super) use socket::serve;

/// Slack waits so long for the ack.
const ACK: Duration = Duration::from_secs(3);

/// So many deliveries are remembered.
const REMEMBERED: usize = 1000;

/// What became of a request to the app.
#[derive(Clone, Debug)]
pub enum Delivered {
    Acked {
        after: Duration,
        /// JSON, a text, or null where it says nothing.
        body: Value,
    },
    /// As Slack names it: `operation_timeout`, `dispatch_failed`.
    Failed(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Command,
    /// A click, a submission, a shortcut: whatever comes as a `payload`.
    Interaction,
    Event,
}

/// One attempt to tell the app something.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub at: DateTime<Utc>,
    pub kind: Kind,
    /// `/ops`, `block_actions`, `app_mention`.
    pub name: String,
    pub by_socket: bool,
    /// 0: the first.
    pub attempt: u8,
    pub after: Duration,
    /// `acked`, or why not: `timeout`, `connection_failed`, `http_error`.
    pub outcome: &'static str,
}

/// A click or a submission that the app did not ack; Slack shows a warning beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub user: String,
    pub place: Place,
    pub action: String,
    /// As Slack names it: `operation_timeout`, `dispatch_failed`.
    pub why: &'static str,
}

/// What became of the requests to the app.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The latest, oldest first.
    pub deliveries: VecDeque<Delivery>,
    /// Gone when the same person tries again there.
    pub failures: Vec<Failure>,
    /// What the app said is wrong with a modal: its view's id, and a sentence by block.
    pub refused: BTreeMap<String, BTreeMap<String, String>>,
    /// What was chosen and not sent off: `values` by user and place.
    pub(super) chosen: BTreeMap<(String, Place), Value>,
    /// Of Socket Mode, handed out and not used.
    tickets: BTreeSet<String>,
}

/// What is to be told.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) payload: Value,
}

/// Which attempt this is after the first, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    number: u8,
    reason: &'static str,
}

/// Why it was not acked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Timeout,
    /// The connection failed, or nobody is there.
    Connection,
    /// Another status than 2xx; whether the app asked not to be told again.
    Status {
        no_retry: bool,
    },
}

impl Why {
    /// For `x-slack-retry-reason`.
    fn reason(self, by_socket: bool) -> &'static str {
        match self {
            Self::Timeout if by_socket => "timeout",
            Self::Timeout => "http_timeout",
            Self::Connection => "connection_failed",
            Self::Status { .. } => "http_error",
        }
    }

    /// What people are told.
    fn told(self) -> &'static str {
        match self {
            Self::Timeout => "operation_timeout",
            Self::Connection | Self::Status { .. } => "dispatch_failed",
        }
    }
}

/// What the ack said.
type Acked = Result<Value, Why>;

/// The ways to the app.
pub(super) struct Wire {
    http: http::Sender,
    pub(super) sockets: socket::Sockets,
    /// For what happens without leaving a trace in the workspace.
    pub(super) happened: mpsc::UnboundedSender<Value>,
    numbers: AtomicU64,
}

impl Wire {
    pub(super) fn new(happened: mpsc::UnboundedSender<Value>) -> Self {
        Self {
            http: http::Sender::new(),
            sockets: socket::Sockets::default(),
            happened,
            numbers: AtomicU64::new(0),
        }
    }

    /// Unique in this workspace.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Shared {
    /// Tells the app, and waits for the ack.
    pub(super) async fn deliver(&self, packet: &Packet) -> Delivered {
        let since = Instant::now();
        match self.send(packet, None).await {
            Ok(body) => Delivered::Acked {
                after: since.elapsed(),
                body,
            },
            Err(why) => Delivered::Failed(why.told()),
        }
    }

    async fn send(&self, packet: &Packet, retry: Option<Retry>) -> Acked {
        let faults: TransportFaults = self.enter().transport.clone();
        sleep(faults.delay).await;
        if faults.refuse {
            return Err(Why::Connection);
        }
        if faults.duplicate {
            let twice = [self.attempt(packet, retry), self.attempt(packet, retry)];
            let mut acked = futures_util::future::join_all(twice).await;
            return acked.swap_remove(0);
        }
        self.attempt(packet, retry).await
    }

    async fn attempt(&self, packet: &Packet, retry: Option<Retry>) -> Acked {
        let since = Instant::now();
        let by_socket = self.wire.sockets.are_open();
        let acked = if by_socket {
            self.over_sockets(packet, retry).await
        } else {
            self.over_http(packet, retry).await
        };
        let mut world = self.enter();
        let delivery = Delivery {
            at: world.now(),
            kind: packet.kind,
            name: packet.name.clone(),
            by_socket,
            attempt: retry.map_or(0, |retry| retry.number),
            after: since.elapsed(),
            outcome: match &acked {
                Ok(_) => "acked",
                Err(why) => why.reason(true),
            },
        };
        push(&mut world.delivery.deliveries, delivery, REMEMBERED);
        acked
    }

    async fn over_http(&self, packet: &Packet, retry: Option<Retry>) -> Acked {
        let (url, secret, now) = {
            let world = self.enter();
            let urls = &world.app.urls;
            let url = match packet.kind {
                Kind::Command => &urls.commands,
                Kind::Interaction => &urls.interactivity,
                Kind::Event => &urls.events,
            };
            let secret = world.app.signing_secret.clone();
            (url.clone().ok_or(Why::Connection)?, secret, world.now())
        };
        let letter = http::Letter {
            body: packet.body(),
            is_json: packet.kind == Kind::Event,
            secret: &secret,
            now,
            retry,
        };
        self.wire.http.post(&url, letter).await
    }
}

impl Packet {
    /// As it is posted.
    fn body(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        match self.kind {
            Kind::Event => self.payload.to_string(),
            Kind::Interaction => form
                .append_pair("payload", &self.payload.to_string())
                .finish(),
            Kind::Command => {
                let fields = self.payload.as_object().into_iter().flatten();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                form.extend_pairs(fields.map(|(name, value)| (name, text(value))))
                    .finish()
            }
        }
    }

    /// As it goes over a socket.
    fn envelope(&self, id: &str, retry: Option<Retry>) -> Value {
        let kind = match self.kind {
            Kind::Command => "slash_commands",
            Kind::Interaction => "interactive",
            Kind::Event => "events_api",
        };
        let answers = ["view_submission", "block_suggestion"];
        let takes_payload = self.kind == Kind::Command || answers.contains(&&*self.name);
        let mut envelope = json!({
            "envelope_id": id, "type": kind, "payload": self.payload, "accepts_response_payload": takes_payload,
        });
        if self.kind == Kind::Event || retry.is_some() {
            envelope["retry_attempt"] = retry.map_or(0, |retry| retry.number).into();
            envelope["retry_reason"] = retry.map_or("", |retry| retry.reason).into();
        }
        envelope
    }
}

impl Workspace {
    /// Where the next connection of Socket Mode is made; good for one.
    pub(super) fn ticket(&mut self) -> String {
        let ticket = self.count().to_string();
        insert_id(&mut self.delivery.tickets, ticket.clone());
        ticket
    }

    /// Points Socket Mode at this address, unless it is pointed elsewhere.
    pub(super) fn listen_at(&mut self, sockets: SocketAddr) {
        if self.socket.is_none() {
            self.socket = format!("ws://{sockets}/link/").parse().ok();
        }
    }
}
