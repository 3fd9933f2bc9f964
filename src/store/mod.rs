//! The only SQL: what is remembered, on an embedded SQLite or on a PostgreSQL that several replicas share.

use std::{future::Future, pin::Pin};

use anyhow::{Context, bail};
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, Transaction};

/// Writes one body for both engines: both read `$1`, `ON CONFLICT` and `RETURNING`.
macro_rules! on {
    ($connection:expr, |$c:ident| $body:expr) => {
        match $connection {
            crate::store::Connection::Sqlite($c) => {
                let $c = &mut **$c;
                $body
            }
            crate::store::Connection::Postgres($c) => {
                let $c = &mut **$c;
                $body
            }
        }
    };
}

mod decisions;
mod effects;
mod erase;
mod forget;
mod gather;
mod inbox;
mod inspect;
mod log;
mod measures;
mod messages;
mod named;
mod new_effect;
mod postgres;
mod pulse;
mod rounds;
mod runs;
mod schema;
mod search;
mod showing;
mod sqlite;
mod summaries;
mod tickets;
mod writer;

pub use decisions::{Decided, Wants};
pub use effects::{Effect, EffectState, Settled, Settlement};
pub use inbox::{Backlog, Receipt};
pub use inspect::Inspected;
pub use messages::{MessageState, PROGRESS, StoredMessage, Undelivered};
pub use new_effect::{NewEffect, idempotency_key};
pub use postgres::shown;
pub use rounds::{AskedRound, Begun, RoundClaim, RoundOrder, RoundState};
pub use runs::{LastRun, NewRun, Remembered};
pub use search::{Direction, Filter};
pub use showing::Showing;
pub use tickets::NewTicket;

use gather::{Gathered, Gatherer};

/// Well below the parameters that either engine takes in one statement.
const KEYS_AT_ONCE: usize = 500;

/// Whether a store may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadOnly,
}

/// All that outlives a round.
pub struct Store {
    engine: Engine,
    access: Access,
    kept: Gatherer<inbox::Kept>,
    finished: Gatherer<Receipt>,
    /// Tells this process's rows from those of others.
    name: String,
}

enum Engine {
    Sqlite(sqlite::Database),
    Postgres(postgres::Pools),
}

/// A connection inside a transaction.
enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

type Boxed<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// A transaction that sees the store as it was at its begin.
enum Snapshot {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Snapshot {
    fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(transaction) => Connection::Sqlite(transaction),
            Self::Postgres(transaction) => Connection::Postgres(transaction),
        }
    }
}

impl Store {
    /// Opens `sqlite:FILE`, `sqlite::memory:` (gone when closed) or `postgres://...`, and brings its schema up to date.
    pub async fn open(url: &str, access: Access) -> anyhow::Result<Self> {
        let engine = if let Some(file) = url.strip_prefix("sqlite:") {
            Engine::Sqlite(sqlite::Database::open(file, access).await?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Engine::Postgres(postgres::open(url, access).await?)
        } else {
            let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
            bail!(
                "no database speaks `{}`: write sqlite:daily-ops.db or postgres://user@host/database",
                crate::text::Untrusted::from(scheme).as_str()
            );
        };
        let mut name = [0; 8];
        getrandom::fill(&mut name).context("the system gives no random bytes")?;
        Ok(Self {
            engine,
            access,
            kept: Gatherer::default(),
            finished: Gatherer::default(),
            name: hex::encode(name),
        })
    }

    /// Finishes what was accepted, and closes.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(database) => database.close().await,
            Engine::Postgres(pools) => pools.close().await,
        }
    }

    /// Transactions that the SQLite writer has committed; none on PostgreSQL.
    pub fn commits(&self) -> u64 {
        match &self.engine {
            Engine::Sqlite(database) => database.commits(),
            Engine::Postgres(_) => 0,
        }
    }

    async fn read(&self) -> anyhow::Result<Snapshot> {
        match &self.engine {
            Engine::Sqlite(database) => Ok(Snapshot::Sqlite(database.snapshot().await?)),
            Engine::Postgres(pools) => Ok(Snapshot::Postgres(
                pools
                    .work
                    .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    .await
                    .context("the database could not be read")?,
            )),
        }
    }

    /// Claims the first row that can be had. Each try is a transaction of its own: PostgreSQL keeps a lock on the row that
    /// somebody else was quicker with, and who holds one must not wait for the next.
    async fn first<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> FnOnce(&'t mut Connection<'c>) -> Boxed<'t, anyhow::Result<First<T>>>
        + Clone
        + Send
        + 'static,
    ) -> anyhow::Result<Option<T>> {
        loop {
            match self.write(work.clone()).await? {
                First::Claimed(row) => return Ok(Some(row)),
                First::Lost => {}
                First::None => return Ok(None),
            }
        }
    }

    /// Runs the work in one transaction, which is rolled back if it fails. Once this returns, it is on disk.
    async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> FnOnce(&'t mut Connection<'c>) -> Boxed<'t, anyhow::Result<T>>
        + Send
        + 'static,
    ) -> anyhow::Result<T> {
        self.write_by(|pools| &pools.work, work).await
    }

    /// As [`Store::write`], for what is short and many wait for: it never queues behind other work for a connection.
    async fn write_at_the_door<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> FnOnce(&'t mut Connection<'c>) -> Boxed<'t, anyhow::Result<T>>
        + Send
        + 'static,
    ) -> anyhow::Result<T> {
        self.write_by(|pools| &pools.door, work).await
    }

    async fn write_by<T: Send + 'static>(
        &self,
        way: fn(&postgres::Pools) -> &PgPool,
        work: impl for<'t, 'c> FnOnce(&'t mut Connection<'c>) -> Boxed<'t, anyhow::Result<T>>
        + Send
        + 'static,
    ) -> anyhow::Result<T> {
        if self.access == Access::ReadOnly {
            bail!("the store was opened for reading only");
        }
        match &self.engine {
            Engine::Sqlite(database) => database.write(work).await,
            Engine::Postgres(pools) => {
                let mut transaction = way(pools)
                    .begin()
                    .await
                    .context("the database could not be reached")?;
                let done = work(&mut Connection::Postgres(&mut transaction)).await?;
                transaction.commit().await.context(
                    "the database did not confirm the write: look before it is repeated",
                )?;
                Ok(done)
            }
        }
    }

    /// As [`Self::write`], with what others ask for at the same time; PostgreSQL gathers commits itself.
    async fn gather<R: Gathered>(&self, gatherer: &Gatherer<R>, row: R) -> anyhow::Result<R::Answer>
    where
        R::Answer: 'static,
    {
        match &self.engine {
            Engine::Sqlite(database) => database.gather(gatherer, row).await,
            Engine::Postgres(_) => {
                let mut answers = self
                    .write_at_the_door(move |c| Box::pin(async move { R::write(&[row], c).await }))
                    .await?;
                answers.pop().context("the write was not answered")
            }
        }
    }
}

/// What a search for the first row came to.
enum First<T> {
    Claimed(T),
    /// Somebody was quicker.
    Lost,
    None,
}

impl<T> From<Option<T>> for First<T> {
    fn from(claimed: Option<T>) -> Self {
        claimed.map_or(Self::Lost, Self::Claimed)
    }
}

/// Cut to what both engines keep.
fn micros(at: chrono::DateTime<chrono::Utc>) -> chrono::DateTime<chrono::Utc> {
    chrono::SubsecRound::trunc_subsecs(at, 6)
}
