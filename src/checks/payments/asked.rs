//! The lists of one account, each read to its end.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Payments,
    client::{PAGE, Stripe},
    endpoint::Endpoint,
    event::Event,
    findings::measures,
    invoice::Invoice,
    permission,
    seen::{Failures, Invoices},
    standing::{Dispute, Payout},
    walk::{List, Walk},
};
use crate::{baseline::Baselines, report::Unknown};

/// No dispute is open to an answer for longer.
const DISPUTES_LOOKBACK: Duration = Duration::from_secs(120 * 86_400);

/// A payout that failed is paid out with a later one, or not; then somebody has seen it.
const PAYOUTS_LOOKBACK: Duration = Duration::from_secs(30 * 86_400);

/// Pages that are read of earlier days, to learn what is normal.
const LEARNING_PAGES: usize = 10;

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

/// One account, asked about one time.
pub(super) struct Asked<'a> {
    pub stripe: &'a Stripe<'a>,
    pub now: DateTime<Utc>,
    pub most_pages: usize,
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

    pub(super) async fn deliveries(
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

    pub(super) async fn endpoints(&self) -> Walk<Endpoint> {
        let about = About {
            route: "webhook_endpoints",
            needs: permission::WEBHOOKS,
            noun: "webhook endpoints",
            most_pages: self.most_pages,
        };
        self.walk(about, Vec::new(), Endpoint::read).await
    }

    pub(super) async fn failures(&self, lookback: Duration, baselines: &Baselines) -> Failures {
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

    pub(super) async fn invoices(&self, lookback: Duration) -> Invoices {
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
        let (open, uncollectible, drafts) = tokio::join!(
            of("open", "open invoices"),
            of("uncollectible", "uncollectible invoices"),
            of("draft", "draft invoices"),
        );
        let sent = self.sent(&open).await;
        Invoices {
            open,
            uncollectible,
            drafts,
            sent,
        }
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

    pub(super) async fn disputes(&self) -> Walk<Dispute> {
        let about = About {
            route: "disputes",
            needs: permission::DISPUTES,
            noun: "disputes",
            most_pages: self.most_pages,
        };
        let query = self.within(DISPUTES_LOOKBACK, []);
        self.walk(about, query, Dispute::read).await
    }

    pub(super) async fn payouts(&self) -> Walk<Payout> {
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
