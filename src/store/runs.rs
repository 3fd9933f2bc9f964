//! Runs, and what the checks remember of them.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{
    Connection, RoundClaim, Store,
    inbox::{self, ClaimLost},
    log, measures, messages, micros, pulse, rounds,
};
use crate::{
    ops_log::{Annex, Entry, Head, NewEntry},
    report::{FindingKey, Outcome, Report, RunId},
    triage::{Known, Memory, Previous, Verdict},
};

/// How long a run's report is kept, and the message that shows it. Its entry in the ops log stays.
const KEPT: TimeDelta = TimeDelta::days(90);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRun {
    pub run: RunId,
    pub started_at: DateTime<Utc>,
}

/// What a run is judged against, beside decisions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// What the rounds before left open.
    pub memory: Memory,
    pub previous: Option<Previous>,
}

/// A run as it is to be kept.
pub struct NewRun {
    pub report: Report,
    pub verdict: Verdict,
    pub before: Remembered,
    /// What its checks leave open; none where what was open before could not be read, which is then left as it is.
    pub after: Option<Memory>,
    pub entry: NewEntry,
    /// The round that was asked for, if a chat or the schedule did.
    pub claim: Option<RoundClaim>,
}

impl Store {
    /// Keeps a run with its entry in the ops log, ends the round that was asked for, and has its message follow.
    pub async fn record_run(&self, run: NewRun) -> anyhow::Result<Entry> {
        let NewRun {
            report,
            verdict,
            before,
            after,
            entry,
            claim,
        } = run;
        let now = report.started_at;
        let recorded = self
            .write(move |c| {
                Box::pin(async move {
                    if let Some(claim) = &claim {
                        let now = report.finished_at;
                        let ended =
                            rounds::end(c, claim, "done", Some(&report.run), None, now).await?;
                        ensure!(ended, ClaimLost);
                    }
                    insert(c, &report, verdict, &before).await?;
                    measures::keep(c, &report).await?;
                    for check in &report.checks {
                        if let Some(after) = &after
                            && check.outcome != Outcome::Off
                        {
                            let known = after.iter().filter(|(key, _)| key.check() == check.name);
                            remember(c, &report.run, &check.name, known.collect()).await?;
                        }
                    }
                    log::append(c, entry, Annex::default()).await
                })
            })
            .await?;
        if let Err(error) = self.prune(now).await {
            tracing::warn!("the run is recorded, but what is too old was not removed: {error:#}");
        }
        Ok(recorded)
    }

    /// Removes requests, rounds, messages and runs that are too old. Apart from what else is written, so that nothing
    /// waits for it in a circle. A message that is removed keeps its buttons in the chat: a click on one says so.
    pub async fn prune(&self, now: DateTime<Utc>) -> anyhow::Result<()> {
        self.write(move |c| {
            Box::pin(async move {
                messages::prune(c, now - KEPT).await?;
                rounds::prune(c, now - KEPT).await?;
                prune(c, now - KEPT).await?;
                inbox::prune(c, now).await?;
                measures::prune(c, now.date_naive()).await?;
                pulse::prune(c, now).await
            })
        })
        .await
    }

