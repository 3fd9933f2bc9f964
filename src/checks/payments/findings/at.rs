//! One account at the time of judgement, and what of it could not be seen. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::page;
use crate::{
    baseline::Baselines,
    checks::{
        Evaluation,
        payments::{Endpoint, Payments, Seen, earlier::Unsettled, subject::Subject, walk::Walk},
    },
    report::{FindingKey, Unknown},
};

/// One account at the time of judgement.
pub(super) struct At<'a> {
    pub section: &'a Payments,
    pub seen: &'a Seen,
    /// The key's own account, whose Connect endpoints take what happens in the connected ones.
    pub platform: Option<&'a Seen>,
    pub now: DateTime<Utc>,
    pub baselines: &'a Baselines,
    pub unsettled: Unsettled<'a>,
}

impl<'a> At<'a> {
    /// The endpoints that this account's events go to: its own, and for a connected one the platform's Connect endpoints.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &'a Endpoint> + use<'a> {
        let is_connected = self.seen.account.is_some();
        let own = self.seen.endpoints.items.iter();
        let own = own.filter(|endpoint| endpoint.application.is_none());
        let platform = self.platform.filter(|_| is_connected).into_iter();
        let of_platform = platform.flat_map(|platform| &platform.endpoints.items);
        own.chain(of_platform.filter(|endpoint| endpoint.application.is_some()))
    }

    /// Whether those are all.
    pub(super) fn knows_endpoints(&self) -> bool {
        let platform = self
            .platform
            .is_some_and(|platform| platform.barred.is_none() && platform.endpoints.is_whole());
        self.seen.endpoints.is_whole() && (self.seen.account.is_none() || platform)
    }
}

impl At<'_> {
    pub(super) fn key(&self, kind: &str, rest: &str) -> FindingKey {
        Subject::new(self.seen.account.as_deref(), kind, rest).key()
    }

    /// A page of Stripe's dashboard: `events/evt_1`.
    pub(super) fn link(&self, name: &str) -> Option<Url> {
        page(self.section.mode, self.seen.account.as_deref(), name)
    }

    /// How long ago that was.
    pub(super) fn age(&self, time: DateTime<Utc>) -> TimeDelta {
        self.now - time
    }

    /// What of this account could not be seen, and which findings that may hide.
    pub(super) fn unseen(&self, judged: &mut Evaluation) {
        if let Some(why) = &self.seen.barred {
            self.note(judged, why);
            match (&self.seen.account, &mut judged.unseen) {
                (Some(account), Some(unseen)) => {
                    unseen.push(Subject::of_account(account));
                }
                (None, unseen) => *unseen = None,
                (Some(_), None) => {}
            }
            return;
        }
        for (why, kinds) in self.parts() {
            if why.is_empty() {
                continue;
            }
            for unknown in why {
                self.note(judged, unknown);
            }
            if let Some(unseen) = &mut judged.unseen {
                unseen.extend(kinds.iter().map(|kind| self.key(kind, "")));
            }
        }
        for (id, unknown) in &self.seen.invoices.again.unread {
            self.note(judged, unknown);
            if let Some(unseen) = &mut judged.unseen {
                unseen.push(self.key("invoice", id));
            }
        }
    }

    /// Adds a reason, unless another request has met with the same.
    pub(super) fn note(&self, judged: &mut Evaluation, unknown: &Unknown) {
        let unknown = match &self.seen.account {
            None => unknown.clone(),
            Some(account) => Unknown::new(
                unknown.cause,
                format!("{account}: {}", unknown.reason.as_str()),
            ),
        };
        if judged.unknown.iter().any(|other| is_alike(other, &unknown)) {
            return;
        }
        let mut others = judged.unknown.iter_mut();
        let joined = others.find_map(|other| Some((joined(other, &unknown)?, other)));
        match joined {
            Some((joined, other)) => *other = joined,
            None => judged.unknown.push(unknown),
        }
    }

    /// The parts of an account: what of each could not be seen, and the kinds of findings that it tells.
    fn parts(&self) -> [(Vec<&Unknown>, &'static [&'static str]); 6] {
        let seen = self.seen;
        let invoices = &seen.invoices;
        let delivered = seen.delivered.as_ref().and_then(|read| read.as_ref().err());
        let balance = seen.balance.as_ref().and_then(|read| read.as_ref().err());
        let sent = invoices.sent.as_ref().map_or(&[][..], gaps);
        let events = gaps(&seen.undelivered).iter().chain(gaps(&seen.endpoints));
        let failures = gaps(&seen.failures.walk).iter();
        let failures = failures.chain(&seen.failures.gaps);
        let unpaid = gaps(&invoices.open)
            .iter()
            .chain(gaps(&invoices.uncollectible))
            .chain(gaps(&invoices.drafts))
            .chain(sent);
        [
            (events.chain(delivered).collect(), &["webhooks", "endpoint"]),
            (failures.collect(), &["declines"]),
            (unpaid.collect(), &["invoice", "invoices"]),
            (gaps(&seen.disputes).iter().collect(), &["dispute"]),
            (gaps(&seen.payouts).iter().collect(), &["payout"]),
            (balance.into_iter().collect(), &["balance"]),
        ]
    }

    /// Whether all of the account was seen.
    pub(super) fn is_whole(&self) -> bool {
        self.seen.barred.is_none()
            && self.seen.invoices.again.unread.is_empty()
            && self.parts().iter().all(|(why, _)| why.is_empty())
    }
}

pub(super) fn gaps<T>(walk: &Walk<T>) -> &[Unknown] {
    &walk.gaps
}

/// Whether both say the same, but for the request's name.
fn is_alike(a: &Unknown, b: &Unknown) -> bool {
    fn unnamed(reason: &str) -> (&str, &str) {
        let (before, after) = reason.split_once(" (request ").unwrap_or((reason, ""));
        (before, after.split_once(')').map_or("", |(_, rest)| rest))
    }
    a.cause == b.cause && unnamed(a.reason.as_str()) == unnamed(b.reason.as_str())
}

/// One that names both paths, if two requests failed in the same way.
fn joined(a: &Unknown, b: &Unknown) -> Option<Unknown> {
    fn parts(reason: &str) -> Option<(&str, &str, &str)> {
        let (before, rest) = reason.split_once(" GET ")?;
        let (named, tail) = rest.split_once(": ")?;
        let paths = named
            .split_once(" (request ")
            .map_or(named, |(path, _)| path);
        Some((before, paths, tail))
    }
    let (before, paths, tail) = parts(a.reason.as_str())?;
    let (other, path, of_other) = parts(b.reason.as_str())?;
    let is_same = (a.cause, before, tail) == (b.cause, other, of_other);
    let paths = if paths.split(", ").any(|known| known == path) {
        paths.to_owned()
    } else {
        format!("{paths}, {path}")
    };
    is_same.then(|| Unknown::new(a.cause, format!("{before} GET {paths}: {tail}")))
}
