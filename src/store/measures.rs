//! What checks counted on earlier days.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::NaiveDate;

use super::{Connection, Store};
use crate::{
    baseline::{LOOKBACK, Measure},
    report::Report,
};

impl Store {
    /// What each check counted on the days that still count, by its name.
    pub async fn measures(
        &self,
        today: NaiveDate,
    ) -> anyhow::Result<BTreeMap<String, Vec<Measure>>> {
        let mut snapshot = self.read().await?;
        let rows: Vec<(String, String, String, i64)> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT check_name, name, day, value FROM measures WHERE day >= $1 ORDER BY check_name, name, day",
            )
            .bind((today - LOOKBACK).to_string())
            .fetch_all(c)
            .await
        })
        .context("what was counted on earlier days could not be read")?;
        let mut measures: BTreeMap<String, Vec<Measure>> = BTreeMap::new();
        for (check, name, day, value) in rows {
            let day = day
                .parse()
                .with_context(|| format!("`{name}` was counted on a day that is none"))?;
            let value = u64::try_from(value)
                .with_context(|| format!("`{name}` was counted as less than nothing on {day}"))?;
            let of_check = measures.entry(check).or_default();
            of_check.push(Measure { name, day, value });
        }
        Ok(measures)
    }
}

/// Keeps what the checks of a run counted, in place of what they counted for the same days before.
pub(super) async fn keep(c: &mut Connection<'_>, report: &Report) -> anyhow::Result<()> {
    for check in &report.checks {
        for measure in &check.measures {
            on!(&mut *c, |c| {
                sqlx::query(
                    "INSERT INTO measures (check_name, name, day, value) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (check_name, name, day) DO UPDATE SET value = excluded.value",
                )
                .bind(&check.name)
                .bind(&measure.name)
                .bind(measure.day.to_string())
                .bind(i64::try_from(measure.value).unwrap_or(i64::MAX))
                .execute(c)
                .await
                .map(drop)
            })
            .with_context(|| format!("`{}` of {} could not be kept", measure.name, measure.day))?;
        }
    }
    Ok(())
}

/// Removes the days that count no more.
pub(super) async fn prune(c: &mut Connection<'_>, today: NaiveDate) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query("DELETE FROM measures WHERE day < $1")
            .bind((today - LOOKBACK).to_string())
            .execute(c)
            .await
            .map(drop)
    })
    .context("what was counted long ago could not be removed")
}
