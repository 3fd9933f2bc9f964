//! Rounds that a chat or the schedule asked for, until they have been run.

use std::collections::BTreeSet;

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{Connection, Receipt, Store, inbox::finish_if_any, log, messages, micros};
use crate::{
    ops_log::{Annex, Entry, NewEntry},
    report::RunId,
    text::Untrusted,
    triage::Person,
};

/// How often a round is begun anew because another one of its kind began and ended meanwhile.
const BEGINNINGS: usize = 8;

/// What a round is asked for with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundOrder {
    /// None: the schedule.
    pub by: Option<Person>,
    pub at: DateTime<Utc>,
    /// These checks; all of them if none are named.
    pub only: Option<Vec<String>>,
    /// When the schedule wanted it.
    pub due_at: Option<DateTime<Utc>>,
    /// Days whose summary was missed before this one.
    #[serde(default)]
    pub missed: Vec<NaiveDate>,
    /// Where the person who asked is answered, for a short time.
    pub reply_to: Option<String>,
}

impl RoundOrder {
    /// What may run once at a time in a channel.
    fn slot(&self) -> String {
        match (&self.due_at, &self.only) {
            (Some(due), _) => format!("due {due}"),
            (None, Some(only)) => BTreeSet::from_iter(only.iter().map(String::as_str))
                .into_iter()
                .collect::<Vec<_>>()
                .join(","),
            (None, None) => String::new(),
        }
    }

    /// Whether its message takes the place of the other's.
    pub fn replaces(&self, other: &Self) -> bool {
        match (&self.only, &other.only) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => others.iter().all(|name| own.contains(name)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundState {
    Waiting,
    Running,
    Done,
    Failed,
}

/// A round that was asked for, and its message's id.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedRound {
    pub id: String,
    pub channel: String,
    pub order: RoundOrder,
    pub state: RoundState,
    pub attempts: i64,
    pub fence: i64,
    pub progress: Option<serde_json::Value>,
    pub run: Option<RunId>,
    pub finished_at: Option<DateTime<Utc>>,
    pub error: Option<Untrusted>,
}

/// The claim on a round; only the newest one may record it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundClaim {
    pub id: String,
    pub fence: i64,
}

impl AskedRound {
    pub fn claim(&self) -> RoundClaim {
        RoundClaim {
            id: self.id.clone(),
            fence: self.fence,
        }
    }
}

/// What became of the wish for a round.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    Started,
    /// The same is under way in that channel, or has just ended.
    Running(AskedRound),
    /// Another process deals with that request.
    Elsewhere,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    channel: String,
    asked: Json<RoundOrder>,
    state: String,
    attempts: i64,
    fence: i64,
    progress: Option<Json<serde_json::Value>>,
    run_id: Option<String>,
    finished_at: Option<DateTime<Utc>>,
    error: Option<String>,
}

const COLUMNS: &str =
    "id, channel, asked, state, attempts, fence, progress, run_id, finished_at, error";

impl Row {
    fn open(self) -> anyhow::Result<AskedRound> {
        Ok(AskedRound {
            state: match self.state.as_str() {
                "waiting" => RoundState::Waiting,
                "running" => RoundState::Running,
                "done" => RoundState::Done,
                "failed" => RoundState::Failed,
                other => bail!(
                    "the round {} is in the state `{other}`, which this version does not know",
                    self.id
                ),
            },
            run: self
                .run_id
                .map(|run| serde_json::from_value(run.into()))
                .transpose()
                .context("a run's id is no id")?,
            id: self.id,
            channel: self.channel,
            order: self.asked.0,
            attempts: self.attempts,
            fence: self.fence,
            progress: self.progress.map(|progress| progress.0),
            finished_at: self.finished_at,
            error: self.error.map(Untrusted::from),
        })
    }
}

