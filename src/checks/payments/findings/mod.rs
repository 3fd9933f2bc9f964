//! Turns what was seen of Stripe into findings. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Mode, Observation, Payments, subject::Subject};
use crate::{
    checks::Evaluation,
    report::{Cause, Finding, FindingKey, Severity, Unknown},
};

/// The difference between two clocks above which times can't be judged.
const MOST_SKEW: TimeDelta = TimeDelta::minutes(5);

pub(super) fn evaluate(section: &Payments, seen: &Observation, now: DateTime<Utc>) -> Evaluation {
    if let Some(found) = other_world(section, seen) {
        return wrong_key(section, found);
    }
    let _ = now;
    Evaluation {
        findings: Vec::new(),
        unknown: seen.notices.skew.and_then(skewed).into_iter().collect(),
        unseen: None,
        summary: "".into(),
    }
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
        ..Finding::new(
            key("key"),
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
        summary: format!("a {found} key on {wanted}").into(),
    }
}

fn key(kind: &str) -> FindingKey {
    Subject::new(None, kind, "").key()
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
