//! Whether the service can do its work, and how much of it waits.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use chrono::TimeDelta;
use metrics::gauge;
use tokio::time::timeout;

use super::admin::{Ready, Unready};
use crate::{
    bot::Bot,
    slack::{api::Api, socket},
    store::EffectState,
};

/// A request that nobody has claimed for longer means that nobody works requests off.
const UNCLAIMED: TimeDelta = TimeDelta::seconds(60);

/// How long the database may take to say how it is; less than whoever asks waits.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What readiness is judged by.
pub(super) struct Readiness {
    pub(super) bot: Arc<Bot>,
    pub(super) api: Arc<Api>,
    /// Whether Slack has said who we are.
    pub(super) known: AtomicBool,
    /// With Socket Mode.
    pub(super) socket: Option<Arc<socket::Health>>,
}

impl Ready for Readiness {
    fn unready(&self) -> Pin<Box<dyn Future<Output = Vec<Unready>> + Send + '_>> {
        Box::pin(async move {
            let mut reasons = self.stored().await;
            if !self.known.load(Ordering::Relaxed) {
                reasons.push(Unready::new("slack", "auth.test has not succeeded yet"));
            } else if let Some(refusal) = self.api.refusal() {
                reasons.push(Unready::new("slack", refusal.to_string()));
            }
            if let Some(socket) = &self.socket
                && !socket.ready()
            {
                let why = socket
                    .last_error()
                    .unwrap_or_else(|| "no connection has said hello yet".to_owned());
                reasons.push(Unready::new("socket", why));
            }
            reasons
        })
    }
}

impl Readiness {
    /// What stands in the way of keeping requests and of working them off.
    async fn stored(&self) -> Vec<Unready> {
        let (store, now) = (&self.bot.store, (self.bot.clock)());
        let asked = async { tokio::try_join!(store.beat(now), store.backlog()) };
        let backlog = match timeout(PATIENCE, asked).await {
            Ok(Ok(((), backlog))) => backlog,
            Ok(Err(error)) => return vec![Unready::new("database", format!("{error:#}"))],
            Err(_) => {
                let why = format!("no answer within {}", humantime::format_duration(PATIENCE));
                return vec![Unready::new("database", why)];
            }
        };
        match backlog.unclaimed {
            Some(since) if now - since > UNCLAIMED => {
                let waiting = backlog.waiting;
                let why = format!("{waiting} requests wait, and nobody takes the oldest up");
                vec![Unready::new("inbox", why)]
            }
            _ => Vec::new(),
        }
    }

    /// Asks whether a token that was refused is taken again, since nobody else may have a reason to.
    pub(super) async fn ask_again(&self) {
        if self.api.refusal().is_some()
            && let Err(error) = self.api.auth_test().await
        {
            tracing::warn!("{error}");
        }
    }

    /// Sets the gauges of what waits.
    pub(super) async fn measure(&self) -> anyhow::Result<()> {
        let now = (self.bot.clock)();
        let seconds = |since: TimeDelta| since.to_std().map_or(0.0, |age| age.as_secs_f64());
        let store = &self.bot.store;
        let backlog = store.backlog().await?;
        gauge!("daily_ops_inbox_depth").set(whole(backlog.waiting)?);
        let oldest = backlog.oldest.map_or(0.0, |oldest| seconds(now - oldest));
        gauge!("daily_ops_inbox_oldest_seconds").set(oldest);
        let effects = store.open_effects().await?;
        let human = |state| state == EffectState::NeedsHuman;
        let given_up = effects.iter().filter(|effect| human(effect.state)).count();
        let owed = effects.iter().filter(|effect| !human(effect.state));
        gauge!("daily_ops_outbox_depth").set(whole(owed.count() as u64)?);
        let since = store.owed_since().await?;
        let oldest = since.map_or(0.0, |since| seconds(now - since));
        gauge!("daily_ops_outbox_oldest_seconds").set(oldest);
        gauge!("daily_ops_needs_human").set(whole(given_up as u64)?);
        let undelivered = store.undelivered().await?;
        gauge!("daily_ops_undelivered_messages").set(whole(undelivered.messages)?);
        if let Some(finished) = store.last_finished().await? {
            gauge!("daily_ops_last_run_timestamp_seconds")
                .set(whole(finished.timestamp().unsigned_abs())?);
        }
        if let Some(socket) = &self.socket {
            socket.measure();
        }
        Ok(())
    }
}

/// What waits is never so many that a float can't hold it.
fn whole(number: u64) -> anyhow::Result<f64> {
    let number = u32::try_from(number).context("too many rows to count")?;
    Ok(number.into())
}

/// How often the gauges are set.
pub(super) const MEASURE: Duration = Duration::from_secs(10);
