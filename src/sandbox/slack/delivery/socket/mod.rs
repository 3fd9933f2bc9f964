//! Slack's side of Socket Mode.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use super::{super::Slack, ACK, Acked, Packet, Retry, Shared, Why};

mod talk;

pub(in super::super) use talk::serve;

const MOST: usize = 10;

/// The open connections, and the envelopes that wait for their acks.
#[derive(Default)]
pub(in super::super) struct Sockets {
    lines: Mutex<Vec<Line>>,
    waiting: Mutex<HashMap<String, Waiting>>,
    turn: AtomicUsize,
}

struct Line {
    id: u64,
    orders: mpsc::UnboundedSender<Order>,
    /// It was told to go.
    is_leaving: bool,
}

struct Waiting {
    line: u64,
    acked: oneshot::Sender<Value>,
}

enum Order {
    Say(Value),
    /// Says that, and ends a little later.
    Leave(&'static str),
    /// The connection breaks without a word.
    Break,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sockets {
    pub(in super::super) fn are_open(&self) -> bool {
        !locked(&self.lines).is_empty()
    }

    /// How many are open.
    pub(in super::super) fn count(&self) -> usize {
        locked(&self.lines).len()
    }

    /// Some are open, and none of them was told to go.
    pub(in super::super) fn are_settled(&self) -> bool {
        let lines = locked(&self.lines);
        !lines.is_empty() && lines.iter().all(|line| !line.is_leaving)
    }

    pub(in super::super) fn leave(&self, reason: &'static str) {
        for line in locked(&self.lines).iter_mut() {
            line.is_leaving = true;
            line.orders.send(Order::Leave(reason)).ok();
        }
    }

    pub(in super::super) fn break_off(&self) {
        for line in locked(&self.lines).iter() {
            line.orders.send(Order::Break).ok();
        }
    }

    /// The number of open connections with this one; None: there are too many.
    fn add(&self, id: u64, orders: mpsc::UnboundedSender<Order>) -> Option<usize> {
        let mut lines = locked(&self.lines);
        if lines.len() == MOST {
            return None;
        }
        lines.push(Line {
            id,
            orders,
            is_leaving: false,
        });
        Some(lines.len())
    }

    /// What waits for an ack over it is lost.
    fn remove(&self, id: u64) {
        locked(&self.lines).retain(|line| line.id != id);
        locked(&self.waiting).retain(|_, waiting| waiting.line != id);
    }

    /// Gives an envelope to one of the connections, in turn. None: none is open.
    fn give(&self, id: &str, envelope: Value) -> Option<oneshot::Receiver<Value>> {
        let lines = locked(&self.lines);
        let staying: Vec<&Line> = lines.iter().filter(|line| !line.is_leaving).collect();
        let choice = if staying.is_empty() {
            lines.iter().collect()
        } else {
            staying
        };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let line = choice.get(turn % choice.len().max(1))?;
        let (acked, ack) = oneshot::channel();
        let waiting = Waiting {
            line: line.id,
            acked,
        };
        locked(&self.waiting).insert(id.to_owned(), waiting);
        line.orders.send(Order::Say(envelope)).ok();
        Some(ack)
    }

    fn acked(&self, said: &Value) {
        let id = said["envelope_id"].as_str().unwrap_or_default();
        if let Some(waiting) = locked(&self.waiting).remove(id) {
            waiting.acked.send(said["payload"].clone()).ok();
        }
    }
}

impl Shared {
    /// What breaks off before the ack goes over another connection, if one is there in time.
    pub(super) async fn over_sockets(&self, packet: &Packet, mut retry: Option<Retry>) -> Acked {
        let until = Instant::now() + ACK;
        loop {
            let id = envelope_id(self.wire.number());
            let Some(ack) = self.wire.sockets.give(&id, packet.envelope(&id, retry)) else {
                return Err(Why::Connection);
            };
            match timeout_at(until, ack).await {
                Ok(Ok(said)) => return Ok(answered(said)),
                Ok(Err(_)) => {
                    let number = retry.map_or(1, |retry| retry.number + 1);
                    if number > 3 || !self.connected(until).await {
                        return Err(Why::Connection);
                    }
                    retry = Some(Retry {
                        number,
                        reason: "timeout",
                    });
                }
                Err(_) => {
                    locked(&self.wire.sockets.waiting).remove(&id);
                    return Err(Why::Timeout);
                }
            }
        }
    }

    /// Whether a connection is open by then.
    async fn connected(&self, until: Instant) -> bool {
        let mut changes = self.changed.subscribe();
        while !self.wire.sockets.are_open() {
            if !matches!(timeout_at(until, changes.changed()).await, Ok(Ok(()))) {
                return false;
            }
        }
        true
    }
}

impl Slack {
    /// Tells open sockets to be renewed, as Slack does every few hours: `warning`, `refresh_requested`, `link_disabled`.
    pub fn refresh_sockets(&self, reason: &'static str) {
        self.shared.wire.sockets.leave(reason);
    }

    /// Open sockets break without a word; new ones don't.
    pub fn drop_sockets(&self) {
        self.shared.wire.sockets.break_off();
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.shared.wire.sockets.count()
    }

    /// Some sockets are open, and all that were told to go are gone.
    pub fn has_settled_sockets(&self) -> bool {
        self.shared.wire.sockets.are_settled()
    }
}

/// The SDKs ack with an empty payload where they have nothing to say.
fn answered(said: Value) -> Value {
    match said {
        Value::Object(fields) if fields.is_empty() => Value::Null,
        Value::String(text) if text.is_empty() => Value::Null,
        said => said,
    }
}

fn envelope_id(number: u64) -> String {
    format!("57d6a792-4d35-4d0b-b6aa-{number:012x}")
}