impl Store {
    /// Asks for a round and its message, unless the same is under way in that channel, or ended after `lately`.
    pub async fn begin_round(
        &self,
        channel: &str,
        order: RoundOrder,
        lately: DateTime<Utc>,
        receipt: Option<Receipt>,
    ) -> anyhow::Result<Begun> {
        let channel = channel.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                if !finish_if_any(c, receipt.as_ref()).await? {
                    return Ok(Begun::Elsewhere);
                }
                for _ in 0..BEGINNINGS {
                    if let Some(running) = same(c, &channel, &order, lately).await? {
                        return Ok(Begun::Running(running));
                    }
                    if insert(c, &channel, &order, None).await?.is_some() {
                        return Ok(Begun::Started);
                    }
                }
                bail!("other rounds begin and end at this moment; nothing was begun, ask again")
            })
        })
        .await
    }

    /// Asks for the summary of a local date, once for ever, and has it mention those that were missed right before it.
    /// False if it was asked for, or missed, before.
    pub async fn begin_summary(
        &self,
        channel: &str,
        date: NaiveDate,
        mut order: RoundOrder,
    ) -> anyhow::Result<bool> {
        let channel = channel.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                let due = order.due_at.unwrap_or(order.at);
                if !claim_date(c, &channel, date, due, "begun").await? {
                    return Ok(false);
                }
                // Read here, because another replica may have noted one a moment ago.
                order.missed = missed_before(c, &channel, date).await?;
                let begun = insert(c, &channel, &order, None).await?.is_some();
                ensure!(
                    begun,
                    "a summary that was due at the same moment is under way"
                );
                Ok(true)
            })
        })
        .await
    }

    /// Notes, with an entry in the log, that the summary of a local date is too late. None if that date had its own.
    pub async fn miss_summary(
        &self,
        channel: &str,
        date: NaiveDate,
        due_at: DateTime<Utc>,
        entry: NewEntry,
    ) -> anyhow::Result<Option<Entry>> {
        let channel = channel.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                if !claim_date(c, &channel, date, due_at, "missed").await? {
                    return Ok(None);
                }
                log::append(c, entry, Annex::default()).await.map(Some)
            })
        })
        .await
    }

    /// The newest local date, up to that one, that has had its summary or missed it. Dates after it come from a clock
    /// that was ahead, and keep nobody from the days before them.
    pub async fn newest_summary(
        &self,
        channel: &str,
        up_to: NaiveDate,
    ) -> anyhow::Result<Option<NaiveDate>> {
        let mut snapshot = self.read().await?;
        let newest: Option<String> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_scalar(
                "SELECT max(local_date) FROM summaries WHERE channel = $1 AND local_date <= $2",
            )
            .bind(channel)
            .bind(up_to.to_string())
            .fetch_one(c)
            .await
        })
        .context("the dates of the summaries could not be read")?;
        newest
            .map(|day| day.parse())
            .transpose()
            .context("the date of a summary is no date")
    }

    /// Takes the oldest round that nobody runs, for the time of the lease; one that was never tried goes first.
    pub async fn claim_round(
        &self,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> anyhow::Result<Option<AskedRound>> {
        let (now, until) = (micros(now), micros(now + lease));
        let claimed = self
            .write(move |c| {
                Box::pin(async move {
                    // Whoever loses the race for a row finds nothing under its lock, although another row may wait.
                    while let Some(id) = next(c, now).await? {
                        if let Some(row) = claim(c, &id, now, until).await? {
                            return Ok(Some(row));
                        }
                    }
                    Ok(None)
                })
            })
            .await?;
        claimed.map(Row::open).transpose()
    }

    /// Keeps how far a round has come, holds the claim for another lease, and has its message show it.
    pub async fn keep_progress(
        &self,
        claim: &RoundClaim,
        progress: serde_json::Value,
        until: DateTime<Utc>,
    ) -> anyhow::Result<bool> {
        let claim = claim.clone();
        self.write(move |c| {
            Box::pin(async move {
                let rows = on!(&mut *c, |c| {
                    sqlx::query(
                        "UPDATE asked_rounds SET progress = $3, lease_until = $4 \
                         WHERE id = $1 AND fence = $2 AND state = 'running'",
                    )
                    .bind(&claim.id)
                    .bind(claim.fence)
                    .bind(Json(progress))
                    .bind(micros(until))
                    .execute(c)
                    .await
                    .map(|done| done.rows_affected())
                })
                .context("the progress of a round could not be kept")?;
                if rows == 1 {
                    messages::want(c, &claim.id, false).await?;
                }
                Ok(rows == 1)
            })
        })
        .await
    }

    /// Ends a round that can't be carried out, and has its message say so.
    pub async fn fail_round(
        &self,
        claim: &RoundClaim,
        error: Untrusted,
        now: DateTime<Utc>,
    ) -> anyhow::Result<bool> {
        let claim = claim.clone();
        self.write(move |c| {
            Box::pin(async move { end(c, &claim, "failed", None, Some(&error), now).await })
        })
        .await
    }

    /// Asks for the message of a run that has been recorded already. Gives its id.
    pub async fn show_run(
        &self,
        channel: &str,
        order: RoundOrder,
        run: &RunId,
    ) -> anyhow::Result<String> {
        let (channel, run) = (channel.to_owned(), run.clone());
        self.write(move |c| {
            Box::pin(async move {
                let id = insert(c, &channel, &order, Some(&run))
                    .await?
                    .context("the message could not be asked for")?;
                Ok(id)
            })
        })
        .await
    }

    pub async fn asked_round(&self, id: &str) -> anyhow::Result<Option<AskedRound>> {
        let mut snapshot = self.read().await?;
        let row: Option<Row> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(sqlx::AssertSqlSafe(format!(
                "SELECT {COLUMNS} FROM asked_rounds WHERE id = $1"
            )))
            .bind(id)
            .fetch_optional(c)
            .await
        })
        .context("a round could not be read")?;
        row.map(Row::open).transpose()
    }
}

