//! The outbox: what we owe the other side, until it is done or a person has to look.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{QueryBuilder, types::Json};

use super::{Connection, First, Store, decisions, log, messages, micros, tickets};
use crate::{
    checks::{Applied, Order},
    ops_log::{Annex, Entry, NewEntry},
    report::FindingKey,
    text::Untrusted,
    triage::Decision,
};

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
    Retry {
        error: Untrusted,
        not_before: DateTime<Utc>,
    },
    NeedsHuman(Untrusted),
}

impl Settlement {
    fn state(&self) -> EffectState {
        match self {
            Self::Done(_) => EffectState::Done,
            Self::Failed(_) => EffectState::Failed,
            Self::Retry { .. } => EffectState::Waiting,
            Self::NeedsHuman(_) => EffectState::NeedsHuman,
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            Self::Done(_) => None,
            Self::Failed(error) | Self::Retry { error, .. } | Self::NeedsHuman(error) => {
                Some(error.as_str())
            }
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
                    Settlement::Failed(_) => {
                        tickets::refused(c, &effect_key).await?;
                        tickets::not_there(c, &effect_key).await?;
                    }
                    Settlement::Done(Applied::Overtaken { .. }) => {
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

    /// What is not done yet: waiting, running, or in need of a person.
    pub async fn open_effects(&self) -> anyhow::Result<Vec<Effect>> {
        let mut snapshot = self.read().await?;
        let rows: Vec<Row> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT * FROM effects WHERE state IN ('waiting', 'running', 'needs_human') \
                 ORDER BY not_before, effect_key",
            )
            .fetch_all(c)
            .await
        })
        .context("the open effects could not be read")?;
        rows.into_iter().map(Row::open).collect()
    }

    /// When the oldest decision was made that the other side is still to be told of.
    pub async fn owed_since(&self) -> anyhow::Result<Option<DateTime<Utc>>> {
        let mut snapshot = self.read().await?;
        on!(&mut snapshot.connection(), |c| {
            sqlx::query_scalar(
                "SELECT min(d.at) FROM effects AS e \
                 JOIN decisions AS d ON d.key = e.key AND d.version = e.version \
                 WHERE e.state IN ('waiting', 'running')",
            )
            .fetch_one(c)
            .await
        })
        .context("the oldest effect could not be read")
    }

    /// What was last asked of the other side about each of these findings.
    pub async fn newest_effects(
        &self,
        keys: impl IntoIterator<Item = &FindingKey>,
    ) -> anyhow::Result<BTreeMap<FindingKey, Effect>> {
        let all = self.effects_of(keys).await?.into_iter();
        Ok(all
            .filter_map(|(key, mut effects)| Some((key, effects.pop()?)))
            .collect())
    }

    /// What was asked of the other side about each of these findings, the oldest first.
    pub async fn effects_of(
        &self,
        keys: impl IntoIterator<Item = &FindingKey>,
    ) -> anyhow::Result<BTreeMap<FindingKey, Vec<Effect>>> {
        let keys: Vec<String> = keys.into_iter().map(ToString::to_string).collect();
        let mut snapshot = self.read().await?;
        let mut effects: BTreeMap<FindingKey, Vec<Effect>> = BTreeMap::new();
        for some in keys.chunks(super::KEYS_AT_ONCE) {
            let rows: Vec<Row> = on!(&mut snapshot.connection(), |c| {
                let mut query = QueryBuilder::new("SELECT * FROM effects WHERE key IN (");
                let mut list = query.separated(", ");
                some.iter().for_each(|key| {
                    list.push_bind(key);
                });
                query
                    .push(") ORDER BY key, version")
                    .build_query_as()
                    .fetch_all(c)
                    .await
            })
            .context("the effects could not be read")?;
            for row in rows {
                let effect = row.open()?;
                effects.entry(effect.key.clone()).or_default().push(effect);
            }
        }
        Ok(effects)
    }

