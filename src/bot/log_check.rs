//! The last item of the checklist: the ops log itself. It needs the store, so the bot looks at it and not a client.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    effects::{Attempt, Delivery},
    ops_log::{self, Flaw, tail_differs},
    report::{Cause, CheckReport, Finding, FindingKey, Outcome, Severity, Unknown},
    schedule::Schedule,
    store::{Direction, Effect, EffectState, Filter, Store},
    text::{Untrusted, count, thousands},
};

/// As in `check ops-log`.
pub const NAME: &str = "ops-log";

/// Entries of the chain that each round recomputes; `log verify` recomputes all.
const TAIL: u32 = 10_000;

/// Lines of the file that each round compares; `log verify` compares all.
const LINES: usize = 1_000;

/// Times that a file is compared before it is called wrong: another process may be writing it.
const PATIENCE: u32 = 3;

/// What was seen of the log, each look for itself: one that fails hides no other.
pub(super) struct Observation {
    entries: anyhow::Result<i64>,
    flaw: anyhow::Result<Option<Flaw>>,
    /// Rounds were recorded, but the log holds none of them.
    emptied: anyhow::Result<bool>,
    /// Decisions that are kept, and those that the log holds.
    decisions: anyhow::Result<(u64, u64)>,
    /// Findings whose decisions are not those that the log was told of.
    unlike: anyhow::Result<Vec<String>>,
    /// Days since the last look at the log that wanted a round and had none.
    missed: anyhow::Result<Vec<NaiveDate>>,
    /// What decisions asked of the other side and did not get.
    undelivered: anyhow::Result<Vec<Effect>>,
    /// What the other side refused in this round, and why.
    refused: anyhow::Result<Vec<Untrusted>>,
    /// Where the Markdown file departs from the log.
    pub(super) file: anyhow::Result<Option<Untrusted>>,
}

pub(super) async fn observe(
    store: &Store,
    path: &Path,
    schedule: &Schedule,
    attempts: &anyhow::Result<Vec<Attempt>>,
    now: DateTime<Utc>,
) -> Observation {
    let entries = store.head().await.map(|head| head.seq);
    Observation {
        flaw: store.verify_tail(TAIL).await.map(Result::err),
        emptied: emptied(store, entries.as_ref().ok()).await,
        decisions: store.count_decisions().await,
        unlike: store.decisions_unlike_log().await,
        entries,
        missed: missed_days(store, schedule, now).await,
        undelivered: store.open_effects().await,
        refused: attempts
            .as_ref()
            .map(|attempts| refused(attempts))
            .map_err(|error| anyhow::anyhow!("{error:#}")),
        file: departs(store, path).await,
    }
}

async fn emptied(store: &Store, entries: Option<&i64>) -> anyhow::Result<bool> {
    Ok(entries == Some(&0) && store.last_run().await?.is_some())
}

