//! What an attempt comes to: done, to be tried again, or never; and what the log says of it. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    checks::{Applied, NotApplied, Order},
    ops_log::{Kind, NewEntry, Sentence},
    report::Unknown,
    store::Effect,
    text::Untrusted,
    ticket::TicketOrder,
    trackers::NotEnsured,
    triage::{Action, Decision, Person},
};

/// When to try again after each attempt that failed; after the last one a human is needed.
const BACK_OFF: [TimeDelta; 6] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
];

/// Whoever asks for more has made a mistake.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    Done(Untrusted),
    /// The other side has taken it, and what comes of it is not known yet.
    Asked(Untrusted),
    /// The other side has moved on meanwhile; nothing was changed there.
    Overtaken(Untrusted),
    /// It never will be done.
    Refused(Untrusted),
    /// It will be tried again.
    Later {
        why: Unknown,
        not_before: DateTime<Utc>,
        /// Whether something may have been sent, now or by an earlier attempt.
        is_sent: bool,
    },
    /// It was tried often enough.
    NeedsHuman(Unknown),
    /// Another process has taken it over.
    Elsewhere,
}

/// Why an attempt did not do what was ordered.
#[derive(Debug)]
pub(super) enum Failed {
    NotApplied(NotApplied),
    /// The ticket that was to be opened again is not there any more.
    Gone(Untrusted),
}

impl From<NotApplied> for Failed {
    fn from(not: NotApplied) -> Self {
        Self::NotApplied(not)
    }
}

impl From<NotEnsured> for Failed {
    fn from(not: NotEnsured) -> Self {
        Self::NotApplied(match not {
            NotEnsured::Gone(why) => return Self::Gone(why),
            NotEnsured::Refused(why) => NotApplied::Refused(why),
            NotEnsured::NotSent(why) => NotApplied::NotSent(why),
            NotEnsured::OutcomeUnknown(why) => NotApplied::OutcomeUnknown(why),
        })
    }
}

/// `was_sent`: by an earlier attempt, perhaps.
pub(super) fn judge(
    order: &Order,
    applied: &Result<Applied, Failed>,
    attempts: i64,
    was_sent: bool,
    now: DateTime<Utc>,
) -> Delivery {
    let not_applied = match applied {
        Ok(Applied::Done { said, .. } | Applied::Ticketed { said, .. }) => {
            return Delivery::Done(said.clone());
        }
        Ok(Applied::Asked { said }) => return Delivery::Asked(said.clone()),
        Ok(Applied::Overtaken { said }) => return Delivery::Overtaken(said.clone()),
        Err(Failed::Gone(why)) => return Delivery::Refused(why.clone()),
        Err(Failed::NotApplied(not_applied)) => not_applied,
    };
    match (not_applied, &order.ticket) {
        (NotApplied::Refused(why), Some(TicketOrder::Reopen { .. })) => {
            let said = format!(
                "it stays closed, and can be asked for again: {}",
                why.as_str()
            );
            Delivery::Refused(said.into())
        }
        (NotApplied::Refused(why), _) => Delivery::Refused(why.clone()),
        (NotApplied::NotSent(why) | NotApplied::OutcomeUnknown(why), ticket) => {
            let tried = usize::try_from(attempts - 1).unwrap_or(0);
            let asked = TimeDelta::from_std(why.asked_wait.unwrap_or_default())
                .map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT));
            match (BACK_OFF.get(tried), ticket) {
                (Some(pause), _) => Delivery::Later {
                    why: why.why.clone(),
                    not_before: now + asked.max(*pause),
                    is_sent: was_sent || matches!(not_applied, NotApplied::OutcomeUnknown(_)),
                },
                // Whoever asks again has its marker looked for, so that nobody has to find out what came of it.
                (None, Some(_)) => Delivery::Refused(given_up(attempts, &why.why)),
                (None, None) => Delivery::NeedsHuman(why.why.clone()),
            }
        }
    }
}

fn given_up(attempts: i64, last: &Unknown) -> Untrusted {
    let said = format!(
        "given up after {attempts} tries, the last of which ended so: {}; mend that, and ask for the ticket again: if it was opened after all, it is found",
        last.reason.as_str()
    );
    said.into()
}

/// What takes a decision back in the name of the program. None if somebody has decided since.
pub(super) fn withdrawal(
    history: &[Decision],
    effect: &Effect,
    said: &Untrusted,
    now: DateTime<Utc>,
) -> Option<(Decision, NewEntry)> {
    let overtaken = history
        .last()
        .filter(|last| last.version == effect.version)?;
    let undo = Decision {
        version: overtaken.version + 1,
        at: now,
        by: Person::program(),
        action: Action::Undo {
            version: overtaken.version,
        },
        ..overtaken.clone()
    };
    let entry = NewEntry {
        at: now,
        kind: Kind::Decision,
        subject: undo.key.to_string(),
        by: undo.by.clone(),
        text: Sentence::new()
            .say(format!(
                "withdrawn: {} · {} · ",
                overtaken.action.name(),
                undo.key
            ))
            .quote(said),
        checks: vec![undo.key.check().to_owned()],
    };
    Some((undo, entry))
}

