//! The invoice audit: what differs between one's own records and Stripe's invoices, and only that.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    checks::{
        Looking, Progress, Secrets,
        payments::audit::{Audit, Compared, Page, StripeInvoice},
    },
    report::{Cause, Finding, Unknown},
};
use futures_util::{Stream, stream};
use tokio::time::Instant;

mod csv;
mod databases;
mod edges;
mod laws;
mod said;

/// In the morning after the audited day.
const NOW: &str = "2026-11-23T09:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn noon() -> DateTime<Utc> {
    at("2026-11-22T12:00:00Z")
}

fn section(toml: &str) -> Audit {
    let audit: Audit = toml::from_str(toml).expect("a section");
    audit.validate().expect("a right section");
    audit
}

fn invoice(id: &str, total: i64, currency: &str, status: &str) -> StripeInvoice {
    StripeInvoice {
        id: id.to_owned(),
        total,
        currency: currency.parse().expect("a currency"),
        status: status.to_owned(),
        created: noon(),
    }
}

/// All on one page.
fn page(invoices: Vec<StripeInvoice>) -> impl Stream<Item = Result<Page, Unknown>> + Send {
    stream::iter([Ok(Page {
        invoices,
        more: false,
    })])
}

fn looking(secrets: Secrets) -> Looking {
    Looking {
        deadline: Instant::now() + Duration::from_secs(30),
        clock: Arc::new(|| at(NOW)),
        progress: Progress::default(),
        secrets: Arc::new(secrets),
        baselines: Arc::default(),
        since: None,
        earlier: Arc::default(),
    }
}

/// An audit of a CSV file with these lines.
async fn of_csv(more: &str, lines: &str, stripe: Vec<StripeInvoice>) -> (Audit, Compared) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("invoices.csv");
    std::fs::write(&path, lines).expect("the file is written");
    let audit = section(&format!("csv = {path:?}\ndays = 1\n{more}"));
    let seen = audit
        .observe(&looking(Secrets::default()), at(NOW), |_| page(stripe))
        .await;
    (audit, seen)
}

fn judged(audit: &Audit, seen: &Compared) -> (Vec<Finding>, Vec<Unknown>) {
    audit.findings(seen, |_| None)
}

/// Key and title of each finding.
fn titles(findings: &[Finding]) -> BTreeSet<String> {
    let title = |finding: &Finding| format!("{} {}", finding.key, finding.title.as_str());
    findings.iter().map(title).collect()
}

fn causes(unknown: &[Unknown]) -> Vec<Cause> {
    unknown.iter().map(|unknown| unknown.cause).collect()
}

fn hours(number: i64) -> TimeDelta {
    TimeDelta::hours(number)
}
