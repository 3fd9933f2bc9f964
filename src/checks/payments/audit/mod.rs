//! The invoice audit: one's own records compared with Stripe's invoices of some days.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    pin::pin,
    time::Duration,
};

use anyhow::{bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::{
    checks::{Looking, Secret},
    report::{Cause, Unknown},
    text::{count, did_you_mean, one_line},
};

mod compare;
mod csv_file;
mod differences;
mod findings;
mod intake;
mod ledger;
pub(super) mod list;
mod period;
mod record;
mod sql;
mod status;

pub use compare::{Rules, StripeInvoice, compare};
pub use differences::{Difference, Differences, Group, Kind, Side, Sides};
pub use period::Period;
pub use record::OwnRecord;

use compare::Comparison;
use intake::Intake;

/// Where the user's own records are, for `query`.
pub const DATABASE_URL: Secret = (
    "AUDIT_DATABASE_URL",
    "reads your own records of invoices, for `query` in [checks.payments.audit]",
);

/// `[checks.payments.audit]`. One of `query` and `csv` says where the user's own records are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Gives the columns `id` (Stripe's), `amount` (minor units) or `amount_decimal`, `currency`, `status` and perhaps
    /// `created`; `$1` and `$2`, or `?` and `?`, are the first moment and the end of what is read.
    pub query: Option<String>,
    /// A file with these columns, named in its first row.
    pub csv: Option<PathBuf>,
    /// How many whole days are audited, up to yesterday.
    #[serde(default = "three")]
    pub days: u32,
    /// In whose time those days begin.
    #[serde(default)]
    pub time_zone: Tz,
    /// How much earlier or later than at Stripe an invoice may be written down.
    #[serde(default = "one_hour", with = "humantime_serde")]
    pub grace: Duration,
    /// The user's words for Stripe's statuses.
    #[serde(default)]
    pub statuses: BTreeMap<String, String>,
    /// Invoices of these statuses need not be on both sides.
    #[serde(default = "drafts")]
    pub ignored: BTreeSet<String>,
    /// The most pages, of 100 invoices each, that are read from Stripe.
    #[serde(default = "twenty")]
    pub max_pages: usize,
    /// The most invoices of one's own that are held in memory.
    #[serde(default = "two_million")]
    pub max_records: usize,
    /// Differences of each kind that become findings of their own; the rest are counted in one.
    #[serde(default = "fifty")]
    pub findings: usize,
    /// How long the database may work on `query`.
    #[serde(default = "twenty_seconds", with = "humantime_serde")]
    pub query_timeout: Duration,
}

fn three() -> u32 {
    3
}

fn one_hour() -> Duration {
    Duration::from_secs(3_600)
}

fn drafts() -> BTreeSet<String> {
    BTreeSet::from(["draft".to_owned()])
}

fn twenty() -> usize {
    20
}

fn two_million() -> usize {
    2_000_000
}

fn fifty() -> usize {
    50
}

fn twenty_seconds() -> Duration {
    Duration::from_secs(20)
}

/// A page of Stripe's invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub invoices: Vec<StripeInvoice>,
    /// Whether others follow.
    pub more: bool,
}

/// What the audit saw.
#[derive(Debug)]
pub struct Seen {
    pub period: Period,
    pub differences: Differences,
    /// What could not be read.
    pub gaps: Vec<Unknown>,
}

impl Audit {
    /// What the types can't say. The message names the field.
    pub fn validate(&self) -> anyhow::Result<()> {
        match (&self.query, &self.csv) {
            (Some(_), Some(_)) => bail!("`query` and `csv` are both set; keep one"),
            (None, None) => bail!("neither `query` nor `csv` says where your records are; set one"),
            (Some(query), None) => ensure!(
                reads(query),
                "`query` is one SELECT, which may begin with WITH"
            ),
            (None, Some(path)) => {
                ensure!(!path.as_os_str().is_empty(), "`csv` is the path of a file")
            }
        }
        ensure!(
            (1..=366).contains(&self.days),
            "`days` lies between 1 and 366"
        );
        ensure!(
            self.grace <= Duration::from_secs(86_400),
            "`grace` lies between 0s and 1d"
        );
        ensure!(
            (1..=100_000).contains(&self.max_pages),
            "`max_pages` lies between 1 and 100000"
        );
        ensure!(
            (1..=20_000_000).contains(&self.max_records),
            "`max_records` lies between 1 and 20000000"
        );
        ensure!(self.findings <= 1_000, "`findings` lies between 0 and 1000");
        let limits = Duration::from_secs(1)..=Duration::from_secs(600);
        ensure!(
            limits.contains(&self.query_timeout),
            "`query_timeout` lies between 1s and 10m"
        );
        for (field, words) in [
            ("statuses", self.statuses.values().collect::<Vec<_>>()),
            ("ignored", self.ignored.iter().collect()),
        ] {
            for word in words {
                ensure!(
                    status::STRIPES.contains(&word.as_str()),
                    "`{field}` holds `{}`, which is no status of Stripe's; {}",
                    one_line(word),
                    did_you_mean(word, status::STRIPES.into_iter())
                );
            }
        }
        Ok(())
    }

