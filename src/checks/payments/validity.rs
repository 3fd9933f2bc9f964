//! Whether the section of the configuration makes sense. Pure.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};

use super::{EVENTS_ARE_KEPT, Payments, budget, one_day, read};
use crate::upstream;

/// What the types can't say. The message names the field.
pub(super) fn validate(section: &Payments) -> anyhow::Result<()> {
    upstream::admit(&section.url)?;
    ensure!(
        !section.url.path().contains("/v1"),
        "`url` is Stripe's address without /v1"
    );
    ensure!(
        section
            .accounts
            .iter()
            .all(|id| id.starts_with("acct_") && read::is_id(id)),
        "`accounts` holds ids of connected accounts, such as `acct_1Nv0FGQ9RKHgCVdK`"
    );
    let different: BTreeSet<_> = section.accounts.iter().collect();
    ensure!(
        different.len() == section.accounts.len(),
        "`accounts` names an account twice"
    );
    let (minute, day) = (Duration::from_secs(60), one_day());
    ensure!(
        (day..=EVENTS_ARE_KEPT).contains(&section.webhooks_lookback),
        "`webhooks_lookback` lies between 1d and 30d, as Stripe keeps events for 30 days"
    );
    ensure!(
        (60 * minute..=EVENTS_ARE_KEPT).contains(&section.payments_lookback),
        "`payments_lookback` lies between 1h and 30d, as Stripe keeps events for 30 days"
    );
    ensure!(
        (day..=3650 * day).contains(&section.invoices_lookback),
        "`invoices_lookback` lies between 1d and 3650d"
    );
    ensure!(
        (minute..=day).contains(&section.pending_after),
        "`pending_after` lies between 1m and 1d"
    );
    ensure!(
        section.pending_after < section.exhausted_after
            && section.exhausted_after <= section.webhooks_lookback,
        "`exhausted_after` lies between `pending_after` and `webhooks_lookback`"
    );
    ensure!(
        (1..=1000).contains(&section.max_pages),
        "`max_pages` lies between 1 and 1000"
    );
    let least = budget::LEAST * section.number_of_accounts();
    ensure!(
        section
            .max_requests
            .is_none_or(|most| (least..=100_000).contains(&most)),
        "`max_requests` lies between {least} ({} for each account) and 100000",
        budget::LEAST
    );
    if let Some(audit) = &section.audit {
        audit.validate().context("in `audit`")?;
    }
    section.replay.validate().context("in `replay`")?;
    section.limits.validate().context("in `limits`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{Check, payments::Mode};

    fn section(toml: &str) -> anyhow::Result<Payments> {
        let payments: Payments = toml::from_str(toml)?;
        payments.validate()?;
        Ok(payments)
    }

    #[test]
    fn an_empty_section_is_a_configuration() {
        let payments = section("").unwrap();
        assert_eq!(
            (payments.mode, payments.url.as_str(), payments.max_pages),
            (Mode::Live, "https://api.stripe.com/", 30)
        );
    }

    #[test]
    fn a_wrong_configuration_names_its_field() {
        for (toml, named) in [
            ("mode = 'prod'", "live"),
            ("accounts = ['main']", "`accounts`"),
            ("accounts = ['acct_1', 'acct_1']", "twice"),
            ("url = 'http://1.1.1.1'", "plain http"),
            (
                "url = 'http://api.stripe.com'",
                "write https://api.stripe.com",
            ),
            ("url = 'https://api.stripe.com/v1'", "/v1"),
            ("webhooks_lookback = '31d'", "`webhooks_lookback`"),
            ("payments_lookback = '1m'", "`payments_lookback`"),
            ("invoices_lookback = '1h'", "`invoices_lookback`"),
            ("pending_after = '2d'", "`pending_after`"),
            ("exhausted_after = '5m'", "`exhausted_after`"),
            ("max_pages = 0", "`max_pages`"),
            ("max_requests = 10", "between 11 (11 for each account)"),
            (
                "accounts = ['acct_1']\nmax_requests = 20",
                "between 22 (11 for each account)",
            ),
            ("limits = { retrying = 0 }", "`retrying`"),
            ("limits = { large = { EURO = '1' } }", "three letters"),
            ("limits = { large = { JPY = '1.5' } }", "`large`"),
            ("settings = 1", "unknown field `settings`"),
        ] {
            let message = format!("{:#}", section(toml).unwrap_err());
            assert!(message.contains(named), "{message}");
        }
    }
}
