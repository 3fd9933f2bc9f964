//! One connection: envelopes come in, and are acked when they are kept, in whatever order that is.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Bytes, Error, Message, protocol::WebSocketConfig},
};
use url::Url;

use super::{Limits, health::Seat};
use crate::{
    schedule::Clock,
    slack::{
        Inbox,
        payload::{Envelope, Frame, Reason, frame},
        taken::{Answer, Taken, count, errors, measure_ack, take},
    },
    text::Untrusted,
};

const TRANSPORT: &str = "socket";

/// An interaction carries the whole message that was clicked.
const FRAME_LIMIT: usize = 4 << 20;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The address holds a secret, which no error repeats.
pub(super) async fn connect(url: &Url) -> anyhow::Result<Stream> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_LIMIT))
        .max_frame_size(Some(FRAME_LIMIT))
        .read_buffer_size(16 << 10)
        .write_buffer_size(0);
    match connect_async_with_config(url.as_str(), Some(config), true).await {
        Ok((stream, _)) => Ok(stream),
        Err(error) => bail!(explain(&error)),
    }
}

fn explain(error: &Error) -> String {
    match error {
        Error::Http(response) => format!("it was answered with status {}", response.status()),
        Error::Url(_) => "the address is none of a socket".to_owned(),
        error => Untrusted::from(error.to_string()).as_str().to_owned(),
    }
}

/// What happens to a connection.
#[derive(Debug)]
pub(super) enum Event {
    Hello,
    /// Slack will close it.
    Leaving(Reason),
    Ended(String),
}

/// A connection that is attended to. When this is dropped, it is closed.
pub(super) struct Open {
    events: mpsc::UnboundedReceiver<Event>,
    close: oneshot::Sender<Duration>,
}

/// What a connection needs.
pub(super) struct Setting {
    pub(super) inbox: Arc<dyn Inbox>,
    pub(super) clock: Clock,
    pub(super) seat: Seat,
    pub(super) limits: Limits,
    /// Dropped when the connection has ended.
    pub(super) _alive: mpsc::Sender<()>,
}

impl Open {
    pub(super) fn start(stream: Stream, setting: Setting) -> Self {
        let (tell, events) = mpsc::unbounded_channel();
        let (close, closing) = oneshot::channel();
        let talk = Talk {
            stream,
            setting,
            tell,
            commits: JoinSet::new(),
        };
        tokio::spawn(talk.run(closing));
        Self { events, close }
    }

    pub(super) async fn next(&mut self) -> Event {
        self.events
            .recv()
            .await
            .unwrap_or_else(|| Event::Ended("nobody attends to it".to_owned()))
    }

    /// What ends its service, or is about to.
    pub(super) async fn last(&mut self) -> Event {
        loop {
            match self.next().await {
                Event::Hello => {}
                event => return event,
            }
        }
    }

    /// Closes it later, since requests may be under way on it.
    pub(super) fn close_after(self, linger: Duration) {
        self.close.send(linger).ok();
    }
}

struct Talk {
    stream: Stream,
    setting: Setting,
    tell: mpsc::UnboundedSender<Event>,
    commits: JoinSet<Done>,
}

/// An envelope that was dealt with.
struct Done {
    id: String,
    takes_payload: bool,
    since: Instant,
    taken: Taken,
}

impl Talk {
    async fn run(mut self, closing: oneshot::Receiver<Duration>) {
        let ended = self.listen(closing).await;
        let why = match ended {
            Ok(()) => match self.drain().await {
                Ok(()) => "it was closed".to_owned(),
                Err(error) => format!("{error:#}"),
            },
            Err(error) => format!("{error:#}"),
        };
        // What is being kept is kept, though Slack won't hear of it: its key tells that it came before.
        self.commits.detach_all();
        tracing::debug!(why, "a connection to Slack ended");
        self.tell.send(Event::Ended(why)).ok();
    }

