//! Whether the section of the configuration makes sense. Pure.

use std::time::Duration;

use anyhow::{bail, ensure};

use super::{Audit, status};
use crate::text::{did_you_mean, one_line};

impl Audit {
    /// What the types can't say. The message names the field.
    pub fn validate(&self) -> anyhow::Result<()> {
        match (&self.query, &self.csv) {
            (Some(_), Some(_)) => bail!("`query` and `csv` are both set; keep one"),
            (None, None) => bail!("neither `query` nor `csv` says where your records are; set one"),
            (Some(query), None) => ensure!(
                reads(query),
                "`query` is one SELECT, which may begin with WITH"
            ),
            (None, Some(path)) => {
                ensure!(!path.as_os_str().is_empty(), "`csv` is the path of a file")
            }
        }
        ensure!(
            (1..=366).contains(&self.days),
            "`days` lies between 1 and 366"
        );
        ensure!(
            self.grace <= Duration::from_secs(86_400),
            "`grace` lies between 0s and 1d"
        );
        ensure!(
            (1..=100_000).contains(&self.max_pages),
            "`max_pages` lies between 1 and 100000"
        );
        ensure!(
            (1..=20_000_000).contains(&self.max_records),
            "`max_records` lies between 1 and 20000000"
        );
        ensure!(self.findings <= 1_000, "`findings` lies between 0 and 1000");
        let limits = Duration::from_secs(1)..=Duration::from_secs(600);
        ensure!(
            limits.contains(&self.query_timeout),
            "`query_timeout` lies between 1s and 10m"
        );
        for (field, words) in [
            ("statuses", self.statuses.values().collect::<Vec<_>>()),
            ("ignored", self.ignored.iter().collect()),
        ] {
            for word in words {
                ensure!(
                    status::STRIPES.contains(&word.as_str()),
                    "`{field}` holds `{}`, which is no status of Stripe's; {}",
                    one_line(word),
                    did_you_mean(word, status::STRIPES.into_iter())
                );
            }
        }
        Ok(())
    }
}

/// Whether it begins as a statement that only reads; the transaction sees to it that it does.
fn reads(query: &str) -> bool {
    let first = query
        .trim_start_matches(|c: char| c.is_whitespace() || c == '(')
        .split(|c: char| !c.is_ascii_alphabetic())
        .next();
    first.is_some_and(|word| ["select", "with", "table"].contains(&word.to_lowercase().as_str()))
}
