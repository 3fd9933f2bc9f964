//! The database of a company, read past the store.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

pub(super) struct Tables {
    pub(super) url: String,
}

impl Tables {
    pub(super) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Whether the tables have been made.
    pub(super) async fn are_there(&self) -> bool {
        const LAST: &str = "SELECT count(*) FROM messages";
        if self.is_postgres() {
            let connection = PgConnection::connect(&self.url).await;
            connection.expect("it answers").execute(LAST).await.is_ok()
        } else {
            match SqliteConnection::connect(&self.url).await {
                Ok(mut connection) => connection.execute(LAST).await.is_ok(),
                Err(_) => false,
            }
        }
    }

    /// Rows of texts; every column is to be cast to TEXT. NULL is empty.
    pub(super) async fn rows(&self, sql: &'static str) -> Vec<Vec<String>> {
        if self.is_postgres() {
            let mut connection = PgConnection::connect(&self.url).await.expect("it answers");
            let rows = connection.fetch_all(sql).await.expect(sql);
            rows.iter()
                .map(|row| {
                    (0..row.len())
                        .map(|at| row.get::<Option<String>, _>(at).unwrap_or_default())
                        .collect()
                })
                .collect()
        } else {
            let mut connection = SqliteConnection::connect(&self.url)
                .await
                .expect("it opens");
            let rows = connection.fetch_all(sql).await.expect(sql);
            rows.iter()
                .map(|row| {
                    (0..row.len())
                        .map(|at| row.get::<Option<String>, _>(at).unwrap_or_default())
                        .collect()
                })
                .collect()
        }
    }

    pub(super) async fn number(&self, sql: &'static str) -> i64 {
        let rows = self.rows(sql).await;
        rows[0][0].parse().unwrap_or(0)
    }

    pub(super) async fn change(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_postgres() {
            let mut connection = PgConnection::connect(&self.url).await.expect("it answers");
            sqlx::query(sql)
                .execute(&mut connection)
                .await
                .expect("it is changed");
        } else {
            let mut connection = SqliteConnection::connect(&self.url)
                .await
                .expect("it opens");
            sqlx::query(sql)
                .execute(&mut connection)
                .await
                .expect("it is changed");
            connection.close().await.ok();
        }
    }

    /// An hour passes in which nobody runs: every lease and every pause is over.
    pub(super) async fn let_time_pass(&self) {
        #[expect(
            clippy::disallowed_methods,
            reason = "the world lives in the time of the test"
        )]
        let then = Utc::now().trunc_subsecs(6) - TimeDelta::hours(1);
        for (table, column) in [
            ("inbox", "lease_until"),
            ("asked_rounds", "lease_until"),
            ("messages", "lease_until"),
            ("messages", "not_before"),
            ("messages", "quiet_until"),
            ("messages", "doubted_at"),
            ("effects", "lease_until"),
            ("effects", "not_before"),
        ] {
            self.set_time(table, column, then).await;
        }
    }

    async fn set_time(&self, table: &str, column: &str, then: DateTime<Utc>) {
        let sql = format!("UPDATE {table} SET {column} = $1 WHERE {column} > $1");
        let sql = AssertSqlSafe(sql);
        if self.is_postgres() {
            let mut connection = PgConnection::connect(&self.url).await.expect("it answers");
            let query = sqlx::query(sql).bind(then);
            query.execute(&mut connection).await.expect("time passes");
        } else {
            let mut connection = SqliteConnection::connect(&self.url)
                .await
                .expect("it opens");
            let query = sqlx::query(sql).bind(then);
            query.execute(&mut connection).await.expect("time passes");
            connection.close().await.ok();
        }
    }

    /// What is still to be done, one line each.
    pub(super) async fn open(&self) -> Vec<String> {
        let rows = self
            .rows(
                "SELECT 'request ' || CAST(asked AS TEXT) FROM inbox WHERE state <> 'done' \
                 UNION ALL SELECT 'round ' || id || ' ' || state FROM asked_rounds \
                     WHERE state IN ('waiting', 'running') \
                 UNION ALL SELECT 'effect ' || effect_key || ' ' || state || ' ' || COALESCE(last_error, '') \
                     FROM effects WHERE state IN ('waiting', 'running') \
                 UNION ALL SELECT 'message ' || id || ' in ' || channel || ' ' || COALESCE(last_error, '') \
                     FROM messages WHERE wanted > shown AND state <> 'gone'",
            )
            .await;
        rows.into_iter().map(|row| row.concat()).collect()
    }
}
