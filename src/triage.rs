//! Pure: today's report, what earlier rounds remember and what people decided, turned into what needs a person.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    report::{Finding, FindingKey, Outcome, Report, RunId, Severity, Unknown},
    text::{Untrusted, cut, one_line},
};

/// The longest snooze; one always ends.
pub const LONGEST_SNOOZE: TimeDelta = TimeDelta::days(90);

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

/// Who decides: `terminal:anna`. Not redacted, since an e-mail address can be what names a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Person(String);

impl Person {
    pub fn at_terminal(name: &str) -> Self {
        Self::from(format!("terminal:{name}"))
    }

    /// With the place it acts from.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// What others call them: without the place they act from, and without the host of an e-mail address.
    pub fn name(&self) -> &str {
        let name = self
            .id()
            .split_once(':')
            .map_or(self.id(), |(_, name)| name);
        name.split_once('@').map_or(name, |(name, _)| name)
    }
}

impl From<String> for Person {
    fn from(id: String) -> Self {
        Self(cut(&one_line(&id), 200))
    }
}

/// One entry of the history of a finding's triage. Versions of a key count from 1 without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub key: FindingKey,
    pub version: i64,
    pub at: DateTime<Utc>,
    pub by: Person,
    pub action: Action,
    /// How bad the finding was when the person decided.
    pub severity: Severity,
    pub magnitude: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Acknowledge {
        reason: Option<Untrusted>,
    },
    Assign {
        to: Person,
    },
    Snooze {
        until: DateTime<Utc>,
    },
    Resolve {
        reason: Option<Untrusted>,
    },
    /// Until it escalates, where the other side can do that.
    Archive,
    Note {
        text: Untrusted,
    },
    /// Takes the decision of that version back.
    Undo {
        version: i64,
    },
}

impl Action {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "acknowledge",
            Self::Assign { .. } => "assign",
            Self::Snooze { .. } => "snooze",
            Self::Resolve { .. } => "resolve",
            Self::Archive => "archive",
            Self::Note { .. } => "note",
            Self::Undo { .. } => "undo",
        }
    }

    /// How far triage has come with it; a later step is not undone by an earlier one.
    fn rank(&self) -> u8 {
        match self {
            Self::Note { .. } | Self::Undo { .. } => 0,
            Self::Acknowledge { .. } => 1,
            Self::Assign { .. } | Self::Snooze { .. } => 2,
            Self::Archive | Self::Resolve { .. } => 3,
        }
    }
}

/// What becomes of an action that somebody asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Transition {
    /// It is a new decision.
    Decide(Action),
    /// It is in force already, by this decision.
    Already(Decision),
    /// This decision stands in its way; undo it first.
    Overruled(Decision),
    /// There is nothing to undo.
    NothingToUndo,
}

/// Judges an action against the history of its finding. `seen` is the last version that the person had before them:
/// a click on an older picture never undoes a newer decision.
pub fn transition(
    history: &[Decision],
    wanted: Action,
    seen: i64,
    known: &Known,
    now: DateTime<Utc>,
) -> Transition {
    let current = in_force(history, known, now);
    match (&wanted, current) {
        (Action::Note { .. }, _) => Transition::Decide(wanted),
        (Action::Undo { .. }, None) => Transition::NothingToUndo,
        (Action::Undo { .. }, Some(last)) if last.version > seen => {
            Transition::Overruled(last.clone())
        }
        (Action::Undo { .. }, Some(last)) => Transition::Decide(Action::Undo {
            version: last.version,
        }),
        (_, None) => Transition::Decide(wanted),
        (_, Some(last)) if same(&last.action, &wanted) => Transition::Already(last.clone()),
        (_, Some(last)) if last.version > seen || last.action.rank() > wanted.rank() => {
            Transition::Overruled(last.clone())
        }
        (_, Some(last)) if last.action.rank() == 3 => Transition::Overruled(last.clone()),
        _ => Transition::Decide(wanted),
    }
}

/// Whether a repeated action would change nothing: a second acknowledgement, an assignment to the same person.
fn same(a: &Action, b: &Action) -> bool {
    match (a, b) {
        (Action::Acknowledge { .. }, Action::Acknowledge { .. })
        | (Action::Resolve { .. }, Action::Resolve { .. })
        | (Action::Archive, Action::Archive) => true,
        (Action::Assign { to: a }, Action::Assign { to: b }) => a == b,
        (Action::Snooze { until: a }, Action::Snooze { until: b }) => a == b,
        _ => false,
    }
}

/// The newest decision that still holds for this occurrence of the finding, whatever has happened to it since.
fn in_force<'a>(
    history: &'a [Decision],
    known: &Known,
    now: DateTime<Utc>,
) -> Option<&'a Decision> {
    let undone: Vec<i64> = history
        .iter()
        .filter_map(|d| {
            if let Action::Undo { version } = d.action {
                Some(version)
            } else {
                None
            }
        })
        .collect();
    history
        .iter()
        .filter(|d| d.action.rank() > 0 && !undone.contains(&d.version))
        .filter(|d| match d.action {
            Action::Snooze { until } => until > now && d.at + LONGEST_SNOOZE > now,
            _ => d.at >= known.since,
        })
        .max_by_key(|d| d.version)
}

/// Whether the newest decision keeps a finding from needing somebody, and why not.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Nobody has decided anything that holds.
    Open,
    /// The decision holds.
    Handled(Decision),
    /// Somebody decided, but the finding has got worse since, or was there again after it was resolved.
    Back(Decision, Return),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    Worse,
    SeenAgain,
}

fn standing(history: &[Decision], known: &Known, now: DateTime<Utc>) -> Standing {
    let Some(decision) = in_force(history, known, now) else {
        return Standing::Open;
    };
    let worse = compare(
        known.finding.severity,
        known.finding.magnitude,
        decision.severity,
        decision.magnitude,
    ) == Trend::Worse;
    match decision.action {
        _ if worse => Standing::Back(decision.clone(), Return::Worse),
        Action::Resolve { .. } | Action::Archive if known.last_seen > decision.at => {
            Standing::Back(decision.clone(), Return::SeenAgain)
        }
        _ => Standing::Handled(decision.clone()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trend {
    Worse,
    Same,
    Better,
}

/// The severity counts first; within one, a number that doubled or halved.
fn compare(severity: Severity, magnitude: u64, earlier: Severity, before: u64) -> Trend {
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
