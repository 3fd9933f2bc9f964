//! One connection: its greeting, its pings, its end.

use std::{collections::HashMap, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, interval_at, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
    },
};
use url::form_urlencoded;

use super::{Order, Shared};

const PING: Duration = Duration::from_secs(10);
/// How long a connection is told to last, and how long with `debug_reconnects=true`.
const LIFE: Duration = Duration::from_secs(18_060);
const SHORT_LIFE: Duration = Duration::from_secs(360);
/// The warning comes so long before the end, and the end so long after the request to go.
const NOTICE: Duration = Duration::from_secs(10);
/// Takes connections until it is dropped.
pub(in super::super::super) async fn serve(listener: TcpListener, shared: Shared) {
    let mut talks = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    stream.set_nodelay(true).ok();
                    talks.spawn(attend(stream, shared.clone()));
                }
            }
            Some(_) = talks.join_next(), if !talks.is_empty() => {}
        }
    }
}

async fn attend(stream: TcpStream, shared: Shared) {
    let mut life = LIFE;
    let check = |request: &Request, answer: Response| -> Result<Response, ErrorResponse> {
        let query = request.uri().query().unwrap_or_default();
        let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let ticket = query.get("ticket").map(|it| &**it).unwrap_or_default();
        if query.get("debug_reconnects").is_some_and(|it| it == "true") {
            life = SHORT_LIFE;
        }
        if !shared.enter().delivery.tickets.remove(ticket) {
            let mut refused = ErrorResponse::new(Some("invalid ticket".to_owned()));
            *refused.status_mut() = StatusCode::FORBIDDEN;
            return Err(refused);
        }
        Ok(answer)
    };
    let Ok(socket) = accept_hdr_async(stream, check).await else {
        return;
    };
    let (orders, todo) = mpsc::unbounded_channel();
    let id = shared.wire.number();
    let mut talk = Talk {
        socket,
        shared: shared.clone(),
        leave: Instant::now() + life,
        warn: Instant::now() + life.saturating_sub(NOTICE),
        end: None,
    };
    let Some(open) = shared.wire.sockets.add(id, orders) else {
        talk.disconnect("too_many_websockets").await.ok();
        talk.socket.close(None).await.ok();
        return;
    };
    let _gone = Gone {
        id,
        shared: shared.clone(),
    };
    if talk.greet(open, life).await.is_ok() {
        // Who waits for a connection hears of it.
        shared.changed.send_modify(|changes| *changes += 1);
        talk.run(todo).await.ok();
    }
}

/// Takes a connection off the list, however it ends.
struct Gone {
    id: u64,
    shared: Shared,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.shared.wire.sockets.remove(self.id);
        self.shared.changed.send_modify(|changes| *changes += 1);
    }
}

struct Talk {
    socket: WebSocketStream<TcpStream>,
    shared: Shared,
    warn: Instant,
    leave: Instant,
    /// It was told to go, and is closed then.
    end: Option<Instant>,
}

/// The connection has ended.
struct Ended;

type Said = Result<(), Ended>;

impl Talk {
    async fn greet(&mut self, open: usize, life: Duration) -> Said {
        let app = self.shared.enter().app.id.clone();
        self.say(&json!({
            "type": "hello", "num_connections": open, "connection_info": { "app_id": app },
            "debug_info": {
                "host": "applink-1", "build_number": 1, "approximate_connection_time": life.as_secs(),
            },
        }))
        .await
    }

    async fn run(&mut self, mut todo: mpsc::UnboundedReceiver<Order>) -> Said {
        let mut changes = self.shared.changed.subscribe();
        let mut pings = interval_at(Instant::now() + PING, PING);
        let mut is_warned = false;
        loop {
            if self.flows().await {
                return Err(Ended);
            }
            tokio::select! {
                order = todo.recv() => match order {
                    Some(Order::Say(envelope)) => self.say(&envelope).await?,
                    Some(Order::Leave(reason)) => self.take_leave(reason).await?,
                    Some(Order::Break) | None => return Err(Ended),
                },
                heard = self.socket.next() => self.hear(heard).await?,
                _ = pings.tick() => {
                    let ping = Message::Ping("Ping from applink-1".into());
                    self.socket.send(ping).await.map_err(|_| Ended)?;
                }
                // The faults may have been switched.
                changed = changes.changed() => changed.map_err(|_| Ended)?,
                () = sleep_until(self.warn), if !is_warned => {
                    is_warned = true;
                    self.disconnect("warning").await?;
                }
                () = sleep_until(self.leave), if self.end.is_none() => {
                    self.take_leave("refresh_requested").await?;
                }
                () = sleep_until(self.end.unwrap_or(self.leave)), if self.end.is_some() => {
                    self.socket.close(None).await.ok();
                    return Err(Ended);
                }
            }
        }
    }

    /// Waits while sockets stall; whether it has to break.
    async fn flows(&mut self) -> bool {
        let mut changes = self.shared.changed.subscribe();
        loop {
            let faults = self.shared.enter().transport.clone();
            if faults.drop_sockets || !faults.stall_sockets {
                return faults.drop_sockets;
            }
            if changes.changed().await.is_err() {
                return true;
            }
        }
    }

    async fn hear(
        &mut self,
        heard: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Said {
        let Some(Ok(message)) = heard else {
            return Err(Ended);
        };
        // What came in while sockets stall is read once they flow.
        if self.flows().await {
            return Err(Ended);
        }
        if let Message::Text(text) = message
            && let Ok(said) = serde_json::from_str(&text)
        {
            self.shared.wire.sockets.acked(&said);
        }
        Ok(())
    }

    async fn take_leave(&mut self, reason: &'static str) -> Said {
        self.disconnect(reason).await?;
        if reason != "warning" {
            self.end.get_or_insert(Instant::now() + NOTICE);
        }
        Ok(())
    }

    async fn disconnect(&mut self, reason: &str) -> Said {
        self.say(&json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-1" } }))
            .await
    }

    async fn say(&mut self, said: &Value) -> Said {
        let text = Message::text(said.to_string());
        self.socket.send(text).await.map_err(|_| Ended)
    }
}
