//! The invoice audit: one's own records compared with Stripe's invoices of some days.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    pin::pin,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::{
    checks::{Looking, Secret, payments::subject::Subject},
    report::{Cause, Unknown},
    text::count,
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
mod validity;

pub use compare::{Rules, StripeInvoice, compare};
pub use differences::{Difference, Differences, Group, Kind, Side, Sides};
pub(super) use findings::may_be_missing;
pub use period::Period;
pub use record::OwnRecord;

use compare::Comparison;
use intake::Intake;

/// Days that are audited at most so that no difference is lost.
const MOST_DAYS: u32 = 31;

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
pub struct Compared {
    pub period: Period,
    pub differences: Differences,
    /// What could not be read.
    pub gaps: Vec<Unknown>,
}

impl Audit {
    /// The days that are audited at that time: as many as configured, or since that moment if it is earlier. Records that
    /// may hold no more than the days that are configured are compared with those alone.
    pub fn period(&self, now: DateTime<Utc>, since: Option<DateTime<Utc>>) -> Period {
        let grace = TimeDelta::from_std(self.grace).unwrap_or_default();
        let usual = Period::before(now, self.days, grace, self.time_zone);
        let Some(since) = since.filter(|_| self.asks_for_days()) else {
            return usual;
        };
        let first = since.with_timezone(&self.time_zone).date_naive();
        let today = (now - grace).with_timezone(&self.time_zone).date_naive();
        let days = u32::try_from((today - first).num_days()).unwrap_or(0);
        let days = days.min(MOST_DAYS).max(self.days);
        Period::before(now, days, grace, self.time_zone)
    }

    /// Whether its records are asked for by the days that are audited.
    fn asks_for_days(&self) -> bool {
        let query = self.query.as_deref().unwrap_or_default();
        query.contains("$1") || query.contains('?')
    }

    /// `max_pages` is for as many days as are configured.
    fn most_pages(&self, period: &Period) -> usize {
        let days = (period.to - period.from).num_hours().max(24) / 24;
        let days = usize::try_from(days).unwrap_or(1);
        let usual = self.days as usize;
        self.max_pages
            .saturating_mul(days.max(usual))
            .div_ceil(usual.max(1))
    }

    /// When the oldest difference began that somebody still has to deal with.
    fn unsettled_since(looking: &Looking) -> Option<DateTime<Utc>> {
        let unsettled = looking.earlier.iter().filter(|it| !it.is_settled);
        let own = unsettled.filter(|it| {
            Subject::of(&it.finding.key)
                .is_some_and(|subject| matches!(subject.kind.as_str(), "audit" | "audits"))
        });
        own.filter_map(|it| it.finding.began_at).min()
    }

    /// Reads one's own records, then Stripe's invoices, and compares them. `stripe` lists the invoices that were created
    /// in `Period::at_stripe`, in any order; it is polled for as many pages as are needed and allowed.
    pub async fn observe<S>(
        &self,
        looking: &Looking,
        now: DateTime<Utc>,
        stripe: impl FnOnce(Period) -> S + Send,
    ) -> Compared
    where
        S: Stream<Item = Result<Page, Unknown>> + Send,
    {
        let period = self.period(now, Self::unsettled_since(looking));
        let (intake, own) = match self.own(looking, period).await {
            Ok(read) => read,
            Err(unknown) => return Compared::nothing(period, unknown),
        };
        if let (0, Err(unknown)) = (intake.rows, &own) {
            return Compared::nothing(period, unknown.clone());
        }
        let mut comparison = intake.comparison;
        let pages = stripe(period);
        let most_pages = self.most_pages(&period);
        let stripes = self.stripes(pages, most_pages, &mut comparison, looking.deadline);
        let stripes = stripes.await;
        Compared {
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
        most_pages: usize,
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
            if number >= most_pages {
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

impl Compared {
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
