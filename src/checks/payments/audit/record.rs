//! One row of the user's own records, read leniently and exactly: what a row doesn't say clearly isn't guessed.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::period::first_moment;
use crate::{
    checks::payments::money::{Currency, Money},
    text::{cut, one_line},
};

/// Bytes that an invoice's id may have.
const LONGEST_ID: usize = 255;

/// A number of seconds beyond this is one of milliseconds.
const MOST_SECONDS: i128 = 100_000_000_000;

/// A value as the source has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Whole(i128),
    Time(DateTime<Utc>),
    Date(NaiveDate),
    /// Of a type, by its name in the source, that can't be read exactly.
    Other(&'a str),
}

/// Where the columns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) id: usize,
    pub(super) amount: usize,
    /// Whether amounts are in units, such as 12.50, rather than minor units.
    pub(super) in_units: bool,
    pub(super) currency: usize,
    pub(super) status: usize,
    pub(super) created: Option<usize>,
}

impl Columns {
    /// By their names; what is missing or ambiguous is named.
    pub(super) fn find<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Result<Self, String> {
        let place = |wanted: &str| {
            let same = |name: &&str| name.trim().eq_ignore_ascii_case(wanted);
            match names.clone().filter(same).count() {
                2.. => Err(format!("there are two columns `{wanted}`")),
                _ => Ok(names.clone().position(|name| same(&name))),
            }
        };
        let needed = |wanted: &str| {
            place(wanted)?.ok_or_else(|| {
                let there: Vec<String> =
                    names.clone().map(|name| cut(&one_line(name), 40)).collect();
                format!(
                    "there is no column `{wanted}`, only `{}`; it needs id, amount (or amount_decimal), currency and status",
                    there.join("`, `")
                )
            })
        };
        let (amount, in_units) = match (place("amount")?, place("amount_decimal")?) {
            (Some(_), Some(_)) => {
                return Err("there are both `amount` and `amount_decimal`; keep one".to_owned());
            }
            (None, Some(place)) => (place, true),
            _ => (needed("amount")?, false),
        };
        Ok(Self {
            id: needed("id")?,
            amount,
            in_units,
            currency: needed("currency")?,
            status: needed("status")?,
            created: place("created")?,
        })
    }
}

/// One of the user's own records of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnRecord<'a> {
    /// Stripe's.
    pub id: &'a str,
    /// In minor units.
    pub amount: i64,
    pub currency: Currency,
    /// In the user's own words.
    pub status: &'a str,
    /// None: as old as it has to be.
    pub created: Option<DateTime<Utc>>,
}

/// A row as its cells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) id: Cell<'a>,
    pub(super) amount: Cell<'a>,
    pub(super) in_units: bool,
    pub(super) currency: Cell<'a>,
    pub(super) status: Cell<'a>,
    pub(super) created: Cell<'a>,
}

impl<'a> Row<'a> {
    /// Dates are days of that time zone; times that name none are in UTC.
    pub(super) fn read(&self, time_zone: Tz) -> Result<OwnRecord<'a>, String> {
        let currency = word("currency", self.currency)?;
        let currency: Currency = currency
            .parse()
            .map_err(|no| format!("`currency` is {}: {no}", shown(self.currency)))?;
        Ok(OwnRecord {
            id: self.id()?,
            amount: amount(self.amount, self.in_units, currency)?,
            currency,
            status: word("status", self.status)?,
            created: created(self.created, time_zone)?,
        })
    }

    /// The id alone, for a row whose rest can't be read.
    pub(super) fn id(&self) -> Result<&'a str, String> {
        let id = word("id", self.id)?;
        if id.len() > LONGEST_ID {
            return Err(format!("`id` is longer than {LONGEST_ID} bytes"));
        }
        Ok(id)
    }
}

fn word<'a>(column: &str, cell: Cell<'a>) -> Result<&'a str, String> {
    match cell {
        Cell::Text(text) if !text.trim().is_empty() => Ok(text.trim()),
        _ => Err(format!("`{column}` is {}, no text", shown(cell))),
    }
}

fn amount(cell: Cell<'_>, in_units: bool, currency: Currency) -> Result<i64, String> {
    let minor = match (cell, in_units) {
        (Cell::Whole(minor), false) => Some(minor),
        (Cell::Text(text), false) => whole(text),
        (Cell::Whole(units), true) => units_of(&units.to_string(), currency),
        (Cell::Text(text), true) => units_of(text, currency),
        _ => None,
    };
    minor
        .and_then(|minor| i64::try_from(minor).ok())
        .ok_or_else(|| {
            if in_units {
                format!(
                    "`amount_decimal` is {}, no exact amount of {currency}",
                    shown(cell)
                )
            } else {
                format!(
                    "`amount` is {}, no whole number of minor units; name the column `amount_decimal` if it holds units",
                    shown(cell)
                )
            }
        })
}

fn units_of(text: &str, currency: Currency) -> Option<i128> {
    Money::of_units(text, currency)
        .ok()
        .map(|money| money.minor)
}

/// "1250", and "1250.00" as a NUMERIC may come.
fn whole(text: &str) -> Option<i128> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_whole = !fraction.is_empty() && fraction.bytes().all(|b| b == b'0');
    is_whole.then(|| i128::from_str(whole).ok()).flatten()
}

