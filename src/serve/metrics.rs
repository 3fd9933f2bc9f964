//! The metrics: their names, and the recorder that keeps them.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// How often samples are folded into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// Upper bounds in seconds: from an ack to a round.
const BUCKETS: [f64; 16] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

enum Kind {
    Counter,
    Gauge,
    Histogram,
}

use Kind::{Counter, Gauge, Histogram};

/// Every metric with its kind, unit, and what it says. Labels come from closed sets only.
const METRICS: &[(&str, Kind, Unit, &str)] = &[
    (
        "daily_ops_ack_seconds",
        Histogram,
        Unit::Seconds,
        "From a request's arrival to Slack's ack, by transport and kind",
    ),
    (
        "daily_ops_slack_requests_total",
        Counter,
        Unit::Count,
        "What Slack sent, by transport, kind and outcome",
    ),
    (
        "daily_ops_socket_age_seconds",
        Gauge,
        Unit::Seconds,
        "Age of each Socket Mode connection, 0 while there is none",
    ),
    (
        "daily_ops_upstream_request_seconds",
        Histogram,
        Unit::Seconds,
        "A call to another service with its whole answer, by service and method",
    ),
    (
        "daily_ops_upstream_errors_total",
        Counter,
        Unit::Count,
        "Calls to other services that brought no result, by service and class",
    ),
    (
        "daily_ops_run_seconds",
        Histogram,
        Unit::Seconds,
        "A round from its start to its record",
    ),
    (
        "daily_ops_last_run_timestamp_seconds",
        Gauge,
        Unit::Seconds,
        "When the last round finished, as Unix time",
    ),
    (
        "daily_ops_check_outcomes_total",
        Counter,
        Unit::Count,
        "How checks came out, by check and outcome",
    ),
    (
        "daily_ops_inbox_depth",
        Gauge,
        Unit::Count,
        "Requests that were accepted and are not worked off",
    ),
    (
        "daily_ops_inbox_oldest_seconds",
        Gauge,
        Unit::Seconds,
        "How long the oldest of them has waited",
    ),
    (
        "daily_ops_outbox_depth",
        Gauge,
        Unit::Count,
        "Effects that are not delivered yet",
    ),
    (
        "daily_ops_outbox_oldest_seconds",
        Gauge,
        Unit::Seconds,
        "How long the oldest of them has waited",
    ),
    (
        "daily_ops_undelivered_messages",
        Gauge,
        Unit::Count,
        "Messages that Slack does not show as they should be",
    ),
    (
        "daily_ops_messages_given_up_total",
        Counter,
        Unit::Count,
        "Messages that Slack will not show as they should be, ever",
    ),
    (
        "daily_ops_needs_human",
        Gauge,
        Unit::Count,
        "Effects that were given up and wait for a person",
    ),
];

/// The metrics' names.
pub fn names() -> impl Iterator<Item = &'static str> {
    METRICS.iter().map(|(name, ..)| *name)
}

fn describe() {
    for (name, kind, unit, help) in METRICS {
        match kind {
            Counter => describe_counter!(*name, *unit, *help),
            Gauge => describe_gauge!(*name, *unit, *help),
            Histogram => describe_histogram!(*name, *unit, *help),
        }
    }
}

static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Installs the process's recorder, or gives the one that is installed.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .context("the metrics can't be kept")?;
    describe();
    *installed = Some(handle.clone());
    Ok(handle)
}

/// Keeps the samples from piling up where nobody asks for them. Runs until it is dropped.
pub async fn upkeep(handle: PrometheusHandle) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        handle.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_prefix_and_end_as_their_kind_does() {
        for (name, kind, ..) in METRICS {
            assert!(name.starts_with("daily_ops_"), "{name}");
            assert_eq!(name.ends_with("_total"), matches!(kind, Counter), "{name}");
        }
    }

    #[test]
    fn the_recorder_is_installed_once_and_shows_histograms_in_buckets() {
        let handle = install().unwrap();
        let again = install().unwrap();
        metrics::histogram!("daily_ops_run_seconds").record(0.3);
        let text = again.render();
        assert!(
            text.contains("# TYPE daily_ops_run_seconds histogram"),
            "{text}"
        );
        assert!(
            text.contains("# HELP daily_ops_run_seconds A round"),
            "{text}"
        );
        assert!(
            text.contains("daily_ops_run_seconds_bucket{le=\"0.5\"} 1"),
            "{text}"
        );
        handle.run_upkeep();
    }
}