async fn next(c: &mut Connection<'_>, now: DateTime<Utc>) -> anyhow::Result<Option<String>> {
    on!(c, |c| {
        sqlx::query_scalar(
            "SELECT id FROM asked_rounds WHERE state IN ('waiting', 'running') \
             AND (lease_until IS NULL OR lease_until <= $1) ORDER BY attempts, asked_at, id LIMIT 1",
        )
        .bind(now)
        .fetch_optional(c)
        .await
    })
    .context("the rounds that wait could not be read")
}

async fn claim(
    c: &mut Connection<'_>,
    id: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> anyhow::Result<Option<Row>> {
    on!(c, |c| {
        sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "UPDATE asked_rounds SET state = 'running', attempts = attempts + 1, fence = fence + 1, \
                 lease_until = $3 \
             WHERE id = $1 AND state IN ('waiting', 'running') AND (lease_until IS NULL OR lease_until <= $2) \
             RETURNING {COLUMNS}"
        )))
        .bind(id)
        .bind(now)
        .bind(until)
        .fetch_optional(c)
        .await
    })
    .context("a round could not be claimed")
}

/// Ends a claimed round in the caller's transaction. False if the claim is lost: roll back then.
pub(super) async fn end(
    c: &mut Connection<'_>,
    claim: &RoundClaim,
    state: &str,
    run: Option<&RunId>,
    error: Option<&Untrusted>,
    now: DateTime<Utc>,
) -> anyhow::Result<bool> {
    let rows = on!(&mut *c, |c| {
        sqlx::query(
            "UPDATE asked_rounds SET state = $3, run_id = $4, error = $5, finished_at = $6, lease_until = NULL \
             WHERE id = $1 AND fence = $2 AND state = 'running'",
        )
        .bind(&claim.id)
        .bind(claim.fence)
        .bind(state)
        .bind(run.map(RunId::as_str))
        .bind(error.map(Untrusted::as_str))
        .bind(micros(now))
        .execute(c)
        .await
        .map(|done| done.rows_affected())
    })
    .context("a round could not be ended")?;
    if rows == 1 {
        messages::want(c, &claim.id, true).await?;
    }
    Ok(rows == 1)
}