    /// What the decision of that version asked of the other side.
    pub async fn effect_of(
        &self,
        key: &FindingKey,
        version: i64,
    ) -> anyhow::Result<Option<Effect>> {
        let mut snapshot = self.read().await?;
        let row: Option<Row> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as("SELECT * FROM effects WHERE key = $1 AND version = $2")
                .bind(key.to_string())
                .bind(version)
                .fetch_optional(c)
                .await
        })
        .with_context(|| format!("the effect of the decision about {key} could not be read"))?;
        row.map(Row::open).transpose()
    }
}

/// Ends the effect of that decision if nothing of it can have been sent, now or later.
pub(super) async fn cancel(
    c: &mut Connection<'_>,
    key: &FindingKey,
    version: i64,
) -> anyhow::Result<bool> {
    let effect_key: Option<String> = on!(&mut *c, |c| {
        sqlx::query_scalar(
            "UPDATE effects SET state = 'failed', last_error = 'taken back before it was sent', lease_until = NULL \
             WHERE key = $1 AND version = $2 AND first_sent_at IS NULL AND state IN ('waiting', 'running') \
             RETURNING effect_key",
        )
        .bind(key.to_string())
        .bind(version)
        .fetch_optional(c)
        .await
    })
    .with_context(|| format!("the effect of the decision about {key} could not be taken back"))?;
    if let Some(effect_key) = &effect_key {
        tickets::not_there(c, effect_key).await?;
    }
    Ok(effect_key.is_some())
}

async fn due(c: &mut Connection<'_>, now: DateTime<Utc>) -> anyhow::Result<Option<String>> {
    on!(c, |c| {
        sqlx::query_scalar(
            "SELECT effect_key FROM effects AS e \
             WHERE ((state = 'waiting' AND not_before <= $1) OR (state = 'running' AND lease_until <= $1)) \
             AND NOT EXISTS (SELECT 1 FROM effects AS earlier WHERE earlier.key = e.key \
                 AND earlier.version < e.version AND earlier.state IN ('waiting', 'running')) \
             ORDER BY not_before, effect_key LIMIT 1",
        )
        .bind(now)
        .fetch_optional(c)
        .await
    })
    .context("the due effects could not be read")
}

async fn claim(
    c: &mut Connection<'_>,
    effect_key: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> anyhow::Result<Option<Row>> {
    on!(c, |c| {
        sqlx::query_as(
            "UPDATE effects SET state = 'running', fence = fence + 1, attempts = attempts + 1, lease_until = $3 \
             WHERE effect_key = $1 AND ((state = 'waiting' AND not_before <= $2) \
                 OR (state = 'running' AND lease_until <= $2)) \
             RETURNING *",
        )
        .bind(effect_key)
        .bind(now)
        .bind(until)
        .fetch_optional(c)
        .await
    })
    .with_context(|| format!("the effect {effect_key} could not be claimed"))
}

/// False if the claim is not the newest.
async fn settle(
    c: &mut Connection<'_>,
    effect_key: &str,
    fence: i64,
    settlement: &Settlement,
) -> anyhow::Result<bool> {
    let result = match settlement {
        Settlement::Done(applied) => Some(Json(applied)),
        _ => None,
    };
    let not_before = match settlement {
        Settlement::Retry { not_before, .. } => Some(micros(*not_before)),
        _ => None,
    };
    let rows = on!(c, |c| {
        sqlx::query(
            "UPDATE effects SET state = $3, result = $4, last_error = $5, \
                 not_before = COALESCE($6, not_before), lease_until = NULL \
             WHERE effect_key = $1 AND fence = $2 AND state = 'running'",
        )
        .bind(effect_key)
        .bind(fence)
        .bind(settlement.state().as_str())
        .bind(result)
        .bind(settlement.error())
        .bind(not_before)
        .execute(c)
        .await
        .map(|done| done.rows_affected())
    })
    .with_context(|| format!("the effect {effect_key} could not be settled"))?;
    Ok(rows == 1)
}