async fn missed_days(
    store: &Store,
    schedule: &Schedule,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<NaiveDate>> {
    let Some(last) = store.last_run_of(NAME).await? else {
        return Ok(Vec::new());
    };
    let day = |at: DateTime<Utc>| at.with_timezone(&schedule.time_zone).date_naive();
    let rounds: Vec<NaiveDate> = store
        .round_times(last.started_at)
        .await?
        .into_iter()
        .map(day)
        .collect();
    let missed = schedule.missed(last.started_at, now);
    Ok(missed
        .into_iter()
        .filter(|missed| !rounds.contains(missed))
        .collect())
}

pub(super) async fn departs(store: &Store, path: &Path) -> anyhow::Result<Option<Untrusted>> {
    let newest = Filter {
        limit: Some(LINES),
        order: Direction::NewestFirst,
        ..Filter::default()
    };
    let mut difference = None;
    for _ in 0..PATIENCE {
        let mut entries = store.entries(&newest).await?;
        entries.reverse();
        difference = tail_differs(path, &entries)?;
        if difference.is_none() {
            break;
        }
    }
    Ok(difference)
}

fn refused(attempts: &[Attempt]) -> Vec<Untrusted> {
    attempts
        .iter()
        .filter_map(|attempt| match &attempt.delivery {
            Delivery::Refused(why) => {
                let order = &attempt.effect.order;
                Some(
                    format!(
                        "{} {} by {}: {}",
                        order.verb,
                        order.key,
                        order.by.name(),
                        why.as_str()
                    )
                    .into(),
                )
            }
            _ => None,
        })
        .collect()
}

/// The check's report. A log that doesn't hold is a finding, and unknown as well: no decision makes it ok.
pub(super) fn report(seen: Observation, took_ms: u64) -> CheckReport {
    let mut judged = Judged::default();
    judged.take(seen.flaw, |flaw| flaw.as_ref().map(chain));
    judged.take(seen.emptied, |emptied| emptied.then(nothing_left));
    judged.take(seen.decisions, |(kept, logged)| {
        (kept != logged).then(|| unlogged(*kept, *logged))
    });
    judged.take(seen.unlike, |keys| (!keys.is_empty()).then(|| unlike(keys)));
    judged.take(seen.file, |difference| difference.as_ref().map(file));
    judged.take(seen.missed, |days| missed(days));
    judged.take(seen.undelivered, |effects| undelivered(effects));
    judged.take(seen.refused, |lines| {
        (!lines.is_empty()).then(|| refusals(lines))
    });
    let summary = judged.look(seen.entries).map(summary).unwrap_or_default();
    if judged
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Critical)
    {
        judged.unknown.push(Unknown::new(
            Cause::Decode,
            "the ops log does not hold, so what it says can't be relied on",
        ));
    }
    judged
        .findings
        .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key.cmp(&b.key)));
    CheckReport {
        name: NAME.to_owned(),
        outcome: if judged.unknown.is_empty() {
            Outcome::Looked
        } else {
            Outcome::Unknown(judged.unknown)
        },
        findings: judged.findings,
        unseen: None,
        aged: Vec::new(),
        summary: summary.into(),
        took_ms,
        measures: Vec::new(),
    }
}

#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    unknown: Vec<Unknown>,
}

impl Judged {
    fn look<T>(&mut self, seen: anyhow::Result<T>) -> Option<T> {
        seen.map_err(|error| {
            self.unknown
                .push(Unknown::new(Cause::Store, format!("{error:#}")))
        })
        .ok()
    }

    fn take<T>(&mut self, seen: anyhow::Result<T>, judge: impl FnOnce(&T) -> Option<Finding>) {
        let found = self.look(seen).and_then(|seen| judge(&seen));
        self.findings.extend(found);
    }
}

fn summary(entries: i64) -> String {
    let number = ops_log::count(entries.unsigned_abs());
    if entries > i64::from(TAIL) {
        format!("{number}, the newest {} recomputed", thousands(TAIL.into()))
    } else {
        number
    }
}

fn chain(flaw: &Flaw) -> Finding {
    let title = format!("the ops log was tampered with or damaged: {flaw}");
    let evidence = vec!["`daily-ops log verify` recomputes all of it; restore the database from a backup, and keep this one for the inquiry".into()];
    finding(
        &format!("chain-{}", flaw.seq),
        Severity::Critical,
        "the hash chain must hold",
        title,
        1,
        evidence,
    )
}

fn nothing_left() -> Finding {
    let title =
        "the ops log was emptied: rounds were recorded, and it holds none of them".to_owned();
    finding(
        "emptied",
        Severity::Critical,
        "the log only grows",
        title,
        1,
        Vec::new(),
    )
}

