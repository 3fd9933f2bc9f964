//! Tickets: what one about a finding says before anybody has changed it, and how they are shown.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::moment;
use crate::{
    ops_log::Sentence,
    report::RunId,
    ticket::{Draft, LOCAL, StoredTicket, TicketStatus},
    triage::{Action, Decision, Known, Person, Row, Standing, Triaged},
};

/// "in GitHub"; "here" for one that is kept in our own database.
pub fn place(tracker: &str) -> String {
    match tracker {
        LOCAL => "here".to_owned(),
        tracker => format!("in {tracker}"),
    }
}

/// What somebody did who asked for one: "ticketed by anna".
pub fn done(again: bool) -> &'static str {
    if again { "ticketed again" } else { "ticketed" }
}

/// Where a ticket stands: "open", "done", "being opened", "refused".
pub fn state(ticket: &StoredTicket) -> &'static str {
    match (ticket.state, &ticket.remote) {
        (TicketStatus::Wanted, None) => "being opened",
        (TicketStatus::Wanted, Some(_)) => "being opened again",
        (TicketStatus::Open, _) => "open",
        (TicketStatus::Closed, _) => "done",
        (TicketStatus::Gone, _) => "gone",
        (TicketStatus::Failed, _) => "refused",
    }
}

/// Findings that have come back to this round, and so got their ticket again or a new one: nobody asked for that.
pub fn come_back(triaged: &Triaged) -> Vec<Row> {
    let handled = triaged.handled.iter();
    let come_back = handled.filter(|row| {
        brought_back(row).is_some_and(|decision| decision.at >= triaged.report.started_at)
    });
    come_back.cloned().collect()
}

fn brought_back(row: &Row) -> Option<&Decision> {
    match &row.standing {
        Standing::Handled(decision) => Some(decision).filter(|decision| {
            decision.by == Person::program() && matches!(decision.action, Action::Ticket { .. })
        }),
        _ => None,
    }
}

/// As [`state`], and why, where the finding's row is to say it: "reopened: it has come back".
pub fn state_in(row: &Row, ticket: &StoredTicket) -> &'static str {
    let again = brought_back(row).map(|decision| match decision.action {
        Action::Ticket { again, .. } => again,
        _ => false,
    });
    match (again, ticket.state) {
        (Some(true), TicketStatus::Wanted) => "being opened again: it has come back",
        (Some(false), TicketStatus::Wanted) => "being opened: it has come back",
        (Some(true), TicketStatus::Open) => "reopened: it has come back",
        (Some(false), TicketStatus::Open) => "opened: it has come back",
        _ => state(ticket),
    }
}

/// The ticket that a finding's row shows: the newest, unless its tracker refused it.
pub fn newest(tickets: Option<&Vec<StoredTicket>>) -> Option<&StoredTicket> {
    tickets?
        .last()
        .filter(|ticket| ticket.state != TicketStatus::Failed)
}

/// "ENG-12 in Linear, open", and its address.
fn mark(ticket: &StoredTicket) -> Sentence {
    marked(ticket, state(ticket))
}

/// As in a list, for the row of its finding.
pub fn mark_in(row: &Row, ticket: &StoredTicket) -> Sentence {
    marked(ticket, state_in(row, ticket))
}

fn marked(ticket: &StoredTicket, state: &str) -> Sentence {
    let said = match (ticket.state, &ticket.remote) {
        (TicketStatus::Wanted, None) => Sentence::new(),
        _ => Sentence::new().quote(ticket.name()).say(" "),
    };
    let said = said.say(format!("{}, {state}", place(&ticket.tracker)));
    let url = ticket
        .remote
        .as_ref()
        .and_then(|remote| remote.url.as_ref());
    match url {
        Some(url) => said.say(", ").quote(url.as_str()),
        None => said,
    }
}

/// One line of a list: name, state, finding, title and times.
pub fn line(ticket: &StoredTicket, zone: Tz, now: DateTime<Utc>) -> Sentence {
    let said = mark(ticket)
        .say(format!(" · {} · {} ", ticket.draft.severity, ticket.key))
        .quote(ticket.draft.title.as_str())
        .say(format!(" · opened {}", moment(ticket.wanted_at, zone, now)));
    match ticket.closed_at.filter(|_| ticket.is_done()) {
        Some(at) => said.say(format!(", closed {}", moment(at, zone, now))),
        None => said,
    }
}

/// In the place of an empty list.
pub fn none(all: bool) -> Sentence {
    let said = if all {
        "there has been no ticket yet"
    } else {
        "no ticket is open"
    };
    Sentence::new().say(format!(
        "{said}: `triage ticket KEY` opens one about a finding"
    ))
}

/// All that is known of one.
pub fn shown(
    ticket: &StoredTicket,
    by: Option<&Person>,
    zone: Tz,
    now: DateTime<Utc>,
) -> Vec<Sentence> {
    let opened = line(ticket, zone, now);
    let mut lines = vec![match by {
        Some(by) => opened.say(" · asked for by ").name(by),
        None => opened,
    }];
    if !ticket.draft.labels.is_empty() {
        let labels = ticket.draft.labels.join(", ");
        lines.push(Sentence::new().say("labels: ").quote(labels));
    }
    let body = ticket.draft.body.lines();
    lines.extend(body.map(|line| Sentence::new().quote(line)));
    lines
}

/// Who wants it, what, since when, links, the run and evidence.
pub fn draft(
    known: &Known,
    run: Option<&RunId>,
    by: &Person,
    zone: Tz,
    now: DateTime<Utc>,
) -> Draft {
    let finding = &known.finding;
    let mut lines = vec![
        format!("Opened by {} through Daily Ops.", escaped(by.name())),
        String::new(),
        format!(
            "**{}**: {}",
            finding.severity,
            escaped(finding.rule.as_str())
        ),
        String::new(),
    ];
    let since = finding.began_at.unwrap_or(known.since);
    lines.push(format!("- since {}", moment(since, zone, now)));
    lines.push(format!(
        "- last seen {}",
        moment(finding.last_at.unwrap_or(known.last_seen), zone, now)
    ));
    let links = [("look", &finding.link), ("runbook", &finding.runbook)];
    for (name, link) in links {
        lines.extend(link.iter().map(|url| format!("- {name}: <{url}>")));
    }
    lines.push(format!("- finding: `{}`", finding.key));
    lines.extend(run.map(|run| format!("- run: `{run}`")));
    if !finding.evidence.is_empty() {
        lines.extend([String::new(), "What was seen:".to_owned(), String::new()]);
        let seen = finding.evidence.iter();
        lines.extend(seen.map(|line| format!("- {}", escaped(line.as_str()))));
    }
    Draft {
        title: finding.title.as_str().to_owned(),
        body: lines.join("\n"),
        severity: finding.severity,
        labels: vec!["daily-ops".to_owned(), finding.key.check().to_owned()],
    }
    .tidy()
}

fn escaped(text: &str) -> String {
    Sentence::new().quote(text).markdown()
}
