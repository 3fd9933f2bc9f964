//! The report as one JSON object, for scripts. Its shape is stable within a `schema`; README documents it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use url::Url;

use crate::{
    ops_log::{Hash, Head},
    report::{CheckReport, FindingKey, Outcome, Remedy, RunId, Severity},
    ticket::{StoredTicket, Tickets},
    triage::{Action, Decision, Failed, Gone, Return, Row, Standing, State, Triaged, Verdict},
};

/// Raised when a field changes its meaning or goes; new fields leave it as it is.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    run: &'a RunId,
    started_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    verdict: Verdict,
    counts: Counts,
    checks: Vec<Check<'a>>,
    gone: Vec<Missed<'a>>,
    log: Log,
}

/// The ops log's head after the run: an anchor for `log verify`.
#[derive(Serialize)]
struct Log {
    seq: i64,
    hash: Hash,
}

#[derive(Serialize)]
struct Counts {
    needs_you: usize,
    unknown: usize,
    in_hand: usize,
    ok: usize,
    off: usize,
    handled: usize,
    snoozed: usize,
    low: usize,
    gone: usize,
}

#[derive(Serialize)]
struct Check<'a> {
    name: &'a str,
    outcome: &'static str,
    /// Why it is unknown; null otherwise.
    reason: Option<String>,
    /// The first cause of an unknown, from a closed set; null otherwise.
    cause: Option<crate::report::Cause>,
    summary: &'a str,
    took_ms: u64,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    key: &'a FindingKey,
    severity: Severity,
    rule: &'a str,
    title: &'a str,
    since: DateTime<Utc>,
    began_at: Option<DateTime<Utc>>,
    last_at: Option<DateTime<Utc>>,
    state: State,
    /// When it was seen so, if this run didn't look for it.
    as_of: Option<DateTime<Utc>>,
    needs_you: bool,
    decision: Option<Decided<'a>>,
    owner: Option<&'a str>,
    link: Option<&'a Url>,
    runbook: Option<&'a Url>,
    remedies: &'a [Remedy],
    failed: Option<&'a Failed>,
    /// The oldest first.
    tickets: Vec<Ticket<'a>>,
    evidence: Vec<&'a str>,
}

#[derive(Serialize)]
struct Ticket<'a> {
    name: String,
    /// "GitHub"; "local" for one that is kept here.
    tracker: &'a str,
    /// "wanted", "open", "closed" or "failed".
    state: &'static str,
    title: &'a str,
    url: Option<&'a Url>,
    opened_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Decided<'a> {
    #[serde(flatten)]
    action: &'a Action,
    by: &'a str,
    at: DateTime<Utc>,
    /// False once the finding has got worse or was there again: it needs somebody anew.
    holds: bool,
    back_because: Option<&'static str>,
}

#[derive(Serialize)]
struct Missed<'a> {
    key: &'a FindingKey,
    severity: Severity,
    title: &'a str,
    since: DateTime<Utc>,
}

/// The document, indented, with a final line break.
pub fn report(triaged: &Triaged, tickets: &Tickets, head: &Head) -> serde_json::Result<String> {
    let report = &triaged.report;
    let document = Document {
        schema: SCHEMA,
        run: &report.run,
        started_at: report.started_at,
        finished_at: report.finished_at,
        verdict: triaged.verdict(),
        counts: Counts {
            needs_you: triaged.needs_you.len(),
            unknown: triaged.unknown.len(),
            in_hand: triaged.in_hand().count(),
            ok: triaged.ok().count(),
            off: triaged.off().count(),
            handled: triaged.handled.len(),
            snoozed: triaged.snoozed.len(),
            low: triaged.low.len(),
            gone: triaged.gone.len(),
        },
        checks: report
            .checks
            .iter()
            .map(|one| check(one, triaged, tickets))
            .collect(),
        gone: triaged.gone.iter().map(gone).collect(),
        log: Log {
            seq: head.seq,
            hash: head.hash,
        },
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn check<'a>(check: &'a CheckReport, triaged: &'a Triaged, tickets: &'a Tickets) -> Check<'a> {
    let reasons = match &check.outcome {
        Outcome::Unknown(reasons) => reasons.as_slice(),
        Outcome::Looked | Outcome::Off => &[],
    };
    let said: Vec<&str> = reasons
        .iter()
        .map(|unknown| unknown.reason.as_str())
        .collect();
    Check {
        name: &check.name,
        outcome: match check.outcome {
            Outcome::Looked => "looked",
            Outcome::Unknown(_) => "unknown",
            Outcome::Off => "off",
        },
        reason: (!said.is_empty()).then(|| said.join("; ")),
        cause: reasons.first().map(|unknown| unknown.cause),
        summary: check.summary.as_str(),
        took_ms: check.took_ms,
        findings: [
            (&triaged.needs_you, true),
            (&triaged.handled, false),
            (&triaged.snoozed, false),
            (&triaged.low, false),
        ]
        .into_iter()
        .flat_map(|(rows, needs_you)| rows.iter().map(move |row| (row, needs_you)))
        .filter(|(row, _)| row.finding.key.check() == check.name)
        .map(|(row, needs_you)| {
            let had = tickets.get(&row.finding.key);
            finding(row, needs_you, had.map_or(&[][..], Vec::as_slice))
        })
        .collect(),
    }
}

fn finding<'a>(row: &'a Row, needs_you: bool, tickets: &'a [StoredTicket]) -> Finding<'a> {
    let found = &row.finding;
    Finding {
        key: &found.key,
        severity: found.severity,
        rule: found.rule.as_str(),
        title: found.title.as_str(),
        since: row.since,
        began_at: found.began_at,
        last_at: found.last_at,
        state: row.state,
        as_of: row.as_of.map(|as_of| as_of.at),
        needs_you,
        decision: match &row.standing {
            Standing::Open => None,
            Standing::Handled(decision) => Some(decided(decision, None)),
            Standing::Back(decision, why) => Some(decided(decision, Some(*why))),
        },
        owner: found.owner.as_ref().map(|owner| owner.as_str()),
        link: found.link.as_ref(),
        runbook: found.runbook.as_ref(),
        remedies: &found.remedies,
        failed: row.failed.as_ref(),
        tickets: tickets.iter().map(ticket).collect(),
        evidence: found.evidence.iter().map(|line| line.as_str()).collect(),
    }
}

fn ticket(ticket: &StoredTicket) -> Ticket<'_> {
    Ticket {
        name: ticket.name(),
        tracker: &ticket.tracker,
        state: ticket.state.as_str(),
        title: &ticket.draft.title,
        url: ticket.remote.as_ref().and_then(|it| it.url.as_ref()),
        opened_at: ticket.wanted_at,
        closed_at: ticket.closed_at,
    }
}

fn decided(decision: &Decision, back: Option<Return>) -> Decided<'_> {
    Decided {
        action: &decision.action,
        by: decision.by.id(),
        at: decision.at,
        holds: back.is_none(),
        back_because: back.map(|why| match why {
            Return::Worse => "worse",
            Return::SeenAgain => "seen_again",
            Return::NotDone => "not_done",
        }),
    }
}

fn gone(Gone { known, .. }: &Gone) -> Missed<'_> {
    Missed {
        key: &known.finding.key,
        severity: known.finding.severity,
        title: known.finding.title.as_str(),
        since: known.since,
    }
}
