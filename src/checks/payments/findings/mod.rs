//! Turns what was seen of Stripe into findings. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::{Mode, Observation, Payments, Seen, earlier::Unsettled, subject::Subject};
use crate::{
    checks::Evaluation,
    report::{Cause, Finding, FindingKey, Severity, Unknown},
    text::Untrusted,
};

mod at;
mod causes;
mod declines;
mod drafts;
mod invoices;
mod kept;
pub(super) mod measures;
mod missing;
mod since;
mod standing;
mod summary;
pub(super) mod unpaid;
mod webhooks;

use at::{At, gaps};

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
    let mut summaries = Vec::new();
    for account in &seen.accounts {
        let first = judged.findings.len();
        let at = At {
            section,
            seen: account,
            platform: seen.accounts.first().filter(|own| own.account.is_none()),
            now,
            baselines: &baselines,
            unsettled: unsettled(seen, account),
        };
        if let Some(since) = seen.since {
            summaries.push(at.judge_since(since, &mut judged));
            for finding in judged.findings.iter_mut().skip(first) {
                kept::join(&at, &seen.earlier, true, finding);
            }
            continue;
        }
        at.unseen(&mut judged);
        judged.findings.extend(webhooks::find(&at));
        judged.findings.extend(invoices::find(&at));
        judged.findings.extend(drafts::find(&at));
        let counted = invoices::counted(&at);
        if let Some(unseen) = &mut judged.unseen {
            unseen.extend(counted);
        }
        judged.findings.extend(declines::find(&at));
        judged.findings.extend(standing::find(&at));
        for finding in judged.findings.iter_mut().skip(first) {
            kept::join(&at, &seen.earlier, false, finding);
        }
        summaries.push(summary::of(&at));
    }
    summaries.extend(audited(section, seen, &mut judged));
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
    judged.summary = summaries.join("; ").into();
    judged
}

/// What of the account somebody still has to deal with; a look at the news alone has nothing to do with it.
fn unsettled<'a>(seen: &'a Observation, account: &Seen) -> Unsettled<'a> {
    match seen.since {
        Some(_) => Unsettled::default(),
        None => Unsettled::of(&seen.earlier, account.account.as_deref()),
    }
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
    let is_own = |key: &FindingKey| Subject::of(key).is_some_and(|it| it.kind == "audit");
    if findings
        .iter()
        .any(|it| it.key.subject().starts_with("audits/"))
    {
        // It may be among those that are only counted now.
        let earlier = seen.earlier.iter().map(|it| &it.finding.key);
        let missed =
            earlier.filter(|key| is_own(key) && !findings.iter().any(|it| it.key == **key));
        judged
            .unseen
            .iter_mut()
            .for_each(|unseen| unseen.extend(missed.clone().cloned()));
    }
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

/// "2026-11-22 09:00 UTC".
fn stamp(time: DateTime<Utc>) -> String {
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
pub(super) fn other_world(section: &Payments, seen: &Observation) -> Option<Mode> {
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