fn unlogged(kept: u64, logged: u64) -> Finding {
    let title = format!(
        "the database holds {} decisions, and the ops log {}: somebody changed them behind its back",
        thousands(kept),
        thousands(logged)
    );
    let evidence = vec!["`daily-ops log search --kind decision` shows what people decided".into()];
    finding(
        "decisions",
        Severity::Critical,
        "every decision is in the log",
        title,
        kept.abs_diff(logged),
        evidence,
    )
}

fn unlike(keys: &[String]) -> Finding {
    let title = match keys {
        [one] => format!("the decisions about {one} were changed behind the log's back"),
        many => format!(
            "the decisions about {} findings were changed behind the log's back",
            thousands(many.len() as u64)
        ),
    };
    let evidence = keys
        .iter()
        .take(20)
        .map(|key| key.as_str().into())
        .collect();
    finding(
        "forged",
        Severity::Critical,
        "every decision is as the log was told",
        title,
        keys.len() as u64,
        evidence,
    )
}

fn file(difference: &Untrusted) -> Finding {
    let title = format!(
        "the ops log's file departs from the log: {}",
        difference.as_str()
    );
    let evidence = vec!["`git diff` shows what was changed in the file; after `daily-ops log verify`, `daily-ops log rebuild` writes it anew".into()];
    finding(
        "file",
        Severity::Medium,
        "the file must follow the log",
        title,
        1,
        evidence,
    )
}

fn missed(days: &[NaiveDate]) -> Option<Finding> {
    let (first, last) = (days.first()?, days.last()?);
    let which = if first == last {
        first.format("%a %-d %b %Y").to_string()
    } else {
        format!(
            "{} to {}",
            first.format("%a %-d %b"),
            last.format("%a %-d %b %Y")
        )
    };
    let title = format!("no round on {which}: nobody looked");
    let rule = format!("{} without a round, limit 0", count(days.len(), "day"));
    Some(finding(
        &format!("missed-{last}"),
        Severity::Medium,
        &rule,
        title,
        days.len() as u64,
        Vec::new(),
    ))
}

fn undelivered(effects: &[Effect]) -> Option<Finding> {
    let (severity, what) = if effects
        .iter()
        .any(|effect| effect.state == EffectState::NeedsHuman)
    {
        (Severity::High, "a human has to look")
    } else {
        (Severity::Medium, "it is tried again")
    };
    let lines = effects.iter().take(20).map(|effect| {
        let error = effect
            .last_error
            .as_ref()
            .map_or("not tried yet", Untrusted::as_str);
        let order = &effect.order;
        format!(
            "{} {} by {}, {}: {error}",
            order.verb,
            order.key,
            order.by.name(),
            tries(effect.attempts)
        )
        .into()
    });
    let number = effects.len();
    let title = match number {
        0 => return None,
        1 => format!("1 decision has not reached the other side: {what}"),
        n => format!("{n} decisions have not reached the other side: {what}"),
    };
    Some(finding(
        "undelivered",
        severity,
        &format!("{number} undelivered, limit 0"),
        title,
        number as u64,
        lines.collect(),
    ))
}

fn tries(number: i64) -> String {
    if number == 1 {
        "1 try".to_owned()
    } else {
        format!("{number} tries")
    }
}

fn refusals(lines: &[Untrusted]) -> Finding {
    let title = match lines {
        [one] => format!(
            "the other side refused a decision, which was taken back: {}",
            one.as_str()
        ),
        many => format!(
            "the other side refused {} decisions, which were taken back",
            many.len()
        ),
    };
    finding(
        "refused",
        Severity::Medium,
        &format!("{} refused, limit 0", lines.len()),
        title,
        lines.len() as u64,
        lines.to_vec(),
    )
}

fn finding(
    subject: &str,
    severity: Severity,
    rule: &str,
    title: String,
    magnitude: u64,
    evidence: Vec<Untrusted>,
) -> Finding {
    let key = FindingKey::new(NAME, subject);
    Finding {
        magnitude,
        evidence,
        ..Finding::new(key, severity, rule, title)
    }
}
