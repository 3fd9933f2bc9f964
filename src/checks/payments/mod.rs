//! The check `payments`: what failed at Stripe - webhooks, invoices, payments, disputes, payouts - and needs a person.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;

use budget::Budget;

use super::{Applied, Check, Evaluation, Looking, NotApplied, Order, Proof, Secret};
use crate::{
    baseline::Measure,
    report::{Finding, Unknown},
    text::Untrusted,
    upstream::{self, Gate},
};

mod asked;
pub mod audit;
mod budget;
mod client;
mod earlier;
mod endpoint;
mod event;
mod failed;
mod findings;
mod invoice;
mod limits;
pub mod money;
mod news;
mod observe;
mod permission;
mod reach;
mod read;
mod remedies;
mod seen;
mod standing;
pub mod subject;
mod validity;
mod walk;
mod why;

pub use client::Notices;
pub use endpoint::Endpoint;
pub use event::{Event, Fault};
pub use invoice::Invoice;
pub use limits::Limits;
pub use reach::Reach;
pub use remedies::{Replay, Replayed, SECRET, Target};
pub use seen::{Again, Failures, Invoices, News, Observation, Seen};
pub use standing::{Balance, Dispute, Payout};
pub use walk::Walk;
pub use why::Why;

/// The key and what it is for.
pub const KEY: Secret = (
    "STRIPE_API_KEY",
    "reads Stripe's events, invoices, disputes, payouts and balance, and pays invoices again (a restricted key, rk_live_..., is enough)",
);

/// Stripe keeps events for so long.
const EVENTS_ARE_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Which of Stripe's two worlds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Live,
    Test,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The gates to the two worlds, of which each has limits of its own; far below what Stripe allows.
#[derive(Clone, Debug)]
pub struct Gates {
    live: Gate,
    test: Gate,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            live: Gate::new(2, 80),
            test: Gate::new(2, 25),
        }
    }
}

impl Gates {
    /// Of a Stripe that bears so many requests in a second.
    pub fn of_rate(per_second: u32) -> Self {
        let gate = Gate::new(2, per_second);
        Self {
            live: gate.clone(),
            test: gate,
        }
    }

    pub fn of(&self, mode: Mode) -> &Gate {
        match mode {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }
}

/// `[checks.payments]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    /// The world that the key must be of.
    #[serde(default)]
    pub mode: Mode,
    /// Stripe's address without `/v1`.
    #[serde(default = "stripe_com")]
    pub url: Url,
    /// Connected accounts (`acct_..`) to look at besides the key's own.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Undelivered events of this time are looked at.
    #[serde(default = "seven_days", with = "humantime_serde")]
    pub webhooks_lookback: Duration,
    /// Failed payments of this time are counted.
    #[serde(default = "one_day", with = "humantime_serde")]
    pub payments_lookback: Duration,
    /// Invoices that were created in this time are looked at.
    #[serde(default = "ninety_days", with = "humantime_serde")]
    pub invoices_lookback: Duration,
    /// A younger undelivered event is only on its way.
    #[serde(default = "a_quarter", with = "humantime_serde")]
    pub pending_after: Duration,
    /// An older one is not tried again by Stripe.
    #[serde(default = "three_days", with = "humantime_serde")]
    pub exhausted_after: Duration,
    /// Ids or addresses of webhook endpoints that may be disabled.
    #[serde(default)]
    pub endpoints_off: Vec<String>,
    /// The most pages of a hundred that are read of one list.
    #[serde(default = "thirty")]
    pub max_pages: usize,
    /// The most requests of a whole look, over all accounts; the audit has its own. None: 48 for each account.
    pub max_requests: Option<u64>,
    #[serde(default)]
    pub limits: Limits,
    /// Whether Stripe may be asked to resend events, by a route that it doesn't document.
    #[serde(default)]
    pub allow_event_retry: bool,
    #[serde(default)]
    pub replay: Replay,
    /// What to read when something of this check is found; the report links it.
    pub runbook: Option<Url>,
    /// Compares the user's own records with Stripe's invoices.
    pub audit: Option<audit::Audit>,
    /// Times and retries; not configurable, but tests are in a hurry.
    #[serde(skip, default = "patience")]
    pub settings: upstream::Settings,
    /// The rows of a page; not configurable, but tests have small worlds.
    #[serde(skip, default = "a_hundred")]
    pub rows: usize,
    #[serde(skip)]
    pub gates: Gates,
    #[serde(skip)]
    pub replayed: Replayed,
}

