//! What the page has beside the office.

use std::sync::Arc;

use tokio::sync::watch;

use crate::sandbox::Office;

/// The page of one office.
pub(super) struct Front {
    pub(super) office: Arc<Office>,
    pub(super) shutdown: watch::Receiver<bool>,
    /// Counts the times that the time was moved here.
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
}
