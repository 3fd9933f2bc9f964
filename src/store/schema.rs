//! Migrations, and the guards of the ops log, which are written per engine.

use anyhow::{Context, bail};
use sqlx::{
    Executor, PgConnection, SqliteConnection,
    migrate::{Migrate, MigrateError, Migrator},
};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

const SQLITE_GUARDS: &str = include_str!("../../migrations/guards/sqlite.sql");
const POSTGRES_GUARDS: &str = include_str!("../../migrations/guards/postgres.sql");

/// As many triggers as there are in the file for PostgreSQL.
const POSTGRES_GUARD_COUNT: i64 = 5;

/// Any number that all replicas share, and no other program does.
const GUARDS_LOCK: i64 = 0x6461_696c_794f_7073;

pub(super) async fn bring_up_sqlite(connection: &mut SqliteConnection) -> anyhow::Result<()> {
    migrate(connection).await?;
    connection
        .execute(SQLITE_GUARDS)
        .await
        .context("the guards of the ops log could not be set")?;
    Ok(())
}

pub(super) async fn bring_up_postgres(connection: &mut PgConnection) -> anyhow::Result<()> {
    migrate(connection).await?;
    guard_postgres(connection)
        .await
        .context("the guards of the ops log could not be set")
}

/// Sets them only where one is missing: it locks out writers for a moment, and other replicas may be writing.
async fn guard_postgres(connection: &mut PgConnection) -> anyhow::Result<()> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(GUARDS_LOCK)
        .execute(&mut *transaction)
        .await?;
    let standing: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O' \
         AND tgrelid IN ('ops_log'::regclass, 'ops_log_bodies'::regclass, 'chain_head'::regclass)",
    )
    .fetch_one(&mut *transaction)
    .await?;
    if standing != POSTGRES_GUARD_COUNT {
        (&mut *transaction).execute(POSTGRES_GUARDS).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn migrate<C: Migrate>(connection: &mut C) -> anyhow::Result<()> {
    match MIGRATIONS.run_direct(None, connection, false).await {
        Err(MigrateError::VersionMissing(version)) => bail!(newer(version)),
        Err(error) => Err(error).context("its schema could not be brought up to date"),
        Ok(()) => Ok(()),
    }
}

pub(super) async fn check_sqlite(connection: &mut SqliteConnection) -> anyhow::Result<()> {
    let applied = connection
        .list_applied_migrations(&MIGRATIONS.table_name)
        .await;
    check(applied.map(|all| all.last().map_or(0, |last| last.version)))
}

pub(super) async fn check_postgres(connection: &mut PgConnection) -> anyhow::Result<()> {
    let applied = connection
        .list_applied_migrations(&MIGRATIONS.table_name)
        .await;
    check(applied.map(|all| all.last().map_or(0, |last| last.version)))
}

fn check(applied: Result<i64, MigrateError>) -> anyhow::Result<()> {
    let ours = MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    match applied {
        Ok(version) if version == ours => Ok(()),
        Ok(version) if version > ours => bail!(newer(version)),
        Ok(_) => {
            bail!("its schema is older than this daily-ops: `daily-ops daily` brings it up to date")
        }
        Err(_) => bail!("it holds no daily-ops yet: `daily-ops daily` sets it up"),
    }
}

fn newer(version: i64) -> String {
    format!(
        "its schema is newer (version {version}) than this daily-ops knows: install the newer daily-ops"
    )
}
