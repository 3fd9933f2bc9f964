//! The ops log's rows.

use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::{ColumnIndex, Decode, Type};

use super::{Connection, Store};
use crate::ops_log::{
    Anchor, Annex, Entry, Flaw, Hash, Head, NewEntry, Record, Salt, Verified, Verifier, Why, seal,
};

/// Rows that are held in memory at a time.
pub(super) const PAGE: i64 = 1000;

impl Store {
    pub async fn append(&self, entry: NewEntry) -> anyhow::Result<Entry> {
        self.write(move |c| Box::pin(append(c, entry, Annex::default())))
            .await
    }

    pub async fn head(&self) -> anyhow::Result<Head> {
        let mut snapshot = self.read().await?;
        head(&mut snapshot.connection()).await
    }

    /// Hands over each record after that number, oldest first, as they stand at one moment.
    pub async fn visit(
        &self,
        after: i64,
        mut each: impl FnMut(Record) -> anyhow::Result<()> + Send,
    ) -> anyhow::Result<()> {
        let mut snapshot = self.read().await?;
        let mut after = after;
        loop {
            let page = page(&mut snapshot.connection(), after).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.seq;
            for row in page {
                each(row.read()?)?;
            }
        }
    }

    /// Recomputes the whole chain. The outer error says that it could not be read at all.
    pub async fn verify(&self, anchor: Option<Anchor>) -> anyhow::Result<Result<Verified, Flaw>> {
        self.verify_each(anchor, |_| {}).await
    }

    /// As `verify`, and hands over each record that fits, as they stand at one moment.
    pub async fn verify_each(
        &self,
        anchor: Option<Anchor>,
        each: impl FnMut(&Record) + Send,
    ) -> anyhow::Result<Result<Verified, Flaw>> {
        // From before the first entry, where nothing may stand.
        self.verify_from(Verifier::new(anchor), i64::MIN, each)
            .await
    }

    /// Recomputes the newest entries alone.
    pub async fn verify_tail(&self, entries: u32) -> anyhow::Result<Result<Verified, Flaw>> {
        let mut snapshot = self.read().await?;
        let before = match try_head(&mut snapshot.connection()).await? {
            Ok(head) => head.seq - i64::from(entries),
            Err(flaw) => return Ok(Err(flaw)),
        };
        if before < 1 {
            drop(snapshot);
            return self.verify(None).await;
        }
        let first = page_of(&mut snapshot.connection(), before - 1, 1)
            .await?
            .pop();
        drop(snapshot);
        match first.map(Row::read) {
            Some(Ok(record)) if record.seq == before => {
                let trusted = Head {
                    seq: record.seq,
                    hash: record.hash,
                };
                self.verify_from(Verifier::from(trusted, None), before, |_| {})
                    .await
            }
            Some(Err(flaw)) => Ok(Err(flaw)),
            _ => Ok(Err(Flaw {
                seq: before,
                why: Why::Missing,
            })),
        }
    }

    async fn verify_from(
        &self,
        mut verifier: Verifier,
        mut after: i64,
        mut each: impl FnMut(&Record) + Send,
    ) -> anyhow::Result<Result<Verified, Flaw>> {
        let mut snapshot = self.read().await?;
        let head = match try_head(&mut snapshot.connection()).await? {
            Ok(head) => head,
            Err(flaw) => return Ok(Err(flaw)),
        };
        loop {
            let page = page(&mut snapshot.connection(), after).await?;
            let Some(last) = page.last() else {
                return Ok(verifier.finish(&head));
            };
            after = last.seq;
            for row in page {
                match row.read().and_then(|record| {
                    verifier.push(&record)?;
                    Ok(record)
                }) {
                    Ok(record) => each(&record),
                    Err(flaw) => return Ok(Err(flaw)),
                }
            }
        }
    }

