//! An inbox whose disk does what a test says.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use anyhow::ensure;
use daily_ops::{command::Asked, slack::Inbox};
use tokio::sync::Notify;

/// What was asked, once each.
#[derive(Default)]
pub(crate) struct Kept {
    rows: Mutex<BTreeMap<String, Asked>>,
    deliveries: AtomicUsize,
    is_full: AtomicBool,
    /// The text of a command that is not committed before `released`.
    slow: Mutex<Option<String>>,
    released: Notify,
}

impl Kept {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn fill_the_disk(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    pub(crate) fn commit_slowly(&self, text: &str) {
        *self.slow.lock().unwrap() = Some(text.to_owned());
    }

    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    pub(crate) fn all(&self) -> Vec<Asked> {
        self.rows.lock().unwrap().values().cloned().collect()
    }

    /// How often something was brought, successfully or not.
    pub(crate) fn deliveries(&self) -> usize {
        self.deliveries.load(Ordering::SeqCst)
    }

    async fn keep(&self, asked: Asked) -> anyhow::Result<()> {
        use daily_ops::command::What;
        self.deliveries.fetch_add(1, Ordering::SeqCst);
        let is_slow = matches!(&asked.what, What::Command(text) if self.slow.lock().unwrap().as_ref() == Some(text));
        if is_slow {
            self.released.notified().await;
        }
        ensure!(!self.is_full.load(Ordering::SeqCst), "the disk is full");
        self.rows
            .lock()
            .unwrap()
            .entry(asked.key.clone())
            .or_insert(asked);
        Ok(())
    }
}

impl Inbox for Kept {
    fn accept<'a>(
        &'a self,
        asked: Asked,
    ) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>> {
        Box::pin(self.keep(asked))
    }
}
