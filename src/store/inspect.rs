//! The database's own account of itself.

use anyhow::Context;

use super::{Engine, Store};

/// What a database is, and whether it is sound as far as a quick look tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// "SQLite 3.50.2".
    pub engine: String,
    /// The first thing that is wrong with it.
    pub damage: Option<String>,
}

impl Store {
    pub async fn inspect(&self) -> anyhow::Result<Inspected> {
        let mut snapshot = self.read().await?;
        let connection = snapshot.connection();
        let (name, version) = match &self.engine {
            Engine::Sqlite(_) => ("SQLite", "SELECT sqlite_version()"),
            Engine::Postgres(_) => ("PostgreSQL", "SHOW server_version"),
        };
        let mut connection = connection;
        let version: String = on!(&mut connection, |c| sqlx::query_scalar(version)
            .fetch_one(c)
            .await)
        .context("the database does not say its version")?;
        let damage = match connection {
            super::Connection::Sqlite(c) => {
                let said: String = sqlx::query_scalar("PRAGMA quick_check(1)")
                    .fetch_one(&mut *c)
                    .await
                    .context("the database could not be checked")?;
                (said != "ok").then_some(said)
            }
            // It checks its own pages as they are read.
            super::Connection::Postgres(_) => None,
        };
        Ok(Inspected {
            engine: format!("{name} {version}"),
            damage,
        })
    }
}
