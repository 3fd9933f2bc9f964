//! One walk through the checklist: look, judge, record; only then is anything shown.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{Bot, log_check};
use crate::{
    checks::Progress,
    effects::deliver_due,
    ops_log::{Entry, Head, Kind, NewEntry},
    render,
    report::{CheckReport, Report, RunId},
    store::Filter,
    triage::{Person, Previous, Triaged, remember, triage},
};

/// A round that has been recorded.
pub struct Round {
    pub triaged: Triaged,
    /// The ops log's head, with the round's own entry.
    pub head: Head,
    /// Why the Markdown file could not be brought up to date, if it couldn't.
    pub file: anyhow::Result<()>,
}

impl Bot {
    /// Runs all checks, or only those, and records the result. `finished` hears of each check as it ends.
    pub async fn round(
        &self,
        only: Option<&[String]>,
        progress: &BTreeMap<&'static str, Progress>,
        by: &Person,
        mut finished: impl FnMut(&CheckReport),
    ) -> anyhow::Result<Round> {
        let started_at = (self.clock)();
        let wants_log = only.is_none_or(|names| names.iter().any(|name| name == log_check::NAME));
        let last = self.store.last_run().await?;
        let looking_back = async {
            let attempts = deliver_due(&self.store, &self.checklist, &self.clock).await?;
            let memory = self.store.memory().await?;
            let started = Instant::now();
            let log = if wants_log {
                let seen = log_check::observe(
                    &self.store,
                    &self.log_path,
                    &self.schedule,
                    last.as_ref().map(|run| run.started_at),
                    started_at,
                )
                .await;
                Some(log_check::report(
                    seen,
                    started.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
                ))
            } else {
                None
            };
            let decided = match &last {
                Some(run) => self
                    .store
                    .entries(&decisions_since(run.started_at))
                    .await?
                    .len(),
                None => 0,
            };
            anyhow::Ok((attempts, memory, log, decided))
        };
        let (mut checks, looked_back) = tokio::join!(
            self.checklist
                .run(only, progress, &self.clock, &mut finished),
            looking_back
        );
        let (attempts, memory, log, decided) = looked_back?;
        checks.extend(log);

        let report = Report {
            run: RunId::of(started_at),
            started_at,
            finished_at: (self.clock)(),
            checks,
        };
        let after = remember(&memory, &report);
        let history = self
            .store
            .decisions(
                report
                    .checks
                    .iter()
                    .flat_map(|check| &check.findings)
                    .map(|finding| &finding.key),
            )
            .await?;
        let previous = last.map(|run| Previous {
            run: run.run,
            started_at: run.started_at,
        });
        let triaged = triage(report, &memory, &history, previous);
        let entry = NewEntry {
            at: triaged.report.finished_at,
            kind: Kind::Round,
            subject: triaged.report.run.to_string(),
            by: by.clone(),
            text: render::log_line(&triaged, decided),
            checks: triaged
                .report
                .checks
                .iter()
                .map(|check| check.name.clone())
                .collect(),
        };
        let entry = self
            .store
            .record_run(&triaged.report, triaged.verdict(), &after, entry)
            .await?;
        let head = Head {
            seq: entry.seq,
            hash: entry.hash,
        };
        let entries: Vec<Entry> = attempts
            .into_iter()
            .flat_map(|attempt| attempt.entries)
            .chain([entry])
            .collect();
        let file = self.project(&entries).await;
        Ok(Round {
            triaged,
            head,
            file,
        })
    }
}

fn decisions_since(from: DateTime<Utc>) -> Filter {
    Filter {
        kinds: vec![Kind::Decision],
        from: Some(from),
        ..Filter::default()
    }
}
