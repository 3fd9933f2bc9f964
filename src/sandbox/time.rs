//! A clock that can be moved, shared by the bot, its Slack and its company.

use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::schedule::Clock;

/// Cloned, it is the same clock.
#[derive(Clone, Debug)]
pub struct Time(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    shown: DateTime<Utc>,
    /// Since when they go on from there; None: they stand still.
    since: Option<Instant>,
}

impl Time {
    /// Goes on from there.
    pub fn running(from: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Hands {
            shown: from,
            since: Some(Instant::now()),
        })))
    }

    /// Moves only when it is moved.
    pub fn standing(at: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Hands {
            shown: at,
            since: None,
        })))
    }

    /// The machine's own.
    #[expect(clippy::disallowed_methods, reason = "the sandbox is an edge")]
    pub fn real() -> Self {
        Self::running(Utc::now())
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.hands().now()
    }

    /// It stays where it is if there is no such time.
    pub fn advance(&self, by: TimeDelta) {
        let mut hands = self.hands();
        if let Some(shown) = hands.shown.checked_add_signed(by) {
            hands.shown = shown;
        }
    }

    /// Never backwards.
    pub fn advance_to(&self, at: DateTime<Utc>) {
        let mut hands = self.hands();
        let ahead = at - hands.now();
        if ahead > TimeDelta::zero() {
            hands.shown += ahead;
        }
    }

    pub fn clock(&self) -> Clock {
        let time = self.clone();
        Arc::new(move || time.now())
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Hands {
    fn now(&self) -> DateTime<Utc> {
        let gone = self.since.map_or(TimeDelta::zero(), |since| {
            TimeDelta::from_std(since.elapsed()).unwrap_or(TimeDelta::MAX)
        });
        self.shown.checked_add_signed(gone).unwrap_or(self.shown)
    }
}
