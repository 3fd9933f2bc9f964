//! Looks at Stripe: is the key of the right world, what was not delivered, what was not paid, what waits.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Mode, Payments, audit,
    client::{Notices, PAGE, Stripe, mode_of_key},
    endpoint::Endpoint,
    event::Event,
    findings::measures,
    invoice::Invoice,
    news, permission,
    standing::{Balance, Dispute, Payout},
    walk::{List, Walk},
};
use crate::{
    baseline::Baselines,
    checks::Looking,
    report::{Cause, Unknown},
    upstream::Failure,
};

/// Requests for one account if no list has a second page.
const LEAST_REQUESTS: u64 = 9;

/// No dispute is open to an answer for longer.
const DISPUTES_LOOKBACK: Duration = Duration::from_secs(120 * 86_400);

/// A payout that failed is paid out with a later one, or not; then somebody has seen it.
const PAYOUTS_LOOKBACK: Duration = Duration::from_secs(30 * 86_400);

/// Pages that are read of earlier days, to learn what is normal.
const LEARNING_PAGES: usize = 10;

/// Pages of all invoices that are read where a list of some is refused.
const UNFILTERED_PAGES: usize = 3;

/// What tells of failures, asked for together; Stripe takes at most 20.
pub(super) const FAILURES: [&str; 7] = [
    "charge.failed",
    "payment_intent.payment_failed",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.finalization_failed",
    "charge.dispute.created",
    "payout.failed",
];

/// What was seen of Stripe.
#[derive(Debug, Default)]
pub struct Observation {
    /// The world that the key's own prefix tells.
    pub key: Option<Mode>,
    /// The key's own account first.
    pub accounts: Vec<Seen>,
    pub notices: Notices,
    /// What was counted on earlier days.
    pub baselines: Arc<Baselines>,
    /// The user's own records compared with the invoices of the key's own account; none if that was not asked for.
    pub audit: Option<audit::Seen>,
    /// If only that was looked at which happened since then.
    pub since: Option<DateTime<Utc>>,
}

/// What was seen of one account.
#[derive(Debug, Default)]
pub struct Seen {
    /// `acct_..`; none for the key's own.
    pub account: Option<String>,
    /// Why nothing else was asked.
    pub barred: Option<Unknown>,
    pub balance: Option<Result<Balance, Unknown>>,
    pub undelivered: Walk<Event>,
    /// The newest page of delivered events, since the oldest that should have been; none if nothing is overdue.
    pub delivered: Option<Result<Vec<Event>, Unknown>>,
    pub endpoints: Walk<Endpoint>,
    pub failures: Failures,
    pub invoices: Invoices,
    pub disputes: Walk<Dispute>,
    pub payouts: Walk<Payout>,
    /// What was read instead of all that, where only the time since something was asked for.
    pub news: News,
}

/// Events that tell of failures.
#[derive(Debug, Default)]
pub struct Failures {
    /// Of the time that is judged.
    pub walk: Walk<Event>,
    /// Of the days before, from which is learned what is normal.
    pub earlier: Vec<Event>,
    /// From here on, all of them were read.
    pub complete_since: Option<DateTime<Utc>>,
}

/// What failed since a time, as events tell it.
#[derive(Debug, Default)]
pub struct News {
    pub events: Walk<Event>,
    pub invoices: Vec<Invoice>,
    pub disputes: Vec<Dispute>,
    pub payouts: Vec<Payout>,
}

/// Invoices by what Stripe holds them for.
#[derive(Debug, Default)]
pub struct Invoices {
    pub open: Walk<Invoice>,
    pub uncollectible: Walk<Invoice>,
    pub drafts: Walk<Invoice>,
    /// Events that tell of invoices sent by mail, since the oldest that may not have been; none if there is no such one.
    pub sent: Option<Walk<Event>>,
}

pub(super) async fn observe(section: &Payments, looking: &Looking) -> Result<Observation, Unknown> {
    let key = mode_of_key(looking)?;
    if key.is_some_and(|mode| mode != section.mode) {
        // What it would show is another world's.
        return Ok(Observation {
            key,
            ..Observation::default()
        });
    }
    let baselines = Arc::clone(&looking.baselines);
    let stripe = Stripe::connect(section, looking)?;
    let now = (looking.clock)();
    let mut accounts = Vec::new();
    for account in section.all_accounts() {
        let stripe = stripe.of(account)?;
        let seen = match looking.since {
            Some(since) => news::look(&stripe, since, now).await,
            None => look(section, &stripe, now, &baselines).await,
        };
        let all_are_barred = account.is_none() && seen.barred.is_some();
        accounts.push(seen);
        if all_are_barred
            || stripe
                .notices()
                .modes
                .iter()
                .any(|mode| *mode != section.mode)
        {
            break;
        }
    }
    let audit = match &section.audit {
        Some(audit) if looking.since.is_none() && is_the_world(section, &stripe, &accounts) => {
            let stripe = stripe.clone().at_length(section);
            let list = |period| audit::list::invoices(&stripe, period);
            Some(audit.observe(looking, now, list).await)
        }
        _ => None,
    };
    Ok(Observation {
        key,
        accounts,
        notices: stripe.notices(),
        baselines,
        audit,
        since: looking.since,
    })
}

