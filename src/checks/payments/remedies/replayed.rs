//! What has been replayed already, so that a later attempt goes on where an earlier one stopped.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// Orders that are remembered. What was forgotten is delivered once more, which handlers of webhooks have to bear anyway.
const ORDERS: usize = 50;

/// The ids of the events that each order has delivered, by the order's name. It lasts as long as the process.
#[derive(Clone, Debug, Default)]
pub struct Replayed(Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>);

impl Replayed {
    pub(super) fn of(&self, order: &str) -> BTreeSet<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(order).cloned().unwrap_or_default()
    }

    pub(super) fn note(&self, order: &str, event: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ORDERS && !all.contains_key(order) {
            all.pop_first();
        }
        all.entry(order.to_owned())
            .or_default()
            .insert(event.to_owned());
    }

    pub(super) fn forget(&self, order: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(order);
    }
}
