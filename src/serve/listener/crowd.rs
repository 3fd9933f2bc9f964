//! All the open connections, of which there are never more than a number.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};

use super::connection::Progress;

/// How soon a busy crowd is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

pub(super) struct Crowd {
    places: usize,
    seats: Mutex<Seats>,
    left: Notify,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: BTreeMap<u64, Taken>,
}

struct Taken {
    progress: Arc<Progress>,
    give_up: Arc<Notify>,
}

/// A connection's place; it is free again when this is dropped.
pub(super) struct Seat {
    number: u64,
    pub(super) progress: Arc<Progress>,
    give_up: Arc<Notify>,
    crowd: Arc<Crowd>,
}

impl Crowd {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: places.max(1),
            seats: Mutex::default(),
            left: Notify::new(),
        }
    }

    /// A place; where all are taken, that of the connection that has waited longest for a complete request. While all
    /// of them have one, it waits.
    pub(super) async fn seat(self: &Arc<Self>) -> Seat {
        loop {
            if let Some(seat) = self.try_seat() {
                return seat;
            }
            // Somebody leaves, or begins to wait for a next request.
            timeout(LOOK_AGAIN, self.left.notified()).await.ok();
        }
    }

    fn try_seat(self: &Arc<Self>) -> Option<Seat> {
        let mut seats = self.seats();
        if seats.taken.len() >= self.places {
            let (number, _) = seats
                .taken
                .iter()
                .filter_map(|(number, taken)| Some((*number, taken.progress.waiting_since()?)))
                .min_by_key(|(number, since)| (*since, *number))?;
            if let Some(slow) = seats.taken.remove(&number) {
                slow.give_up.notify_one();
            }
        }
        let number = seats.next;
        seats.next += 1;
        let (progress, give_up) = (Arc::new(Progress::new()), Arc::new(Notify::new()));
        let taken = Taken {
            progress: Arc::clone(&progress),
            give_up: Arc::clone(&give_up),
        };
        seats.taken.insert(number, taken);
        Some(Seat {
            number,
            progress,
            give_up,
            crowd: Arc::clone(self),
        })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Ends when the place is needed for somebody else.
    pub(super) async fn given_up(&self) {
        self.give_up.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.crowd.seats().taken.remove(&self.number);
        self.crowd.left.notify_one();
    }
}
