//! What the page remembers beside the office.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::sandbox::Office;

/// What was wrong with the fields of a window, by its block.
pub(super) type Errors = BTreeMap<String, String>;

/// The page of one office.
pub(super) struct Front {
    pub(super) office: Arc<Office>,
    pub(super) shutdown: watch::Receiver<bool>,
    /// By the id of the view.
    errors: Mutex<BTreeMap<String, Errors>>,
    /// Counts the changes of what is remembered here.
    pub(super) changed: watch::Sender<u64>,
}

impl Front {
    pub(super) fn new(office: Arc<Office>, shutdown: watch::Receiver<bool>) -> Self {
        Self {
            office,
            shutdown,
            errors: Mutex::default(),
            changed: watch::channel(0).0,
        }
    }

    pub(super) fn errors_of(&self, view: &str) -> Errors {
        self.all().get(view).cloned().unwrap_or_default()
    }

    pub(super) fn refuse(&self, view: &str, errors: Errors) {
        self.all().insert(view.to_owned(), errors);
        self.changed.send_modify(|changes| *changes += 1);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Errors>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
