//! One walk through the checklist: look, judge, record; only then is anything shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};

use super::{Bot, log_check, outcomes, tickets};
use crate::{
    baseline::Baselines,
    checks::{Around, Earlier, Progress},
    effects::{Attempt, deliver_due},
    ops_log::{Entry, Head, Kind, NewEntry},
    render,
    report::{Cause, CheckReport, FindingKey, Outcome, Report, RunId, Unknown},
    store::{Effect, NewRun, Remembered, RoundClaim},
    ticket::{self, Tickets},
    triage::{Memory, Past, Person, Previous, Triaged, is_settled, remember, settle, triage},
};

/// How far the log's file may be behind those who record at this moment.
const FOLLOWS: Duration = Duration::from_millis(100);

/// A round that has been recorded.
pub struct Round {
    pub triaged: Triaged,
    pub tickets: Tickets,
    /// The ops log's head, with the round's own entry.
    pub head: Head,
    /// Why the Markdown file could not be brought up to date, if it couldn't.
    pub file: anyhow::Result<()>,
}

impl Bot {
    /// Runs all checks, or only those, and records the result. `finished` hears of each check as it ends. What earlier
    /// decisions still owe the other side goes first, so that the look sees it.
    pub async fn round(
        &self,
        only: Option<&[String]>,
        progress: &BTreeMap<&'static str, Progress>,
        by: &Person,
        claim: Option<RoundClaim>,
        finished: impl FnMut(&CheckReport),
    ) -> anyhow::Result<Round> {
        self.look(only, None, progress, by, claim, finished).await
    }

    /// As [`Bot::round`], but each of these checks looks only for what has happened since then, if it can.
    pub async fn glance(
        &self,
        only: &[String],
        since: DateTime<Utc>,
        progress: &BTreeMap<&'static str, Progress>,
        by: &Person,
        finished: impl FnMut(&CheckReport),
    ) -> anyhow::Result<Round> {
        self.look(Some(only), Some(since), progress, by, None, finished)
            .await
    }

    async fn look(
        &self,
        only: Option<&[String]>,
        since: Option<DateTime<Utc>>,
        progress: &BTreeMap<&'static str, Progress>,
        by: &Person,
        claim: Option<RoundClaim>,
        mut finished: impl FnMut(&CheckReport),
    ) -> anyhow::Result<Round> {
        let started_at = (self.clock)();
        let attempts = deliver_due(&self.store, self.sides(), &self.clock).await;
        let (around, mut unread) = self.around(since, started_at).await;
        let earlier = self.earlier(started_at).await;
        let around = Around {
            earlier: earlier.as_ref().cloned().unwrap_or_default(),
            ..around
        };
        let (mut checks, memory, tickets, log) = tokio::join!(
            self.checklist.run(only, progress, &around, &mut finished),
            self.store.memory(),
            self.look_at_own(only, since),
            self.look_at_log(only, &attempts),
        );
        let (tickets, closed) = tickets;
        if let Err(error) = earlier {
            checks.iter_mut().for_each(forget);
            unread = unread.or(Some(error));
        }
        checks.extend(tickets);
        checks.extend(log);
        let mut report = Report {
            run: RunId::of(started_at),
            started_at,
            finished_at: (self.clock)(),
            checks,
        };
        if let Some(error) = unread {
            read::<()>(Err(error), &mut report);
        }
        let remembers = memory.is_ok();
        let past = self.past(memory, &mut report).await;
        settle(&mut report, &past);
        let decided = match &past.previous {
            Some(previous) => self.store.decisions_since(previous.started_at).await?,
            None => 0,
        };
        let mut triaged = triage(report, &past);
        let after = remembers.then(|| remember(&past.memory, &triaged.report));
        let new = NewRun {
            entry: entry_of(&triaged, by, decided),
            verdict: triaged.verdict(),
            after,
            before: Remembered {
                memory: past.memory,
                previous: past.previous,
            },
            report: triaged.report.clone(),
            claim,
        };
        let entry = self.store.record_run(new).await?;

        measure(&triaged.report);
        if !triaged.gone.is_empty() {
            // Messages that still show it are to follow.
            if let Err(error) = self.store.refresh_messages().await {
                tracing::warn!("messages still show what is gone: {error:#}");
            }
            self.wake.messages.notify_one();
        }
        let mut head = entry.head();
        let run = triaged.report.run.clone();
        // A look at what is new reads no tickets back, so that how they stand is not known.
        let brought_back = match since {
            Some(_) => Vec::new(),
            None => self.bring_back(&triaged, &run).await?,
        };
        if let Some(last) = brought_back.last() {
            head = last.head();
            let attempts = deliver_due(&self.store, self.sides(), &self.clock).await?;
            let judged = self.judged(&run).await?;
            triaged = judged.map_or(triaged, |judged| judged.triaged);
            self.projection.add(&entries_of(attempts));
        }
        let keys = triaged.rows().map(|row| &row.finding.key);
        let tickets = self.store.tickets_of(keys).await?;
        let delivered = entries_of(attempts.unwrap_or_default());
        let entries: Vec<Entry> = delivered
            .into_iter()
            .chain(closed)
            .chain([entry])
            .chain(brought_back)
            .collect();
        let file = self.project(&entries).await;
        Ok(Round {
            triaged,
            tickets,
            head,
            file,
        })
    }

