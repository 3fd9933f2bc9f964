//! The database that several replicas share.

use std::time::Duration;

use anyhow::{Context, bail};
use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use super::{Access, schema};

const CONNECTIONS: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn open(url: &str, access: Access) -> anyhow::Result<PgPool> {
    let shown = without_password(url);
    let options: PgConnectOptions = url
        .parse()
        // The parser's own message may quote the password.
        .map_err(|_| {
            anyhow::anyhow!(
                "the database URL {shown} can't be read: write postgres://user@host/database"
            )
        })?;
    let options = options.application_name("daily-ops");
    let mut connection = timeout(PATIENCE, PgConnection::connect_with(&options))
        .await
        .with_context(|| format!("the database {shown} does not answer"))?
        .with_context(|| format!("the database {shown} can't be reached"))?;
    let synchronous: String = sqlx::query_scalar("SHOW synchronous_commit")
        .fetch_one(&mut connection)
        .await
        .context("PostgreSQL does not say its synchronous_commit")?;
    if synchronous == "off" {
        bail!(
            "the database {shown} has synchronous_commit = off, which can lose what was accepted: set it to on"
        );
    }
    match access {
        Access::ReadWrite => schema::bring_up_postgres(&mut connection).await,
        Access::ReadOnly => schema::check_postgres(&mut connection).await,
    }
    .with_context(|| format!("the database {shown} can't be used"))?;
    // Only a courtesy to the server, which notices by itself.
    drop(connection.close().await);
    Ok(PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options))
}

/// The host and the database's name.
fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(url) => format!("{}{}", url.host_str().unwrap_or("localhost"), url.path()),
        Err(_) => "that was given".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_never_shows_the_password() {
        for url in [
            "postgres://anna:hunter2@127.0.0.1:1/ops?password=hunter2",
            "postgres://anna:hunter2@127.0.0.1:notaport/ops",
            "postgres://anna:hun/ter2@127.0.0.1:1/ops",
        ] {
            let error = open(url, Access::ReadOnly).await.unwrap_err();
            assert!(!format!("{error:#}").contains("hunter2"), "{error:#}");
        }
    }
}
