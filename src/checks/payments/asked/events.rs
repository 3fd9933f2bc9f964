//! What the events of one account tell: what was not delivered, and which payments failed.

use chrono::{DateTime, TimeDelta, Utc};

use super::{About, Asked, between};
use crate::{
    baseline::Baselines,
    checks::payments::{
        client::PAGE, earlier::Unsettled, event::Event, findings::measures, permission,
        reach::events_kept, seen::Failures, walk::Walk,
    },
    report::Unknown,
};

/// Pages that are read of earlier days, to learn what is normal.
const LEARNING_PAGES: usize = 10;

/// What tells of failures, asked for together; Stripe takes at most 20.
pub(in crate::checks::payments) const FAILURES: [&str; 7] = [
    "charge.failed",
    "payment_intent.payment_failed",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.finalization_failed",
    "charge.dispute.created",
    "payout.failed",
];

impl Asked<'_> {
    async fn undelivered(&self) -> Walk<Event> {
        let about = About {
            route: "events",
            needs: permission::EVENTS,
            noun: "undelivered events",
        };
        let mut query = self.since(self.reach.undelivered);
        query.push(("delivery_success", "false".to_owned()));
        self.walk(about, query, Event::read).await
    }

    pub(in crate::checks::payments) async fn deliveries(
        &self,
    ) -> (Walk<Event>, Option<Result<Vec<Event>, Unknown>>) {
        let undelivered = self.undelivered().await;
        let overdue = self.now - self.section.pending_after;
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
        let mut query = self.since(since);
        query.push(("delivery_success", "true".to_owned()));
        query.push(("limit", PAGE.to_string()));
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.stripe.expect(1);
        let page = self
            .stripe
            .page(&["events"], &query, permission::EVENTS)
            .await?;
        Ok(page.items.iter().filter_map(Event::read).collect())
    }

    /// Of the time that is judged.
    pub(in crate::checks::payments) async fn failures(&self) -> Failures {
        let began = self.now - self.section.payments_lookback;
        let most_pages = self.section.max_pages;
        let walk = self.failed(began, self.now, most_pages).await;
        Failures {
            complete_since: walk.is_whole().then_some(began),
            walk,
            ..Failures::default()
        }
    }

    /// Of the time before, if somebody still has to deal with payments that failed then.
    pub(in crate::checks::payments) async fn declines(
        &self,
        unsettled: &Unsettled<'_>,
        failures: &mut Failures,
    ) {
        let since = unsettled.since(&["declines"], self.now);
        let most_pages = self.section.max_pages;
        let to = since.max(events_kept(self.now));
        let gaps = self.further(to, most_pages, failures).await;
        failures.gaps.extend(gaps);
    }

    /// Of the days of which it is not known yet what is normal. What fails here is only not learned; tomorrow is another
    /// day.
    pub(in crate::checks::payments) async fn learn(
        &self,
        baselines: &Baselines,
        failures: &mut Failures,
    ) {
        let name = measures::name(self.stripe.account, None);
        if let Some(first) = measures::unknown_since(baselines, &name, self.now) {
            self.further(first, LEARNING_PAGES, failures).await;
        }
    }

    /// Reads on, back to that time or as far as it gets; says why it didn't get there.
    async fn further(
        &self,
        to: DateTime<Utc>,
        most_pages: usize,
        failures: &mut Failures,
    ) -> Vec<Unknown> {
        let Some(began) = failures.complete_since.filter(|began| to < *began) else {
            return Vec::new();
        };
        if let Err(why) = self.stripe.budget.take() {
            return vec![why];
        }
        self.stripe.expect(1);
        let before = began - TimeDelta::seconds(1);
        let earlier = self.failed(to, before, most_pages).await;
        failures.complete_since = measures::complete_since(&earlier, to).or(Some(began));
        failures.earlier.extend(earlier.items);
        earlier.gaps
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
        };
        let mut query = between(from, to);
        query.extend(FAILURES.map(|kind| ("types[]", kind.to_owned())));
        self.walk_to(most_pages, about, query, Event::read).await
    }
}