    /// What the checks are told, and why they are not told what they counted before.
    async fn around(
        &self,
        since: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> (Around, Option<anyhow::Error>) {
        let zone = self.schedule.time_zone;
        let today = now.with_timezone(&zone).date_naive();
        let (measures, unread) = match self.store.measures(today).await {
            Ok(measures) => (measures, None),
            Err(error) => (BTreeMap::new(), Some(error)),
        };
        let baselines = self.checklist.names().map(|name| {
            let measures = measures.get(name).cloned().unwrap_or_default();
            (name.to_owned(), Arc::new(Baselines::new(zone, measures)))
        });
        let around = Around {
            baselines: baselines.collect(),
            since,
            ..Around::new(&self.clock)
        };
        (around, unread)
    }

    /// What the rounds before left open, by check.
    async fn earlier(
        &self,
        now: DateTime<Utc>,
    ) -> anyhow::Result<BTreeMap<String, Arc<Vec<Earlier>>>> {
        let past = self.judged_against(self.store.memory().await?).await?;
        let mut earlier: BTreeMap<String, Vec<Earlier>> = BTreeMap::new();
        for known in past.memory.values() {
            let of_check = earlier.entry(known.finding.key.check().to_owned());
            of_check.or_default().push(Earlier {
                finding: known.finding.clone(),
                is_settled: is_settled(known, &past, now),
            });
        }
        let shared = |(check, earlier)| (check, Arc::new(earlier));
        Ok(earlier.into_iter().map(shared).collect())
    }

    /// What has been decided about what is remembered.
    async fn judged_against(&self, memory: Memory) -> anyhow::Result<Past> {
        let open = self.store.open_effects().await?;
        Ok(Past {
            history: self.store.decisions(memory.keys()).await?,
            tickets_closed: ticket::closed(&self.store.tickets_of(memory.keys()).await?),
            in_doubt: in_doubt(&open),
            undelivered: owed(open),
            memory,
            ..Past::default()
        })
    }

    /// Reads the tickets of the checks that look back as well; of them alone, what is said is only what is not known.
    async fn look_at_own(
        &self,
        only: Option<&[String]>,
        since: Option<DateTime<Utc>>,
    ) -> (Option<CheckReport>, Vec<Entry>) {
        if since.is_some() {
            return (None, Vec::new());
        }
        let only = only.filter(|names| names.iter().all(|name| name != tickets::NAME));
        let (report, entries) = self.look_at_tickets(only).await.unzip();
        let is_said =
            |report: &CheckReport| only.is_none() || matches!(report.outcome, Outcome::Unknown(_));
        (report.filter(is_said), entries.unwrap_or_default())
    }

    async fn look_at_log(
        &self,
        only: Option<&[String]>,
        attempts: &anyhow::Result<Vec<Attempt>>,
    ) -> Option<CheckReport> {
        if only.is_some_and(|names| names.iter().all(|name| name != log_check::NAME)) {
            return None;
        }
        let started = Instant::now();
        let mut seen = log_check::observe(
            &self.store,
            &self.log_path,
            &self.schedule,
            attempts,
            (self.clock)(),
        )
        .await;
        // While the bot serves, others record things at the same moment, and the file follows a little later.
        if let Ok(Some(_)) = seen.file {
            self.project_waiting().await.ok();
            sleep(FOLLOWS).await;
            self.project_waiting().await.ok();
            seen.file = log_check::departs(&self.store, &self.log_path).await;
        }
        Some(log_check::report(
            seen,
            started.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
        ))
    }

    /// What the report is judged against; the round before is the last one that ran the last of these checks. What can't
    /// be read of it makes that check unknown: then more needs a person, and nothing less.
    async fn past(&self, memory: anyhow::Result<Memory>, report: &mut Report) -> Past {
        let memory = read(memory, report);
        let findings = report.checks.iter().flat_map(|check| &check.findings);
        let keys: BTreeSet<&FindingKey> = findings
            .map(|finding| &finding.key)
            .chain(memory.keys())
            .collect();
        let history = self.store.decisions(keys.iter().copied()).await;
        let tickets = self.store.tickets_of(keys.iter().copied()).await;
        let effects = self.store.effects_of(keys).await;
        let undelivered = self.store.open_effects().await;
        let previous = match report.checks.last() {
            Some(check) => self.store.last_run_of(&check.name).await,
            None => Ok(None),
        };
        let open = read(undelivered, report);
        let effects = read(effects, report);
        Past {
            memory,
            history: read(history, report),
            tickets_closed: ticket::closed(&read(tickets, report)),
            in_doubt: in_doubt(&open),
            asked: outcomes::asked(&effects),
            failed: outcomes::failed(&effects),
            undelivered: owed(open),
            previous: read(previous, report).map(|run| Previous {
                run: run.run,
                started_at: run.started_at,
            }),
        }
    }
}

/// A check that wasn't told what it left open has not looked for what is older than it looks back.
fn forget(check: &mut CheckReport) {
    if check.outcome == Outcome::Off {
        return;
    }
    check.unseen = None;
    note(
        check,
        "what earlier rounds left open could not be read, so that something older may be missing here; see ops-log",
    );
}

/// The round's line in the ops log.
fn entry_of(triaged: &Triaged, by: &Person, decided: u64) -> NewEntry {
    let report = &triaged.report;
    let checks = report.checks.iter().map(|check| check.name.clone());
    NewEntry {
        at: report.finished_at,
        kind: Kind::Round,
        subject: report.run.to_string(),
        by: by.clone(),
        text: render::log_line(triaged, decided),
        checks: checks.collect(),
    }
}

/// Decisions whose order has been tried and is not done.
pub(super) fn in_doubt<'a>(
    effects: impl IntoIterator<Item = &'a Effect>,
) -> BTreeSet<(FindingKey, i64)> {
    let tried = |effect: &&Effect| effect.is_open() && effect.last_error.is_some();
    let tried = effects.into_iter().filter(tried);
    tried
        .map(|effect| (effect.key.clone(), effect.version))
        .collect()
}