    pub async fn last_run(&self) -> anyhow::Result<Option<LastRun>> {
        let mut snapshot = self.read().await?;
        let row = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as("SELECT id, started_at FROM runs ORDER BY started_at DESC LIMIT 1")
                .fetch_optional(c)
                .await
        })
        .context("the last run could not be read")?;
        row.map(opened).transpose()
    }

    /// When the last run that is kept had finished.
    pub async fn last_finished(&self) -> anyhow::Result<Option<DateTime<Utc>>> {
        let mut snapshot = self.read().await?;
        on!(&mut snapshot.connection(), |c| {
            sqlx::query_scalar("SELECT max(finished_at) FROM runs")
                .fetch_one(c)
                .await
        })
        .context("the last run could not be read")
    }

    /// The run in which that check last looked or tried to; None if there was none, or it is no longer kept.
    pub async fn last_run_of(&self, check: &str) -> anyhow::Result<Option<LastRun>> {
        let mut snapshot = self.read().await?;
        let row = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT r.id, r.started_at FROM memory AS m JOIN runs AS r ON r.id = m.run_id \
                 WHERE m.check_name = $1",
            )
            .bind(check)
            .fetch_optional(c)
            .await
        })
        .with_context(|| format!("the last run of `{check}` could not be read"))?;
        row.map(opened).transpose()
    }

    /// When each check last looked or tried to, where that run is still kept.
    pub async fn looked_at(&self) -> anyhow::Result<BTreeMap<String, DateTime<Utc>>> {
        let mut snapshot = self.read().await?;
        let looks: Vec<(String, DateTime<Utc>)> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT m.check_name, r.started_at FROM memory AS m JOIN runs AS r ON r.id = m.run_id",
            )
            .fetch_all(c)
            .await
        })
        .context("the checks' last runs could not be read")?;
        Ok(looks.into_iter().collect())
    }

    /// A run's report and what it was judged against; None once it is no longer kept.
    pub async fn run(&self, run: &RunId) -> anyhow::Result<Option<(Report, Remembered)>> {
        let mut snapshot = self.read().await?;
        let row: Option<(Json<Report>, Option<Json<Remembered>>)> =
            on!(&mut snapshot.connection(), |c| {
                sqlx::query_as("SELECT report, past FROM runs WHERE id = $1")
                    .bind(run.as_str())
                    .fetch_optional(c)
                    .await
            })
            .with_context(|| format!("the run {run} could not be read"))?;
        Ok(row.map(|(report, past)| (report.0, past.map(|past| past.0).unwrap_or_default())))
    }

    /// The log's head as the round of that run left it.
    pub async fn head_of(&self, run: &RunId) -> anyhow::Result<Option<Head>> {
        let mut snapshot = self.read().await?;
        let row: Option<(i64, String)> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT seq, hash FROM ops_log WHERE kind = 'round' AND subject = $1 ORDER BY seq LIMIT 1",
            )
            .bind(run.as_str())
            .fetch_optional(c)
            .await
        })
        .context("the entry of a round could not be read")?;
        row.map(|(seq, hash)| {
            let hash = hash
                .parse()
                .context("the entry of a round is damaged; `log verify` says more")?;
            Ok(Head { seq, hash })
        })
        .transpose()
    }

    /// What the last look of each check left open.
    pub async fn memory(&self) -> anyhow::Result<Memory> {
        let mut snapshot = self.read().await?;
        let rows: Vec<Json<BTreeMap<FindingKey, Known>>> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_scalar("SELECT known FROM memory ORDER BY check_name")
                .fetch_all(c)
                .await
        })
        .context("what earlier rounds left open could not be read")?;
        Ok(rows.into_iter().flat_map(|known| known.0).collect())
    }
}

fn opened((run, started_at): (String, DateTime<Utc>)) -> anyhow::Result<LastRun> {
    Ok(LastRun {
        run: serde_json::from_value(run.into()).context("a run's id is no id")?,
        started_at,
    })
}

async fn insert(
    c: &mut Connection<'_>,
    report: &Report,
    verdict: Verdict,
    before: &Remembered,
) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query("INSERT INTO runs (id, started_at, finished_at, verdict, report, past) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(report.run.as_str())
            .bind(micros(report.started_at))
            .bind(micros(report.finished_at))
            .bind(name(verdict)?)
            .bind(Json(report))
            .bind(Json(before))
            .execute(c)
            .await
            .map(drop)
    })
    .with_context(|| format!("the run {} could not be recorded", report.run))
}

async fn remember(
    c: &mut Connection<'_>,
    run: &RunId,
    check: &str,
    known: BTreeMap<&FindingKey, &Known>,
) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query(
            "INSERT INTO memory (check_name, run_id, known) VALUES ($1, $2, $3) \
             ON CONFLICT (check_name) DO UPDATE SET run_id = excluded.run_id, known = excluded.known",
        )
        .bind(check)
        .bind(run.as_str())
        .bind(Json(known))
        .execute(c)
        .await
        .map(drop)
    })
    .with_context(|| format!("what `{check}` left open could not be recorded"))
}

async fn prune(c: &mut Connection<'_>, before: DateTime<Utc>) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query("DELETE FROM runs WHERE started_at < $1")
            .bind(micros(before))
            .execute(c)
            .await
            .map(drop)
    })
    .context("old runs could not be removed")
}

/// The name that serde gives a value without fields.
fn name(value: impl Serialize) -> anyhow::Result<String> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(name) => Ok(name),
        other => anyhow::bail!("{other} is no name"),
    }
}