/// Whether the key opens its own account, and nothing says that it is of the other world.
fn is_the_world(section: &Payments, stripe: &Stripe<'_>, accounts: &[Seen]) -> bool {
    let modes = stripe.notices().modes;
    let opens = accounts.first().is_some_and(|own| own.barred.is_none());
    opens && modes.iter().all(|mode| *mode == section.mode)
}

/// One account. Its balance first: that proves the key, the world and the clock.
async fn look(
    section: &Payments,
    stripe: &Stripe<'_>,
    now: DateTime<Utc>,
    baselines: &Baselines,
) -> Seen {
    stripe.expect(LEAST_REQUESTS);
    let mut seen = Seen {
        account: stripe.account.map(str::to_owned),
        ..Seen::default()
    };
    match balance(stripe).await {
        Ok(balance) => seen.balance = Some(balance),
        Err(failure) if bars_the_rest(&failure) => {
            seen.barred = Some(failure.into());
            return seen;
        }
        Err(failure) => seen.balance = Some(Err(failure.into())),
    }
    if stripe
        .notices()
        .modes
        .iter()
        .any(|mode| *mode != section.mode)
    {
        return seen;
    }
    let asked = Asked {
        stripe,
        now,
        most_pages: section.max_pages,
    };
    (
        (seen.undelivered, seen.delivered),
        seen.endpoints,
        seen.failures,
        seen.invoices,
        seen.disputes,
        seen.payouts,
    ) = tokio::join!(
        asked.deliveries(section),
        asked.endpoints(),
        asked.failures(section.payments_lookback, baselines),
        asked.invoices(section.invoices_lookback),
        asked.disputes(),
        asked.payouts(),
    );
    seen
}

async fn balance(stripe: &Stripe<'_>) -> Result<Result<Balance, Unknown>, Failure> {
    let answer = stripe.one(&["balance"], &[], permission::BALANCE).await?;
    Ok(Balance::read(&answer).ok_or_else(|| {
        let reason = "Stripe GET /v1/balance: the answer is no balance as Stripe documents it; check that `url` in [checks.payments] leads to Stripe itself";
        Unknown::new(Cause::Decode, reason)
    }))
}

/// Whether nothing came of a list, for another reason than that it may not be seen.
fn is_refused(open: &Walk<Invoice>) -> bool {
    let refused = |unknown: &Unknown| unknown.cause == Cause::Upstream;
    open.items.is_empty() && open.gaps.iter().any(refused)
}

/// Whether every other request would fail alike.
fn bars_the_rest(failure: &Failure) -> bool {
    matches!(
        failure.cause,
        Cause::Auth
            | Cause::Tls
            | Cause::Redirect
            | Cause::Refused
            | Cause::NotConfigured
            | Cause::Network
    ) || permission::is_no_access(failure)
}

/// One account, asked about one time.
struct Asked<'a> {
    stripe: &'a Stripe<'a>,
    now: DateTime<Utc>,
    most_pages: usize,
}