fn created(cell: Cell<'_>, time_zone: Tz) -> Result<Option<DateTime<Utc>>, String> {
    let at = match cell {
        Cell::Null => return Ok(None),
        Cell::Time(at) => Some(at),
        Cell::Date(date) => Some(first_moment(date, time_zone)),
        Cell::Whole(seconds) => epoch(seconds),
        Cell::Text(text) if text.trim().is_empty() => return Ok(None),
        Cell::Text(text) => time(text.trim(), time_zone),
        Cell::Other(_) => None,
    };
    at.map(Some).ok_or_else(|| {
        format!(
            "`created` is {}, no time such as 2026-11-22T09:00:00Z",
            shown(cell)
        )
    })
}

fn epoch(number: i128) -> Option<DateTime<Utc>> {
    let milliseconds = if number.abs() > MOST_SECONDS {
        number
    } else {
        number * 1000
    };
    DateTime::from_timestamp_millis(i64::try_from(milliseconds).ok()?)
}

fn time(text: &str, time_zone: Tz) -> Option<DateTime<Utc>> {
    const NAIVE: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    if let Ok(number) = text.parse() {
        return epoch(number);
    }
    if let Ok(date) = NaiveDate::from_str(text) {
        return Some(first_moment(date, time_zone));
    }
    let naive = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .map(|at| at.to_utc())
        .ok()
        .or_else(|| Some(NAIVE.iter().find_map(naive)?.and_utc()))
}

fn shown(cell: Cell<'_>) -> String {
    match cell {
        Cell::Null => "empty".to_owned(),
        Cell::Text(text) if text.trim().is_empty() => "empty".to_owned(),
        Cell::Text(text) => format!("`{}`", cut(&one_line(text), 40)),
        Cell::Whole(number) => format!("`{number}`"),
        Cell::Time(at) => format!("the time {}", at.to_rfc3339()),
        Cell::Date(date) => format!("the date {date}"),
        Cell::Other(kind) => format!("of type {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row<'_> = Row {
        id: Cell::Text(" in_1 "),
        amount: Cell::Whole(1250),
        in_units: false,
        currency: Cell::Text("EUR"),
        status: Cell::Text("paid"),
        created: Cell::Null,
    };

    fn minor(amount: Cell<'_>, in_units: bool, currency: &str) -> Result<i64, String> {
        let row = Row {
            amount,
            in_units,
            currency: Cell::Text(currency),
            ..ROW
        };
        row.read(Tz::UTC).map(|record| record.amount)
    }

    #[test]
    fn an_amount_is_exact_whatever_its_type() {
        for (cell, in_units, currency, expected) in [
            (Cell::Whole(-5), false, "eur", -5),
            (Cell::Text(" 1250 "), false, "eur", 1250),
            (Cell::Text("+1250.0000"), false, "eur", 1250),
            (Cell::Text("12.5"), true, "eur", 1250),
            (Cell::Whole(12), true, "eur", 1200),
            (Cell::Text("1250"), true, "jpy", 1250),
            (Cell::Text("1.250"), true, "kwd", 1250),
            (
                Cell::Text("9007199254740993"),
                false,
                "eur",
                9_007_199_254_740_993,
            ),
        ] {
            assert_eq!(minor(cell, in_units, currency), Ok(expected), "{cell:?}");
        }
    }

    #[test]
    fn what_is_no_exact_amount_is_not_guessed() {
        for (cell, in_units) in [
            (Cell::Text("12.5"), false),
            (Cell::Text("1e3"), false),
            (Cell::Text("1250."), false),
            (Cell::Text(""), false),
            (Cell::Null, false),
            (Cell::Other("FLOAT8"), false),
            (Cell::Whole(i128::from(i64::MAX) + 1), false),
            (Cell::Text("12.505"), true),
            (Cell::Other("DOUBLE"), true),
        ] {
            let why = minor(cell, in_units, "eur").unwrap_err();
            assert!(why.starts_with("`amount"), "{cell:?}: {why}");
        }
        let why = minor(Cell::Whole(1), false, "euro").unwrap_err();
        assert_eq!(
            why,
            "`currency` is `euro`: a currency has three letters, such as EUR"
        );
    }

    #[test]
    fn a_time_may_be_written_in_many_ways() {
        let nine: DateTime<Utc> = "2026-11-22T09:00:00Z".parse().unwrap();
        for text in [
            "2026-11-22T09:00:00Z",
            "2026-11-22T10:00:00+01:00",
            "2026-11-22 09:00:00",
            "2026-11-22 09:00:00+00",
            "2026-11-22T09:00:00.000",
            "1795338000",
            "1795338000000",
        ] {
            assert_eq!(created(Cell::Text(text), Tz::UTC), Ok(Some(nine)), "{text}");
        }
        let berlin = created(Cell::Text("2026-11-22"), Tz::Europe__Berlin);
        assert_eq!(berlin, Ok(Some("2026-11-21T23:00:00Z".parse().unwrap())));
        assert!(created(Cell::Text("yesterday"), Tz::UTC).is_err());
        assert_eq!(created(Cell::Text(" "), Tz::UTC), Ok(None));
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let names = ["status", "Amount_Decimal", "x", "ID", "currency"];
        let columns = Columns::find(names.into_iter()).unwrap();
        assert_eq!(
            (
                columns.id,
                columns.amount,
                columns.in_units,
                columns.created
            ),
            (3, 1, true, None)
        );
        for (names, said) in [
            (
                &["id", "currency", "status"][..],
                "no column `amount`, only `id`, `currency`, `status`",
            ),
            (
                &["id", "id", "amount", "currency", "status"],
                "two columns `id`",
            ),
            (
                &["id", "amount", "amount_decimal", "currency", "status"],
                "both `amount` and",
            ),
        ] {
            let why = Columns::find(names.iter().copied()).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
    }
}
