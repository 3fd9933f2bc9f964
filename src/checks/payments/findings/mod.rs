//! Turns what was seen of Stripe into findings. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::{Endpoint, Mode, Observation, Payments, Seen, subject::Subject, walk::Walk};
use crate::{
    baseline::Baselines,
    checks::Evaluation,
    report::{Cause, Finding, FindingKey, Severity, Unknown},
    text::Untrusted,
};

mod causes;
mod declines;
mod invoices;
pub(super) mod measures;
mod since;
mod standing;
mod summary;
mod unpaid;
mod webhooks;

pub(super) use unpaid::customer;

/// The difference between two clocks above which times can't be judged.
const MOST_SKEW: TimeDelta = TimeDelta::minutes(5);

pub(super) fn evaluate(section: &Payments, seen: &Observation, now: DateTime<Utc>) -> Evaluation {
    if let Some(found) = other_world(section, seen) {
        return wrong_key(section, found);
    }
    let mut judged = Evaluation {
        unseen: Some(Vec::new()),
        ..Evaluation::default()
    };
    let mut baselines = (*seen.baselines).clone();
    baselines.learn(measures::measure(section, seen, now));
    let mut said = Vec::new();
    for account in &seen.accounts {
        let at = At {
            section,
            seen: account,
            platform: seen.accounts.first().filter(|own| own.account.is_none()),
            now,
            baselines: &baselines,
        };
        if let Some(since) = seen.since {
            said.push(at.judge_since(since, &mut judged));
            continue;
        }
        at.unseen(&mut judged);
        judged.findings.extend(webhooks::find(&at));
        judged.findings.extend(invoices::find(&at));
        let counted = invoices::counted(&at);
        if let Some(unseen) = &mut judged.unseen {
            unseen.extend(counted);
        }
        judged.findings.extend(declines::find(&at));
        judged.findings.extend(standing::find(&at));
        said.push(summary::of(&at));
    }
    said.extend(audited(section, seen, &mut judged));
    for finding in &mut judged.findings {
        finding.runbook = finding.runbook.take().or_else(|| section.runbook.clone());
    }
    let everywhere = seen
        .notices
        .skew
        .and_then(skewed)
        .into_iter()
        .chain(nowhere(section, seen));
    for unknown in everywhere {
        judged.unknown.push(unknown);
        judged.unseen = None;
    }
    judged.summary = said.join("; ").into();
    judged
}

/// What the audit found, and says of itself; it is of the key's own account.
fn audited(section: &Payments, seen: &Observation, judged: &mut Evaluation) -> Option<String> {
    let audit = section.audit.as_ref()?;
    let hidden = ["audit", "audits"].map(|kind| Subject::new(None, kind, "").key());
    let Some(compared) = &seen.audit else {
        judged
            .unseen
            .iter_mut()
            .for_each(|unseen| unseen.extend(hidden.clone()));
        return None;
    };
    let (findings, unknown) = audit.findings(compared, |id| {
        page(section.mode, None, &format!("invoices/{id}"))
    });
    if !unknown.is_empty() {
        judged
            .unseen
            .iter_mut()
            .for_each(|unseen| unseen.extend(hidden.clone()));
    }
    judged.findings.extend(findings);
    judged.unknown.extend(unknown);
    let own_only = if section.accounts.is_empty() {
        ""
    } else {
        ", own account only"
    };
    Some(audit.summary(compared) + own_only)
}

/// A page of Stripe's dashboard: `events/evt_1`.
fn page(mode: Mode, account: Option<&str>, page: &str) -> Option<Url> {
    let account = account.map_or_else(String::new, |account| format!("{account}/"));
    let world = match mode {
        Mode::Live => "",
        Mode::Test => "test/",
    };
    Url::parse(&format!(
        "https://dashboard.stripe.com/{account}{world}{page}"
    ))
    .ok()
}

/// One account at the time of judgement.
struct At<'a> {
    section: &'a Payments,
    seen: &'a Seen,
    /// The key's own account, whose Connect endpoints take what happens in the connected ones.
    platform: Option<&'a Seen>,
    now: DateTime<Utc>,
    baselines: &'a Baselines,
}

impl<'a> At<'a> {
    /// The endpoints that this account's events go to: its own, and for a connected one the platform's Connect endpoints.
    fn endpoints(&self) -> impl Iterator<Item = &'a Endpoint> + use<'a> {
        let is_connected = self.seen.account.is_some();
        let own = self.seen.endpoints.items.iter();
        let own = own.filter(|endpoint| endpoint.application.is_none());
        let platform = self.platform.filter(|_| is_connected).into_iter();
        let of_platform = platform.flat_map(|platform| &platform.endpoints.items);
        own.chain(of_platform.filter(|endpoint| endpoint.application.is_some()))
    }

