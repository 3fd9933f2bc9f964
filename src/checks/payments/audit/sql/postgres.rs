//! Rows out of PostgreSQL, by its binary formats.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, Row as _, TypeInfo, ValueRef,
    postgres::{PgConnectOptions, PgConnection, PgRow, PgTypeInfo, PgTypeKind, PgValueFormat},
};

use super::{
    Question, Stopped, no_url, promptly,
    rows::{Given, Kind, take_all},
};
use crate::checks::payments::audit::{intake::Intake, record::Cell};

pub(super) async fn read(question: &Question<'_>, intake: &mut Intake) -> Result<(), Stopped> {
    let options: PgConnectOptions = question.url.parse().map_err(|_| no_url())?;
    let options = options
        .application_name("daily-ops audit")
        .disable_statement_logging();
    let mut connection = promptly(PgConnection::connect_with(&options)).await?;
    let mut transaction = connection.begin_with("BEGIN READ ONLY").await?;
    let milliseconds = question.limit.as_millis();
    let limit = format!("SET LOCAL statement_timeout = {milliseconds}");
    transaction.execute(AssertSqlSafe(limit)).await?;
    transaction.execute("SET LOCAL TimeZone = 'UTC'").await?;
    let (from, to) = question.period.here();
    // Prepared by name: sqlx looks types up in between, with the unnamed statement.
    let query = sqlx::query(AssertSqlSafe(question.sql)).bind(from).bind(to);
    take_all(query.fetch(&mut *transaction), intake).await?;
    transaction.rollback().await?;
    Ok(())
}

impl Given for PgRow {
    fn kind(of: &PgTypeInfo) -> Kind {
        match of.name() {
            "INT2" | "INT4" | "INT8" => Kind::Whole,
            "NUMERIC" => Kind::Numeric,
            "TEXT" | "VARCHAR" | "CHAR" | "BPCHAR" | "NAME" | "UNKNOWN" => Kind::Text,
            "TIMESTAMPTZ" => Kind::Time,
            "TIMESTAMP" => Kind::LocalTime,
            "DATE" => Kind::Date,
            name if name.eq_ignore_ascii_case("citext") => Kind::Text,
            _ if matches!(of.kind(), PgTypeKind::Enum(_)) => Kind::Text,
            name => Kind::Other(name.to_owned()),
        }
    }

    fn cell<'a>(
        &'a self,
        place: usize,
        kind: &'a Kind,
        number: &'a mut String,
    ) -> sqlx::Result<Cell<'a>> {
        let value = self.try_get_raw(place)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        let binary = matches!(value.format(), PgValueFormat::Binary);
        let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
        Ok(match kind {
            Kind::Whole if binary => Cell::Whole(whole(bytes)),
            Kind::Numeric if binary => match numeric(bytes) {
                Some(digits) => {
                    *number = digits;
                    Cell::Text(number)
                }
                None => Cell::Other("NUMERIC without a finite value"),
            },
            Kind::Time => Cell::Time(self.try_get_unchecked::<DateTime<Utc>, _>(place)?),
            Kind::LocalTime => {
                Cell::Time(self.try_get_unchecked::<NaiveDateTime, _>(place)?.and_utc())
            }
            Kind::Date => Cell::Date(self.try_get_unchecked::<NaiveDate, _>(place)?),
            Kind::Other(name) => Cell::Other(name),
            Kind::Whole | Kind::Unsigned | Kind::Numeric | Kind::Text => {
                str::from_utf8(bytes).map_or(Cell::Other("no UTF-8"), Cell::Text)
            }
        })
    }
}

/// Big-endian, of two, four or eight bytes.
fn whole(bytes: &[u8]) -> i128 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes
        .iter()
        .take(8)
        .fold(start, |number, byte| (number << 8) | i128::from(*byte))
}

/// A finite NUMERIC as its digits: a count of digits of base 10,000, the weight of the first one, a sign and a scale, then
/// those digits, of 16 bits each (PostgreSQL's `numeric_send`).
fn numeric(bytes: &[u8]) -> Option<String> {
    const NEGATIVE: u16 = 0x4000;
    let mut words = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let (_, weight, sign, scale) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let weight = i32::from(weight.cast_signed());
    if sign != 0 && sign != NEGATIVE {
        return None;
    }
    let digits: Vec<u16> = words.collect();
    let digit = |place: i32| {
        let found = usize::try_from(place)
            .ok()
            .and_then(|place| digits.get(place));
        found.copied().unwrap_or(0)
    };
    let mut text = String::from(if sign == NEGATIVE { "-" } else { "" });
    text.push_str(&digit(if weight < 0 { -1 } else { 0 }).to_string());
    for place in 1..=weight {
        text.push_str(&format!("{:04}", digit(place)));
    }
    let places = i32::from(scale.div_ceil(4));
    let fraction: String = (1..=places)
        .map(|place| format!("{:04}", digit(weight + place)))
        .collect();
    if let Some(fraction) = fraction.get(..usize::from(scale)).filter(|_| scale > 0) {
        text.push('.');
        text.push_str(fraction);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(words: &[u16]) -> Option<String> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        numeric(&bytes)
    }

    #[test]
    fn a_numeric_reads_as_its_digits() {
        // As PostgreSQL 15 sends 1250, 1234567.5, -0.05, 0, 10000.00, 0.00001234, NaN.
        for (words, text) in [
            (&[1, 0, 0, 0, 1250][..], Some("1250")),
            (&[3, 1, 0, 1, 123, 4567, 5000], Some("1234567.5")),
            (&[1, 0xffff, 0x4000, 2, 500], Some("-0.05")),
            (&[0, 0, 0, 0], Some("0")),
            (&[1, 1, 0, 2, 1], Some("10000.00")),
            (&[1, 0xfffe, 0, 8, 1234], Some("0.00001234")),
            (&[0, 0, 0xc000, 0], None),
            (&[1, 0], None),
        ] {
            assert_eq!(sent(words).as_deref(), text, "{words:?}");
        }
    }

    #[test]
    fn a_whole_number_keeps_its_sign() {
        assert_eq!(whole(&(-5_i16).to_be_bytes()), -5);
        assert_eq!(whole(&i32::MIN.to_be_bytes()), i128::from(i32::MIN));
        assert_eq!(whole(&i64::MAX.to_be_bytes()), i128::from(i64::MAX));
    }
}
