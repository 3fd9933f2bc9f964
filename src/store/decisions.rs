//! What people decided about findings.

use std::collections::BTreeMap;

use anyhow::Context;
use sqlx::types::Json;

use super::{Connection, NewEffect, Store, effects, log, micros};
use crate::{
    ops_log::{Entry, NewEntry},
    report::FindingKey,
    triage::Decision,
};

/// What became of a decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Decided {
    Recorded(Entry),
    /// Somebody else took that version first; nothing was written.
    Conflict,
}

impl Store {
    /// Keeps a decision with its entry in the ops log and what it asks of the other side.
    pub async fn decide(
        &self,
        decision: Decision,
        entry: NewEntry,
        effect: Option<NewEffect>,
    ) -> anyhow::Result<Decided> {
        self.write(move |c| {
            Box::pin(async move {
                if !insert(c, &decision).await? {
                    return Ok(Decided::Conflict);
                }
                if let Some(effect) = effect {
                    effects::insert(c, &decision, effect).await?;
                }
                Ok(Decided::Recorded(log::append(c, entry, Vec::new()).await?))
            })
        })
        .await
    }

    /// The history of each of these findings, by version; nothing for those without one.
    pub async fn decisions(
        &self,
        keys: impl IntoIterator<Item = &FindingKey>,
    ) -> anyhow::Result<BTreeMap<FindingKey, Vec<Decision>>> {
        let mut snapshot = self.read().await?;
        let mut histories = BTreeMap::new();
        for key in keys {
            let history: Vec<Json<Decision>> = on!(&mut snapshot.connection(), |c| {
                sqlx::query_scalar("SELECT decision FROM decisions WHERE key = $1 ORDER BY version")
                    .bind(key.to_string())
                    .fetch_all(c)
                    .await
            })
            .with_context(|| format!("the decisions about {key} could not be read"))?;
            if !history.is_empty() {
                histories.insert(
                    key.clone(),
                    history.into_iter().map(|decision| decision.0).collect(),
                );
            }
        }
        Ok(histories)
    }
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
