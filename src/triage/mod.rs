//! Pure: today's report, what earlier rounds remember and what people decided, turned into what needs a person.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    report::{CheckReport, Finding, FindingKey, Outcome, Report, RunId, Severity, Unknown, Verb},
    text::Untrusted,
};

mod decision;
mod memory;

pub use decision::{
    Action, Decision, LONGEST_SNOOZE, Person, Return, Standing, Transition, transition,
};
pub use memory::{Known, Memory, Peak, remember};

use decision::standing;
use memory::{Missed, Trend, compare, missed};

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
    /// None if this run saw it.
    pub as_of: Option<AsOf>,
    /// What its check was asked to do about it last, and was not done; none while somebody's decision holds.
    pub failed: Option<Failed>,
}

/// A remedy that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    pub verb: Verb,
    /// When it was decided.
    pub at: DateTime<Utc>,
    pub why: Untrusted,
}

/// When a finding was seen as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    pub at: DateTime<Utc>,
    /// Whether it is too old for its check, so that no look will tell more.
    pub is_aged: bool,
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

/// A finding that was looked for in vain.
#[derive(Clone, Debug, PartialEq)]
pub struct Gone {
    pub known: Known,
    /// When it was.
    pub at: DateTime<Utc>,
}

/// The round before this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub gone: Vec<Gone>,
    /// Checks of which a newer look has found something gone: how they are now, it says.
    pub overtaken: BTreeSet<String>,
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

    /// Checks that looked and found nothing, or nothing but what is low.
    pub fn ok(&self) -> impl Iterator<Item = &str> {
        self.well()
            .filter(|name| !self.has(&self.handled, name) && !self.has(&self.snoozed, name))
    }

    /// Checks that looked and need nobody, as somebody has in hand what they found: no outage is ok for that.
    pub fn in_hand(&self) -> impl Iterator<Item = &str> {
        self.well()
            .filter(|name| self.has(&self.handled, name) || self.has(&self.snoozed, name))
    }

    fn well(&self) -> impl Iterator<Item = &str> {
        let looked = (self.report.checks.iter()).filter(|it| it.outcome == Outcome::Looked);
        let names = looked.map(|check| check.name.as_str());
        names.filter(|name| !self.overtaken.contains(*name) && !self.has(&self.needs_you, name))
    }

    fn has(&self, rows: &[Row], check: &str) -> bool {
        rows.iter().any(|row| row.finding.key.check() == check)
    }

    /// All findings that have a row, in an order that is the same however often the run is judged.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let found = self.report.checks.iter().flat_map(|it| &it.findings);
        let mut kept: Vec<&Finding> = (self.rows())
            .filter(|row| row.as_of.is_some())
            .map(|row| &row.finding)
            .collect();
        kept.sort_by(|a, b| a.key.cmp(&b.key));
        found.chain(kept)
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

    /// Has what newer looks no longer found counted as gone. `newer`: when each check was looked at that has been looked
    /// at since; `open`: what is open by now.
    pub fn part_with(&mut self, newer: &BTreeMap<String, DateTime<Utc>>, open: &Memory) {
        // What needs nobody may have been let go for its age, and then nobody knows whether it is gone.
        for rows in [&mut self.needs_you, &mut self.snoozed] {
            // Those that this look did not see itself have their places among the others: they stay.
            let is_gone = |row: &mut Row| {
                let key = &row.finding.key;
                row.as_of.is_none() && newer.contains_key(key.check()) && !open.contains_key(key)
            };
            for row in rows.extract_if(.., is_gone) {
                let check = row.finding.key.check().to_owned();
                self.gone.push(Gone {
                    at: newer[&check],
                    known: Known {
                        since: row.since,
                        last_seen: self.report.started_at,
                        peak: None,
                        finding: row.finding,
                    },
                });
                self.overtaken.insert(check);
            }
        }
    }

    /// How many findings of this look a newer one has missed.
    pub fn gone_since(&self) -> usize {
        let gone = self.gone.iter();
        gone.filter(|gone| gone.at != self.report.finished_at)
            .count()
    }

    /// Rows in that state, whatever was decided about them.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &Row> {
        self.rows().filter(move |row| row.state == state)
    }
}

