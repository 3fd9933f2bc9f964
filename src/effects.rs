//! Carries out what decisions ask of the other side. Each is kept until it is done, refused, or needs a human.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    checks::{Applied, Checklist, NotApplied, Order},
    ops_log::{Entry, Kind, NewEntry, Sentence},
    report::Unknown,
    schedule::Clock,
    store::{Effect, Outcome, Settled, Store},
    text::Untrusted,
    triage::Action,
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

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    Done(Untrusted),
    /// The other side has moved on meanwhile; nothing was changed there.
    Overtaken(Untrusted),
    /// It never will be done.
    Refused(Untrusted),
    /// It will be tried again, not before that time.
    Later(Unknown, DateTime<Utc>),
    /// It was tried often enough.
    NeedsHuman(Unknown),
    /// Another process has taken it over.
    Elsewhere,
}

/// One attempt at an effect.
pub struct Attempt {
    pub effect: Effect,
    pub delivery: Delivery,
    /// The ops log's line, if the attempt ended the effect.
    pub entry: Option<Entry>,
}

/// Makes one attempt at each effect that is due, the oldest first.
pub async fn deliver_due(
    store: &Store,
    checklist: &Checklist,
    clock: &Clock,
) -> anyhow::Result<Vec<Attempt>> {
    let mut attempts = Vec::new();
    while let Some(effect) = store.claim_effect(clock(), LEASE).await? {
        attempts.push(attempt(store, checklist, clock, effect).await?);
    }
    Ok(attempts)
}

/// The order is marked as sent before the first byte, so that a crash from here on counts as "outcome unknown"; every
/// attempt reads the other side first, so that none is done twice.
async fn attempt(
    store: &Store,
    checklist: &Checklist,
    clock: &Clock,
    mut effect: Effect,
) -> anyhow::Result<Attempt> {
    if !store
        .mark_sent(&effect.effect_key, effect.fence, clock())
        .await?
    {
        return Ok(Attempt {
            effect,
            delivery: Delivery::Elsewhere,
            entry: None,
        });
    }
    effect.order.before = before(store, &effect).await?;
    let applied = checklist.apply(&effect.order, ATTEMPT_LIMIT).await;
    let now = clock();
    let delivery = judge(&applied, effect.attempts, now);
    let outcome = match &delivery {
        Delivery::Done(said) | Delivery::Overtaken(said) => {
            Outcome::Done(applied.unwrap_or(Applied::Overtaken { said: said.clone() }))
        }
        Delivery::Refused(why) => Outcome::Failed(why.clone()),
        Delivery::Later(why, not_before) => Outcome::Retry {
            not_before: *not_before,
            error: why.reason.clone(),
        },
        Delivery::NeedsHuman(why) => Outcome::NeedsHuman(why.reason.clone()),
        Delivery::Elsewhere => {
            return Ok(Attempt {
                effect,
                delivery,
                entry: None,
            });
        }
    };
    let line = entry(&effect.order, &delivery, now);
    Ok(
        match store
            .settle_effect(&effect.effect_key, effect.fence, outcome, line)
            .await?
        {
            Settled::Recorded(entry) => Attempt {
                effect,
                delivery,
                entry,
            },
            Settled::FenceLost => Attempt {
                effect,
                delivery: Delivery::Elsewhere,
                entry: None,
            },
        },
    )
}

/// What the other side held before the decision that an undo takes back; its effect has gone before this one.
async fn before(store: &Store, undo: &Effect) -> anyhow::Result<Option<Untrusted>> {
    let history = store
        .decisions([&undo.key])
        .await?
        .remove(&undo.key)
        .unwrap_or_default();
    let Some(Action::Undo { version }) = history
        .into_iter()
        .find(|d| d.version == undo.version)
        .map(|d| d.action)
    else {
        return Ok(None);
    };
    Ok(
        match store
            .effect_of(&undo.key, version)
            .await?
            .and_then(|undone| undone.result)
        {
            Some(Applied::Done { before, .. }) => before,
            _ => None,
        },
    )
}

fn judge(applied: &Result<Applied, NotApplied>, attempts: i64, now: DateTime<Utc>) -> Delivery {
    match applied {
        Ok(Applied::Done { said, .. }) => Delivery::Done(said.clone()),
        Ok(Applied::Overtaken { said }) => Delivery::Overtaken(said.clone()),
        Err(NotApplied::Refused(why)) => Delivery::Refused(why.clone()),
        Err(NotApplied::NotSent(why) | NotApplied::OutcomeUnknown(why)) => {
            let tried = usize::try_from(attempts - 1).unwrap_or(0);
            match BACK_OFF.get(tried) {
                Some(pause) => Delivery::Later(why.clone(), now + *pause),
                None => Delivery::NeedsHuman(why.clone()),
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
        Delivery::Overtaken(said) => text.say(" overtaken, nothing changed: ").quote(said),
        Delivery::Refused(why) => text.say(" refused: ").quote(why),
        Delivery::NeedsHuman(why) => text.say(" needs a human: ").quote(&why.reason),
        Delivery::Later(..) | Delivery::Elsewhere => return None,
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
    use crate::report::Cause;

    #[test]
    fn a_failure_is_tried_again_for_hours_and_then_needs_a_human() {
        let now = DateTime::<Utc>::default();
        let failure = || {
            Err(NotApplied::OutcomeUnknown(Unknown::new(
                Cause::Timeout,
                "no answer",
            )))
        };
        let waits: Vec<i64> = (1..=6)
            .map(|attempt| match judge(&failure(), attempt, now) {
                Delivery::Later(_, at) => (at - now).num_seconds(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(
            waits.is_sorted() && waits.iter().sum::<i64>() > 7 * 3600,
            "{waits:?}"
        );
        assert!(matches!(judge(&failure(), 7, now), Delivery::NeedsHuman(_)));
    }

    #[test]
    fn a_refusal_is_not_repeated() {
        let refused = judge(
            &Err(NotApplied::Refused("403".into())),
            1,
            DateTime::default(),
        );
        assert_eq!(refused, Delivery::Refused("403".into()));
    }
}
