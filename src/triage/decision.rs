//! What people decide about findings, one after the other.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::memory::{Known, Trend, compare};
use crate::{
    report::{FindingKey, Severity, Verb},
    text::{Untrusted, cut, one_line},
    ticket::Marker,
};

/// The rank of an action after which nothing but an undo comes.
const CLOSED: u8 = 3;

/// The longest snooze; one always ends.
pub const LONGEST_SNOOZE: TimeDelta = TimeDelta::days(90);

/// How long a bill that was sent again has to be paid, before it needs somebody again.
const SENT_FOR: TimeDelta = TimeDelta::days(7);

/// Who decides: `terminal:anna`. Not redacted, since an e-mail address can be what names a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Person(String);

impl Person {
    pub fn at_terminal(name: &str) -> Self {
        Self::from(format!("terminal:{name}"))
    }

    /// This program itself.
    pub fn program() -> Self {
        Self("daily-ops".to_owned())
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
    /// It was dealt with, elsewhere or by hand.
    Handle {
        note: Untrusted,
    },
    /// Its check was asked to do this about it.
    Remedy {
        verb: Verb,
    },
    /// It is kept in a tracker.
    Ticket {
        marker: Marker,
        /// "GitHub".
        tracker: String,
        title: Untrusted,
        /// Whether it is a closed one that is opened again.
        #[serde(default)]
        again: bool,
    },
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
            Self::Handle { .. } => "handle",
            Self::Remedy { verb } => verb.as_str(),
            Self::Ticket { .. } => "ticket",
            Self::Note { .. } => "note",
            Self::Undo { .. } => "undo",
        }
    }

    /// Whether all of it is what the other side does.
    pub fn is_an_order(&self) -> bool {
        matches!(self, Self::Remedy { .. } | Self::Ticket { .. })
    }

    /// What the person wrote with it.
    pub fn remark(&self) -> Option<&Untrusted> {
        match self {
            Self::Acknowledge { reason } | Self::Resolve { reason } => reason.as_ref(),
            Self::Note { text } | Self::Handle { note: text } => Some(text),
            _ => None,
        }
    }

    /// How far triage has come with it; a later step is not undone by an earlier one.
    fn rank(&self) -> u8 {
        match self {
            Self::Note { .. } | Self::Undo { .. } => 0,
            Self::Acknowledge { .. } => 1,
            Self::Assign { .. }
            | Self::Snooze { .. }
            | Self::Remedy { .. }
            | Self::Ticket { .. } => 2,
            Self::Archive | Self::Resolve { .. } | Self::Handle { .. } => CLOSED,
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

/// Judges an action against the history of its finding.
///
/// `seen` is the last version that the person had before them: a click on an older picture never undoes a newer
/// decision. `closed` is when the finding's newest ticket was closed, if it is.
pub fn transition(
    history: &[Decision],
    wanted: Action,
    seen: i64,
    known: &Known,
    closed: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Transition {
    if let (Action::Undo { .. }, Some(newer)) = (&wanted, unseen(history, seen)) {
        return match newer.action {
            Action::Undo { .. } => Transition::Already(newer.clone()),
            _ => Transition::Overruled(newer.clone()),
        };
    }
    let Some(last) = in_force(history, known, now) else {
        return match wanted {
            Action::Undo { .. } => Transition::NothingToUndo,
            _ => Transition::Decide(wanted),
        };
    };
    let holds = returned(last, known, closed).is_none();
    match wanted {
        Action::Note { .. } => Transition::Decide(wanted),
        _ if holds && same(&last.action, &wanted) => Transition::Already(last.clone()),
        _ if last.version > seen => Transition::Overruled(last.clone()),
        Action::Undo { .. } => Transition::Decide(Action::Undo {
            version: last.version,
        }),
        _ if holds && (last.action.rank() > wanted.rank() || last.action.rank() == CLOSED) => {
            Transition::Overruled(last.clone())
        }
        _ => Transition::Decide(wanted),
    }
}

/// The newest decision that a person had not before them. A note decides nothing.
fn unseen(history: &[Decision], seen: i64) -> Option<&Decision> {
    history.iter().rfind(|decision| {
        decision.version > seen && !matches!(decision.action, Action::Note { .. })
    })
}

/// Whether a repeated action would change nothing: a second acknowledgement, an assignment to the same person.
fn same(a: &Action, b: &Action) -> bool {
    match (a, b) {
        (Action::Acknowledge { .. }, Action::Acknowledge { .. })
        | (Action::Resolve { .. }, Action::Resolve { .. })
        | (Action::Archive, Action::Archive)
        | (Action::Handle { .. }, Action::Handle { .. }) => true,
        (Action::Remedy { verb: a }, Action::Remedy { verb: b }) => a == b,
        // One that is opened again was closed before.
        (
            Action::Ticket { marker: a, .. },
            Action::Ticket {
                marker: b,
                again: false,
                ..
            },
        ) => a == b,
        (Action::Assign { to: a }, Action::Assign { to: b }) => a == b,
        (Action::Snooze { until: a }, Action::Snooze { until: b }) => a == b,
        _ => false,
    }
}

/// The newest decision that nobody has undone, if it is about this occurrence of the finding and its time is not over.
fn in_force<'a>(
    history: &'a [Decision],
    known: &Known,
    now: DateTime<Utc>,
) -> Option<&'a Decision> {
    let mut undone = Vec::new();
    let newest = history
        .iter()
        .rev()
        .find(|decision| match decision.action {
            _ if undone.contains(&decision.version) => false,
            Action::Undo { version } => {
                undone.push(version);
                false
            }
            Action::Note { .. } => false,
            _ => true,
        })?;
    let over = match newest.action {
        Action::Snooze { until } => until <= now || newest.at + LONGEST_SNOOZE <= now,
        Action::Remedy { verb: Verb::Send } => newest.at + SENT_FOR <= now,
        _ => false,
    };
    (newest.at >= known.since && !over).then_some(newest)
}

/// Why a decision doesn't keep a finding quiet any more, if it doesn't.
fn returned(decision: &Decision, known: &Known, closed: Option<DateTime<Utc>>) -> Option<Return> {
    let finding = &known.finding;
    let worse = |severity, magnitude| {
        compare(severity, magnitude, decision.severity, decision.magnitude) == Trend::Worse
    };
    let peak = known.peak.as_ref().filter(|peak| peak.at > decision.at);
    match decision.action {
        _ if worse(known.finding.severity, known.finding.magnitude) => Some(Return::Worse),
        _ if peak.is_some_and(|peak| worse(peak.severity, peak.magnitude)) => Some(Return::Worse),
        Action::Resolve { .. } | Action::Archive | Action::Remedy { verb: Verb::Pay }
            if known.last_seen > decision.at =>
        {
            Some(Return::SeenAgain)
        }
        // Whoever delivered elsewhere or dealt with it by hand leaves it as it is; what comes after that is new.
        Action::Handle { .. }
        | Action::Remedy {
            verb: Verb::Resend | Verb::Replay,
        } if known.finding.last_at.is_some_and(|last| last > decision.at) => {
            Some(Return::SeenAgain)
        }
        // Where nobody can tell when it happened last, any growth tells that it did.
        Action::Handle { .. }
            if finding.last_at.is_none()
                && (finding.severity > decision.severity
                    || finding.magnitude > decision.magnitude) =>
        {
            Some(Return::Worse)
        }
        // Done is what was closed, unless it happened after that, or still stands when it is looked at again.
        Action::Ticket { .. }
            if closed.is_some_and(|closed| finding.last_at.unwrap_or(known.last_seen) > closed) =>
        {
            Some(Return::SeenAgain)
        }
        _ => None,
    }
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
    /// What was decided has been asked for, and is not done as far as is known.
    NotDone,
}

/// `undelivered` is true while the other side has not been told of the newest decision: there it is as before.
pub(super) fn standing(
    history: &[Decision],
    known: &Known,
    closed: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    undelivered: impl Fn(&Decision) -> bool,
) -> Standing {
    let Some(decision) = in_force(history, known, now) else {
        return Standing::Open;
    };
    match returned(decision, known, closed) {
        Some(Return::SeenAgain) if undelivered(decision) => Standing::Handled(decision.clone()),
        Some(why) => Standing::Back(decision.clone(), why),
        None => Standing::Handled(decision.clone()),
    }
}