    /// The days that are audited at that time.
    pub fn period(&self, now: DateTime<Utc>) -> Period {
        let grace = TimeDelta::from_std(self.grace).unwrap_or_default();
        Period::before(now, self.days, grace, self.time_zone)
    }

    /// Reads one's own records, then Stripe's invoices, and compares them. `stripe` lists the invoices that were created
    /// in `Period::at_stripe`, in any order; it is polled for as many pages as are needed and allowed.
    pub async fn observe<S>(
        &self,
        looking: &Looking,
        now: DateTime<Utc>,
        stripe: impl FnOnce(Period) -> S + Send,
    ) -> Seen
    where
        S: Stream<Item = Result<Page, Unknown>> + Send,
    {
        let period = self.period(now);
        let (intake, own) = match self.own(looking, period).await {
            Ok(read) => read,
            Err(unknown) => return Seen::nothing(period, unknown),
        };
        if let (0, Err(unknown)) = (intake.rows, &own) {
            return Seen::nothing(period, unknown.clone());
        }
        let mut comparison = intake.comparison;
        let pages = stripe(period);
        let stripes = self.stripes(pages, &mut comparison, looking.deadline).await;
        Seen {
            period,
            differences: comparison.finish(own.is_ok(), stripes.is_ok()),
            gaps: own.err().into_iter().chain(stripes.err()).collect(),
        }
    }

    async fn own(
        &self,
        looking: &Looking,
        period: Period,
    ) -> Result<(Intake, Result<(), Unknown>), Unknown> {
        let comparison = Comparison::new(&self.rules(period));
        let mut intake = Intake::new(comparison, self.time_zone, self.max_records);
        match (&self.query, &self.csv) {
            (Some(query), _) => {
                let outcome = sql::read(query, self.query_timeout, period, looking, &mut intake);
                let outcome = outcome.await;
                Ok((intake, outcome))
            }
            (None, Some(path)) => {
                csv_file::read(path.clone(), period, looking.deadline, intake).await
            }
            (None, None) => Err(Unknown::new(
                Cause::NotConfigured,
                "the audit has no records of yours to read; set `query` or `csv` in [checks.payments.audit]",
            )),
        }
    }

    fn rules(&self, period: Period) -> Rules {
        Rules {
            period,
            statuses: self.statuses.clone(),
            ignored: self.ignored.clone(),
            most: self.max_records,
            kept: self.findings,
        }
    }

    async fn stripes(
        &self,
        pages: impl Stream<Item = Result<Page, Unknown>>,
        comparison: &mut Comparison,
        deadline: Instant,
    ) -> Result<(), Unknown> {
        let mut pages = pin!(pages);
        let mut read = 0;
        for number in 1_usize.. {
            let page = timeout_at(deadline, pages.next())
                .await
                .map_err(|_| self.cut_off(Cause::Timeout, "there was no more time", read))?
                .ok_or_else(|| {
                    self.cut_off(Cause::Decode, "its list ended before its last page", read)
                })?
                .map_err(|unknown| failed(unknown, read))?;
            read += page.invoices.len();
            page.invoices
                .iter()
                .try_for_each(|invoice| comparison.stripes(invoice))
                .map_err(|_| self.cut_off(Cause::Truncated, "no more fit into memory", read))?;
            if !page.more {
                break;
            }
            if number >= self.max_pages {
                return Err(self.cut_off(Cause::Truncated, "`max_pages` allows no more", read));
            }
        }
        Ok(())
    }

    fn cut_off(&self, cause: Cause, why: &str, read: usize) -> Unknown {
        let more = match cause {
            Cause::Timeout => "raise `time_limit` in [checks.payments], or lower `days`",
            Cause::Decode => "look again",
            _ => "raise `max_pages` (100 invoices each) and `max_records`, or lower `days`",
        };
        let reason = format!(
            "only {} of Stripe's were compared with your records, as {why}; {more} in [checks.payments.audit]",
            count(read, "invoice")
        );
        Unknown::new(cause, reason)
    }
}

impl Seen {
    fn nothing(period: Period, why: Unknown) -> Self {
        Self {
            period,
            differences: Differences::default(),
            gaps: vec![why],
        }
    }
}

/// What could not be read, after what could.
fn failed(unknown: Unknown, read: usize) -> Unknown {
    if read == 0 {
        return unknown;
    }
    let reason = format!(
        "only {} of Stripe's were compared with your records: {}",
        count(read, "invoice"),
        unknown.reason.as_str()
    );
    Unknown::new(unknown.cause, reason)
}

/// Whether it begins as a statement that only reads; the transaction sees to it that it does.
fn reads(query: &str) -> bool {
    let first = query
        .trim_start_matches(|c: char| c.is_whitespace() || c == '(')
        .split(|c: char| !c.is_ascii_alphabetic())
        .next();
    first.is_some_and(|word| ["select", "with", "table"].contains(&word.to_lowercase().as_str()))
}