impl Asked<'_> {
    async fn undelivered(&self, lookback: Duration) -> Walk<Event> {
        let query = [("delivery_success", "false".to_owned())];
        let about = About {
            route: "events",
            needs: permission::EVENTS,
            noun: "undelivered events",
            most_pages: self.most_pages,
        };
        self.walk(about, self.within(lookback, query), Event::read)
            .await
    }

    async fn deliveries(
        &self,
        section: &Payments,
    ) -> (Walk<Event>, Option<Result<Vec<Event>, Unknown>>) {
        let undelivered = self.undelivered(section.webhooks_lookback).await;
        let overdue = self.now - section.pending_after;
        let oldest = undelivered
            .items
            .iter()
            .filter_map(|event| event.created)
            .filter(|created| *created <= overdue)
            .min();
        let delivered = match oldest {
            None => None,
            Some(oldest) => Some(self.delivered(oldest).await),
        };
        (undelivered, delivered)
    }

    /// One page tells whether an endpoint is reached at all.
    async fn delivered(&self, since: DateTime<Utc>) -> Result<Vec<Event>, Unknown> {
        let lookback = (self.now - since).to_std().unwrap_or_default();
        let query = self.within(lookback, [("delivery_success", "true".to_owned())]);
        let limit = PAGE.to_string();
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .chain([("limit", limit.as_str())])
            .collect();
        self.stripe.expect(1);
        let page = self
            .stripe
            .page(&["events"], &query, permission::EVENTS)
            .await?;
        Ok(page.items.iter().filter_map(Event::read).collect())
    }

    async fn endpoints(&self) -> Walk<Endpoint> {
        let about = About {
            route: "webhook_endpoints",
            needs: permission::WEBHOOKS,
            noun: "webhook endpoints",
            most_pages: self.most_pages,
        };
        self.walk(about, Vec::new(), Endpoint::read).await
    }

    async fn failures(&self, lookback: Duration, baselines: &Baselines) -> Failures {
        let began = self.now - lookback;
        let walk = self.failed(began, self.now, self.most_pages).await;
        let mut failures = Failures {
            complete_since: walk.is_whole().then_some(began),
            ..Failures::default()
        };
        let name = measures::name(self.stripe.account, None);
        let unknown_since = measures::unknown_since(baselines, &name, self.now);
        if let Some(first) = unknown_since.filter(|first| walk.is_whole() && *first < began) {
            // What fails here is only not learned; tomorrow is another day.
            let earlier = self
                .failed(first, began - TimeDelta::seconds(1), LEARNING_PAGES)
                .await;
            failures.complete_since = measures::complete_since(&earlier, first).or(Some(began));
            failures.earlier = earlier.items;
        }
        failures.walk = walk;
        failures
    }

    /// Events that tell of failures, created between the two, both included.
    async fn failed(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        most_pages: usize,
    ) -> Walk<Event> {
        let about = About {
            route: "events",
            needs: permission::EVENTS,
            noun: "failure events",
            most_pages,
        };
        let mut query = vec![
            ("created[gte]", from.timestamp().to_string()),
            ("created[lte]", to.timestamp().to_string()),
        ];
        query.extend(FAILURES.map(|kind| ("types[]", kind.to_owned())));
        self.walk(about, query, Event::read).await
    }

    async fn invoices(&self, lookback: Duration) -> Invoices {
        let of = async |status: &str, noun: &'static str| {
            let about = About {
                route: "invoices",
                needs: permission::INVOICES,
                noun,
                most_pages: self.most_pages,
            };
            let query = self.within(lookback, [("status", status.to_owned())]);
            self.walk(about, query, Invoice::read).await
        };
        let (mut open, uncollectible, drafts) = tokio::join!(
            of("open", "open invoices"),
            of("uncollectible", "uncollectible invoices"),
            of("draft", "draft invoices"),
        );
        if is_refused(&open) {
            open = self.all_invoices(open).await;
        }
        let sent = self.sent(&open).await;
        Invoices {
            open,
            uncollectible,
            drafts,
            sent,
        }
    }

    /// Stands in for Stripe that know no filters still have invoices, whose own status is what counts.
    async fn all_invoices(&self, open: Walk<Invoice>) -> Walk<Invoice> {
        let about = About {
            route: "invoices",
            needs: permission::INVOICES,
            noun: "invoices",
            most_pages: UNFILTERED_PAGES,
        };
        let mut all = self.walk(about, Vec::new(), Invoice::read).await;
        all.gaps = open.gaps;
        all
    }

    /// Stripe keeps no mark on an invoice that it was sent; only the event tells, and only for 30 days.
    async fn sent(&self, open: &Walk<Invoice>) -> Option<Walk<Event>> {
        let kept = self.now - super::EVENTS_ARE_KEPT;
        let oldest = open
            .items
            .iter()
            .filter(|invoice| invoice.is_sent_by_mail())
            .filter_map(|invoice| invoice.finalized_at)
            .filter(|finalized| *finalized > kept)
            .min()?;
        let about = About {
            route: "events",
            needs: permission::EVENTS,
            noun: "events of invoices sent",
            most_pages: self.most_pages,
        };
        let lookback = (self.now - oldest).to_std().unwrap_or_default();
        let query = self.within(lookback, [("type", "invoice.sent".to_owned())]);
        Some(self.walk(about, query, Event::read).await)
    }

    async fn disputes(&self) -> Walk<Dispute> {
        let about = About {
            route: "disputes",
            needs: permission::DISPUTES,
            noun: "disputes",
            most_pages: self.most_pages,
        };
        let query = self.within(DISPUTES_LOOKBACK, []);
        self.walk(about, query, Dispute::read).await
    }

    async fn payouts(&self) -> Walk<Payout> {
        let about = About {
            route: "payouts",
            needs: permission::PAYOUTS,
            noun: "failed payouts",
            most_pages: self.most_pages,
        };
        let query = self.within(PAYOUTS_LOOKBACK, [("status", "failed".to_owned())]);
        self.walk(about, query, Payout::read).await
    }

    /// What was created in the time before now. The end stands still, so that pages don't move while they are read.
    fn within<const N: usize>(
        &self,
        lookback: Duration,
        more: [(&'static str, String); N],
    ) -> Vec<(&'static str, String)> {
        let began = self.now - lookback;
        let mut query = vec![
            ("created[gte]", began.timestamp().to_string()),
            ("created[lte]", self.now.timestamp().to_string()),
        ];
        query.extend(more);
        query
    }

    async fn walk<T>(
        &self,
        about: About,
        query: Vec<(&'static str, String)>,
        read: impl Fn(&serde_json::Value) -> Option<T>,
    ) -> Walk<T> {
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let list = List {
            route: about.route,
            query: &query,
            needs: about.needs,
            noun: about.noun,
            most_pages: about.most_pages,
        };
        self.stripe.walk(&list, read).await
    }
}

/// What a list is, whoever asks.
struct About {
    route: &'static str,
    needs: &'static str,
    noun: &'static str,
    most_pages: usize,
}