/// What a report is judged against.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// What the rounds before left open.
    pub memory: Memory,
    /// Each key's decisions, by version.
    pub history: BTreeMap<FindingKey, Vec<Decision>>,
    /// Decisions of which the other side has not been told yet, by key and version.
    pub undelivered: BTreeSet<(FindingKey, i64)>,
    /// Those of them whose order has been tried in vain, or with an outcome that nobody knows.
    pub in_doubt: BTreeSet<(FindingKey, i64)>,
    /// Decisions whose order the other side has taken, and of which it is not known yet what comes.
    pub asked: BTreeSet<(FindingKey, i64)>,
    /// The newest remedies of findings, where those came to nothing.
    pub failed: BTreeMap<FindingKey, Failed>,
    pub previous: Option<Previous>,
    /// When the newest ticket of a finding was closed, for those that have one, and it is.
    pub tickets_closed: BTreeMap<FindingKey, DateTime<Utc>>,
}

/// Sorts a report by what a person has to do.
pub fn triage(report: Report, past: &Past) -> Triaged {
    let after = remember(&past.memory, &report);
    let gone = past
        .memory
        .iter()
        .filter(|(key, _)| !after.contains_key(*key) && missed(key, &report) == Missed::Gone)
        .map(|(_, known)| Gone {
            known: known.clone(),
            at: report.finished_at,
        })
        .collect();
    let mut triaged = Triaged {
        needs_you: Vec::new(),
        handled: Vec::new(),
        snoozed: Vec::new(),
        low: Vec::new(),
        unknown: Vec::new(),
        gone,
        overtaken: BTreeSet::new(),
        previous: past.previous.clone(),
        report,
    };
    let found: BTreeSet<&FindingKey> = triaged.report.keys().collect();
    for check in &triaged.report.checks {
        let missed = after.values().filter(|known| {
            let key = &known.finding.key;
            key.check() == check.name && !found.contains(key)
        });
        let (shown, hidden): (Vec<&Known>, Vec<&Known>) = missed.partition(|known| {
            let looked = check.outcome == Outcome::Looked && check.unseen.is_some();
            looked || is_aged(check, &known.finding.key)
        });
        let seen = check.findings.iter().map(|finding| (finding, None));
        let kept = shown.into_iter().map(|known| {
            let as_of = AsOf {
                at: known.last_seen,
                is_aged: is_aged(check, &known.finding.key),
            };
            (&known.finding, Some(as_of))
        });
        for (finding, as_of) in seen.chain(kept) {
            let known = &after[&finding.key];
            let row = Row {
                as_of,
                ..row(finding, known, past, triaged.report.finished_at)
            };
            let rows = match place(&row) {
                Place::NeedsYou => &mut triaged.needs_you,
                Place::Handled => &mut triaged.handled,
                Place::Snoozed => &mut triaged.snoozed,
                Place::Low => &mut triaged.low,
            };
            rows.push(row);
        }
        if let Outcome::Unknown(reasons) = &check.outcome {
            triaged.unknown.push(Blind {
                check: check.name.clone(),
                reasons: reasons.clone(),
                unseen: hidden.into_iter().cloned().collect(),
            });
        }
    }
    for rows in [
        &mut triaged.needs_you,
        &mut triaged.handled,
        &mut triaged.snoozed,
        &mut triaged.low,
    ] {
        rows.sort_by(worst_first);
    }
    triaged
}

/// Judges anew whether what is too old for its check needs nobody: somebody may have decided since the look began.
pub fn settle(report: &mut Report, past: &Past) {
    let now = report.finished_at;
    let aged = report.checks.iter_mut().flat_map(|it| &mut it.aged);
    for aged in aged {
        let known = past.memory.get(&aged.key);
        aged.is_settled = known.is_some_and(|known| is_settled(known, past, now));
    }
}

