//! Real databases: a SQLite file always, and a schema on the PostgreSQL that `TEST_DATABASE_URL` names.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use daily_ops::store::{Access, Store};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection,
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

use super::skipped::needs;

pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) store: Arc<Store>,
    pub(crate) postgres: bool,
    folder: Option<TempDir>,
}

impl Database {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("daily-ops.db").display());
        Self {
            store: Arc::new(open(&url).await),
            url,
            postgres: false,
            folder: Some(folder),
        }
    }

    async fn postgres(server: &str, schema: &str) -> Self {
        administer(server, format!("CREATE SCHEMA {schema}")).await;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options[search_path]={schema}");
        Self {
            store: Arc::new(open(&url).await),
            url,
            postgres: true,
            folder: None,
        }
    }

    /// A second way in, past the store: what an intruder with the database's password can do.
    pub(crate) async fn raw(&self, sql: &'static str) -> sqlx::Result<u64> {
        if self.postgres {
            let mut connection = PgConnection::connect(&self.url).await?;
            Ok(connection.execute(sql).await?.rows_affected())
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await?;
            Ok(connection.execute(sql).await?.rows_affected())
        }
    }

    /// As `raw` on SQLite, with no foreign key in the way.
    pub(crate) async fn raw_without_foreign_keys(&self, sql: &'static str) -> sqlx::Result<u64> {
        let options: SqliteConnectOptions = self.url.parse()?;
        let mut connection = SqliteConnection::connect_with(&options.foreign_keys(false)).await?;
        Ok(connection.execute(sql).await?.rows_affected())
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder
            .as_ref()
            .expect("SQLite lives in a file")
            .path()
            .join("daily-ops.db")
    }
}

pub(crate) async fn open(url: &str) -> Store {
    Store::open(url, Access::ReadWrite)
        .await
        .expect("the store opens")
}

/// Runs a test on SQLite, then on PostgreSQL. Without a server it says so; on CI that is a failure.
pub(crate) async fn on_each_engine(test: impl AsyncFn(&Database)) {
    let database = Database::sqlite().await;
    test(&database).await;
    database.store.close().await;

    let Some(server) = needs(
        "TEST_DATABASE_URL",
        "the PostgreSQL half of the store's tests",
    ) else {
        return;
    };
    let schema = format!("test_{}", hex::encode(random()));
    let database = Database::postgres(&server, &schema).await;
    let result = caught(test(&database)).await;
    database.store.close().await;
    administer(&server, format!("DROP SCHEMA {schema} CASCADE")).await;
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

pub(crate) async fn administer(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server)
        .await
        .expect("PostgreSQL answers");
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .expect("PostgreSQL obeys");
}

async fn caught<T>(work: impl Future<Output = T>) -> std::thread::Result<T> {
    let mut work = pin!(work);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    )
    .await
}

pub(crate) fn random() -> [u8; 8] {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("random bytes");
    bytes
}
