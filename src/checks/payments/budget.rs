//! How many requests a whole look at Stripe may make, over all accounts and lists.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::report::{Cause, Unknown};

/// What every account is asked in any case: the first page of each list, and what follows from them.
pub(super) const LEAST: u64 = 11;

/// What one account may be asked if the configuration doesn't say.
pub(super) const USUAL: u64 = 48;

/// What is left for further pages, and for what is read one by one. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    left: Arc<AtomicU64>,
    /// Of the whole look; none: it has no end.
    most: Option<u64>,
}

impl Budget {
    pub(super) fn endless() -> Self {
        Self {
            left: Arc::default(),
            most: None,
        }
    }

    /// For so many accounts, whose least is set aside.
    pub(super) fn of(most: u64, accounts: u64) -> Self {
        Self {
            left: Arc::new(AtomicU64::new(most.saturating_sub(LEAST * accounts))),
            most: Some(most),
        }
    }

    /// One more request, or why there is none.
    pub(super) fn take(&self) -> Result<(), Unknown> {
        let Some(most) = self.most else {
            return Ok(());
        };
        let less = |left: u64| left.checked_sub(1);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.map(|_| ()).map_err(|_| {
            let reason = format!(
                "a look makes at most {most} requests; raise `max_requests` in [checks.payments] to read the rest"
            );
            Unknown::new(Cause::Truncated, reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_account_is_asked_is_set_aside() {
        let budget = Budget::of(LEAST * 2 + 1, 2);
        assert!(budget.clone().take().is_ok());
        let why = budget.take().unwrap_err();
        assert!(
            why.reason.as_str().contains("at most 23 requests"),
            "{why:?}"
        );
        assert!(Budget::endless().take().is_ok());
    }
}