/// The round that fills that place now, or did until lately. A summary is a whole round, too.
async fn same(
    c: &mut Connection<'_>,
    channel: &str,
    order: &RoundOrder,
    lately: DateTime<Utc>,
) -> anyhow::Result<Option<AskedRound>> {
    let or_summary = order.only.is_none();
    let row: Option<Row> = on!(c, |c| {
        sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM asked_rounds \
             WHERE channel = $1 AND (slot = $2 OR ($3 AND slot LIKE 'due %')) \
             AND (state IN ('waiting', 'running') OR (state = 'done' AND finished_at > $4)) \
             ORDER BY CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END, finished_at DESC, id LIMIT 1"
        )))
        .bind(channel)
        .bind(order.slot())
        .bind(or_summary)
        .bind(micros(lately))
        .fetch_optional(c)
        .await
    })
    .context("the rounds under way could not be read")?;
    row.map(Row::open).transpose()
}

/// The id; None if the same is under way. With a run, it has ended.
async fn insert(
    c: &mut Connection<'_>,
    channel: &str,
    order: &RoundOrder,
    run: Option<&RunId>,
) -> anyhow::Result<Option<String>> {
    let mut id = [0; 8];
    getrandom::fill(&mut id).context("the system gives no random bytes")?;
    let id = hex::encode(id);
    let rows = on!(&mut *c, |c| {
        sqlx::query(
            "INSERT INTO asked_rounds \
                 (id, channel, slot, asked_at, asked, state, attempts, fence, run_id, finished_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(channel)
        .bind(order.slot())
        .bind(micros(order.at))
        .bind(Json(order))
        .bind(if run.is_some() { "done" } else { "waiting" })
        .bind(run.map(RunId::as_str))
        .bind(run.map(|_| micros(order.at)))
        .execute(c)
        .await
        .map(|done| done.rows_affected())
    })
    .context("the round could not be asked for")?;
    if rows == 0 {
        return Ok(None);
    }
    messages::insert(c, &id, channel).await?;
    Ok(Some(id))
}

/// False if that date is taken.
async fn claim_date(
    c: &mut Connection<'_>,
    channel: &str,
    date: NaiveDate,
    due_at: DateTime<Utc>,
    state: &str,
) -> anyhow::Result<bool> {
    let rows = on!(c, |c| {
        sqlx::query(
            "INSERT INTO summaries (channel, local_date, due_at, state) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (channel, local_date) DO NOTHING",
        )
        .bind(channel)
        .bind(date.to_string())
        .bind(micros(due_at))
        .bind(state)
        .execute(c)
        .await
        .map(|done| done.rows_affected())
    })
    .context("the date of a summary could not be kept")?;
    Ok(rows == 1)
}

/// The dates right before that one that were missed, back to the last summary; the oldest first.
async fn missed_before(
    c: &mut Connection<'_>,
    channel: &str,
    date: NaiveDate,
) -> anyhow::Result<Vec<NaiveDate>> {
    let missed: Vec<String> = on!(c, |c| {
        sqlx::query_scalar(
            "SELECT local_date FROM summaries WHERE channel = $1 AND local_date < $2 AND state = 'missed' \
             AND local_date > COALESCE((SELECT max(local_date) FROM summaries \
                 WHERE channel = $1 AND local_date < $2 AND state = 'begun'), '') \
             ORDER BY local_date",
        )
        .bind(channel)
        .bind(date.to_string())
        .fetch_all(c)
        .await
    })
    .context("the summaries that were missed could not be read")?;
    missed
        .into_iter()
        .map(|day| day.parse().context("the date of a summary is no date"))
        .collect()
}

/// Removes the rounds that ended before that time; their messages are gone already.
pub(super) async fn prune(c: &mut Connection<'_>, before: DateTime<Utc>) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query(
            "DELETE FROM asked_rounds WHERE state IN ('done', 'failed') AND finished_at < $1",
        )
        .bind(micros(before))
        .execute(c)
        .await
        .map(drop)
    })
    .context("old rounds could not be removed")
}