    /// Whether those are all.
    fn knows_endpoints(&self) -> bool {
        let platform = self
            .platform
            .is_some_and(|platform| platform.barred.is_none() && platform.endpoints.is_whole());
        self.seen.endpoints.is_whole() && (self.seen.account.is_none() || platform)
    }
}

impl At<'_> {
    fn key(&self, kind: &str, rest: &str) -> FindingKey {
        Subject::new(self.seen.account.as_deref(), kind, rest).key()
    }

    /// A page of Stripe's dashboard: `events/evt_1`.
    fn link(&self, name: &str) -> Option<Url> {
        page(self.section.mode, self.seen.account.as_deref(), name)
    }

    /// How long ago that was.
    fn age(&self, time: DateTime<Utc>) -> TimeDelta {
        self.now - time
    }

    /// What of this account could not be seen, and which findings that may hide.
    fn unseen(&self, judged: &mut Evaluation) {
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
    }

    /// Adds a reason, unless another request has met with the same.
    fn note(&self, judged: &mut Evaluation, unknown: &Unknown) {
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
        let unpaid = gaps(&invoices.open)
            .iter()
            .chain(gaps(&invoices.uncollectible))
            .chain(gaps(&invoices.drafts))
            .chain(sent);
        [
            (events.chain(delivered).collect(), &["webhooks", "endpoint"]),
            (gaps(&seen.failures.walk).iter().collect(), &["declines"]),
            (unpaid.collect(), &["invoice", "invoices"]),
            (gaps(&seen.disputes).iter().collect(), &["dispute"]),
            (gaps(&seen.payouts).iter().collect(), &["payout"]),
            (balance.into_iter().collect(), &["balance"]),
        ]
    }

    /// Whether all of the account was seen.
    fn is_whole(&self) -> bool {
        self.seen.barred.is_none() && self.parts().iter().all(|(why, _)| why.is_empty())
    }
}

fn gaps<T>(walk: &Walk<T>) -> &[Unknown] {
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

/// "2026-11-22 09:00 UTC".
fn said(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// "3 days", "5 h", "20 min".
fn lasted(time: TimeDelta) -> String {
    match (time.num_days(), time.num_hours()) {
        (days, _) if days >= 2 => format!("{days} days"),
        (_, hours) if hours >= 2 => format!("{hours} h"),
        _ => format!("{} min", time.num_minutes()),
    }
}

fn lines(lines: Vec<String>) -> Vec<Untrusted> {
    lines.into_iter().map(Untrusted::from).collect()
}

/// The world that the key or what it shows is of, if that is not the one of the configuration.
fn other_world(section: &Payments, seen: &Observation) -> Option<Mode> {
    let shown = seen.notices.modes.iter().copied();
    seen.key
        .into_iter()
        .chain(shown)
        .find(|mode| *mode != section.mode)
}

/// A test key sees an empty world, in which all is well.
fn wrong_key(section: &Payments, found: Mode) -> Evaluation {
    let wanted = section.mode;
    let mend = format!(
        "set STRIPE_API_KEY to a key of {wanted} mode, or `mode = \"{found}\"` in [checks.payments]"
    );
    let finding = Finding {
        evidence: vec![mend.as_str().into()],
        runbook: section.runbook.clone(),
        ..Finding::new(
            Subject::new(None, "key", "").key(),
            Severity::Critical,
            format!("the key is of {found} mode, `mode` says {wanted}"),
            format!(
                "STRIPE_API_KEY is a {found} key: nothing of the {wanted} account was looked at"
            ),
        )
    };
    let reason = format!(
        "STRIPE_API_KEY is a key of {found} mode, so that nothing of {wanted} mode can be seen; {mend}"
    );
    Evaluation {
        findings: vec![finding],
        unknown: vec![Unknown::new(Cause::NotConfigured, reason)],
        unseen: None,
        summary: format!("a {found} key where {wanted} is wanted").into(),
    }
}

/// Neither the key nor anything it showed says which world it is of.
fn nowhere(section: &Payments, seen: &Observation) -> Option<Unknown> {
    let is_told = seen.key.is_some() || !seen.notices.modes.is_empty();
    let is_barred = seen.accounts.iter().any(|account| account.barred.is_some());
    let reason = format!(
        "nothing tells whether STRIPE_API_KEY is of {} mode: its beginning is none that is known, and nothing was there to be read; set a key that begins with rk_{0}_ or sk_{0}_",
        section.mode
    );
    (!is_told && !is_barred).then(|| Unknown::new(Cause::NotConfigured, reason))
}

fn skewed(skew: TimeDelta) -> Option<Unknown> {
    let ahead = if skew > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    let reason = format!(
        "Stripe's clock is {} min {ahead} ours, so its times can't be judged; set this machine's clock by NTP",
        skew.num_minutes().abs()
    );
    (skew.abs() > MOST_SKEW).then(|| Unknown::new(Cause::ClockSkew, reason))
}
