//! What becomes of a message that was claimed: how far the chat has followed.

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::{Connection, Store, StoredMessage, messages::want, micros};
use crate::text::Untrusted;

/// What became of a claimed message.
#[derive(Clone, Debug, PartialEq)]
pub enum Showing {
    Shown {
        ts: String,
        digest: String,
        /// No progress is shown before that time; decisions are.
        quiet_until: Option<DateTime<Utc>>,
        /// Since when copies are to be looked for; it is claimed again for that, after `quiet_until`.
        doubted_at: Option<DateTime<Utc>>,
        /// The chat took the text alone.
        refused_blocks: Option<Untrusted>,
    },
    /// A post that was never confirmed stands in the chat, and what it shows is not known: it is to be edited.
    Found {
        ts: String,
    },
    Later {
        not_before: DateTime<Utc>,
        error: Untrusted,
    },
    /// It can't be edited any more: it is to be posted anew, which happens once.
    Anew {
        error: Untrusted,
    },
    Gone,
}

impl Store {
    /// Notes that a post may reach the chat from now on. False if the claim is lost: post nothing then.
    pub async fn mark_posting(
        &self,
        message: &StoredMessage,
        now: DateTime<Utc>,
    ) -> anyhow::Result<bool> {
        let (id, fence) = (message.id.clone(), message.fence);
        self.write(move |c| {
            Box::pin(async move {
                let rows = on!(c, |c| {
                    sqlx::query(
                        "UPDATE messages SET first_sent_at = COALESCE(first_sent_at, $3), sent_at = $3 \
                         WHERE id = $1 AND fence = $2",
                    )
                    .bind(&id)
                    .bind(fence)
                    .bind(micros(now))
                    .execute(c)
                    .await
                    .map(|done| done.rows_affected())
                })
                .context("a message could not be marked as sent")?;
                Ok(rows == 1)
            })
        })
        .await
    }

    /// Takes the mark of [`Store::mark_posting`] back: the chat refused the post for certain.
    pub async fn unmark_posting(&self, message: &StoredMessage) -> anyhow::Result<()> {
        let (id, fence) = (message.id.clone(), message.fence);
        self.write(move |c| {
            Box::pin(async move {
                on!(c, |c| {
                    sqlx::query(
                        "UPDATE messages SET first_sent_at = NULL WHERE id = $1 AND fence = $2",
                    )
                    .bind(&id)
                    .bind(fence)
                    .execute(c)
                    .await
                    .map(drop)
                })
                .context("a message could not be marked as not sent")
            })
        })
        .await
    }

    /// Ends a claim. False if somebody else has claimed the message since: then it is rendered once more, since an older
    /// picture may have come last.
    pub async fn settle_message(
        &self,
        message: &StoredMessage,
        showing: Showing,
    ) -> anyhow::Result<bool> {
        let message = message.clone();
        self.write(move |c| {
            Box::pin(async move {
                if settle(c, &message, &showing).await? {
                    return Ok(true);
                }
                want(c, &message.id, true).await?;
                Ok(false)
            })
        })
        .await
    }

    /// Notes what the chat calls a message whose post was never confirmed. False if it is called otherwise, or was never
    /// posted.
    pub async fn adopt_message(&self, id: &str, ts: &str) -> anyhow::Result<bool> {
        let (id, ts) = (id.to_owned(), ts.to_owned());
        self.write(move |c| {
            Box::pin(async move {
                let rows = on!(c, |c| {
                    sqlx::query(
                        "UPDATE messages SET ts = $2, wanted = wanted + 1, urgent = wanted + 1 \
                         WHERE id = $1 AND (ts = $2 OR (ts IS NULL AND first_sent_at IS NOT NULL \
                             AND (lost_ts IS NULL OR lost_ts <> $2)))",
                    )
                    .bind(&id)
                    .bind(&ts)
                    .execute(c)
                    .await
                    .map(|done| done.rows_affected())
                })
                .context("a message's place could not be kept")?;
                Ok(rows == 1)
            })
        })
        .await
    }
}

async fn settle(
    c: &mut Connection<'_>,
    message: &StoredMessage,
    showing: &Showing,
) -> anyhow::Result<bool> {
    let rows = match showing {
        Showing::Shown {
            ts,
            digest,
            quiet_until,
            doubted_at,
            refused_blocks,
        } => on!(c, |c| {
            sqlx::query(
                "UPDATE messages SET ts = $3, digest = $4, shown = $5, attempts = 0, not_before = NULL, \
                     quiet_until = $6, last_error = $7, doubted_at = $8, lease_until = NULL, \
                     urgent = CASE WHEN urgent <= $9 AND urgent > $5 THEN $5 ELSE urgent END \
                 WHERE id = $1 AND fence = $2",
            )
            .bind(&message.id)
            .bind(message.fence)
            .bind(ts)
            .bind(digest)
            .bind(message.wanted - i64::from(doubted_at.is_some()))
            .bind(quiet_until.map(micros))
            .bind(refused_blocks.as_ref().map(Untrusted::as_str))
            .bind(doubted_at.map(micros))
            .bind(message.wanted)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
        }),
        Showing::Found { ts } => on!(c, |c| {
            sqlx::query(
                // Where it was sent more than once, the other copy may still come.
                "UPDATE messages SET ts = $3, not_before = NULL, lease_until = NULL, \
                     doubted_at = CASE WHEN sent_at > first_sent_at THEN sent_at ELSE doubted_at END \
                 WHERE id = $1 AND fence = $2",
            )
            .bind(&message.id)
            .bind(message.fence)
            .bind(ts)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
        }),
        Showing::Later { not_before, error } => on!(c, |c| {
            sqlx::query(
                "UPDATE messages SET not_before = $3, last_error = $4, lease_until = NULL \
                 WHERE id = $1 AND fence = $2",
            )
            .bind(&message.id)
            .bind(message.fence)
            .bind(micros(*not_before))
            .bind(error.as_str())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
        }),
        Showing::Anew { error } => on!(c, |c| {
            sqlx::query(
                "UPDATE messages SET lost_ts = ts, ts = NULL, first_sent_at = NULL, doubted_at = NULL, attempts = 0, \
                     quiet_until = NULL, not_before = NULL, lease_until = NULL, last_error = $3 \
                 WHERE id = $1 AND fence = $2 AND lost_ts IS NULL",
            )
            .bind(&message.id)
            .bind(message.fence)
            .bind(error.as_str())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
        }),
        Showing::Gone => on!(c, |c| {
            sqlx::query(
                "UPDATE messages SET state = 'gone', shown = wanted, lease_until = NULL \
                 WHERE id = $1 AND fence = $2",
            )
            .bind(&message.id)
            .bind(message.fence)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
        }),
    }
    .context("what became of a message could not be kept")?;
    Ok(rows == 1)
}
