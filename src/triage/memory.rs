//! What earlier rounds know of the findings that are open, and how a finding compares with that.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::report::{CheckReport, Finding, FindingKey, Outcome, Report, Severity};

/// Every finding that is open, as the last check that could look saw it.
pub type Memory = BTreeMap<FindingKey, Known>;

/// What earlier rounds know of an open finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The start of the first run of this occurrence that saw it.
    pub since: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
    /// When it was at its worst: a decision that was made before doesn't cover that.
    #[serde(default)]
    pub peak: Option<Peak>,
    pub finding: Finding,
}

/// How bad a finding was at its worst.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    pub at: DateTime<Utc>,
    pub severity: Severity,
    pub magnitude: u64,
}

/// What became of a finding that a run did not show again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// Nobody looked for it, or it may be there still.
    Kept,
    /// It was looked for, and is not there.
    Gone,
    /// It is too old to be looked for, and needed nobody.
    LetGo,
}

pub(super) fn missed(key: &FindingKey, report: &Report) -> Missed {
    let of_check = |check: &&CheckReport| check.name == key.check();
    let Some(check) = report.checks.iter().find(of_check) else {
        return Missed::Kept;
    };
    let is_unseen = match (&check.outcome, &check.unseen) {
        (Outcome::Off, _) | (Outcome::Unknown(_), None) => true,
        (Outcome::Looked, None) => false,
        (Outcome::Looked | Outcome::Unknown(_), Some(unseen)) => {
            unseen.iter().any(|unseen| unseen.covers(key))
        }
    };
    match check.aged.iter().find(|aged| aged.key == *key) {
        _ if is_unseen => Missed::Kept,
        Some(aged) if aged.is_settled => Missed::LetGo,
        Some(_) => Missed::Kept,
        None => Missed::Gone,
    }
}

/// The memory after a run. What a check could not see stays as it was; what it looked for and missed is forgotten.
pub fn remember(memory: &Memory, report: &Report) -> Memory {
    let mut after: Memory = memory
        .iter()
        .filter(|(key, _)| missed(key, report) == Missed::Kept)
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    for finding in report.checks.iter().flat_map(|check| &check.findings) {
        let before = memory.get(&finding.key);
        let now = Peak {
            at: report.started_at,
            severity: finding.severity,
            magnitude: finding.magnitude,
        };
        let worst = before
            .and_then(|known| known.peak)
            .filter(|peak| (peak.severity, peak.magnitude) >= (now.severity, now.magnitude));
        let mut finding = finding.clone();
        // A check that looks back no further than a day forgets what happened before.
        finding.last_at = finding
            .last_at
            .max(before.and_then(|known| known.finding.last_at));
        let known = Known {
            since: before.map_or(report.started_at, |known| known.since),
            last_seen: report.started_at,
            peak: Some(worst.unwrap_or(now)),
            finding,
        };
        after.insert(known.finding.key.clone(), known);
    }
    after
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trend {
    Worse,
    Same,
    Better,
}

/// A smaller change of a number is noise, whatever its ratio.
const LEAST_CHANGE: u64 = 10;

/// The severity counts first; within one, a number that doubled or halved.
pub(super) fn compare(severity: Severity, magnitude: u64, earlier: Severity, before: u64) -> Trend {
    match severity.cmp(&earlier) {
        std::cmp::Ordering::Greater => Trend::Worse,
        std::cmp::Ordering::Less => Trend::Better,
        std::cmp::Ordering::Equal
            if magnitude
                >= before
                    .saturating_mul(2)
                    .max(before.saturating_add(LEAST_CHANGE)) =>
        {
            Trend::Worse
        }
        std::cmp::Ordering::Equal
            if magnitude <= (before / 2).min(before.saturating_sub(LEAST_CHANGE))
                && before >= LEAST_CHANGE =>
        {
            Trend::Better
        }
        std::cmp::Ordering::Equal => Trend::Same,
    }
}