fn stripe_com() -> Url {
    Url::parse("https://api.stripe.com").expect("the address is constant")
}

fn a_quarter() -> Duration {
    Duration::from_secs(15 * 60)
}

fn one_day() -> Duration {
    Duration::from_secs(86_400)
}

fn three_days() -> Duration {
    3 * one_day()
}

fn seven_days() -> Duration {
    7 * one_day()
}

fn ninety_days() -> Duration {
    90 * one_day()
}

fn thirty() -> usize {
    30
}

/// Stripe gives no more.
fn a_hundred() -> usize {
    100
}

/// As Stripe's own libraries wait: half a second, doubled.
fn patience() -> upstream::Settings {
    upstream::Settings {
        first_wait: Duration::from_millis(500),
        ..upstream::Settings::default()
    }
}

impl Payments {
    /// The key's own account, then those that are configured.
    pub fn all_accounts(&self) -> impl Iterator<Item = Option<&str>> {
        std::iter::once(None).chain(self.accounts.iter().map(|id| Some(id.as_str())))
    }

    fn budget(&self) -> Budget {
        let accounts = self.number_of_accounts();
        Budget::of(
            self.max_requests.unwrap_or(budget::USUAL * accounts),
            accounts,
        )
    }

    fn number_of_accounts(&self) -> u64 {
        1 + self.accounts.len() as u64
    }
}

impl Check for Payments {
    const NAME: &'static str = "payments";
    const SECRETS: &'static [Secret] = &[KEY, remedies::SECRET, audit::DATABASE_URL];
    const CAN_RESOLVE: bool = false;
    type Observation = Observation;

    fn validate(&self) -> anyhow::Result<()> {
        validity::validate(self)
    }

    fn wants(&self, secret: &Secret) -> bool {
        match *secret {
            remedies::SECRET => !self.replay.endpoints.is_empty(),
            audit::DATABASE_URL => self.audit.as_ref().is_some_and(|it| it.query.is_some()),
            _ => true,
        }
    }

    async fn observe(&self, looking: &Looking) -> Result<Observation, Unknown> {
        observe::observe(self, looking).await
    }

    fn evaluate(&self, seen: &Observation, now: DateTime<Utc>) -> Evaluation {
        findings::evaluate(self, seen, now)
    }

    fn reaches(&self, finding: &Finding, seen: &Observation, _: DateTime<Utc>) -> bool {
        reach::reaches(self, finding, seen)
    }

    fn leaves_out(&self, finding: &Finding) -> bool {
        reach::leaves_out(self, finding)
    }

    async fn before(
        &self,
        order: &Order,
        looking: &Looking,
    ) -> Result<Option<Untrusted>, NotApplied> {
        remedies::before(self, order, looking).await
    }

    async fn apply(&self, order: &Order, looking: &Looking) -> Result<Applied, NotApplied> {
        remedies::apply(self, order, looking).await
    }

    async fn rehearse(
        &self,
        order: &Order,
        looking: &Looking,
    ) -> Result<Vec<Untrusted>, NotApplied> {
        remedies::rehearse(self, order, looking).await
    }

    async fn prove(&self, looking: &Looking) -> Vec<Proof> {
        remedies::prove(self, looking).await
    }

    fn measure(&self, seen: &Observation, now: DateTime<Utc>) -> Vec<Measure> {
        findings::measures::measure(self, seen, now)
    }
}
