//! Carries out what decisions ask of the other side. Each is kept until it is done, refused, or needs a human.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::{
    checks::{Applied, NotApplied},
    ops_log::Entry,
    schedule::Clock,
    store::{Effect, EffectState, Settled, Settlement, Store},
    triage::{Action, Decision},
};

mod delivery;
mod sides;

pub use delivery::{Delivery, LONGEST_WAIT};
pub use sides::Sides;

use delivery::{Failed, entry, judge, withdrawal};

/// All the calls of one attempt.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);

/// How long an attempt is ours alone: an attempt twice over, and an answer that comes late.
const LEASE: TimeDelta = TimeDelta::seconds(60);

fn decision_of<'a>(effect: &Effect, history: &'a [Decision]) -> Option<&'a Decision> {
    let mut decisions = history.iter();
    decisions.find(|decision| decision.version == effect.version)
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
    if let Err(no) = sides.has_the_tracker(&effect, &history) {
        return settle(store, effect, Err(no.into()), clock()).await;
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
        Err(NotApplied::OutcomeUnknown(why)) => Err(NotApplied::NotSent(why).into()),
        Err(not_applied) => Err(not_applied.into()),
        Ok(()) if store.mark_sent(&effect, clock()).await? => {
            let applied = sides.apply(&effect.order, &history, clock).await;
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
    match decision_of(undo, history).map(|decision| &decision.action) {
        Some(Action::Undo { version }) => store.effect_of(&undo.key, *version).await,
        _ => Ok(None),
    }
}

/// Records what became of an attempt, and withdraws a decision that the other side has overtaken or refuses.
async fn settle(
    store: &Store,
    effect: Effect,
    applied: Result<Applied, Failed>,
    now: DateTime<Utc>,
) -> anyhow::Result<Attempt> {
    let delivery = judge(
        &effect.order,
        &applied,
        effect.attempts,
        effect.first_sent_at.is_some(),
        now,
    );
    let outcome = match (&delivery, applied) {
        (
            Delivery::Later {
                why,
                not_before,
                is_sent,
            },
            _,
        ) => Settlement::Retry {
            not_before: *not_before,
            error: why.reason.clone(),
            is_sent: *is_sent,
        },
        (Delivery::NeedsHuman(why), _) => Settlement::NeedsHuman(why.reason.clone()),
        (_, Ok(applied)) => Settlement::Done(applied),
        (_, Err(Failed::Gone(why))) => Settlement::Gone(why),
        (Delivery::Refused(why), Err(_)) => Settlement::Failed(why.clone()),
        (_, Err(Failed::NotApplied(why))) => Settlement::Failed(why.to_string().into()),
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
