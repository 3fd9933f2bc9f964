//! What the outbox holds, for those who look.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;

use super::{Effect, Row};
use crate::{
    report::FindingKey,
    store::{KEYS_AT_ONCE, Store},
};

impl Store {
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
        for some in keys.chunks(KEYS_AT_ONCE) {
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
