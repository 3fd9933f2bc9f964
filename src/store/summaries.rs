//! Which local dates have had their summary.

use anyhow::{Context, ensure};
use chrono::{DateTime, NaiveDate, Utc};

use super::{Connection, RoundOrder, Store, log, micros, rounds};
use crate::ops_log::{Annex, Entry, NewEntry};

impl Store {
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
                let begun = rounds::insert(c, &channel, &order, None).await?.is_some();
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

    /// Notes, with an entry in the log, that a summary was made and never posted. None if it is noted already.
    pub async fn miss_delivery(
        &self,
        channel: &str,
        due_at: DateTime<Utc>,
        entry: NewEntry,
    ) -> anyhow::Result<Option<Entry>> {
        let channel = channel.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                let rows = on!(&mut *c, |c| {
                    sqlx::query(
                        "UPDATE summaries SET state = 'missed' \
                         WHERE channel = $1 AND due_at = $2 AND state = 'begun'",
                    )
                    .bind(&channel)
                    .bind(micros(due_at))
                    .execute(c)
                    .await
                    .map(|done| done.rows_affected())
                })
                .context("a summary could not be noted as missed")?;
                if rows == 0 {
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