fn owed(open: Vec<Effect>) -> BTreeSet<(FindingKey, i64)> {
    let decisions = open.into_iter().map(|effect| (effect.key, effect.version));
    decisions.collect()
}

fn entries_of(attempts: Vec<Attempt>) -> Vec<Entry> {
    let entries = attempts.into_iter().flat_map(|attempt| attempt.entries);
    entries.collect()
}

fn measure(report: &Report) {
    let took = report.finished_at - report.started_at;
    let took = took.to_std().unwrap_or_default();
    metrics::histogram!("daily_ops_run_seconds").record(took);
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are few")]
    let finished = report.finished_at.timestamp() as f64;
    metrics::gauge!("daily_ops_last_run_timestamp_seconds").set(finished);
    for check in &report.checks {
        let outcome = match check.outcome {
            Outcome::Looked => "looked",
            Outcome::Unknown(_) => "unknown",
            Outcome::Off => "off",
        };
        let check = check.name.clone();
        metrics::counter!("daily_ops_check_outcomes_total", "check" => check, "outcome" => outcome)
            .increment(1);
    }
}

/// What was read, or nothing, and then the last check of the report says why.
fn read<T: Default>(read: anyhow::Result<T>, report: &mut Report) -> T {
    read.unwrap_or_else(|error| {
        if let Some(check) = report.checks.last_mut() {
            note(
                check,
                &format!("{error:#}; restore the database from a backup"),
            );
        }
        T::default()
    })
}

/// Makes a check unknown, for a reason of our own.
fn note(check: &mut CheckReport, why: &str) {
    let why = Unknown::new(Cause::Store, why);
    match &mut check.outcome {
        Outcome::Unknown(reasons) if reasons.contains(&why) => {}
        Outcome::Unknown(reasons) => reasons.push(why),
        outcome => *outcome = Outcome::Unknown(vec![why]),
    }
}
