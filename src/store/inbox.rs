//! The inbox: what was asked in a chat, kept once, until it has been dealt with.

use std::collections::HashSet;

use anyhow::{Context, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::{QueryBuilder, types::Json};

use super::{Boxed, Connection, First, KEYS_AT_ONCE, Store, gather::Gathered, log, micros};
use crate::{
    command::Asked,
    ops_log::{Annex, Entry, Kind, NewEntry, Sentence},
    triage::Person,
};

/// How long a request's key is remembered; Slack repeats none for longer than a day.
const REMEMBERED: TimeDelta = TimeDelta::days(2);

/// How often a request that can't be read is claimed, before it is given up.
const READINGS: i64 = 5;

/// The claim on a request; only the newest one may finish it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    key: String,
    fence: i64,
}

impl Receipt {
    /// How often the request has been claimed, this time included.
    pub fn attempts(&self) -> i64 {
        self.fence
    }
}

/// Somebody else has claimed it since; the transaction is rolled back.
#[derive(Debug, thiserror::Error)]
#[error("another process has taken this over; nothing was written")]
pub(super) struct ClaimLost;

/// What waits in the inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: u64,
    pub oldest: Option<DateTime<Utc>>,
    /// Since when the longest of them that nobody deals with could have been claimed; of the others, when their claims end.
    pub unclaimed: Option<DateTime<Utc>>,
}

impl Store {
    /// Keeps a request, and claims it for the time of the lease. None if it is known already. Once this returns, it is
    /// on disk.
    pub async fn accept(
        &self,
        asked: &Asked,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> anyhow::Result<Option<Receipt>> {
        let key = digest(&asked.key);
        let row = Kept {
            key: key.clone(),
            at: micros(now),
            asked: asked.clone(),
            until: micros(now + lease),
        };
        let is_new = self.gather(&self.kept, row).await?;
        Ok(is_new.then_some(Receipt { key, fence: 1 }))
    }

    /// Takes over the oldest request whose lease has run out. One that this version can't read is an error, blocks no
    /// other, and is given up in the end.
    pub async fn claim_asked(
        &self,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> anyhow::Result<Option<(Asked, Receipt)>> {
        let (now, until) = (micros(now), micros(now + lease));
        let claimed = self.first(move |c| {
            Box::pin(async move {
                let Some(key) = next(c, now).await? else {
                    return Ok(First::None);
                };
                let row = claim(c, &key, now, until).await?;
                Ok(row
                    .map(|(asked, fence)| (asked, Receipt { key, fence }))
                    .into())
            })
        });
        let Some((asked, receipt)) = claimed.await? else {
            return Ok(None);
        };
        match serde_json::from_value(asked) {
            Ok(asked) => Ok(Some((asked, receipt))),
            Err(_) if receipt.attempts() <= READINGS => Err(anyhow!(
                "a request in the inbox can't be read; it waits for another version of daily-ops"
            )),
            Err(_) => {
                self.deny(unreadable(now), receipt).await?;
                Err(anyhow!(
                    "a request in the inbox can't be read, and was given up; the ops log says so"
                ))
            }
        }
    }

    /// Ends a request that asks for nothing that is kept. False if somebody else has claimed it since.
    pub async fn finish_asked(&self, receipt: Receipt) -> anyhow::Result<bool> {
        self.gather(&self.finished, receipt).await
    }

    /// Ends a request that was denied, with its entry in the log. None if somebody else has claimed it since.
    pub async fn deny(&self, entry: NewEntry, receipt: Receipt) -> anyhow::Result<Option<Entry>> {
        self.write(move |c| {
            Box::pin(async move {
                if !finish(c, &receipt).await? {
                    return Ok(None);
                }
                log::append(c, entry, Annex::default()).await.map(Some)
            })
        })
        .await
    }

    pub async fn backlog(&self) -> anyhow::Result<Backlog> {
        let mut snapshot = self.read().await?;
        type Counted = (i64, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
        let (waiting, oldest, unclaimed): Counted = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT count(*), min(at), min(COALESCE(lease_until, at)) FROM inbox WHERE state = 'waiting'",
            )
            .fetch_one(c)
            .await
        })
        .context("the inbox could not be counted")?;
        Ok(Backlog {
            waiting: waiting.unsigned_abs(),
            oldest,
            unclaimed,
        })
    }

