//! What the types of `[checks.health]` can't say.

use std::{collections::HashSet, ops::RangeInclusive, time::Duration};

use anyhow::{Context, bail, ensure};
use hyper::Uri;
use url::Url;

use super::{Endpoint, Health};
use crate::{
    address::{holds_credentials, literal},
    text::one_line,
};

const LONGEST_NAME: usize = 80;
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60);
const PAUSES: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);
const CONCURRENCY: RangeInclusive<usize> = 1..=2048;

pub(super) fn section(health: &Health) -> anyhow::Result<()> {
    ensure!(
        TIMEOUTS.contains(&health.timeout),
        "`timeout` must lie between 10ms and 60s"
    );
    ensure!(
        PAUSES.contains(&health.confirm_after),
        "`confirm_after` must be at most 60s"
    );
    ensure!(
        CONCURRENCY.contains(&health.concurrency),
        "`concurrency` must lie between 1 and 2048"
    );
    ensure!(
        !health.endpoints.is_empty(),
        "`endpoints` is empty: name at least one, or remove the section"
    );
    if let Some(control) = &health.control {
        address(control).context("in `control`")?;
    }
    let mut names = HashSet::new();
    for endpoint in health.endpoints.iter() {
        let (environment, name) = (&endpoint.environment, &endpoint.name);
        word("name", name)?;
        word("environment", environment)?;
        of(endpoint, health.timeout)
            .with_context(|| format!("in the endpoint `{environment}/{name}`"))?;
        // A key writes a space as a dash.
        let key = (environment.replace(' ', "-"), name.replace(' ', "-"));
        ensure!(
            names.insert(key),
            "two endpoints are named `{environment}/{name}`"
        );
    }
    Ok(())
}

fn word(field: &str, word: &str) -> anyhow::Result<()> {
    let clean = one_line(word);
    ensure!(!clean.is_empty(), "an endpoint's `{field}` is empty");
    ensure!(
        clean == word && !word.contains('/') && word.chars().count() <= LONGEST_NAME,
        "an endpoint's `{field}` is at most {LONGEST_NAME} printable characters without `/`, not \"{}\"",
        crate::text::cut(&clean, LONGEST_NAME)
    );
    Ok(())
}

fn of(endpoint: &Endpoint, timeout: Duration) -> anyhow::Result<()> {
    address(&endpoint.url).context("in `url`")?;
    ensure!(!endpoint.status.0.is_empty(), "`status` is empty");
    ensure!(
        endpoint.status.0.iter().all(|s| (200..600).contains(s)),
        "`status` must lie between 200 and 599"
    );
    if let Some(within) = endpoint.within {
        ensure!(
            !within.is_zero() && within < timeout,
            "`within` must be longer than nothing and shorter than `timeout` ({})",
            humantime::format_duration(timeout)
        );
    }
    ensure!(
        endpoint
            .contains
            .as_ref()
            .is_none_or(|text| !text.is_empty()),
        "`contains` is empty"
    );
    ensure!(
        endpoint.certificate_days <= 398,
        "`certificate_days` must be at most 398"
    );
    if let Some(runbook) = &endpoint.runbook {
        web(runbook).context("in `runbook`")?;
    }
    Ok(())
}

fn web(url: &Url) -> anyhow::Result<()> {
    match url.scheme() {
        "http" | "https" => {}
        other => bail!(
            "it starts with http:// or https://, not {}:",
            one_line(other)
        ),
    }
    ensure!(
        !holds_credentials(url),
        "it must not hold a user name or a password"
    );
    Ok(())
}

fn address(url: &Url) -> anyhow::Result<()> {
    web(url)?;
    if let Err(reason) = literal(url) {
        bail!("{reason}");
    }
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    ensure!(
        target.parse::<Uri>().is_ok(),
        "its path can't be sent: percent-encode what is not plain ASCII"
    );
    Ok(())
}
