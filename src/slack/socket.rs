//! Slack's requests over Socket Mode: two connections, so that one is there while the other is renewed.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_util::future::BoxFuture;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use url::Url;

use super::{
    Inbox,
    payload::Reason,
    socket::{
        connection::{Event, Open, Setting},
        health::Lane,
    },
};
use crate::{schedule::Clock, text::Untrusted};

mod connection;
mod health;

pub use health::Health;

/// No wait that Slack asks for is longer.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// Asks `apps.connections.open` for an address, which holds for one connection.
pub type Opener = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<Url>> + Send + Sync>;

/// Why there was no address, where that tells when to ask again. It is looked for in the opener's error.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error("slack asks to wait {} s", .0.as_secs())]
    RetryAfter(Duration),
    /// With Slack's own word for it, such as `invalid_auth`.
    #[error(
        "slack does not take the app token ({0}): check SLACK_APP_TOKEN, and that it has the scope connections:write"
    )]
    Credential(String),
}

/// How long everything may take, and when to try again.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Between the starts of the two connections.
    pub apart: Duration,
    pub open: Duration,
    pub handshake: Duration,
    pub hello: Duration,
    pub write: Duration,
    /// Until a commit that hasn't ended counts as failed.
    pub commit: Duration,
    /// Without a word for this long, the other side is asked for one.
    pub ping: Duration,
    /// Without any for this long, the connection is deaf.
    pub silence: Duration,
    /// How long a connection that was replaced still listens.
    pub linger: Duration,
    /// How long its last acks may take.
    pub drain: Duration,
    /// A connection that lasted this long is replaced at once.
    pub steady: Duration,
    pub first_pause: Duration,
    /// Jitter adds up to as much again.
    pub longest_pause: Duration,
    /// After a refused token, or while Socket Mode is switched off.
    pub refused: Duration,
    /// Envelopes at a time, per connection.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            apart: seconds(5),
            open: seconds(10),
            handshake: seconds(10),
            hello: seconds(20),
            write: seconds(10),
            commit: seconds(30),
            ping: seconds(20),
            silence: seconds(60),
            linger: seconds(3),
            drain: seconds(8),
            steady: seconds(10),
            first_pause: seconds(1),
            longest_pause: seconds(15),
            refused: seconds(300),
            at_once: 256,
        }
    }
}

pub struct Socket {
    pub open: Opener,
    pub inbox: Arc<dyn Inbox>,
    pub clock: Clock,
    pub health: Arc<Health>,
    pub limits: Limits,
}

impl Socket {
    /// Runs until the shutdown is true, or nobody is left who could say so; then what was taken is kept and acked.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let (alive, mut all_ended) = mpsc::channel::<()>(1);
        let drain = self.limits.drain + self.limits.write;
        let this = &self;
        let lanes = async {
            tokio::join!(this.lane(Lane::First, alive.clone()), async {
                sleep(this.limits.apart).await;
                this.lane(Lane::Second, alive.clone()).await;
            })
        };
        tokio::select! {
            _ = lanes => {}
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
        drop(alive);
        if timeout(drain, all_ended.recv()).await.is_err() {
            tracing::warn!("connections to Slack were cut off at the shutdown");
        }
    }

    /// Keeps one connection up. A new one is up before that which it replaces is closed.
    async fn lane(&self, lane: Lane, alive: mpsc::Sender<()>) {
        let mut replaced: Option<Open> = None;
        let mut pauses = self.pauses();
        loop {
            let pause = match self.establish(lane, alive.clone()).await {
                Err(error) => self.failed(lane, &error, &mut pauses),
                Ok(mut open) => {
                    if let Some(old) = replaced.take() {
                        old.close_after(self.limits.linger);
                    }
                    let since = Instant::now();
                    let event = open.last().await;
                    if since.elapsed() >= self.limits.steady {
                        pauses = self.pauses();
                    }
                    let pause = self.after(lane, &event, since, &mut pauses);
                    if matches!(event, Event::Leaving(_)) {
                        replaced = Some(open);
                    }
                    pause
                }
            };
            sleep(pause).await;
        }
    }

    fn pauses(&self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_min_delay(self.limits.first_pause)
            .with_max_delay(self.limits.longest_pause)
            .with_jitter()
            .without_max_times()
            .build()
    }

    fn next(&self, pauses: &mut ExponentialBackoff) -> Duration {
        pauses.next().unwrap_or(self.limits.longest_pause)
    }

    /// How long to wait before a connection is replaced.
    fn after(
        &self,
        lane: Lane,
        event: &Event,
        since: Instant,
        pauses: &mut ExponentialBackoff,
    ) -> Duration {
        let why = match event {
            Event::Leaving(Reason::LinkDisabled) => {
                let why = "socket mode is switched off: switch it on in the app's settings, or use `transport = \
                           \"http\"`";
                self.health.failed(lane, why.into());
                tracing::error!("{why}");
                return self.limits.refused;
            }
            Event::Leaving(reason) => reason.as_str(),
            Event::Ended(why) => why.as_str(),
            Event::Hello => "it began anew",
        };
        tracing::info!(
            lane = lane.as_str(),
            why,
            "a connection to Slack is replaced"
        );
        if since.elapsed() >= self.limits.steady {
            return Duration::ZERO;
        }
        self.health
            .failed(lane, format!("a connection to slack did not last: {why}"));
        self.next(pauses)
    }

    /// How long to wait after there was no connection.
    fn failed(
        &self,
        lane: Lane,
        error: &anyhow::Error,
        pauses: &mut ExponentialBackoff,
    ) -> Duration {
        let why = Untrusted::from(format!("{error:#}"));
        let pause = match error.downcast_ref() {
            Some(NotOpened::RetryAfter(wait)) => self.next(pauses).max((*wait).min(LONGEST)),
            Some(NotOpened::Credential(_)) => self.limits.refused,
            None => self.next(pauses),
        };
        tracing::error!(
            lane = lane.as_str(),
            again_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "no connection to Slack: {}",
            why.as_str()
        );
        self.health.failed(lane, why.as_str().to_owned());
        pause
    }

    /// A connection that has said hello.
    async fn establish(&self, lane: Lane, alive: mpsc::Sender<()>) -> anyhow::Result<Open> {
        let limits = self.limits;
        let url = within(limits.open, "apps.connections.open", (self.open)()).await?;
        let stream = within(
            limits.handshake,
            "the handshake of a socket",
            connection::connect(&url),
        )
        .await?;
        let setting = Setting {
            inbox: Arc::clone(&self.inbox),
            clock: Arc::clone(&self.clock),
            seat: self.health.seat(lane),
            limits,
            _alive: alive,
        };
        let mut open = Open::start(stream, setting);
        within(limits.hello, "the hello of a socket", async {
            match open.next().await {
                Event::Hello => Ok(()),
                Event::Leaving(reason) => {
                    anyhow::bail!("instead of hello came {}", reason.as_str())
                }
                Event::Ended(why) => anyhow::bail!("instead of hello: {why}"),
            }
        })
        .await?;
        Ok(open)
    }
}

async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    match timeout(limit, work).await {
        Ok(done) => done.map_err(|error| error.context(format!("{what} failed"))),
        Err(_) => anyhow::bail!("{what} took longer than {limit:?}"),
    }
}
