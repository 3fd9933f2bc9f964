//! What people decided about findings.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use sqlx::{QueryBuilder, types::Json};

use super::{
    Connection, NewEffect, NewTicket, Receipt, Store, effects,
    inbox::{ClaimLost, finish_if_any},
    log, messages, micros, new_effect, tickets,
};
use crate::{
    ops_log::{Annex, Body, Entry, Hash, NewEntry, decision_digest},
    report::FindingKey,
    triage::Decision,
};

/// What became of a decision.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and an entry is the usual case"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Decided {
    Recorded(Entry),
    /// Somebody else took that version first; nothing was written.
    Conflict,
    /// Another process deals with the request; nothing was written.
    Elsewhere,
    /// What it would take back has been sent already; nothing was written.
    Sent,
}

/// What a decision asks for beside itself.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    pub effect: Option<NewEffect>,
    pub ticket: Option<NewTicket>,
    /// The version of the decision whose effect must not be sent any more.
    pub cancels: Option<i64>,
}

impl From<Option<NewEffect>> for Wants {
    fn from(effect: Option<NewEffect>) -> Self {
        Self {
            effect,
            ..Self::default()
        }
    }
}

/// Why a decision's transaction was given up.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum GivenUp {
    #[error("the finding has a ticket already")]
    TicketTaken,
    #[error("it has been sent already")]
    Sent,
}

impl Store {
    /// Keeps a decision with its entry in the ops log and what it asks of the other side, ends the request that asked
    /// for it, and has the messages follow.
    pub async fn decide(
        &self,
        decision: Decision,
        entry: NewEntry,
        wants: impl Into<Wants>,
        receipt: Option<Receipt>,
    ) -> anyhow::Result<Decided> {
        let wants = wants.into();
        let decided = self
            .write(move |c| {
                Box::pin(async move {
                    if !insert(c, &decision).await? {
                        return Ok(Decided::Conflict);
                    }
                    ensure!(finish_if_any(c, receipt.as_ref()).await?, ClaimLost);
                    if let Some(version) = wants.cancels {
                        let cancelled = effects::cancel(c, &decision.key, version).await?;
                        ensure!(cancelled, GivenUp::Sent);
                    }
                    if let Some(effect) = wants.effect {
                        new_effect::insert(c, &decision, effect).await?;
                    }
                    messages::want_all(c).await?;
                    let entry = log_of(c, &decision, entry).await?;
                    if let Some(ticket) = &wants.ticket {
                        let kept = tickets::insert(c, &decision, ticket).await?;
                        ensure!(kept, GivenUp::TicketTaken);
                    }
                    Ok(Decided::Recorded(entry))
                })
            })
            .await;
        match decided {
            Err(error) if error.is::<ClaimLost>() => Ok(Decided::Elsewhere),
            Err(error) => match error.downcast::<GivenUp>()? {
                GivenUp::TicketTaken => Ok(Decided::Conflict),
                GivenUp::Sent => Ok(Decided::Sent),
            },
            decided => decided,
        }
    }

