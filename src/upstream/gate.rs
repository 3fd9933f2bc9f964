//! How many requests may be under way, and how fast they may follow each other.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};

/// What all clients of one other side pass through. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    pause: Duration,
    next: Arc<Mutex<Instant>>,
}

impl Gate {
    pub fn new(at_once: usize, per_second: u32) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once)),
            pause: Duration::from_secs(1) / per_second.max(1),
            next: Arc::new(Mutex::new(Instant::now())),
        }
    }

    /// Waits for a place and for its turn; None if that would last beyond the deadline.
    pub(super) async fn pass(&self, deadline: Instant) -> Option<OwnedSemaphorePermit> {
        let places = Arc::clone(&self.places);
        let place = timeout_at(deadline, places.acquire_owned()).await;
        let place = place.ok()?.ok()?;
        let turn = {
            let mut next = self.next.lock().await;
            let turn = (*next).max(Instant::now());
            if turn >= deadline {
                return None;
            }
            *next = turn + self.pause;
            turn
        };
        // The timer counts in milliseconds, and would round up what is due already.
        if turn > Instant::now() {
            sleep_until(turn).await;
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_follow_each_other_at_the_pace() {
        let gate = Gate::new(2, 10);
        let began = Instant::now();
        for _ in 0..11 {
            let far = began + Duration::from_secs(60);
            assert!(gate.pass(far).await.is_some());
        }
        assert_eq!(began.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_beyond_the_deadline() {
        let gate = Gate::new(1, 1_000);
        let soon = Instant::now() + Duration::from_secs(1);
        let held = gate.pass(soon).await;
        assert!(held.is_some());
        assert!(gate.pass(soon).await.is_none(), "the one place is taken");
        drop(held);
        let later = Instant::now() + Duration::from_secs(1);
        assert!(gate.pass(later).await.is_some());
    }
}
