//! The database that several replicas share.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use super::{Access, schema};

const CONNECTIONS: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections for keeping requests alone.
const DOOR: u32 = 4;
/// Slack waits three seconds for its ack.
const DOOR_PATIENCE: Duration = Duration::from_secs(2);

/// How far the clocks of a replica and of the database may be apart: claims end by the clock of whoever looks.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(5);

/// The ways in.
pub(super) struct Pools {
    pub(super) work: PgPool,
    /// What is accepted waits for nobody who works.
    pub(super) door: PgPool,
}

impl Pools {
    pub(super) async fn close(&self) {
        tokio::join!(self.work.close(), self.door.close());
    }
}

pub(super) async fn open(url: &str, access: Access) -> anyhow::Result<Pools> {
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
    if access == Access::ReadWrite {
        compare_clocks(&mut connection, &shown).await?;
    }
    match access {
        Access::ReadWrite => schema::bring_up_postgres(&mut connection).await,
        Access::ReadOnly => schema::check_postgres(&mut connection).await,
    }
    .with_context(|| format!("the database {shown} can't be used"))?;
    // Only a courtesy to the server, which notices by itself.
    drop(connection.close().await);
    let pool = |connections, patience| {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(patience)
            .connect_lazy_with(options.clone())
    };
    Ok(Pools {
        work: pool(CONNECTIONS, PATIENCE),
        door: pool(DOOR, DOOR_PATIENCE),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is this machine's own clock that is compared"
)]
async fn compare_clocks(connection: &mut PgConnection, shown: &str) -> anyhow::Result<()> {
    let before = Utc::now();
    let theirs: DateTime<Utc> = sqlx::query_scalar("SELECT clock_timestamp()")
        .fetch_one(connection)
        .await
        .context("PostgreSQL does not say its time")?;
    let apart = apart(before, theirs, Utc::now());
    ensure!(
        apart <= CLOCKS_APART,
        "the clock of this machine and that of the database {shown} are {} s apart, so that replicas would take over \
         each other's work: set both by NTP",
        apart.num_seconds()
    );
    Ok(())
}

/// By how much a clock that was read in between is certainly off.
fn apart(before: DateTime<Utc>, theirs: DateTime<Utc>, after: DateTime<Utc>) -> TimeDelta {
    (before - theirs).max(theirs - after).max(TimeDelta::zero())
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
            let error = open(url, Access::ReadOnly).await.err().unwrap();
            assert!(!format!("{error:#}").contains("hunter2"), "{error:#}");
        }
    }

    #[test]
    fn clocks_are_apart_by_what_a_slow_answer_can_not_explain() {
        let at = |seconds| DateTime::<Utc>::default() + TimeDelta::seconds(seconds);
        for (before, theirs, after, expected) in [
            (10, 10, 10, 0),
            (10, 13, 17, 0),
            (10, 4, 11, 6),
            (10, 18, 11, 7),
        ] {
            let apart = apart(at(before), at(theirs), at(after));
            assert_eq!(apart.num_seconds(), expected, "{before} {theirs} {after}");
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
