//! What people decided about findings.

use std::collections::BTreeMap;

use anyhow::Context;
use sqlx::{QueryBuilder, types::Json};

use super::{Connection, NewEffect, Store, effects, log, micros};
use crate::{
    ops_log::{Entry, NewEntry},
    report::FindingKey,
    triage::Decision,
};

/// Well below the parameters that either engine takes in one statement.
const KEYS_AT_ONCE: usize = 500;

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
        let keys: Vec<String> = keys.into_iter().map(ToString::to_string).collect();
        let mut snapshot = self.read().await?;
        let mut histories: BTreeMap<FindingKey, Vec<Decision>> = BTreeMap::new();
        for some in keys.chunks(KEYS_AT_ONCE) {
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
