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
    let shown = shown(url);
    let options: PgConnectOptions = url
        .parse()
        // The parser's own message may quote the password.
        .map_err(|_| {
            anyhow::anyhow!(
                "the database URL {shown} can't be read: write postgres://user@host/database"
            )
        })?;
    let options = options
        .application_name("daily-ops")
        .options([("synchronous_commit", "on")]);
    let mut connection = timeout(PATIENCE, PgConnection::connect_with(&options))
        .await
        .with_context(|| format!("the database {shown} does not answer"))?
        .with_context(|| format!("the database {shown} can't be reached"))?;
    let synchronous: String = sqlx::query_scalar("SHOW synchronous_commit")
        .fetch_one(&mut connection)
        .await
        .context("PostgreSQL does not say its synchronous_commit")?;
    if synchronous != "on" {
        bail!(
            "the database {shown} keeps synchronous_commit = {synchronous}, which can lose what was accepted: set it to on"
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

/// The URL of a database as it may be shown: without its password and parameters.
pub fn shown(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return crate::text::one_line(url);
    }
    match url::Url::parse(url) {
        // An `@` behind the host means that the host is a part of the password.
        Ok(mut url) if !url.path().contains('@') => {
            // Refused only where there is no host, and so no password.
            let _none = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            crate::text::one_line(url.as_str())
        }
        _ => "that was given".to_owned(),
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
            "postgres://anna:12/hunter2@127.0.0.1:1/ops",
            "postgres://anna:hunter2@127.0.0.1:1/ops#hunter2",
        ] {
            assert!(!shown(url).contains("hunter2"), "{}", shown(url));
            let error = open(url, Access::ReadOnly).await.unwrap_err();
            assert!(!format!("{error:#}").contains("hunter2"), "{error:#}");
        }
    }

    #[test]
    fn the_rest_of_a_url_is_shown() {
        for (url, expected) in [
            (
                "postgres://anna:hunter2@db.example.com:5433/ops?sslmode=require",
                "postgres://anna@db.example.com:5433/ops",
            ),
            ("postgres:///ops", "postgres:///ops"),
            ("sqlite:daily-ops.db", "sqlite:daily-ops.db"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
