//! How fast messages are written: what Slack asked for holds for every message of a channel, and edits come in turn.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// Edits of one message come no faster than this,
const EVERY: Duration = Duration::from_secs(2);
/// but for so much time that it has not used: a few edits at once.
const SAVED: Duration = Duration::from_secs(4);

/// What one call was asked to wait holds others up no longer than this.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(in crate::slack) struct Pace {
    /// By message: when its edits would be over, had they come one after the other.
    edits: Mutex<HashMap<String, Instant>>,
    /// By method and channel.
    waits: Mutex<HashMap<(&'static str, String), Instant>>,
}

impl Pace {
    /// Waits for the turn of a message's next edit. What is decided meanwhile is shown with it.
    pub(in crate::slack) async fn turn(&self, message: &str) {
        let over = locked(&self.edits).get(message).copied();
        if let Some(over) = over.filter(|over| *over > Instant::now() + SAVED) {
            sleep_until(over - SAVED).await;
        }
    }

    pub(in crate::slack) fn edited(&self, message: &str) {
        let now = Instant::now();
        let mut edits = locked(&self.edits);
        edits.retain(|_, over| *over > now);
        let over = edits.entry(message.to_owned()).or_insert(now);
        *over += EVERY;
    }

    /// Slack asked to wait with that method in that channel.
    pub(super) fn refused(&self, method: &'static str, channel: &str, wait: Duration) {
        let until = Instant::now() + wait.min(LONGEST);
        locked(&self.waits).insert((method, channel.to_owned()), until);
    }

    /// How long a method is not to be called for a channel.
    pub(super) fn wait(&self, method: &'static str, channel: &str) -> Option<Duration> {
        let now = Instant::now();
        let mut waits = locked(&self.waits);
        waits.retain(|_, until| *until > now);
        let until = waits.get(&(method, channel.to_owned()))?;
        Some(*until - now)
    }
}

fn locked<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_edits_come_at_once_and_then_one_every_two_seconds() {
        let (pace, start) = (Pace::default(), Instant::now());
        let mut at = Vec::new();
        for _ in 0..6 {
            pace.turn("m1").await;
            pace.edited("m1");
            at.push(start.elapsed().as_secs());
        }
        assert_eq!(at, [0, 0, 0, 2, 4, 6]);
        pace.turn("m2").await;
        assert_eq!(start.elapsed().as_secs(), 6, "another has its own turn");
        tokio::time::advance(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..3 {
            pace.turn("m1").await;
            pace.edited("m1");
        }
        assert_eq!(start.elapsed().as_secs(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_slack_asks_to_wait_holds_for_the_method_and_the_channel_and_for_a_minute_at_most()
    {
        let pace = Pace::default();
        pace.refused("chat.update", "C1", Duration::from_secs(86_400_000));
        assert_eq!(pace.wait("chat.update", "C1"), Some(LONGEST));
        assert_eq!(pace.wait("chat.update", "C2"), None);
        assert_eq!(pace.wait("chat.postMessage", "C1"), None);
        tokio::time::advance(LONGEST).await;
        assert_eq!(pace.wait("chat.update", "C1"), None);
    }
}
