//! Rows as a database gives them, turned into records one by one.

use std::pin::pin;

use futures_util::{Stream, TryStreamExt};
use sqlx::{Column as _, Database};

use super::{Stopped, no_columns};
use crate::checks::payments::audit::{
    intake::Intake,
    record::{Cell, Columns, Row},
};

/// What a column holds, as far as the audit can read it.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Whole,
    Unsigned,
    Numeric,
    Text,
    Time,
    LocalTime,
    Date,
    /// By the name that the database has for it.
    Other(String),
}

/// A row of one kind of database.
pub(super) trait Given: sqlx::Row {
    fn kind(of: &<Self::Database as Database>::TypeInfo) -> Kind;

    /// What stands there; `number` has room for digits that the row itself doesn't hold as text.
    fn cell<'a>(
        &'a self,
        place: usize,
        kind: &'a Kind,
        number: &'a mut String,
    ) -> sqlx::Result<Cell<'a>>;
}

/// Takes the rows in as they arrive.
pub(super) async fn take_all<R: Given>(
    rows: impl Stream<Item = sqlx::Result<R>>,
    intake: &mut Intake,
) -> Result<(), Stopped> {
    let mut rows = pin!(rows);
    let mut shape = None;
    while let Some(row) = rows.try_next().await? {
        let shape = match &shape {
            Some(shape) => shape,
            None => shape.insert(Shape::of(&row)?),
        };
        shape.take(&row, intake)?;
    }
    Ok(())
}

/// What the columns are, which holds for every row.
struct Shape {
    columns: Columns,
    kinds: Vec<Kind>,
}

impl Shape {
    fn of<R: Given>(row: &R) -> Result<Self, Stopped> {
        let columns = row.columns().iter();
        let names = columns.clone().map(sqlx::Column::name);
        Ok(Self {
            columns: Columns::find(names).map_err(|why| no_columns(&why))?,
            kinds: columns.map(|column| R::kind(column.type_info())).collect(),
        })
    }

    fn take<R: Given>(&self, row: &R, intake: &mut Intake) -> Result<(), Stopped> {
        let mut numbers: [String; 5] = Default::default();
        let [id, amount, currency, status, created] = &mut numbers;
        let columns = &self.columns;
        Ok(intake.take(&Row {
            id: self.cell(row, columns.id, id)?,
            amount: self.cell(row, columns.amount, amount)?,
            in_units: columns.in_units,
            currency: self.cell(row, columns.currency, currency)?,
            status: self.cell(row, columns.status, status)?,
            created: match columns.created {
                Some(place) => self.cell(row, place, created)?,
                None => Cell::Null,
            },
        })?)
    }

    fn cell<'a, R: Given>(
        &'a self,
        row: &'a R,
        place: usize,
        number: &'a mut String,
    ) -> sqlx::Result<Cell<'a>> {
        let kind = self.kinds.get(place).unwrap_or(&Kind::Text);
        row.cell(place, kind, number)
    }
}
