//! Takes the rows of the user's own records, wherever they come from, into the comparison.

use chrono_tz::Tz;

use super::{compare::Comparison, record::Row};
use crate::{
    report::{Cause, Unknown},
    text::thousands,
};

pub(super) struct Intake {
    pub(super) comparison: Comparison,
    pub(super) time_zone: Tz,
    /// How many came so far.
    pub(super) rows: u64,
    most: usize,
}

impl Intake {
    pub(super) fn new(comparison: Comparison, time_zone: Tz, most: usize) -> Self {
        Self {
            comparison,
            time_zone,
            rows: 0,
            most,
        }
    }

    pub(super) fn take(&mut self, row: &Row<'_>) -> Result<(), Unknown> {
        self.rows += 1;
        let record = match row.read(self.time_zone) {
            Ok(record) => record,
            Err(why) => {
                let why = match row.id() {
                    Ok(id) => format!("row {} ({id}): {why}", thousands(self.rows)),
                    Err(_) => format!("row {}: {why}", thousands(self.rows)),
                };
                self.comparison.own_unreadable(row.id().ok(), why);
                return Ok(());
            }
        };
        self.comparison.own(&record).map_err(|_| {
            let reason = format!(
                "your records hold more than {} invoices around the audited days; the rest was not read. Raise `max_records`, or lower `days`, in [checks.payments.audit]",
                thousands(self.most as u64)
            );
            Unknown::new(Cause::Truncated, reason)
        })
    }

    /// Notes a row that has not even its columns.
    pub(super) fn take_broken(&mut self, why: &str) {
        self.rows += 1;
        let why = format!("row {}: {why}", thousands(self.rows));
        self.comparison.own_unreadable(None, why);
    }
}
