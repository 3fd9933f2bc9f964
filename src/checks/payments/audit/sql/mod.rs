//! The user's own records in their PostgreSQL or MySQL, read in a transaction that can't write.

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout, timeout_at};

use super::{DATABASE_URL, intake::Intake, period::Period};
use crate::{
    checks::Looking,
    report::{Cause, Unknown},
    text::{cut, one_line},
};

mod mysql;
mod postgres;
mod rows;

/// How long a server may take to let us in.
const PATIENCE: Duration = Duration::from_secs(5);

/// A question to the user's database.
struct Question<'a> {
    sql: &'a str,
    url: &'a str,
    period: Period,
    /// How long the server may work on it.
    limit: Duration,
}

/// Reads what the query gives, row by row as it arrives.
pub(super) async fn read(
    sql: &str,
    limit: Duration,
    period: Period,
    looking: &Looking,
    intake: &mut Intake,
) -> Result<(), Unknown> {
    let url = looking.secret(DATABASE_URL)?;
    let left = looking.deadline.saturating_duration_since(Instant::now());
    let question = Question {
        sql,
        url: url.expose_secret(),
        period,
        limit: limit.min(left).max(Duration::from_millis(1)),
    };
    let scheme = question.url.split(':').next().unwrap_or_default();
    let work = async {
        match scheme {
            "postgres" | "postgresql" => postgres::read(&question, intake).await,
            "mysql" | "mariadb" => mysql::read(&question, intake).await,
            _ => Err(Stopped::Said(no_url())),
        }
    };
    let outcome = timeout_at(looking.deadline, work).await;
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Stopped::Said(unknown))) => Err(unknown),
        Ok(Err(Stopped::Database(error))) => Err(refused(&error, intake.rows)),
        Err(_) => Err(out_of_time(intake.rows)),
    }
}

/// Why the reading ended early.
enum Stopped {
    Database(sqlx::Error),
    Said(Unknown),
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Unknown> for Stopped {
    fn from(unknown: Unknown) -> Self {
        Self::Said(unknown)
    }
}

async fn promptly<T>(connect: impl Future<Output = sqlx::Result<T>>) -> Result<T, Stopped> {
    match timeout(PATIENCE, connect).await {
        Ok(connected) => Ok(connected?),
        Err(_) => {
            let reason = format!(
                "the database in {} did not answer within {} s; see whether it is up, and reachable from here",
                DATABASE_URL.0,
                PATIENCE.as_secs()
            );
            Err(Unknown::new(Cause::Timeout, reason).into())
        }
    }
}

/// The parser's own message may quote the password.
fn no_url() -> Unknown {
    let reason = format!(
        "{} can't be read; write postgres://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE, with the password after USER and a colon",
        DATABASE_URL.0
    );
    Unknown::new(Cause::NotConfigured, reason)
}

fn no_columns(why: &str) -> Unknown {
    let reason = format!(
        "in the result of `query`, {why}; name its columns with AS, in [checks.payments.audit]"
    );
    Unknown::new(Cause::NotConfigured, reason)
}

fn out_of_time(rows: u64) -> Unknown {
    let reason = format!(
        "your records could not be read to their end in time, only {rows} rows; give the query an index on the time of creation, lower `days`, or raise `time_limit` in [checks.payments]"
    );
    Unknown::new(Cause::Timeout, reason)
}

/// By SQLSTATE, or by MySQL's number where that says more.
fn cause(code: &str, number: Option<u16>) -> (Cause, &'static str) {
    match (code, number) {
        (_, Some(1044 | 1142 | 1143 | 1227 | 1370)) | ("42501", _) => (
            Cause::Forbidden,
            "give its user SELECT on what the query reads",
        ),
        (_, Some(1045 | 1698)) | ("28P01" | "28000", _) => (
            Cause::Auth,
            "renew the user and the password in AUDIT_DATABASE_URL",
        ),
        (_, Some(1049 | 1054 | 1146 | 1305))
        | ("3D000" | "3F000" | "42P01" | "42703" | "42883", _) => (
            Cause::NotFound,
            "mend `query` in [checks.payments.audit], or the database in AUDIT_DATABASE_URL",
        ),
        (_, Some(1969 | 3024)) | ("57014", _) => (
            Cause::Timeout,
            "give the query an index on the time of creation, lower `days`, or raise `query_timeout` in [checks.payments.audit]",
        ),
        (_, Some(1792)) | ("25006", _) => (
            Cause::Refused,
            "`query` in [checks.payments.audit] may only read",
        ),
        _ => (
            Cause::Upstream,
            "try `query` of [checks.payments.audit] in the database's own client",
        ),
    }
}

fn refused(error: &sqlx::Error, rows: u64) -> Unknown {
    let read = if rows > 0 {
        format!(" after {rows} rows")
    } else {
        String::new()
    };
    let (cause, said, advice) = match error {
        sqlx::Error::Database(no) => {
            let number = no
                .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
                .map(sqlx::mysql::MySqlDatabaseError::number);
            let (cause, advice) = cause(no.code().as_deref().unwrap_or_default(), number);
            (cause, no.message().to_owned(), advice)
        }
        sqlx::Error::Tls(no) => (
            Cause::Tls,
            no.to_string(),
            "name the server as its certificate does, or its authority with sslrootcert (PostgreSQL) or ssl-ca (MySQL) in AUDIT_DATABASE_URL",
        ),
        sqlx::Error::Io(no) => (
            Cause::Network,
            no.to_string(),
            "see whether the server in AUDIT_DATABASE_URL is up, and reachable from here",
        ),
        // How sqlx says that this login would need RSA.
        no if no.to_string().contains("mysql-rsa") => (
            Cause::Auth,
            "this login sends its password over TLS only".to_owned(),
            "switch TLS on in MySQL, and add ?ssl-mode=REQUIRED to AUDIT_DATABASE_URL",
        ),
        no => (
            Cause::Decode,
            no.to_string(),
            "see whether AUDIT_DATABASE_URL leads to a PostgreSQL or MySQL",
        ),
    };
    let said = cut(&one_line(&said), 120);
    let reason = format!("your database stopped the audit{read} ({said}); {advice}");
    Unknown::new(cause, reason)
}
