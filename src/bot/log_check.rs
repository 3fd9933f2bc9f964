//! The last item of the checklist: the ops log itself. It needs the store, so the bot looks at it and not a client.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    ops_log::{Flaw, tail_differs},
    report::{Cause, CheckReport, Finding, FindingKey, Outcome, Severity, Unknown},
    schedule::Schedule,
    store::{Direction, Effect, EffectState, Filter, Store},
    text::{Untrusted, count, thousands},
};

/// As in `check ops-log`.
pub const NAME: &str = "ops-log";

/// Entries of the chain that each round recomputes; `log verify` recomputes all.
const TAIL: u32 = 1_000;

/// What was seen of the log.
pub(super) struct Seen {
    pub(super) entries: i64,
    pub(super) flaw: Option<Flaw>,
    /// Days since the last round that should have had one.
    pub(super) missed: Vec<NaiveDate>,
    /// What decisions asked of the other side and did not get.
    pub(super) undelivered: Vec<Effect>,
    /// Where the Markdown file departs from the log.
    pub(super) file: Option<Untrusted>,
}

pub(super) async fn observe(
    store: &Store,
    path: &Path,
    schedule: &Schedule,
    last_round: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> anyhow::Result<Seen> {
    let newest = Filter {
        limit: Some(TAIL as usize),
        order: Direction::NewestFirst,
        ..Filter::default()
    };
    let mut newest = store.entries(&newest).await?;
    newest.reverse();
    Ok(Seen {
        entries: store.head().await?.seq,
        flaw: store.verify_tail(TAIL).await?.err(),
        missed: last_round
            .map(|last| schedule.missed(last, now))
            .unwrap_or_default(),
        undelivered: store.open_effects().await?,
        file: tail_differs(path, &newest)?,
    })
}

/// The check's report; an error while looking makes it unknown like any other check.
pub(super) fn report(seen: anyhow::Result<Seen>, took_ms: u64) -> CheckReport {
    let (outcome, mut findings, summary) = match seen {
        Err(error) => {
            let unknown = Unknown::new(
                Cause::Upstream,
                format!("the ops log can't be read: {error:#}"),
            );
            (
                Outcome::Unknown(vec![unknown]),
                Vec::new(),
                Untrusted::default(),
            )
        }
        Ok(seen) => (Outcome::Looked, evaluate(&seen), said(seen.entries).into()),
    };
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key.cmp(&b.key)));
    CheckReport {
        name: NAME.to_owned(),
        outcome,
        findings,
        unseen: None,
        summary,
        took_ms,
    }
}

fn said(entries: i64) -> String {
    if entries == 1 {
        "1 entry".to_owned()
    } else {
        format!("{} entries", thousands(entries.unsigned_abs()))
    }
}

fn evaluate(seen: &Seen) -> Vec<Finding> {
    [chain(seen), file(seen), missed(seen), undelivered(seen)]
        .into_iter()
        .flatten()
        .collect()
}

fn chain(seen: &Seen) -> Option<Finding> {
    let flaw = seen.flaw.as_ref()?;
    let title = format!("the ops log was tampered with or damaged: {flaw}");
    Some(finding(
        "chain",
        Severity::Critical,
        "the hash chain must hold",
        title,
        1,
        vec!["`daily-ops log verify` recomputes all of it".into()],
    ))
}

fn file(seen: &Seen) -> Option<Finding> {
    let difference = seen.file.as_ref()?;
    let title = format!(
        "the ops log's file departs from the log: {}",
        difference.as_str()
    );
    Some(finding(
        "file",
        Severity::Medium,
        "the file must follow the log",
        title,
        1,
        vec!["`daily-ops log rebuild` writes it anew; `git diff` shows what was changed".into()],
    ))
}

fn missed(seen: &Seen) -> Option<Finding> {
    let (first, last) = (seen.missed.first()?, seen.missed.last()?);
    let days = count(seen.missed.len(), "day");
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
    Some(finding(
        &format!("missed-{last}"),
        Severity::Medium,
        &format!("{days} without a round, limit 0"),
        title,
        seen.missed.len() as u64,
        Vec::new(),
    ))
}

fn undelivered(seen: &Seen) -> Option<Finding> {
    let stuck = seen
        .undelivered
        .iter()
        .any(|effect| effect.state == EffectState::NeedsHuman);
    let (severity, what) = if stuck {
        (Severity::High, "a human has to look")
    } else {
        (Severity::Medium, "it is tried again")
    };
    let number = seen.undelivered.len();
    let lines = seen.undelivered.iter().take(20).map(|effect| {
        let error = effect
            .last_error
            .as_ref()
            .map_or("not tried yet", Untrusted::as_str);
        format!(
            "{} {} by {}, {} tries: {error}",
            effect.order.verb,
            effect.order.key,
            effect.order.by.name(),
            effect.attempts
        )
        .into()
    });
    let title = format!(
        "{} not reached the other side: {what}",
        if number == 1 {
            "1 decision has".to_owned()
        } else {
            format!("{number} decisions have")
        }
    );
    (number > 0).then(|| {
        finding(
            "undelivered",
            severity,
            &format!("{number} undelivered, limit 0"),
            title,
            number as u64,
            lines.collect(),
        )
    })
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
