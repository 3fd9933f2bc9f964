//! How the connections are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Without a word for this long, a connection is no sign of health.
const LATELY: Duration = Duration::from_secs(60);

/// Which of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    First,
    Second,
}

impl Lane {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::First => "1",
            Self::Second => "2",
        }
    }
}

/// What is known of the connections, for readiness and metrics.
#[derive(Default)]
pub struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    next: u64,
    open: BTreeMap<u64, Line>,
    errors: BTreeMap<Lane, String>,
}

struct Line {
    lane: Lane,
    /// Since when requests may come over it.
    hello: Option<Instant>,
    heard: Instant,
}

impl Line {
    fn age(&self) -> Option<Duration> {
        self.hello
            .filter(|_| self.heard.elapsed() < LATELY)
            .map(|hello| hello.elapsed())
    }
}

impl Health {
    /// Whether requests can reach us.
    pub fn ready(&self) -> bool {
        self.state().open.values().any(|line| line.age().is_some())
    }

    /// The ages of the connections over which requests can come.
    pub fn ages(&self) -> Vec<Duration> {
        self.state().open.values().filter_map(Line::age).collect()
    }

    /// Why there is a connection less than there should be.
    pub fn last_error(&self) -> Option<String> {
        self.state().errors.values().next().cloned()
    }

    /// Sets the gauge of each connection's age; 0 where there is none.
    pub fn measure(&self) {
        let state = self.state();
        for lane in [Lane::First, Lane::Second] {
            let ages = state.open.values().filter(|line| line.lane == lane);
            let youngest = ages.filter_map(Line::age).min().unwrap_or_default();
            metrics::gauge!("daily_ops_socket_age_seconds", "connection" => lane.as_str())
                .set(youngest.as_secs_f64());
        }
    }

    pub(super) fn failed(&self, lane: Lane, why: String) {
        self.state().errors.insert(lane, why);
    }

    pub(super) fn seat(self: &Arc<Self>, lane: Lane) -> Seat {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let line = Line {
            lane,
            hello: None,
            heard: Instant::now(),
        };
        state.open.insert(number, line);
        Seat {
            number,
            health: Arc::clone(self),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's entry, which goes with it.
pub(super) struct Seat {
    number: u64,
    health: Arc<Health>,
}

impl Seat {
    pub(super) fn heard(&self) {
        if let Some(line) = self.health.state().open.get_mut(&self.number) {
            line.heard = Instant::now();
        }
    }

    pub(super) fn hello(&self) {
        let mut state = self.health.state();
        let State { open, errors, .. } = &mut *state;
        if let Some(line) = open.get_mut(&self.number) {
            line.hello = Some(Instant::now());
            errors.remove(&line.lane);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.health.state().open.remove(&self.number);
    }
}
