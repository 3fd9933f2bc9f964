//! The user's own records in a CSV file with a header row.

use std::{
    fs::File,
    io::{BufReader, ErrorKind},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use csv::{ByteRecord, ReaderBuilder, Trim};
use tokio::{task::spawn_blocking, time::Instant};

use super::{
    intake::Intake,
    period::Period,
    record::{Cell, Columns, Row},
};
use crate::report::{Cause, Unknown};

/// Rows between two looks at the clock.
const STRIDE: u64 = 4096;

const BUFFER: usize = 1 << 18;

/// Reads the file on a thread of its own. The intake is lost only if that thread panics.
pub(super) async fn read(
    path: PathBuf,
    period: Period,
    deadline: Instant,
    mut intake: Intake,
) -> Result<(Intake, Result<(), Unknown>), Unknown> {
    let work = spawn_blocking(move || {
        let outcome = read_file(&path, &period, deadline, &mut intake);
        (intake, outcome)
    });
    work.await.map_err(|_| {
        let reason =
            "reading the CSV file of your records failed within this program; this is a defect";
        Unknown::new(Cause::Panic, reason)
    })
}

fn read_file(
    path: &Path,
    period: &Period,
    deadline: Instant,
    intake: &mut Intake,
) -> Result<(), Unknown> {
    let file = File::open(path).map_err(|error| unopened(path, &error))?;
    let metadata = file.metadata().map_err(|error| unopened(path, &error))?;
    if !metadata.is_file() {
        let reason = format!(
            "`{}` is no file; name one with `csv` in [checks.payments.audit]",
            path.display()
        );
        return Err(Unknown::new(Cause::NotConfigured, reason));
    }
    let written = metadata.modified().ok().map(DateTime::<Utc>::from);
    rows(path, file, deadline, intake)?;
    match written {
        Some(at) if at < period.to => Err(stale(path, at, period)),
        _ => Ok(()),
    }
}

fn rows(path: &Path, file: File, deadline: Instant, intake: &mut Intake) -> Result<(), Unknown> {
    let mut reader = ReaderBuilder::new()
        .trim(Trim::Headers)
        .from_reader(BufReader::with_capacity(BUFFER, file));
    let columns = columns(path, &mut reader)?;
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => take(&record, &columns, intake)?,
            Err(error) => match error.kind() {
                csv::ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => {
                    intake.take_broken(&format!("it has {len} columns instead of {expected_len}"));
                }
                _ => return Err(broken(path, &error, intake.rows)),
            },
        }
        if intake.rows.is_multiple_of(STRIDE) && Instant::now() >= deadline {
            let reason = format!(
                "`{}` could not be read to its end in time, only {} rows; raise `time_limit` in [checks.payments]",
                path.display(),
                intake.rows
            );
            return Err(Unknown::new(Cause::Timeout, reason));
        }
    }
}

fn columns(path: &Path, reader: &mut csv::Reader<BufReader<File>>) -> Result<Columns, Unknown> {
    let header = reader.headers().map_err(|error| broken(path, &error, 0))?;
    Columns::find(header.iter()).map_err(|why| {
        let semicolons = header.len() == 1 && header.iter().any(|name| name.contains(';'));
        let advice = if semicolons {
            ". Separate its columns by commas"
        } else {
            ", by these names in its first row"
        };
        let reason = format!("in `{}`, {why}{advice}", path.display());
        Unknown::new(Cause::NotConfigured, reason)
    })
}

fn take(record: &ByteRecord, columns: &Columns, intake: &mut Intake) -> Result<(), Unknown> {
    let cell = |place: usize| match record.get(place).map(str::from_utf8) {
        None => Cell::Null,
        Some(Ok(text)) => Cell::Text(text),
        Some(Err(_)) => Cell::Other("no UTF-8"),
    };
    intake.take(&Row {
        id: cell(columns.id),
        amount: cell(columns.amount),
        in_units: columns.in_units,
        currency: cell(columns.currency),
        status: cell(columns.status),
        created: columns.created.map_or(Cell::Null, cell),
    })
}

fn unopened(path: &Path, error: &std::io::Error) -> Unknown {
    let (cause, advice) = match error.kind() {
        ErrorKind::NotFound => (
            Cause::NotFound,
            "see whether the export ran, and `csv` in [checks.payments.audit]",
        ),
        ErrorKind::PermissionDenied => (
            Cause::Forbidden,
            "let the user that Daily Ops runs as read it",
        ),
        _ => (Cause::Store, "see whether its disk is well"),
    };
    let reason = format!(
        "your records in `{}` can't be opened ({}); {advice}",
        path.display(),
        error.kind()
    );
    Unknown::new(cause, reason)
}

fn broken(path: &Path, error: &csv::Error, rows: u64) -> Unknown {
    let what = match error.kind() {
        csv::ErrorKind::Io(error) => error.kind().to_string(),
        csv::ErrorKind::Utf8 { .. } => "its first row is no UTF-8".to_owned(),
        _ => "it is no CSV".to_owned(),
    };
    let reason = format!(
        "reading `{}` stopped after {rows} rows ({what}); export it anew",
        path.display()
    );
    Unknown::new(Cause::Store, reason)
}

fn stale(path: &Path, at: DateTime<Utc>, period: &Period) -> Unknown {
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC");
    let reason = format!(
        "`{}` was last written {}, before the audited days ended ({}), so nothing can be called missing in it; see whether the export runs",
        path.display(),
        time(at),
        time(period.to)
    );
    Unknown::new(Cause::Truncated, reason)
}
