//! The numbers from which something is worse. Each finding's rule names them.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::money::{Currency, Money};

/// `limits` in `[checks.payments]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// So many events that Stripe still tries to deliver are high; fewer are medium.
    pub retrying: usize,
    /// So many failures with one decline code are high where no usual number is known; fewer are medium.
    pub declines: usize,
    /// A dispute with so little time left to answer it is critical; with more it is high.
    #[serde(with = "humantime_serde")]
    pub dispute_due: Duration,
    /// The most invoices that are findings of their own; the others are counted, with the money.
    pub invoices: usize,
    /// From these amounts on, one for each currency, an invoice is worse by one step: `{ EUR = "1000" }`.
    pub large: BTreeMap<Currency, String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            retrying: 50,
            declines: 20,
            dispute_due: Duration::from_secs(3 * 86_400),
            invoices: 40,
            large: BTreeMap::new(),
        }
    }
}

impl Limits {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        ensure!(self.retrying > 0, "`retrying` is 1 or more");
        ensure!(self.declines > 0, "`declines` is 1 or more");
        ensure!(
            (1..=500).contains(&self.invoices),
            "`invoices` lies between 1 and 500"
        );
        for (currency, units) in &self.large {
            Money::of_units(units, *currency)
                .with_context(|| format!("`large` for {currency} is \"{units}\""))?;
        }
        Ok(())
    }

    /// The amount from which one of that currency is large.
    pub(super) fn large(&self, currency: Currency) -> Option<Money> {
        Money::of_units(self.large.get(&currency)?, currency).ok()
    }
}