    /// Until the connection is to be closed, or fails.
    async fn listen(&mut self, mut closing: oneshot::Receiver<Duration>) -> anyhow::Result<()> {
        let limits = self.setting.limits;
        let mut heard = Instant::now();
        let mut next_ping = heard + limits.ping;
        let mut close_at = None;
        loop {
            tokio::select! {
                message = self.stream.next() => {
                    heard = Instant::now();
                    next_ping = heard + limits.ping;
                    self.setting.seat.heard();
                    let message = message.context("slack ended it")?;
                    self.hear(message.map_err(|error| anyhow::anyhow!(explain(&error)))?)?;
                }
                Some(done) = self.commits.join_next(), if !self.commits.is_empty() => {
                    self.ack(done).await?;
                }
                linger = &mut closing, if close_at.is_none() => {
                    let Ok(linger) = linger else { return Ok(()) };
                    close_at = Some(Instant::now() + linger);
                }
                () = sleep_until(close_at.unwrap_or(heard)), if close_at.is_some() => return Ok(()),
                () = sleep_until(next_ping) => {
                    next_ping = Instant::now() + limits.ping;
                    self.write(Message::Ping(Bytes::new())).await?;
                }
                () = sleep_until(heard + limits.silence) => {
                    bail!("nothing was heard for {:?}", limits.silence);
                }
            }
        }
    }

    fn hear(&mut self, message: Message) -> anyhow::Result<()> {
        let text = match &message {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
            Message::Close(_) => bail!("slack closed it"),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        let now = (self.setting.clock)();
        match frame(text, now) {
            Ok(Frame::Hello) => {
                self.setting.seat.hello();
                self.tell.send(Event::Hello).ok();
            }
            Ok(Frame::Disconnect(reason)) => {
                self.tell.send(Event::Leaving(reason)).ok();
            }
            Ok(Frame::Envelope(envelope)) => self.keep(envelope),
            Ok(Frame::Other) => count(TRANSPORT, "unknown", "ignored"),
            Err(error) => {
                tracing::error!(transport = TRANSPORT, "{error}; it is lost");
                count(TRANSPORT, error.kind, "unreadable");
            }
        }
        Ok(())
    }

    /// Keeps what is asked, beside whatever else is being kept.
    fn keep(&mut self, envelope: Envelope) {
        if self.commits.len() >= self.setting.limits.at_once {
            let kind = envelope
                .request
                .as_ref()
                .map_or("unknown", |request| request.kind());
            tracing::error!(
                transport = TRANSPORT,
                kind,
                "too many requests at a time: one is not acked"
            );
            count(TRANSPORT, kind, "not_kept");
            return;
        }
        let since = Instant::now();
        let (inbox, limit) = (Arc::clone(&self.setting.inbox), self.setting.limits.commit);
        self.commits.spawn(async move {
            let kind = envelope
                .request
                .as_ref()
                .map_or("unknown", |request| request.kind());
            let taken = timeout(limit, take(envelope.request, &*inbox, TRANSPORT));
            Done {
                id: envelope.id,
                takes_payload: envelope.takes_payload,
                since,
                taken: taken.await.unwrap_or_else(|_| {
                    tracing::error!(
                        transport = TRANSPORT,
                        kind,
                        "a request was not kept in {limit:?}, and is not acked"
                    );
                    Taken {
                        kind,
                        answer: Answer::NotKept,
                        outcome: "not_kept",
                    }
                }),
            }
        });
    }

    /// What can't be read is acked as well: Slack would bring the same again.
    async fn ack(&mut self, done: Result<Done, tokio::task::JoinError>) -> anyhow::Result<()> {
        let Ok(done) = done else {
            tracing::error!("what keeps requests failed; one is not acked");
            return Ok(());
        };
        let kind = done.taken.kind;
        count(TRANSPORT, kind, done.taken.outcome);
        let mut ack = json!({ "envelope_id": done.id });
        match done.taken.answer {
            Answer::NotKept => return Ok(()),
            Answer::Errors { block, say } if done.takes_payload => {
                ack["payload"] = errors(block, say);
            }
            Answer::Ack | Answer::Errors { .. } | Answer::Challenge(_) | Answer::Unreadable => {}
        }
        self.write(Message::text(ack.to_string())).await?;
        measure_ack(TRANSPORT, kind, done.since);
        Ok(())
    }

    async fn write(&mut self, message: Message) -> anyhow::Result<()> {
        let limit = self.setting.limits.write;
        match timeout(limit, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|error| anyhow::anyhow!(explain(&error))),
            Err(_) => bail!("nothing could be written for {limit:?}"),
        }
    }

    /// Acks what is still being kept, and says goodbye; whether Slack hears it doesn't matter.
    async fn drain(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + self.setting.limits.drain;
        while let Ok(Some(done)) = tokio::time::timeout_at(until, self.commits.join_next()).await {
            self.ack(done).await?;
        }
        timeout(self.setting.limits.write, self.stream.close(None))
            .await
            .ok();
        Ok(())
    }
}
