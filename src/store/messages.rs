//! Messages in chats: renderings of what the database knows, and how far the chat has followed.

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};

use super::{Connection, First, Store, micros};
use crate::text::Untrusted;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It follows what is decided.
    Living,
    /// A newer message has taken its place.
    Old,
    /// Somebody deleted it, or it can't be changed any more.
    Gone,
}

/// A message, and how far the chat has followed. Its id is its round's.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMessage {
    pub id: String,
    pub channel: String,
    /// What the chat calls it; None until it is known to be posted.
    pub ts: Option<String>,
    pub state: MessageState,
    /// The message that has taken its place.
    pub newer: Option<String>,
    /// The version that is wanted; a claim shows this one.
    pub wanted: i64,
    /// Of what the chat shows.
    pub digest: Option<String>,
    /// Claims since it was last shown, this one included.
    pub attempts: i64,
    pub fence: i64,
    /// When a post may have reached the chat for the first time: look there before the next try.
    pub first_sent_at: Option<DateTime<Utc>>,
    /// When it was posted although an earlier post may yet turn up.
    pub doubted_at: Option<DateTime<Utc>>,
    /// When a post was last tried.
    pub sent_at: Option<DateTime<Utc>>,
    /// What the chat calls the message that this one stands for, which could not be edited any more.
    pub lost_ts: Option<String>,
    pub last_error: Option<Untrusted>,
}

/// What the digest of a picture begins with while its round runs.
pub const PROGRESS: &str = "progress ";

impl StoredMessage {
    /// What finds its post again in the chat; the message that it stands for has another.
    pub fn marker(&self) -> String {
        match &self.lost_ts {
            None => self.id.clone(),
            Some(_) => format!("{}.anew", self.id),
        }
    }

    /// Whether the chat has shown how its round ended.
    pub fn showed_end(&self) -> bool {
        let digest = self.digest.as_deref();
        digest.is_some_and(|digest| !digest.starts_with(PROGRESS))
    }
}

/// Messages that the chat has not followed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    pub messages: u64,
    /// Of those, the ones that were tried in vain.
    pub failing: u64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    channel: String,
    ts: Option<String>,
    state: String,
    newer: Option<String>,
    wanted: i64,
    digest: Option<String>,
    attempts: i64,
    fence: i64,
    first_sent_at: Option<DateTime<Utc>>,
    doubted_at: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    lost_ts: Option<String>,
    last_error: Option<String>,
}

impl Row {
    fn open(self) -> anyhow::Result<StoredMessage> {
        Ok(StoredMessage {
            state: match self.state.as_str() {
                "living" => MessageState::Living,
                "old" => MessageState::Old,
                "gone" => MessageState::Gone,
                other => bail!(
                    "the message {} is in the state `{other}`, which this version does not know",
                    self.id
                ),
            },
            id: self.id,
            channel: self.channel,
            ts: self.ts,
            newer: self.newer,
            wanted: self.wanted,
            digest: self.digest,
            attempts: self.attempts,
            fence: self.fence,
            first_sent_at: self.first_sent_at,
            doubted_at: self.doubted_at,
            sent_at: self.sent_at,
            lost_ts: self.lost_ts,
            last_error: self.last_error.map(Untrusted::from),
        })
    }
}

