//! Pure: today's report, what earlier rounds remember and what people decided, turned into what needs a person.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::report::{Finding, FindingKey, Outcome, Report, RunId, Severity, Unknown};

mod decision;
mod memory;

pub use decision::{
    Action, Decision, LONGEST_SNOOZE, Person, Return, Standing, Transition, transition,
};
pub use memory::{Known, Memory, remember};

use decision::standing;
use memory::{Trend, compare};

/// How a finding compares with the last round that saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    New,
    Standing,
    Worse,
    Better,
}

/// A finding with all that is known and decided about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub finding: Finding,
    pub since: DateTime<Utc>,
    pub state: State,
    pub standing: Standing,
}

/// The one word for a run. What needs a person goes before what could not be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    NeedsYou,
    Unknown,
}

/// A check that could not look, or not at all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Blind {
    pub check: String,
    pub reasons: Vec<Unknown>,
    /// Findings that were open at its last look and could not be seen now.
    pub unseen: Vec<Known>,
}

/// The round before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    pub run: RunId,
    pub started_at: DateTime<Utc>,
}

/// A report, sorted by what a person has to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Triaged {
    pub report: Report,
    /// Medium and worse, with no decision that holds; worst first.
    pub needs_you: Vec<Row>,
    /// Acknowledged, assigned (here or on the other side), resolved or archived.
    pub handled: Vec<Row>,
    /// Silent for a time, listed as long as that lasts.
    pub snoozed: Vec<Row>,
    /// Low: worth knowing, needs nobody.
    pub low: Vec<Row>,
    pub unknown: Vec<Blind>,
    /// Open at the last look, looked for and not found any more.
    pub gone: Vec<Known>,
    /// The round that the states compare with.
    pub previous: Option<Previous>,
}

impl Triaged {
    pub fn verdict(&self) -> Verdict {
        if !self.needs_you.is_empty() {
            Verdict::NeedsYou
        } else if !self.unknown.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Ok
        }
    }

    /// Checks that looked and left nothing that needs a person.
    pub fn ok(&self) -> impl Iterator<Item = &str> {
        self.report
            .checks
            .iter()
            .filter(|c| {
                c.outcome == Outcome::Looked
                    && self
                        .needs_you
                        .iter()
                        .all(|row| row.finding.key.check() != c.name)
            })
            .map(|c| c.name.as_str())
    }

    pub fn off(&self) -> impl Iterator<Item = &str> {
        self.report
            .checks
            .iter()
            .filter(|c| c.outcome == Outcome::Off)
            .map(|c| c.name.as_str())
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.needs_you
            .iter()
            .chain(&self.handled)
            .chain(&self.snoozed)
            .chain(&self.low)
    }

    /// Rows in that state, whatever was decided about them.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &Row> {
        self.rows().filter(move |row| row.state == state)
    }
}

/// Sorts a report by what a person has to do. `memory` is that of the rounds before; `history` holds each key's
/// decisions by version.
pub fn triage(
    report: Report,
    memory: &Memory,
    history: &BTreeMap<FindingKey, Vec<Decision>>,
    previous: Option<Previous>,
) -> Triaged {
    let now = report.finished_at;
    let after = remember(memory, &report);
    let mut triaged = Triaged {
        needs_you: Vec::new(),
        handled: Vec::new(),
        snoozed: Vec::new(),
        low: Vec::new(),
        unknown: Vec::new(),
        gone: memory
            .iter()
            .filter(|(key, _)| !after.contains_key(*key))
            .map(|(_, known)| known.clone())
            .collect(),
        previous,
        report,
    };
    for check in &triaged.report.checks {
        for finding in &check.findings {
            let known = &after[&finding.key];
            let state = match memory.get(&finding.key).map(|before| {
                compare(
                    finding.severity,
                    finding.magnitude,
                    before.finding.severity,
                    before.finding.magnitude,
                )
            }) {
                None => State::New,
                Some(Trend::Worse) => State::Worse,
                Some(Trend::Better) => State::Better,
                Some(Trend::Same) => State::Standing,
            };
            let standing = standing(
                history.get(&finding.key).map_or(&[], Vec::as_slice),
                known,
                now,
            );
            let row = Row {
                finding: finding.clone(),
                since: known.since,
                state,
                standing,
            };
            let place = match &row.standing {
                Standing::Handled(Decision {
                    action: Action::Snooze { .. },
                    ..
                }) => &mut triaged.snoozed,
                Standing::Handled(_) => &mut triaged.handled,
                _ if finding.severity == Severity::Low => &mut triaged.low,
                Standing::Open if finding.owner.is_some() && state != State::Worse => {
                    &mut triaged.handled
                }
                _ => &mut triaged.needs_you,
            };
            place.push(row);
        }
        if let Outcome::Unknown(reasons) = &check.outcome {
            let unseen = after
                .iter()
                .filter(|(key, known)| {
                    key.check() == check.name && known.last_seen < triaged.report.started_at
                })
                .map(|(_, known)| known.clone())
                .collect();
            triaged.unknown.push(Blind {
                check: check.name.clone(),
                reasons: reasons.clone(),
                unseen,
            });
        }
    }
    for rows in [
        &mut triaged.needs_you,
        &mut triaged.handled,
        &mut triaged.snoozed,
        &mut triaged.low,
    ] {
        rows.sort_by(|a, b| order(a).cmp(&order(b)));
    }
    triaged
}

/// Worst first, then what is new or worse, then the greater number, then the key: a total order.
fn order(
    row: &Row,
) -> (
    std::cmp::Reverse<Severity>,
    u8,
    std::cmp::Reverse<u64>,
    &FindingKey,
) {
    let change = match row.state {
        State::New => 0,
        State::Worse => 1,
        State::Standing => 2,
        State::Better => 3,
    };
    (
        std::cmp::Reverse(row.finding.severity),
        change,
        std::cmp::Reverse(row.finding.magnitude),
        &row.finding.key,
    )
}
