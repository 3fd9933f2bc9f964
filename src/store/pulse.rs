//! Whether the database takes a write.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Connection, Store, micros};

/// After so long the row of a process that has ended is removed.
const KEPT: TimeDelta = TimeDelta::days(1);

impl Store {
    /// Writes a row of this process's own: nobody else's lock holds it up, and a full disk refuses it.
    pub async fn beat(&self, now: DateTime<Utc>) -> anyhow::Result<()> {
        let writer = self.name.clone();
        self.write(move |c| {
            Box::pin(async move {
                on!(c, |c| {
                    sqlx::query(
                        "INSERT INTO pulse (writer, at) VALUES ($1, $2) \
                         ON CONFLICT (writer) DO UPDATE SET at = excluded.at",
                    )
                    .bind(&writer)
                    .bind(micros(now))
                    .execute(c)
                    .await
                    .map(drop)
                })
                .context("the database takes no write")
            })
        })
        .await
    }
}

pub(super) async fn prune(c: &mut Connection<'_>, now: DateTime<Utc>) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query("DELETE FROM pulse WHERE at < $1")
            .bind(micros(now - KEPT))
            .execute(c)
            .await
            .map(drop)
    })
    .context("what processes that have ended wrote could not be removed")
}