impl Store {
    pub async fn message(&self, id: &str) -> anyhow::Result<Option<StoredMessage>> {
        let mut snapshot = self.read().await?;
        let row: Option<Row> = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as("SELECT * FROM messages WHERE id = $1")
                .bind(id)
                .fetch_optional(c)
                .await
        })
        .context("a message could not be read")?;
        row.map(Row::open).transpose()
    }

    /// Takes a message that the chat has not followed, for the time of the lease. One that was never posted goes first.
    pub async fn claim_message(
        &self,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> anyhow::Result<Option<StoredMessage>> {
        let (now, until) = (micros(now), micros(now + lease));
        let claimed = self.first(move |c| {
            Box::pin(async move {
                let Some(id) = next(c, now).await? else {
                    return Ok(First::None);
                };
                Ok(claim(c, &id, now, until).await?.into())
            })
        });
        claimed.await?.map(Row::open).transpose()
    }

    /// The living messages of a channel, by id.
    pub async fn living_messages(&self, channel: &str) -> anyhow::Result<Vec<String>> {
        let mut snapshot = self.read().await?;
        on!(&mut snapshot.connection(), |c| {
            sqlx::query_scalar(
                "SELECT id FROM messages WHERE channel = $1 AND state = 'living' ORDER BY id",
            )
            .bind(channel)
            .fetch_all(c)
            .await
        })
        .context("the messages of a channel could not be read")
    }

    /// Messages of a channel that were given up where they stand, by id: their buttons may be there still.
    pub async fn given_up_messages(&self, channel: &str) -> anyhow::Result<Vec<String>> {
        let mut snapshot = self.read().await?;
        on!(&mut snapshot.connection(), |c| {
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT id FROM messages WHERE channel = $1 AND {GIVEN_UP} ORDER BY id"
            )))
            .bind(channel)
            .fetch_all(c)
            .await
        })
        .context("the messages that were given up could not be read")
    }

    /// Takes the place of older messages: they lose their buttons. One that was given up is tried once more for that.
    pub async fn replace_messages(&self, older: Vec<String>, newer: &str) -> anyhow::Result<()> {
        let newer = newer.to_owned();
        let older = in_order(older);
        self.write(move |c| {
            Box::pin(async move {
                for id in &older {
                    on!(&mut *c, |c| {
                        sqlx::query(sqlx::AssertSqlSafe(format!(
                            "UPDATE messages SET state = 'old', newer = $2, wanted = wanted + 1, urgent = wanted + 1 \
                             WHERE id = $1 AND (state = 'living' OR {GIVEN_UP}) AND id <> $2"
                        )))
                        .bind(id)
                        .bind(&newer)
                        .execute(c)
                        .await
                        .map(drop)
                    })
                    .context("an older message could not be marked as such")?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Has every living message rendered again: something that it shows may have changed.
    pub async fn refresh_messages(&self) -> anyhow::Result<()> {
        self.write(|c| Box::pin(async move { want_all(c).await }))
            .await
    }

    pub async fn undelivered(&self) -> anyhow::Result<Undelivered> {
        let mut snapshot = self.read().await?;
        let (messages, failing): (i64, i64) = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT count(*), count(not_before) FROM messages WHERE wanted > shown AND state <> 'gone'",
            )
            .fetch_one(c)
            .await
        })
        .context("the undelivered messages could not be counted")?;
        Ok(Undelivered {
            messages: messages.unsigned_abs(),
            failing: failing.unsigned_abs(),
        })
    }
}

/// Given up where it stands, and not tried once more since.
const GIVEN_UP: &str = "(state = 'gone' AND ts IS NOT NULL AND newer IS NULL)";

/// What may be shown now.
const TO_SHOW: &str = "wanted > shown AND state <> 'gone' AND (lease_until IS NULL OR lease_until <= $1) \
     AND (not_before IS NULL OR not_before <= $1) \
     AND (urgent > shown OR quiet_until IS NULL OR quiet_until <= $1)";

async fn next(c: &mut Connection<'_>, now: DateTime<Utc>) -> anyhow::Result<Option<String>> {
    on!(c, |c| {
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT id FROM messages WHERE {TO_SHOW} \
             ORDER BY CASE WHEN ts IS NULL THEN 0 ELSE 1 END, attempts, id LIMIT 1"
        )))
        .bind(now)
        .fetch_optional(c)
        .await
    })
    .context("the messages that wait could not be read")
}

async fn claim(
    c: &mut Connection<'_>,
    id: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> anyhow::Result<Option<Row>> {
    on!(c, |c| {
        sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "UPDATE messages SET attempts = attempts + 1, fence = fence + 1, lease_until = $2 \
             WHERE id = $3 AND {TO_SHOW} RETURNING *"
        )))
        .bind(now)
        .bind(until)
        .bind(id)
        .fetch_optional(c)
        .await
    })
    .context("a message could not be claimed")
}

pub(super) async fn insert(c: &mut Connection<'_>, id: &str, channel: &str) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query(
            "INSERT INTO messages (id, channel, state, wanted, urgent, shown, attempts, fence) \
             VALUES ($1, $2, 'living', 1, 1, 0, 0, 0)",
        )
        .bind(id)
        .bind(channel)
        .execute(c)
        .await
        .map(drop)
    })
    .context("the message could not be asked for")
}

/// Has a message rendered again; `now`, even while progress keeps quiet.
pub(super) async fn want(c: &mut Connection<'_>, id: &str, now: bool) -> anyhow::Result<()> {
    on!(c, |c| {
        sqlx::query(
            "UPDATE messages SET wanted = wanted + 1, \
                 urgent = CASE WHEN $2 THEN wanted + 1 ELSE urgent END WHERE id = $1",
        )
        .bind(id)
        .bind(now)
        .execute(c)
        .await
        .map(drop)
    })
    .context("a message could not be asked to follow")
}

/// Has every living message rendered again. There are a few per channel at most, and one that has not changed is not
/// sent. All writers lock them in one order, so that none waits for another in a circle.
pub(super) async fn want_all(c: &mut Connection<'_>) -> anyhow::Result<()> {
    let living: Vec<String> = on!(&mut *c, |c| {
        sqlx::query_scalar("SELECT id FROM messages WHERE state = 'living'")
            .fetch_all(c)
            .await
    })
    .context("the living messages could not be read")?;
    for id in in_order(living) {
        want(c, &id, true).await?;
    }
    Ok(())
}

fn in_order(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids
}

/// Removes the messages of rounds that ended before that time.
pub(super) async fn prune(c: &mut Connection<'_>, before: DateTime<Utc>) -> anyhow::Result<()> {
    let old: Vec<String> = on!(&mut *c, |c| {
        sqlx::query_scalar(
            "SELECT id FROM asked_rounds WHERE state IN ('done', 'failed') AND finished_at < $1",
        )
        .bind(micros(before))
        .fetch_all(c)
        .await
    })
    .context("old messages could not be found")?;
    for id in in_order(old) {
        on!(&mut *c, |c| {
            sqlx::query("DELETE FROM messages WHERE id = $1")
                .bind(&id)
                .execute(c)
                .await
                .map(drop)
        })
        .context("an old message could not be removed")?;
    }
    Ok(())
}