    /// Findings whose decisions are not those that the log was told of. An erasure takes the log's word about a decision
    /// away, and excuses as many.
    pub async fn decisions_unlike_log(&self) -> anyhow::Result<Vec<String>> {
        let mut snapshot = self.read().await?;
        let kept: Vec<(String, Json<serde_json::Value>)> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as("SELECT key, decision FROM decisions ORDER BY key, version")
                .fetch_all(c)
                .await
        })
        .context("the decisions could not be read")?;
        let logged: Vec<(String, Option<String>)> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT l.subject, b.body FROM ops_log AS l LEFT JOIN ops_log_bodies AS b ON b.seq = l.seq \
                 WHERE l.kind = 'decision'",
            )
            .fetch_all(c)
            .await
        })
        .context("the log's decisions could not be read")?;
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        for (subject, body) in logged {
            let told = told.entry(subject).or_default();
            match body.and_then(|body| serde_json::from_str::<Body>(&body).ok()) {
                Some(body) => told.digests.extend(body.decision),
                None => told.erased += 1,
            }
        }
        let mut unlike: BTreeMap<String, usize> = BTreeMap::new();
        for (key, Json(decision)) in kept {
            let readable = serde_json::from_value::<Decision>(decision)
                .ok()
                .filter(|decision| decision.key.to_string() == key);
            let digest = readable.and_then(|decision| digest(&decision).ok());
            if !told
                .get(&key)
                .is_some_and(|told| digest.is_some_and(|digest| told.digests.contains(&digest)))
            {
                *unlike.entry(key).or_default() += 1;
            }
        }
        unlike.retain(|key, number| *number > told.get(key).map_or(0, |told| told.erased));
        Ok(unlike.into_keys().collect())
    }

    /// The decisions about one finding, by version.
    pub async fn history(&self, key: &FindingKey) -> anyhow::Result<Vec<Decision>> {
        Ok(self.decisions([key]).await?.remove(key).unwrap_or_default())
    }

    /// The history of each of these findings, by version; nothing for those without one.
    pub async fn decisions(
        &self,
        keys: impl IntoIterator<Item = &FindingKey>,
    ) -> anyhow::Result<BTreeMap<FindingKey, Vec<Decision>>> {
        let keys: Vec<String> = keys.into_iter().map(ToString::to_string).collect();
        let mut snapshot = self.read().await?;
        let mut histories: BTreeMap<FindingKey, Vec<Decision>> = BTreeMap::new();
        for some in keys.chunks(super::KEYS_AT_ONCE) {
            let found: Vec<Json<Decision>> = on!(&mut snapshot.connection(), |c| {
                let mut query = QueryBuilder::new("SELECT decision FROM decisions WHERE key IN (");
                let mut list = query.separated(", ");
                some.iter().for_each(|key| {
                    list.push_bind(key);
                });
                query
                    .push(") ORDER BY key, version")
                    .build_query_scalar()
                    .fetch_all(c)
                    .await
            })
            .context("the decisions could not be read")?;
            for Json(decision) in found {
                histories
                    .entry(decision.key.clone())
                    .or_default()
                    .push(decision);
            }
        }
        Ok(histories)
    }
}

/// What the log was told of the decisions about one finding.
#[derive(Default)]
struct Told {
    digests: Vec<Hash>,
    /// Entries whose words are gone.
    erased: usize,
}

fn digest(decision: &Decision) -> anyhow::Result<Hash> {
    let bytes = serde_json::to_vec(decision).context("a decision could not be written as JSON")?;
    Ok(decision_digest(&bytes))
}

/// Keeps a decision with its entry in the caller's transaction. None if somebody has decided since.
pub(super) async fn record(
    c: &mut Connection<'_>,
    decision: &Decision,
    entry: NewEntry,
) -> anyhow::Result<Option<Entry>> {
    if !insert(c, decision).await? {
        return Ok(None);
    }
    log_of(c, decision, entry).await.map(Some)
}

/// Logs a decision with its digest, which the log vouches for.
async fn log_of(
    c: &mut Connection<'_>,
    decision: &Decision,
    entry: NewEntry,
) -> anyhow::Result<Entry> {
    let annex = Annex {
        decision: Some(digest(decision)?),
        ..Annex::default()
    };
    log::append(c, entry, annex).await
}

/// False if that version is taken.
async fn insert(c: &mut Connection<'_>, decision: &Decision) -> anyhow::Result<bool> {
    let rows = on!(c, |c| {
        sqlx::query(
            "INSERT INTO decisions (key, version, at, by_id, decision) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (key, version) DO NOTHING",
        )
        .bind(decision.key.to_string())
        .bind(decision.version)
        .bind(micros(decision.at))
        .bind(decision.by.id())
        .bind(Json(decision))
        .execute(c)
        .await
        .map(|done| done.rows_affected())
    })
    .with_context(|| format!("the decision about {} could not be recorded", decision.key))?;
    Ok(rows == 1)
}
