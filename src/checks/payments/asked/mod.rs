//! The lists of one account, each read to its end.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    Payments,
    client::Stripe,
    endpoint::Endpoint,
    permission,
    reach::Reach,
    standing::{Dispute, Payout},
    walk::{List, Walk},
};

mod events;
mod invoices;

pub(super) use events::FAILURES;

/// One account, asked about one time.
pub(super) struct Asked<'a> {
    section: &'a Payments,
    stripe: &'a Stripe<'a>,
    reach: Reach,
    now: DateTime<Utc>,
}

/// What a list is, whoever asks.
struct About {
    route: &'static str,
    needs: &'static str,
    noun: &'static str,
}

type Query = Vec<(&'static str, String)>;

impl<'a> Asked<'a> {
    pub(super) fn new(
        section: &'a Payments,
        stripe: &'a Stripe<'a>,
        reach: Reach,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            section,
            stripe,
            reach,
            now,
        }
    }

    pub(super) async fn endpoints(&self) -> Walk<Endpoint> {
        let about = About {
            route: "webhook_endpoints",
            needs: permission::WEBHOOKS,
            noun: "webhook endpoints",
        };
        self.walk(about, Vec::new(), Endpoint::read).await
    }

    pub(super) async fn disputes(&self) -> Walk<Dispute> {
        let about = About {
            route: "disputes",
            needs: permission::DISPUTES,
            noun: "disputes",
        };
        let query = self.since(self.reach.disputes);
        self.walk(about, query, Dispute::read).await
    }

    pub(super) async fn payouts(&self) -> Walk<Payout> {
        let about = About {
            route: "payouts",
            needs: permission::PAYOUTS,
            noun: "failed payouts",
        };
        let mut query = self.since(self.reach.payouts);
        query.push(("status", "failed".to_owned()));
        self.walk(about, query, Payout::read).await
    }

    /// What was created since then. The end stands still, so that pages don't move while they are read.
    fn since(&self, began: DateTime<Utc>) -> Query {
        between(began, self.now)
    }

    async fn walk<T>(
        &self,
        about: About,
        query: Query,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Walk<T> {
        self.walk_to(self.section.max_pages, about, query, read)
            .await
    }

    async fn walk_to<T>(
        &self,
        most_pages: usize,
        about: About,
        query: Query,
        read: impl Fn(&Value) -> Option<T>,
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
            most_pages,
        };
        self.stripe.walk(&list, read).await
    }
}

/// What was created then, both ends included.
fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Query {
    vec![
        ("created[gte]", from.timestamp().to_string()),
        ("created[lte]", to.timestamp().to_string()),
    ]
}