/// The log's line for an attempt that ended an effect; one that will be repeated has none.
pub(super) fn entry(order: &Order, delivery: &Delivery, now: DateTime<Utc>) -> Option<NewEntry> {
    let text = Sentence::new()
        .say(format!("{}: ", order.key))
        .say(order.verb.clone());
    let text = match delivery {
        Delivery::Done(said) => text.say(" done: ").quote(said),
        Delivery::Asked(said) => text.say(" taken by the other side: ").quote(said),
        Delivery::Overtaken(said) => text.say(" overtaken, nothing changed: ").quote(said),
        Delivery::Refused(why) => text.say(" refused: ").quote(why),
        Delivery::NeedsHuman(why) => text.say(" needs a human: ").quote(&why.reason),
        Delivery::Later { .. } | Delivery::Elsewhere => return None,
    };
    Some(NewEntry {
        at: now,
        kind: Kind::Effect,
        subject: order.key.to_string(),
        by: order.by.clone(),
        text,
        checks: vec![order.key.check().to_owned()],
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        checks::Hindrance,
        report::{Cause, FindingKey},
        ticket::Marker,
    };

    fn resolving() -> Order {
        let key = FindingKey::new("errors", "4501");
        Order::new(&key, "resolve", &Person::at_terminal("anna"))
    }

    fn reopening() -> Order {
        let order = resolving();
        Order {
            ticket: Some(TicketOrder::Reopen {
                marker: Marker::new(&order.key, 1),
                id: "17".to_owned(),
                comment: String::new(),
            }),
            ..order
        }
    }

    fn unanswered() -> Result<Applied, Failed> {
        let why = Unknown::new(Cause::Timeout, "no answer");
        Err(NotApplied::OutcomeUnknown(why.into()).into())
    }

    #[test]
    fn a_failure_is_tried_again_for_hours_and_then_needs_a_human() {
        let now = DateTime::<Utc>::default();
        let waits: Vec<i64> = (1..=6)
            .map(
                |attempt| match judge(&resolving(), &unanswered(), attempt, false, now) {
                    Delivery::Later { not_before, .. } => (not_before - now).num_seconds(),
                    other => panic!("{other:?}"),
                },
            )
            .collect();
        assert!(
            waits.is_sorted() && waits.iter().sum::<i64>() > 7 * 3600,
            "{waits:?}"
        );
        assert!(matches!(
            judge(&resolving(), &unanswered(), 7, false, now),
            Delivery::NeedsHuman(_)
        ));
    }

    #[test]
    fn a_ticket_that_could_not_be_had_for_hours_is_given_up_and_can_be_asked_for_again() {
        match judge(&reopening(), &unanswered(), 7, false, DateTime::default()) {
            Delivery::Refused(why) => assert_eq!(
                why.as_str(),
                "given up after 7 tries, the last of which ended so: no answer; mend that, and ask for the ticket again: if it was opened after all, it is found"
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_unless_it_is_beyond_reason() {
        let now = DateTime::<Utc>::default();
        let wait = |asked: Option<u64>, attempt| {
            let hindrance = Hindrance {
                why: Unknown::new(Cause::RateLimited, "429"),
                asked_wait: asked.map(Duration::from_secs),
            };
            let limited = Err(NotApplied::NotSent(hindrance).into());
            match judge(&resolving(), &limited, attempt, false, now) {
                Delivery::Later { not_before, .. } => (not_before - now).num_seconds(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wait(None, 1), 5);
        assert_eq!(wait(Some(1), 1), 5, "our own is longer");
        assert_eq!(wait(Some(3600), 1), 3600);
        assert_eq!(wait(Some(3600), 6), 5 * 3600);
        for absurd in [90_000, u64::MAX / 1_000_000, u64::MAX] {
            assert_eq!(wait(Some(absurd), 1), 86_400, "{absurd}");
        }
    }

    #[test]
    fn nothing_was_sent_only_if_no_attempt_can_have_sent_it() {
        let is_sent = |not: fn(Hindrance) -> NotApplied, was_sent| {
            let why = Unknown::new(Cause::Timeout, "no answer");
            let failed = Err(not(why.into()).into());
            match judge(&resolving(), &failed, 1, was_sent, DateTime::default()) {
                Delivery::Later { is_sent, .. } => is_sent,
                other => panic!("{other:?}"),
            }
        };
        assert!(!is_sent(NotApplied::NotSent, false));
        assert!(is_sent(NotApplied::NotSent, true));
        assert!(is_sent(NotApplied::OutcomeUnknown, false));
    }

    #[test]
    fn a_refusal_is_not_repeated() {
        let refused = |order: &Order, no: NotEnsured| {
            judge(order, &Err(no.into()), 1, false, DateTime::default())
        };
        let no = || NotEnsured::Refused("403".into());
        assert_eq!(refused(&resolving(), no()), Delivery::Refused("403".into()));
        let closed = "it stays closed, and can be asked for again: 403";
        assert_eq!(
            refused(&reopening(), no()),
            Delivery::Refused(closed.into())
        );
        let gone = NotEnsured::Gone("deleted".into());
        assert_eq!(
            refused(&reopening(), gone),
            Delivery::Refused("deleted".into())
        );
    }
}