/// Where a row belongs in what is shown.
enum Place {
    NeedsYou,
    Handled,
    Snoozed,
    Low,
}

fn place(row: &Row) -> Place {
    match &row.standing {
        Standing::Handled(Decision {
            action: Action::Snooze { .. },
            ..
        }) => Place::Snoozed,
        Standing::Handled(_) => Place::Handled,
        _ if row.finding.severity == Severity::Low => Place::Low,
        Standing::Open if is_owned_well(row) => Place::Handled,
        _ => Place::NeedsYou,
    }
}

/// Whether what earlier rounds left open needs nobody, now or later by itself: a snooze ends, a payment can be declined
/// and what was sent again be ignored, and a ticket is open until it is closed.
pub fn is_settled(known: &Known, past: &Past, now: DateTime<Utc>) -> bool {
    let key = &known.finding.key;
    let row = row(&known.finding, known, past, now);
    let is_done = match &row.standing {
        Standing::Handled(decision) => match decision.action {
            _ if past.undelivered.contains(&(key.clone(), decision.version)) => false,
            Action::Remedy { verb } => !matches!(verb, Verb::Pay | Verb::Send),
            Action::Ticket { .. } => past.tickets_closed.contains_key(key),
            _ => true,
        },
        Standing::Open | Standing::Back(..) => true,
    };
    is_done && matches!(place(&row), Place::Handled | Place::Low)
}

fn is_aged(check: &CheckReport, key: &FindingKey) -> bool {
    check.aged.iter().any(|aged| aged.key == *key)
}

fn row(finding: &Finding, known: &Known, past: &Past, now: DateTime<Utc>) -> Row {
    let trend = past.memory.get(&finding.key).map(
        |Known {
             finding: before, ..
         }| {
            compare(
                finding.severity,
                finding.magnitude,
                before.severity,
                before.magnitude,
            )
        },
    );
    let history = past
        .history
        .get(&finding.key)
        .map_or(&[][..], Vec::as_slice);
    let undelivered = |decision: &Decision| {
        past.undelivered
            .contains(&(decision.key.clone(), decision.version))
    };
    let closed = past.tickets_closed.get(&finding.key).copied();
    let failed = past.failed.get(&finding.key);
    let mut row = Row {
        finding: finding.clone(),
        since: known.since,
        as_of: None,
        state: match trend {
            None => State::New,
            Some(Trend::Worse) => State::Worse,
            Some(Trend::Better) => State::Better,
            Some(Trend::Same) => State::Standing,
        },
        standing: match standing(history, known, closed, now, undelivered) {
            // Until it is done, it needs somebody as before.
            Standing::Handled(decision)
                if decision.action.is_an_order()
                    && past
                        .in_doubt
                        .contains(&(decision.key.clone(), decision.version)) =>
            {
                Standing::Back(decision, Return::NotDone)
            }
            // While the bank has still to answer, it can't be gone.
            Standing::Back(decision, Return::SeenAgain)
                if past
                    .asked
                    .contains(&(decision.key.clone(), decision.version)) =>
            {
                Standing::Back(decision, Return::NotDone)
            }
            standing => standing,
        },
        failed: failed.filter(|it| it.at >= known.since).cloned(),
    };
    if let Standing::Handled(_) = row.standing {
        row.failed = None;
    }
    row
}

/// Whether it is enough that somebody has it on the other side. What is critical wants a decision here, since rules
/// there assign issues that nobody has looked at.
fn is_owned_well(row: &Row) -> bool {
    row.finding.owner.is_some()
        && row.state != State::Worse
        && row.finding.severity < Severity::Critical
}

/// Compares rows as lists show them.
pub fn worst_first(a: &Row, b: &Row) -> std::cmp::Ordering {
    order(a).cmp(&order(b))
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
