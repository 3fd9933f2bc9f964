//! The undelivered events that a finding is about, as they are now.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Task, not_sent, refused, was_done};
use crate::{
    checks::{
        Applied, NotApplied,
        payments::{Endpoint, Event, permission, read, subject::Subject, walk::List},
    },
    report::{Cause, Unknown},
};

/// The most events that one order deals with.
pub(super) const MOST: usize = 100;

/// The word of a key for every type.
const ALL: &str = "all";

/// Of a key `webhooks/we_1/invoice.paid` or `webhooks/we_1`; `all` and `none` stand for an endpoint that isn't known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// `we_..`; none if Stripe doesn't say which.
    pub endpoint: Option<String>,
    /// None: all types.
    pub kind: Option<String>,
}

/// Whom they are for, and what is missing there.
pub(super) struct Missed {
    pub endpoint: Endpoint,
    /// Oldest first.
    pub events: Vec<Event>,
    /// There are more, which are older.
    pub is_cut: bool,
    /// Some that this endpoint takes are undelivered, and nothing says that it is this endpoint that misses them.
    pub has_others: bool,
    all: Vec<Endpoint>,
}

impl Missed {
    /// The enabled endpoints that take events of that type.
    pub(super) fn takers(&self, kind: &str) -> u64 {
        takers(&self.all, kind)
    }

    /// What to say where nothing is left to be done.
    pub(super) fn nothing(&self) -> Result<Applied, NotApplied> {
        if self.has_others || self.is_cut {
            return Err(refused(
                "Stripe no longer says that this endpoint missed them; nothing was sent: run the check again",
            ));
        }
        Ok(was_done(
            "Stripe shows all of them as delivered; nothing was sent",
        ))
    }
}

impl Group {
    pub(super) fn of(subject: &Subject) -> Option<Self> {
        let (whom, kind) = match subject.rest.split_once('/') {
            Some(both) => both,
            None => (subject.rest.as_str(), ALL),
        };
        let endpoint = (!matches!(whom, ALL | "none")).then(|| whom.to_owned());
        let is_endpoint = |id: &str| id.starts_with("we_") && read::is_id(id);
        let all_fit = endpoint.as_deref().is_none_or(is_endpoint) && !kind.is_empty();
        all_fit.then(|| Self {
            endpoint,
            kind: (kind != ALL).then(|| kind.to_owned()),
        })
    }

    /// What that endpoint misses of it, without those that are left out. Younger events are still on their way; the newest
    /// are taken if there are too many.
    pub(super) async fn missed(
        &self,
        task: &Task<'_>,
        endpoint: &str,
        left_out: &BTreeSet<String>,
    ) -> Result<Option<Missed>, NotApplied> {
        let endpoints = self.endpoints(task).await?;
        let Some(own) = endpoints.iter().find(|it| it.id == endpoint) else {
            return Ok(None);
        };
        let (events, is_whole) = self.undelivered(task).await?;
        let taken = events
            .into_iter()
            .filter(|event| own.takes(&event.kind))
            .filter(|event| self.kind.as_ref().is_none_or(|kind| *kind == event.kind));
        let (mut events, others): (Vec<Event>, Vec<Event>) =
            taken.partition(|event| self.endpoint.is_none() || is_missed_by_all(event, &endpoints));
        events.retain(|event| !left_out.contains(&event.id));
        events.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        let older = events.len().saturating_sub(MOST);
        events.drain(..older);
        Ok(Some(Missed {
            endpoint: own.clone(),
            events,
            is_cut: older > 0 || !is_whole,
            has_others: !others.is_empty(),
            all: endpoints,
        }))
    }

    async fn endpoints(&self, task: &Task<'_>) -> Result<Vec<Endpoint>, NotApplied> {
        let list = List {
            route: "webhook_endpoints",
            query: &[],
            needs: permission::WEBHOOKS,
            noun: "webhook endpoints",
            most_pages: task.section.max_pages,
        };
        let walk = task.stripe.walk(&list, Endpoint::read).await;
        match walk.gaps.into_iter().next() {
            None => Ok(walk.items),
            Some(why) => Err(not_sent(why)),
        }
    }

    /// Since the oldest that was confirmed, until the order was given: what comes later is not of it.
    async fn undelivered(&self, task: &Task<'_>) -> Result<(Vec<Event>, bool), NotApplied> {
        let section = task.section;
        let until = seconds(task.order.at - section.pending_after);
        let oldest = task
            .order
            .argument
            .as_deref()
            .and_then(|it| it.parse().ok());
        let oldest = oldest.and_then(|oldest| DateTime::from_timestamp(oldest, 0));
        let since = seconds(oldest.unwrap_or(task.order.at - section.webhooks_lookback));
        let mut query = vec![
            ("delivery_success", "false"),
            ("created[gte]", since.as_str()),
            ("created[lte]", until.as_str()),
        ];
        query.extend(self.kind.as_deref().map(|kind| ("type", kind)));
        let list = List {
            route: "events",
            query: &query,
            needs: permission::EVENTS,
            noun: "undelivered events",
            most_pages: section.max_pages,
        };
        let walk = task.stripe.walk(&list, Event::read).await;
        match walk.gaps.into_iter().next() {
            // The newest come first, and only those are dealt with.
            Some(why) if why.cause != Cause::Truncated => Err(not_sent(why)),
            gap => Ok((walk.items, gap.is_none())),
        }
    }
}

fn seconds(at: DateTime<Utc>) -> String {
    at.timestamp().to_string()
}

/// Stripe tells how many endpoints miss an event, and not which: only if all that take it do, this one surely does.
fn is_missed_by_all(event: &Event, endpoints: &[Endpoint]) -> bool {
    let missing = event.pending_webhooks.unwrap_or(1).max(1);
    missing >= takers(endpoints, &event.kind)
}

fn takers(endpoints: &[Endpoint], kind: &str) -> u64 {
    let takers = endpoints
        .iter()
        .filter(|endpoint| endpoint.application.is_none())
        .filter(|endpoint| endpoint.is_enabled() && endpoint.takes(kind));
    takers.count() as u64
}

/// Where the endpoint itself is gone.
pub(super) fn no_endpoint(id: &str) -> NotApplied {
    let reason = format!("Stripe has no webhook endpoint {id} any more; nothing was sent");
    NotApplied::Refused(Unknown::new(Cause::NotFound, reason).reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_from_the_subject_of_its_finding() {
        let of = |rest: &str| Group::of(&Subject::new(None, "webhooks", rest));
        let group = |endpoint: Option<&str>, kind: Option<&str>| {
            Some(Group {
                endpoint: endpoint.map(str::to_owned),
                kind: kind.map(str::to_owned),
            })
        };
        assert_eq!(
            of("we_1/invoice.paid"),
            group(Some("we_1"), Some("invoice.paid"))
        );
        assert_eq!(of("we_1/all"), group(Some("we_1"), None));
        assert_eq!(of("we_1"), group(Some("we_1"), None));
        for nobodys in ["all/all", "none/all"] {
            assert_eq!(of(nobodys), group(None, None));
        }
        for odd in ["", "we_1/", "we/1/x", "evt_1/all", "we_../all"] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}