    /// How many decisions are kept, and how many the log holds: each was written together with its entry.
    pub async fn count_decisions(&self) -> anyhow::Result<(u64, u64)> {
        let mut snapshot = self.read().await?;
        let (kept, logged): (i64, i64) = on!(&mut snapshot.connection(), |c| {
            sqlx::query_as(
                "SELECT (SELECT count(*) FROM decisions), (SELECT count(*) FROM ops_log WHERE kind = 'decision')",
            )
            .fetch_one(c)
            .await
        })
        .context("the decisions could not be counted")?;
        Ok((kept.unsigned_abs(), logged.unsigned_abs()))
    }

    /// When the rounds since then were recorded, oldest first.
    pub async fn round_times(&self, since: DateTime<Utc>) -> anyhow::Result<Vec<DateTime<Utc>>> {
        let mut snapshot = self.read().await?;
        on!(&mut snapshot.connection(), |c| {
            sqlx::query_scalar(
                "SELECT at FROM ops_log WHERE kind = 'round' AND at >= $1 ORDER BY at",
            )
            .bind(super::micros(since))
            .fetch_all(c)
            .await
        })
        .context("the times of the rounds could not be read")
    }

    /// How many decisions were recorded since then. No body is read, so that a damaged one stops nobody.
    pub async fn decisions_since(&self, at: DateTime<Utc>) -> anyhow::Result<u64> {
        let mut snapshot = self.read().await?;
        let number: i64 = on!(&mut snapshot.connection(), |c| {
            sqlx::query_scalar("SELECT count(*) FROM ops_log WHERE kind = 'decision' AND at >= $1")
                .bind(super::micros(at))
                .fetch_one(c)
                .await
        })
        .context("the decisions could not be counted")?;
        Ok(number.unsigned_abs())
    }
}

async fn head(c: &mut Connection<'_>) -> anyhow::Result<Head> {
    Ok(try_head(c).await??)
}

/// The inner error says that the head is gone or can't be read, which is a flaw of the log like any other.
async fn try_head(c: &mut Connection<'_>) -> anyhow::Result<Result<Head, Flaw>> {
    let row: Option<(i64, String)> = on!(c, |c| {
        sqlx::query_as("SELECT seq, hash FROM chain_head WHERE one = 1")
            .fetch_optional(c)
            .await
    })
    .context("the head of the ops log could not be read")?;
    let flaw = |why: &str| Flaw {
        seq: 0,
        why: Why::Unreadable(format!("{why}; restore the database from a backup")),
    };
    Ok(match row {
        None => Err(flaw("the head of the log is gone")),
        Some((seq, hash)) => hash
            .parse()
            .map(|hash| Head { seq, hash })
            .map_err(|_| flaw("the head of the log is damaged")),
    })
}

/// Appends in the caller's transaction. The row of the head stays locked until its end, so that the sequence has no gap.
pub(super) async fn append(
    c: &mut Connection<'_>,
    new: NewEntry,
    annex: Annex,
) -> anyhow::Result<Entry> {
    let (seq, hash): (i64, String) = on!(c, |c| {
        sqlx::query_as("UPDATE chain_head SET seq = seq + 1 WHERE one = 1 RETURNING seq - 1, hash")
            .fetch_one(c)
            .await
    })
    .context("the head of the ops log could not be moved")?;
    let head = Head {
        seq,
        hash: hash
            .parse()
            .context("the head of the ops log is damaged; `log verify` says more")?,
    };
    let mut salt = Salt([0; 16]);
    getrandom::fill(&mut salt.0).context("the system gives no random bytes")?;
    let (record, entry) = seal(&head, new, annex, salt)?;
    insert(c, &record).await?;
    Ok(entry)
}

