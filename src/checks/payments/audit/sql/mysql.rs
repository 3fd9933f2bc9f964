//! Rows out of MySQL and MariaDB.

use std::iter::repeat_n;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Either, Executor, Row as _, SqlSafeStr, Statement,
    TypeInfo, ValueRef,
    mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlTypeInfo},
};

use super::{
    Question, Stopped, no_url, promptly,
    rows::{Given, Kind, take_all},
};
use crate::{
    checks::payments::audit::{intake::Intake, record::Cell},
    report::{Cause, Unknown},
};

pub(super) async fn read(question: &Question<'_>, intake: &mut Intake) -> Result<(), Stopped> {
    let options: MySqlConnectOptions = question.url.parse().map_err(|_| no_url())?;
    let options = options.disable_statement_logging();
    let mut connection = promptly(MySqlConnection::connect_with(&options)).await?;
    let version: String = sqlx::query_scalar("SELECT VERSION()")
        .fetch_one(&mut connection)
        .await?;
    let limit = if version.contains("MariaDB") {
        let seconds = question.limit.as_secs_f32();
        format!("SET SESSION max_statement_time = {seconds:.3}")
    } else {
        let milliseconds = question.limit.as_millis();
        format!("SET SESSION max_execution_time = {milliseconds}")
    };
    connection.execute(AssertSqlSafe(limit)).await?;
    let mut transaction = connection.begin_with("START TRANSACTION READ ONLY").await?;
    let sql = AssertSqlSafe(question.sql).into_sql_str();
    let statement = (&mut *transaction).prepare(sql).await?;
    let marks = match statement.parameters() {
        Some(Either::Right(number)) => number,
        Some(Either::Left(kinds)) => kinds.len(),
        None => 0,
    };
    if !marks.is_multiple_of(2) {
        let reason = "`query` in [checks.payments.audit] has an odd number of `?`; they stand for the first moment and the end of what is read, in turn";
        return Err(Unknown::new(Cause::NotConfigured, reason).into());
    }
    let (from, to) = question.period.here();
    let query = repeat_n([from, to], marks / 2)
        .flatten()
        .fold(statement.query().persistent(false), |query, at| {
            query.bind(at)
        });
    take_all(query.fetch(&mut *transaction), intake).await?;
    transaction.rollback().await?;
    Ok(())
}

impl Given for MySqlRow {
    fn kind(of: &MySqlTypeInfo) -> Kind {
        match of.name() {
            "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => Kind::Whole,
            name if name.ends_with("INT UNSIGNED") => Kind::Unsigned,
            // DECIMAL comes as its digits.
            "DECIMAL" | "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT"
            | "ENUM" | "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
                Kind::Text
            }
            "TIMESTAMP" => Kind::Time,
            "DATETIME" => Kind::LocalTime,
            "DATE" => Kind::Date,
            name => Kind::Other(name.to_owned()),
        }
    }

    fn cell<'a>(
        &'a self,
        place: usize,
        kind: &'a Kind,
        _number: &'a mut String,
    ) -> sqlx::Result<Cell<'a>> {
        if self.try_get_raw(place)?.is_null() {
            return Ok(Cell::Null);
        }
        Ok(match kind {
            Kind::Whole => Cell::Whole(self.try_get_unchecked::<i64, _>(place)?.into()),
            Kind::Unsigned => Cell::Whole(self.try_get_unchecked::<u64, _>(place)?.into()),
            Kind::Time => Cell::Time(self.try_get_unchecked::<DateTime<Utc>, _>(place)?),
            Kind::LocalTime => {
                Cell::Time(self.try_get_unchecked::<NaiveDateTime, _>(place)?.and_utc())
            }
            Kind::Date => Cell::Date(self.try_get_unchecked::<NaiveDate, _>(place)?),
            Kind::Other(name) => Cell::Other(name),
            Kind::Numeric | Kind::Text => self
                .try_get_unchecked::<&str, _>(place)
                .map_or(Cell::Other("no UTF-8"), Cell::Text),
        })
    }
}
