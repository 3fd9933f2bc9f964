//! What earlier rounds know of the findings that are open, and how a finding compares with that.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::report::{Finding, FindingKey, Outcome, Report, Severity};

/// Every finding that is open, as the last check that could look saw it.
pub type Memory = BTreeMap<FindingKey, Known>;

/// What earlier rounds know of an open finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The start of the first run of this occurrence that saw it.
    pub since: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
    pub finding: Finding,
}

/// The memory after a run. What a check could not see stays as it was; what it looked for and missed is forgotten.
pub fn remember(memory: &Memory, report: &Report) -> Memory {
    let looked = |check: &str| {
        report
            .checks
            .iter()
            .any(|c| c.name == check && c.outcome == Outcome::Looked)
    };
    let mut after: Memory = memory
        .iter()
        .filter(|(key, _)| !looked(key.check()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    for finding in report.checks.iter().flat_map(|check| &check.findings) {
        let since = memory
            .get(&finding.key)
            .map_or(report.started_at, |known| known.since);
        let known = Known {
            since,
            last_seen: report.started_at,
            finding: finding.clone(),
        };
        after.insert(finding.key.clone(), known);
    }
    after
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trend {
    Worse,
    Same,
    Better,
}

/// The severity counts first; within one, a number that doubled or halved.
pub(super) fn compare(severity: Severity, magnitude: u64, earlier: Severity, before: u64) -> Trend {
    match severity.cmp(&earlier) {
        std::cmp::Ordering::Greater => Trend::Worse,
        std::cmp::Ordering::Less => Trend::Better,
        std::cmp::Ordering::Equal if before > 0 && magnitude >= before.saturating_mul(2) => {
            Trend::Worse
        }
        std::cmp::Ordering::Equal if before > 1 && magnitude <= before / 2 => Trend::Better,
        std::cmp::Ordering::Equal => Trend::Same,
    }
}
