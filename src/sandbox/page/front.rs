//! What the page has beside the office.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::sandbox::Office;

/// What nobody tells of, the time and the ops log, is looked at so often.
const LOOK: Duration = Duration::from_millis(400);

/// The page of one office.
pub(super) struct Front {
    pub(super) office: Arc<Office>,
    pub(super) shutdown: watch::Receiver<bool>,
    /// Counts the changes of the time and of the ops log, which nobody else tells of.
    pub(super) changed: watch::Sender<u64>,
}

impl Front {
    pub(super) fn new(office: Arc<Office>, shutdown: watch::Receiver<bool>) -> Self {
        Self {
            office,
            shutdown,
            changed: watch::channel(0).0,
        }
    }

    /// Tells the windows when the clock shows another minute or the ops log has grown; ends never.
    pub(super) async fn watch(&self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = None;
        loop {
            looks.tick().await;
            if self.changed.receiver_count() == 0 {
                continue;
            }
            let minute = self.office.time.now().timestamp().div_euclid(60);
            // A log that can't be read is said by whoever draws it.
            let head = self.office.bot.store.head().await.ok();
            let now = Some((minute, head));
            if seen != now {
                seen = now;
                self.changed.send_modify(|changes| *changes += 1);
            }
        }
    }
}
