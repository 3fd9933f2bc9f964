//! Carries out what decisions ask of the other side. Each is kept until it is done, refused, or needs a human.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::{
    checks::{Applied, Checklist, NotApplied, Order},
    ops_log::{Entry, Kind, NewEntry, Sentence},
    report::Unknown,
    schedule::Clock,
    store::{Effect, EffectState, Settled, Settlement, Store},
    text::Untrusted,
    trackers::{NotEnsured, Tracker},
    triage::{Action, Decision, Person},
};

/// All the calls of one attempt.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);

/// How long an attempt is ours alone: an attempt twice over, and an answer that comes late.
const LEASE: TimeDelta = TimeDelta::seconds(60);

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
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// Those who can carry an order out.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    pub checklist: &'a Checklist,
    pub tracker: &'a Tracker,
}

impl Sides<'_> {
    async fn apply(self, order: &Order, clock: &Clock) -> Result<Applied, NotApplied> {
        match &order.ticket {
            None => self.checklist.apply(order, ATTEMPT_LIMIT, clock).await,
            Some(ticket) => {
                let deadline = Instant::now() + ATTEMPT_LIMIT;
                let ensured = self.tracker.ensure(ticket, order.at, deadline).await?;
                let name = self.tracker.name();
                let mut said = format!("ticket {} in {name}", ensured.ticket.name);
                if let Some(url) = &ensured.ticket.url {
                    said.push_str(&format!(": {url}"));
                }
                if let Some(remark) = &ensured.remark {
                    said.push_str(&format!("; {}", remark.as_str()));
                }
                Ok(Applied::Ticketed {
                    said: said.into(),
                    ticket: ensured.ticket,
                    remark: ensured.remark,
                })
            }
        }
    }
}

impl From<NotEnsured> for NotApplied {
    fn from(not: NotEnsured) -> Self {
        match not {
            NotEnsured::Refused(why) | NotEnsured::Gone(why) => Self::Refused(why),
            NotEnsured::NotSent(why) => Self::NotSent(why),
            NotEnsured::OutcomeUnknown(why) => Self::OutcomeUnknown(why),
        }
    }
}

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

/// One attempt at an effect.
pub struct Attempt {
    pub effect: Effect,
    pub delivery: Delivery,
    /// The ops log's lines about it, if the attempt ended the effect.
    pub entries: Vec<Entry>,
}

/// Makes one attempt at each effect that is due, the oldest first, until one can't reach the other side or the time is
/// up: the rest is left to a later command.
pub async fn deliver_due(
    store: &Store,
    sides: Sides<'_>,
    clock: &Clock,
) -> anyhow::Result<Vec<Attempt>> {
    let started = Instant::now();
    let mut attempts = Vec::new();
    while started.elapsed() < ATTEMPT_LIMIT
        && let Some(attempt) = deliver_next(store, sides, clock).await?
    {
        attempts.push(attempt);
        if let Some(Attempt {
            delivery: Delivery::Later { .. } | Delivery::NeedsHuman(_),
            ..
        }) = attempts.last()
        {
            break;
        }
    }
    Ok(attempts)
}

/// Makes one attempt at the effect that has waited longest, if any is due.
pub async fn deliver_next(
    store: &Store,
    sides: Sides<'_>,
    clock: &Clock,
) -> anyhow::Result<Option<Attempt>> {
    match store.claim_effect(clock(), LEASE).await? {
        Some(effect) => attempt(store, sides, clock, effect).await.map(Some),
        None => Ok(None),
    }
}

/// What the other side holds is read and kept, and the order marked as sent, before the first change: a crash from
/// there on counts as "outcome unknown". Every attempt reads the other side first, so that none is done twice.
async fn attempt(
    store: &Store,
    sides: Sides<'_>,
    clock: &Clock,
    mut effect: Effect,
) -> anyhow::Result<Attempt> {
    let history = store.history(&effect.key).await?;
    if effect.first_sent_at.is_none() && is_taken_back(&history, effect.version) {
        let applied = Applied::Overtaken {
            said: "taken back before it was sent".into(),
        };
        return settle(store, effect, Ok(applied), clock()).await;
    }
    let ready = match undone(store, &history, &effect).await? {
        Some(
            Effect {
                result: Some(Applied::Overtaken { .. }),
                ..
            }
            | Effect {
                state: EffectState::Failed,
                ..
            },
        ) => {
            let applied = Applied::Done {
                said: "nothing had been changed".into(),
                changed: false,
                after: None,
            };
            return settle(store, effect, Ok(applied), clock()).await;
        }
        Some(undone) => {
            effect.order.before = undone.order.before;
            effect.order.after = match undone.result {
                Some(Applied::Done { after, .. }) => after,
                _ => None,
            };
            Ok(())
        }
        None if effect.first_sent_at.is_none() && effect.order.ticket.is_none() => sides
            .checklist
            .before(&effect.order, ATTEMPT_LIMIT, clock)
            .await
            .map(|before| effect.order.before = before),
        None => Ok(()),
    };
    let applied = match ready {
        Err(NotApplied::OutcomeUnknown(why)) => Err(NotApplied::NotSent(why)),
        Err(not_applied) => Err(not_applied),
        Ok(()) if store.mark_sent(&effect, clock()).await? => {
            let applied = sides.apply(&effect.order, clock).await;
            applied.map(|applied| match effect.first_sent_at {
                Some(_) => perhaps_by_us(applied),
                None => applied,
            })
        }
        Ok(()) => {
            return Ok(Attempt {
                effect,
                delivery: Delivery::Elsewhere,
                entries: Vec::new(),
            });
        }
    };
    settle(store, effect, applied, clock()).await
}

