//! The outbox: what we owe the other side, until it is done or a person has to look.

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;

use super::{First, Store, decisions, log, messages, micros, tickets};
use crate::{
    checks::{Applied, Order},
    ops_log::{Annex, Entry, NewEntry},
    report::FindingKey,
    text::Untrusted,
    triage::Decision,
};

mod claim;
mod read;

pub(super) use claim::cancel;

use claim::{claim, due, settle};

#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub effect_key: String,
    /// The decision that asked for it.
    pub key: FindingKey,
    pub version: i64,
    pub order: Order,
    pub state: EffectState,
    /// Claims so far, this one included.
    pub attempts: i64,
    pub not_before: DateTime<Utc>,
    pub lease_until: Option<DateTime<Utc>>,
    /// The claim's number: only the newest one may settle.
    pub fence: i64,
    /// When something may have reached the other side for the first time: look there before the next try.
    pub first_sent_at: Option<DateTime<Utc>>,
    pub last_error: Option<Untrusted>,
    pub result: Option<Applied>,
}

impl Effect {
    /// Whether something is still owed, or nobody knows.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, EffectState::Done | EffectState::Failed)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectState {
    Waiting,
    Running,
    Done,
    /// It never will be done; `last_error` says why.
    Failed,
    /// Nobody knows whether it was done, and it was tried often enough.
    NeedsHuman,
}

impl EffectState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::NeedsHuman => "needs_human",
        }
    }
}

/// What became of a claimed effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    Done(Applied),
    Failed(Untrusted),
    /// The ticket that was to be opened again is not there any more.
    Gone(Untrusted),
    Retry {
        error: Untrusted,
        not_before: DateTime<Utc>,
        /// Whether something may have reached the other side, by this attempt or an earlier one.
        is_sent: bool,
    },
    NeedsHuman(Untrusted),
}

impl Settlement {
    fn state(&self) -> EffectState {
        match self {
            Self::Done(_) => EffectState::Done,
            Self::Failed(_) | Self::Gone(_) => EffectState::Failed,
            Self::Retry { .. } => EffectState::Waiting,
            Self::NeedsHuman(_) => EffectState::NeedsHuman,
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            Self::Done(_) => None,
            Self::Failed(error)
            | Self::Gone(error)
            | Self::Retry { error, .. }
            | Self::NeedsHuman(error) => Some(error.as_str()),
        }
    }
}

/// Whether a settlement was taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// With its entries in the ops log: that of a decision that was withdrawn, then its own.
    Recorded(Vec<Entry>),
    /// Somebody else has claimed the effect since; nothing was written.
    FenceLost,
}

#[derive(sqlx::FromRow)]
struct Row {
    effect_key: String,
    key: String,
    version: i64,
    ordered: Json<Order>,
    state: String,
    attempts: i64,
    not_before: DateTime<Utc>,
    lease_until: Option<DateTime<Utc>>,
    fence: i64,
    first_sent_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    result: Option<Json<Applied>>,
}

impl Row {
    fn open(self) -> anyhow::Result<Effect> {
        let state = match self.state.as_str() {
            "waiting" => EffectState::Waiting,
            "running" => EffectState::Running,
            "done" => EffectState::Done,
            "failed" => EffectState::Failed,
            "needs_human" => EffectState::NeedsHuman,
            other => bail!(
                "the effect {} is in the state `{other}`, which this version does not know",
                self.effect_key
            ),
        };
        Ok(Effect {
            key: self.key.parse()?,
            effect_key: self.effect_key,
            version: self.version,
            order: self.ordered.0,
            state,
            attempts: self.attempts,
            not_before: self.not_before,
            lease_until: self.lease_until,
            fence: self.fence,
            first_sent_at: self.first_sent_at,
            last_error: self.last_error.map(Untrusted::from),
            result: self.result.map(|result| result.0),
        })
    }
}

impl Store {
    /// Takes the next effect that is due, for the time of the lease; also one whose lease has run out. The effects of
    /// one finding go in the order of its decisions.
    pub async fn claim_effect(
        &self,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> anyhow::Result<Option<Effect>> {
        let (now, until) = (micros(now), micros(now + lease));
        let claimed = self.first(move |c| {
            Box::pin(async move {
                let Some(next) = due(c, now).await? else {
                    return Ok(First::None);
                };
                Ok(claim(c, &next, now, until).await?.into())
            })
        });
        claimed.await?.map(Row::open).transpose()
    }

    /// Notes that something may reach the other side from now on, and what it held before. False if the claim is
    /// lost: send nothing then.
    pub async fn mark_sent(&self, effect: &Effect, now: DateTime<Utc>) -> anyhow::Result<bool> {
        let (effect_key, fence, order) = (
            effect.effect_key.clone(),
            effect.fence,
            effect.order.clone(),
        );
        self.write(move |c| {
            Box::pin(async move {
                let rows = on!(c, |c| {
                    sqlx::query(
                        "UPDATE effects SET first_sent_at = COALESCE(first_sent_at, $3), ordered = $4 \
                         WHERE effect_key = $1 AND fence = $2 AND state = 'running'",
                    )
                    .bind(&effect_key)
                    .bind(fence)
                    .bind(micros(now))
                    .bind(Json(&order))
                    .execute(c)
                    .await
                    .map(|done| done.rows_affected())
                })
                .with_context(|| format!("the effect {effect_key} could not be marked as sent"))?;
                Ok(rows == 1)
            })
        })
        .await
    }

    /// Ends a claim, together with its entry in the ops log, and has the messages follow. `withdrawal` takes the decision
    /// back that asked for it, unless somebody has decided since.
    pub async fn settle_effect(
        &self,
        effect_key: &str,
        fence: i64,
        settlement: Settlement,
        withdrawal: Option<(Decision, NewEntry)>,
        entry: Option<NewEntry>,
    ) -> anyhow::Result<Settled> {
        let effect_key = effect_key.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                if !settle(c, &effect_key, fence, &settlement).await? {
                    return Ok(Settled::FenceLost);
                }
                match &settlement {
                    Settlement::Done(Applied::Ticketed { ticket, .. }) => {
                        let now = entry.as_ref().map(|entry| entry.at);
                        tickets::there(c, &effect_key, ticket, now).await?;
                    }
                    Settlement::Gone(_) => {
                        tickets::gone(c, &effect_key).await?;
                        tickets::not_there(c, &effect_key).await?;
                    }
                    Settlement::Failed(_) | Settlement::Done(Applied::Overtaken { .. }) => {
                        tickets::not_there(c, &effect_key).await?;
                    }
                    _ => {}
                }
                messages::want_all(c).await?;
                let mut entries = Vec::new();
                if let Some((decision, entry)) = withdrawal {
                    entries.extend(decisions::record(c, &decision, entry).await?);
                }
                if let Some(entry) = entry {
                    entries.push(log::append(c, entry, Annex::default()).await?);
                }
                Ok(Settled::Recorded(entries))
            })
        })
        .await
    }
}
