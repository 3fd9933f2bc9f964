//! Slack's side of Socket Mode: addresses that hold for one connection, and what is said over it.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use daily_ops::slack::socket::Opener;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};
use url::Url;

/// How `apps.connections.open` goes wrong once.
pub(crate) enum Opening {
    Fails(anyhow::Error),
    /// It doesn't answer.
    Never,
    /// At an address where nothing is said.
    AtADeafAddress,
}

pub(crate) struct SocketMode {
    url: Url,
    deaf: Url,
    lines: mpsc::UnboundedReceiver<Line>,
    opened: Arc<AtomicUsize>,
    openings: Arc<Mutex<VecDeque<Opening>>>,
    greets: Arc<AtomicBool>,
    _deaf: TcpListener,
}

/// A connection of the bot.
pub(crate) struct Line {
    act: mpsc::UnboundedSender<Act>,
    said: mpsc::UnboundedReceiver<Value>,
}

enum Act {
    Send(Message),
    /// The connection breaks without a word.
    Break,
    /// It stays open, and nothing is read or said any more.
    Stall,
}

impl SocketMode {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let deaf_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = |listener: &TcpListener| {
            let address = listener.local_addr().unwrap();
            format!("ws://{address}/link/?ticket=secret-ticket")
                .parse()
                .unwrap()
        };
        let (url, deaf) = (url(&listener), url(&deaf_listener));
        let greets = Arc::new(AtomicBool::new(true));
        let (tell, lines) = mpsc::unbounded_channel();
        tokio::spawn(accept(listener, Arc::clone(&greets), tell));
        Self {
            url,
            deaf,
            lines,
            opened: Arc::default(),
            openings: Arc::default(),
            greets,
            _deaf: deaf_listener,
        }
    }

    /// The first openings go wrong.
    pub(crate) fn opens(&self, openings: impl IntoIterator<Item = Opening>) {
        self.openings.lock().unwrap().extend(openings);
    }

    /// Whether the next connections are told hello.
    pub(crate) fn greet(&self, greets: bool) {
        self.greets.store(greets, Ordering::SeqCst);
    }

    /// For what `apps.connections.open` answers.
    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// How often an address was asked for.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    pub(crate) fn opener(&self) -> Opener {
        let (url, deaf) = (self.url.clone(), self.deaf.clone());
        let (opened, openings) = (Arc::clone(&self.opened), Arc::clone(&self.openings));
        Arc::new(move || {
            let (url, deaf) = (url.clone(), deaf.clone());
            opened.fetch_add(1, Ordering::SeqCst);
            let opening = openings.lock().unwrap().pop_front();
            async move {
                match opening {
                    None => Ok(url),
                    Some(Opening::Fails(error)) => Err(error),
                    Some(Opening::AtADeafAddress) => Ok(deaf),
                    Some(Opening::Never) => pending().await,
                }
            }
            .boxed()
        })
    }

    async fn line(&mut self) -> Line {
        self.lines.recv().await.expect("the server runs")
    }

    /// The next connection that is made; none, if nobody connects for so long.
    pub(crate) async fn line_within(&mut self, limit: Duration) -> Option<Line> {
        timeout(limit, self.line()).await.ok()
    }
}

async fn accept(listener: TcpListener, greets: Arc<AtomicBool>, tell: mpsc::UnboundedSender<Line>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (act, acts) = mpsc::unbounded_channel();
        let (hear, said) = mpsc::unbounded_channel();
        if greets.load(Ordering::SeqCst) {
            let hello = json!({
                "type": "hello", "num_connections": 1, "connection_info": { "app_id": "A0" },
                "debug_info": { "host": "applink-1", "approximate_connection_time": 18060 },
            });
            act.send(Act::Send(Message::text(hello.to_string()))).ok();
        }
        tokio::spawn(talk(stream, acts, hear));
        tell.send(Line { act, said }).ok();
    }
}

async fn talk(
    stream: TcpStream,
    mut acts: mpsc::UnboundedReceiver<Act>,
    hear: mpsc::UnboundedSender<Value>,
) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    loop {
        tokio::select! {
            act = acts.recv() => match act {
                Some(Act::Send(message)) => socket.send(message).await.unwrap_or_default(),
                Some(Act::Stall) => return pending().await,
                Some(Act::Break) | None => return,
            },
            said = socket.next() => match said {
                Some(Ok(Message::Text(text))) => {
                    hear.send(serde_json::from_str(&text).unwrap()).ok();
                }
                Some(Ok(Message::Pong(_))) => {
                    hear.send(json!("pong")).ok();
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

impl Line {
    fn act(&self, act: Act) {
        self.act.send(act).ok();
    }

    pub(crate) fn send(&self, text: &str) {
        self.act(Act::Send(Message::text(text)));
    }

    pub(crate) fn ping(&self) {
        self.act(Act::Send(Message::Ping(vec![7].into())));
    }

    pub(crate) fn break_off(&self) {
        self.act(Act::Break);
    }

    pub(crate) fn stall(&self) {
        self.act(Act::Stall);
    }

    pub(crate) fn disconnect(&self, reason: &str) {
        self.send(&json!({ "type": "disconnect", "reason": reason, "debug_info": {} }).to_string());
    }

    /// An envelope as Slack sends it, the first time or again.
    pub(crate) fn deliver(&self, kind: &str, id: &str, payload: &Value, attempt: u8) {
        let mut envelope = json!({
            "envelope_id": id, "type": kind, "payload": payload,
            "accepts_response_payload": kind != "events_api",
        });
        if attempt > 0 {
            envelope["retry_attempt"] = attempt.into();
            envelope["retry_reason"] = "timeout".into();
        }
        self.send(&envelope.to_string());
    }

    /// What the bot says next; nothing once the connection has ended.
    pub(crate) async fn said(&mut self) -> Option<Value> {
        self.said.recv().await
    }

    /// Nothing was said up to now.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.said.try_recv().is_err()
    }
}
