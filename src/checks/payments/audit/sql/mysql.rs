//! Rows out of MySQL and MariaDB.

use std::iter::repeat_n;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions, Connection, Either, Executor, Row as _, SqlSafeStr,
    Statement, TypeInfo, ValueRef,
    mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow},
};

use super::{Question, Stopped, no_columns, no_url, promptly};
use crate::{
    checks::payments::audit::{
        intake::Intake,
        record::{Cell, Columns, Row},
    },
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
    let mut rows = query.fetch(&mut *transaction);
    let mut shape = None;
    while let Some(row) = rows.try_next().await? {
        let shape = match &shape {
            Some(shape) => shape,
            None => shape.insert(Shape::of(&row)?),
        };
        shape.take(&row, intake)?;
    }
    drop(rows);
    transaction.rollback().await?;
    Ok(())
}

#[derive(Clone, Debug)]
enum Kind {
    Whole,
    Unsigned,
    /// DECIMAL among them, which comes as its digits.
    Text,
    Time,
    LocalTime,
    Date,
    Other(String),
}

/// What the columns are, which holds for every row.
struct Shape {
    columns: Columns,
    kinds: Vec<Kind>,
}

impl Shape {
    fn of(row: &MySqlRow) -> Result<Self, Stopped> {
        let names = row.columns().iter().map(sqlx::Column::name);
        let columns = Columns::find(names).map_err(|why| no_columns(&why))?;
        let kind = |name: &str| match name {
            "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => Kind::Whole,
            _ if name.ends_with("INT UNSIGNED") => Kind::Unsigned,
            "DECIMAL" | "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT"
            | "ENUM" | "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
                Kind::Text
            }
            "TIMESTAMP" => Kind::Time,
            "DATETIME" => Kind::LocalTime,
            "DATE" => Kind::Date,
            name => Kind::Other(name.to_owned()),
        };
        let kinds = row
            .columns()
            .iter()
            .map(|column| kind(column.type_info().name()))
            .collect();
        Ok(Self { columns, kinds })
    }

    fn take(&self, row: &MySqlRow, intake: &mut Intake) -> Result<(), Stopped> {
        let columns = &self.columns;
        Ok(intake.take(&Row {
            id: self.cell(row, columns.id)?,
            amount: self.cell(row, columns.amount)?,
            in_units: columns.in_units,
            currency: self.cell(row, columns.currency)?,
            status: self.cell(row, columns.status)?,
            created: match columns.created {
                Some(place) => self.cell(row, place)?,
                None => Cell::Null,
            },
        })?)
    }

    fn cell<'a>(&'a self, row: &'a MySqlRow, place: usize) -> sqlx::Result<Cell<'a>> {
        if row.try_get_raw(place)?.is_null() {
            return Ok(Cell::Null);
        }
        Ok(match self.kinds.get(place) {
            Some(Kind::Whole) => Cell::Whole(row.try_get_unchecked::<i64, _>(place)?.into()),
            Some(Kind::Unsigned) => Cell::Whole(row.try_get_unchecked::<u64, _>(place)?.into()),
            Some(Kind::Time) => Cell::Time(row.try_get_unchecked::<DateTime<Utc>, _>(place)?),
            Some(Kind::LocalTime) => {
                Cell::Time(row.try_get_unchecked::<NaiveDateTime, _>(place)?.and_utc())
            }
            Some(Kind::Date) => Cell::Date(row.try_get_unchecked::<NaiveDate, _>(place)?),
            Some(Kind::Other(name)) => Cell::Other(name),
            Some(Kind::Text) | None => row
                .try_get_unchecked::<&str, _>(place)
                .map_or(Cell::Other("no UTF-8"), Cell::Text),
        })
    }
}