async fn insert(c: &mut Connection<'_>, record: &Record) -> anyhow::Result<()> {
    let failed = || format!("entry #{} could not be written to the ops log", record.seq);
    on!(&mut *c, |c| {
        sqlx::query(
            "INSERT INTO ops_log (seq, at, kind, subject, body_hash, prev_hash, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(record.seq)
        .bind(record.at)
        .bind(&record.kind)
        .bind(&record.subject)
        .bind(record.body_hash.to_string())
        .bind(record.prev_hash.to_string())
        .bind(record.hash.to_string())
        .execute(c)
        .await
        .map(drop)
    })
    .with_context(failed)?;
    on!(&mut *c, |c| {
        sqlx::query("INSERT INTO ops_log_bodies (seq, salt, body) VALUES ($1, $2, $3)")
            .bind(record.seq)
            .bind(record.salt.map(String::from))
            .bind(record.body.as_deref())
            .execute(c)
            .await
            .map(drop)
    })
    .with_context(failed)?;
    on!(&mut *c, |c| {
        sqlx::query("UPDATE chain_head SET hash = $1 WHERE one = 1")
            .bind(record.hash.to_string())
            .execute(c)
            .await
            .map(drop)
    })
    .with_context(failed)
}

/// A row as the database has it: somebody may have written nonsense into it.
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) at: Result<DateTime<Utc>, String>,
    pub(super) kind: Result<String, String>,
    pub(super) subject: Result<String, String>,
    pub(super) body: Result<Option<String>, String>,
    salt: Result<Option<String>, String>,
    hashes: [Result<String, String>; 3],
}

impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for Row
where
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    DateTime<Utc>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        fn said<T>(column: sqlx::Result<T>) -> Result<T, String> {
            column
                .map_err(|error| crate::text::cut(&crate::text::one_line(&error.to_string()), 120))
        }
        Ok(Self {
            seq: row.try_get("seq")?,
            at: said(row.try_get("at")),
            kind: said(row.try_get("kind")),
            subject: said(row.try_get("subject")),
            body: said(row.try_get("body")),
            salt: said(row.try_get("salt")),
            hashes: ["body_hash", "prev_hash", "hash"].map(|column| said(row.try_get(column))),
        })
    }
}

impl Row {
    pub(super) fn read(self) -> Result<Record, Flaw> {
        let seq = self.seq;
        let unreadable = |why: String| Flaw {
            seq,
            why: Why::Unreadable(why),
        };
        let hash = |digits: Result<String, String>| {
            digits
                .and_then(|digits| {
                    digits
                        .parse::<Hash>()
                        .map_err(|_| "a hash is no SHA-256".to_owned())
                })
                .map_err(unreadable)
        };
        let [body_hash, prev_hash, own] = self.hashes;
        let salt = match self.salt.map_err(unreadable)? {
            None => None,
            Some(digits) => Some(
                digits
                    .parse::<Salt>()
                    .map_err(|_| unreadable("its salt is no salt".to_owned()))?,
            ),
        };
        Ok(Record {
            seq,
            at: self.at.map_err(unreadable)?,
            kind: self.kind.map_err(unreadable)?,
            subject: self.subject.map_err(unreadable)?,
            body: self.body.map_err(unreadable)?,
            salt,
            body_hash: hash(body_hash)?,
            prev_hash: hash(prev_hash)?,
            hash: hash(own)?,
        })
    }
}

pub(super) async fn page(c: &mut Connection<'_>, after: i64) -> anyhow::Result<Vec<Row>> {
    page_of(c, after, PAGE).await
}

async fn page_of(c: &mut Connection<'_>, after: i64, rows: i64) -> anyhow::Result<Vec<Row>> {
    on!(c, |c| {
        sqlx::query_as(
            "SELECT l.seq, l.at, l.kind, l.subject, l.body_hash, l.prev_hash, l.hash, b.salt, b.body \
             FROM ops_log AS l LEFT JOIN ops_log_bodies AS b ON b.seq = l.seq \
             WHERE l.seq > $1 ORDER BY l.seq LIMIT $2",
        )
        .bind(after)
        .bind(rows)
        .fetch_all(c)
        .await
    })
    .context("the ops log could not be read")
}
