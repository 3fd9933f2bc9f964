//! Migrations, and the guards of the ops log, which are written per engine.

use anyhow::{Context, bail};
use sqlx::{
    Executor, PgConnection, SqliteConnection,
    migrate::{Migrate, MigrateError, Migrator},
};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

const SQLITE_GUARDS: &str = include_str!("../../migrations/guards/sqlite.sql");
const POSTGRES_GUARDS: &str = include_str!("../../migrations/guards/postgres.sql");

/// The triggers of the file for PostgreSQL: name, table, `pg_trigger.tgtype`, and which function of the file it calls.
const POSTGRES_TRIGGERS: [(&str, &str, i16, usize); 6] = [
    ("ops_log_refuses_change", "ops_log", 27, 0),
    ("ops_log_refuses_truncate", "ops_log", 34, 0),
    ("ops_log_bodies_refuse_change", "ops_log_bodies", 27, 1),
    ("ops_log_bodies_refuse_truncate", "ops_log_bodies", 34, 1),
    ("chain_head_refuses_delete", "chain_head", 11, 0),
    ("chain_head_refuses_truncate", "chain_head", 34, 0),
];

/// Any number that all replicas share, and no other program does.
const GUARDS_LOCK: i64 = 0x6461_696c_794f_7073;

pub(super) async fn bring_up_sqlite(connection: &mut SqliteConnection) -> anyhow::Result<()> {
    migrate(connection).await?;
    guard_sqlite(connection)
        .await
        .context("the guards of the ops log could not be set")
}

/// Sets them anew: whether one was emptied is not looked at.
async fn guard_sqlite(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    (&mut *transaction).execute(SQLITE_GUARDS).await?;
    transaction.commit().await
}

pub(super) async fn bring_up_postgres(connection: &mut PgConnection) -> anyhow::Result<()> {
    migrate(connection).await?;
    guard_postgres(connection)
        .await
        .context("the guards of the ops log could not be set")
}

/// Sets them only where one is missing, switched off or not what it should be: it locks out writers for a moment, and other replicas may be writing.
async fn guard_postgres(connection: &mut PgConnection) -> anyhow::Result<()> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(GUARDS_LOCK)
        .execute(&mut *transaction)
        .await?;
    if !guarded(&mut transaction).await? {
        (&mut *transaction).execute(POSTGRES_GUARDS).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Whether each trigger stands as in the file. Other people's triggers are none of our business.
async fn guarded(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let standing: Vec<(String, String, i16, String)> = sqlx::query_as(
        "SELECT t.tgname::text, c.relname::text, t.tgtype, p.prosrc FROM pg_trigger AS t \
         JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid \
         JOIN pg_language AS l ON l.oid = p.prolang \
         WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND t.tgqual IS NULL AND t.tgattr::text = '' \
         AND l.lanname = 'plpgsql' \
         AND t.tgrelid IN ('ops_log'::regclass, 'ops_log_bodies'::regclass, 'chain_head'::regclass)",
    )
    .fetch_all(connection)
    .await?;
    let sources: Vec<&str> = POSTGRES_GUARDS.split("$$").skip(1).step_by(2).collect();
    Ok(POSTGRES_TRIGGERS
        .iter()
        .all(|(name, table, kind, function)| {
            standing.iter().any(|found| {
                (found.0.as_str(), found.1.as_str(), found.2) == (*name, *table, *kind)
                    && sources.get(*function) == Some(&found.3.as_str())
            })
        }))
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