/// What is as it was ordered to be, after an attempt whose outcome nobody knows, counts as our change: so it can be
/// taken back.
fn perhaps_by_us(applied: Applied) -> Applied {
    match applied {
        Applied::Done { said, after, .. } => Applied::Done {
            said,
            changed: true,
            after,
        },
        other @ (Applied::Asked { .. } | Applied::Overtaken { .. } | Applied::Ticketed { .. }) => {
            other
        }
    }
}

fn is_taken_back(history: &[Decision], version: i64) -> bool {
    history
        .iter()
        .any(|decision| decision.action == Action::Undo { version })
}

/// The effect that this one takes back, if it is an undo.
async fn undone(
    store: &Store,
    history: &[Decision],
    undo: &Effect,
) -> anyhow::Result<Option<Effect>> {
    match history
        .iter()
        .find(|decision| decision.version == undo.version)
        .map(|decision| &decision.action)
    {
        Some(Action::Undo { version }) => store.effect_of(&undo.key, *version).await,
        _ => Ok(None),
    }
}

/// Records what became of an attempt, and withdraws a decision that the other side has overtaken or refuses.
async fn settle(
    store: &Store,
    effect: Effect,
    applied: Result<Applied, NotApplied>,
    now: DateTime<Utc>,
) -> anyhow::Result<Attempt> {
    let delivery = judge(
        &applied,
        effect.attempts,
        effect.first_sent_at.is_some(),
        now,
    );
    let outcome = match (&delivery, applied) {
        (
            Delivery::Later {
                why, not_before, ..
            },
            _,
        ) => Settlement::Retry {
            not_before: *not_before,
            error: why.reason.clone(),
        },
        (Delivery::NeedsHuman(why), _) => Settlement::NeedsHuman(why.reason.clone()),
        (_, Ok(applied)) => Settlement::Done(applied),
        (_, Err(why)) => Settlement::Failed(why.to_string().into()),
    };
    let withdrawal = match &delivery {
        Delivery::Overtaken(said) | Delivery::Refused(said) => {
            withdrawal(&store.history(&effect.key).await?, &effect, said, now)
        }
        _ => None,
    };
    let entry = entry(&effect.order, &delivery, now);
    let settled = store
        .settle_effect(&effect.effect_key, effect.fence, outcome, withdrawal, entry)
        .await?;
    let (delivery, entries) = match settled {
        Settled::Recorded(entries) => (delivery, entries),
        Settled::FenceLost => (Delivery::Elsewhere, Vec::new()),
    };
    Ok(Attempt {
        effect,
        delivery,
        entries,
    })
}

/// What takes a decision back in the name of the program. None if somebody has decided since.
fn withdrawal(
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

/// `was_sent`: by an earlier attempt, perhaps.
fn judge(
    applied: &Result<Applied, NotApplied>,
    attempts: i64,
    was_sent: bool,
    now: DateTime<Utc>,
) -> Delivery {
    match applied {
        Ok(Applied::Done { said, .. } | Applied::Ticketed { said, .. }) => {
            Delivery::Done(said.clone())
        }
        Ok(Applied::Asked { said }) => Delivery::Asked(said.clone()),
        Ok(Applied::Overtaken { said }) => Delivery::Overtaken(said.clone()),
        Err(NotApplied::Refused(why)) => Delivery::Refused(why.clone()),
        Err(NotApplied::NotSent(why) | NotApplied::OutcomeUnknown(why)) => {
            let tried = usize::try_from(attempts - 1).unwrap_or(0);
            let asked = TimeDelta::from_std(why.asked_wait.unwrap_or_default())
                .map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT));
            match BACK_OFF.get(tried) {
                Some(pause) => Delivery::Later {
                    why: why.why.clone(),
                    not_before: now + asked.max(*pause),
                    is_sent: was_sent || matches!(applied, Err(NotApplied::OutcomeUnknown(_))),
                },
                None => Delivery::NeedsHuman(why.why.clone()),
            }
        }
    }
}

/// The log's line for an attempt that ended an effect; one that will be repeated has none.
fn entry(order: &Order, delivery: &Delivery, now: DateTime<Utc>) -> Option<NewEntry> {
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
    use super::*;
    use crate::{checks::Hindrance, report::Cause};

    #[test]
    fn a_failure_is_tried_again_for_hours_and_then_needs_a_human() {
        let now = DateTime::<Utc>::default();
        let failure = || {
            let why = Unknown::new(Cause::Timeout, "no answer");
            Err(NotApplied::OutcomeUnknown(why.into()))
        };
        let waits: Vec<i64> = (1..=6)
            .map(|attempt| match judge(&failure(), attempt, false, now) {
                Delivery::Later { not_before, .. } => (not_before - now).num_seconds(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(
            waits.is_sorted() && waits.iter().sum::<i64>() > 7 * 3600,
            "{waits:?}"
        );
        assert!(matches!(
            judge(&failure(), 7, false, now),
            Delivery::NeedsHuman(_)
        ));
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_unless_it_is_beyond_reason() {
        let now = DateTime::<Utc>::default();
        let wait = |asked: Option<u64>, attempt| {
            let hindrance = Hindrance {
                why: Unknown::new(Cause::RateLimited, "429"),
                asked_wait: asked.map(Duration::from_secs),
            };
            match judge(&Err(NotApplied::NotSent(hindrance)), attempt, false, now) {
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
            match judge(&Err(not(why.into())), 1, was_sent, DateTime::default()) {
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
        let refused = judge(
            &Err(NotApplied::Refused("403".into())),
            1,
            false,
            DateTime::default(),
        );
        assert_eq!(refused, Delivery::Refused("403".into()));
    }
}