    /// Lets go of what a process that has ended had claimed. Only for a database that no other process uses.
    pub async fn release_claims(&self) -> anyhow::Result<()> {
        if let super::Engine::Postgres(_) = self.engine {
            return Ok(());
        }
        self.write(|c| {
            Box::pin(async move {
                for claimed in [
                    "UPDATE inbox SET lease_until = NULL WHERE state = 'waiting'",
                    "UPDATE asked_rounds SET lease_until = NULL WHERE state = 'running'",
                    "UPDATE messages SET lease_until = NULL WHERE first_sent_at IS NULL OR ts IS NOT NULL",
                    "UPDATE effects SET state = 'waiting', lease_until = NULL \
                     WHERE state = 'running' AND first_sent_at IS NULL",
                ] {
                    on!(&mut *c, |c| sqlx::query(claimed)
                        .execute(c)
                        .await
                        .map(drop))
                    .context("the claims of the process before could not be let go")?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// A request that is to be kept, and claimed.
pub(super) struct Kept {
    key: String,
    at: DateTime<Utc>,
    asked: Asked,
    until: DateTime<Utc>,
}

impl Gathered for Kept {
    /// Whether it was not known.
    type Answer = bool;

    fn write<'t>(
        rows: &'t [Self],
        c: &'t mut Connection<'_>,
    ) -> Boxed<'t, anyhow::Result<Vec<bool>>> {
        Box::pin(async move {
            let mut new = HashSet::new();
            for some in rows.chunks(KEYS_AT_ONCE) {
                let keys: Vec<String> = on!(&mut *c, |c| {
                    let mut query = QueryBuilder::new(
                        "INSERT INTO inbox (key, at, asked, state, attempts, lease_until, fence) ",
                    );
                    query.push_values(some, |mut values, row| {
                        values
                            .push_bind(&row.key)
                            .push_bind(row.at)
                            .push_bind(Json(&row.asked))
                            .push("'waiting', 1")
                            .push_bind(row.until)
                            .push("1");
                    });
                    query
                        .push(" ON CONFLICT (key) DO NOTHING RETURNING key")
                        .build_query_scalar()
                        .persistent(some.len() == 1)
                        .fetch_all(c)
                        .await
                })
                .context("the request could not be kept")?;
                new.extend(keys);
            }
            Ok(rows.iter().map(|row| new.remove(&row.key)).collect())
        })
    }
}

impl Gathered for Receipt {
    /// Whether the claim was the newest.
    type Answer = bool;

    fn write<'t>(
        rows: &'t [Self],
        c: &'t mut Connection<'_>,
    ) -> Boxed<'t, anyhow::Result<Vec<bool>>> {
        Box::pin(async move {
            let mut done = HashSet::new();
            for some in rows.chunks(KEYS_AT_ONCE) {
                let keys: Vec<String> = on!(&mut *c, |c| {
                    let mut query = QueryBuilder::new(
                        "UPDATE inbox SET state = 'done', lease_until = NULL \
                         WHERE state = 'waiting' AND key IN (",
                    );
                    let mut list = query.separated(", ");
                    some.iter().for_each(|receipt| {
                        list.push_bind(&receipt.key);
                    });
                    query.push(") AND key || ':' || fence IN (");
                    let mut list = query.separated(", ");
                    some.iter().for_each(|receipt| {
                        list.push_bind(format!("{}:{}", receipt.key, receipt.fence));
                    });
                    query
                        .push(") RETURNING key")
                        .build_query_scalar()
                        .persistent(some.len() == 1)
                        .fetch_all(c)
                        .await
                })
                .context("the request could not be marked as done")?;
                done.extend(keys);
            }
            Ok(rows.iter().map(|row| done.remove(&row.key)).collect())
        })
    }
}

/// What the log keeps of a request that was given up. Its words are not repeated: they may name a person.
fn unreadable(now: DateTime<Utc>) -> NewEntry {
    NewEntry {
        at: now,
        kind: Kind::Alert,
        subject: String::new(),
        by: Person::program(),
        text: Sentence::new().say(format!(
            "a request in the inbox can't be read, and is given up after {READINGS} claims: whoever asked for \
             something that did not happen has to ask again"
        )),
        checks: Vec::new(),
    }
}

/// A request's key may name a person; its digest doesn't.
fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

async fn next(c: &mut Connection<'_>, now: DateTime<Utc>) -> anyhow::Result<Option<String>> {
    on!(c, |c| {
        sqlx::query_scalar(
            "SELECT key FROM inbox WHERE state = 'waiting' AND (lease_until IS NULL OR lease_until <= $1) \
             ORDER BY at, key LIMIT 1",
        )
        .bind(now)
        .fetch_optional(c)
        .await
    })
    .context("the inbox could not be read")
}

async fn claim(
    c: &mut Connection<'_>,
    key: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> anyhow::Result<Option<(serde_json::Value, i64)>> {
    let row: Option<(Json<serde_json::Value>, i64)> = on!(c, |c| {
        sqlx::query_as(
            "UPDATE inbox SET attempts = attempts + 1, fence = fence + 1, lease_until = $3 \
             WHERE key = $1 AND state = 'waiting' AND (lease_until IS NULL OR lease_until <= $2) \
             RETURNING asked, fence",
        )
        .bind(key)
        .bind(now)
        .bind(until)
        .fetch_optional(c)
        .await
    })
    .context("a request could not be claimed")?;
    Ok(row.map(|(asked, fence)| (asked.0, fence)))
}

/// False if the claim is not the newest, or the request is finished: write nothing then.
pub(super) async fn finish(c: &mut Connection<'_>, receipt: &Receipt) -> anyhow::Result<bool> {
    let rows = on!(c, |c| {
        sqlx::query(
            "UPDATE inbox SET state = 'done', lease_until = NULL \
             WHERE key = $1 AND fence = $2 AND state = 'waiting'",
        )
        .bind(&receipt.key)
        .bind(receipt.fence)
        .execute(c)
        .await
        .map(|done| done.rows_affected())
    })
    .context("the request could not be marked as done")?;
    Ok(rows == 1)
}

/// As [`finish`], for work that may have no request behind it.
pub(super) async fn finish_if_any(
    c: &mut Connection<'_>,
    receipt: Option<&Receipt>,
) -> anyhow::Result<bool> {
    match receipt {
        Some(receipt) => finish(c, receipt).await,
        None => Ok(true),
    }
}

/// Removes what nobody will ask again.
pub(super) async fn prune(c: &mut Connection<'_>, now: DateTime<Utc>) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query("DELETE FROM inbox WHERE state = 'done' AND at < $1")
            .bind(micros(now - REMEMBERED))
            .execute(c)
            .await
            .map(drop)
    })
    .context("old requests could not be removed")
}
