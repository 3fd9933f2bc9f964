//! All that is known about one finding, in a view.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::{SlackBlock, SlackView};

use super::{
    Delivery, outcome,
    rich::{QUOTE, Rich, list},
    row, view,
};
use crate::{
    report::Finding,
    text::thousands,
    ticket::StoredTicket,
    triage::{Action, Decision},
};

/// Lines of evidence, and decisions, that one view shows.
const LISTED: usize = 20;

/// A finding with its history.
pub struct Subject<'a> {
    pub finding: &'a Finding,
    /// When rounds saw it first and last.
    pub since: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
    /// By version.
    pub history: &'a [Decision],
    /// The oldest first.
    pub tickets: &'a [StoredTicket],
    /// What the newest decision asked of the other side.
    pub delivery: Option<&'a Delivery>,
    pub zone: Tz,
}

/// Rule, evidence, times, links, and what was decided and done.
pub fn details(subject: &Subject<'_>) -> SlackView {
    let finding = subject.finding;
    let mut blocks = vec![
        row::heading(finding)
            .say("\n")
            .then(row::key(finding))
            .block(),
    ];
    blocks.push(facts(subject));
    blocks.extend(evidence(finding));
    blocks.extend(history(subject));
    blocks.extend(tickets(subject));
    if let Some(delivery) = subject.delivery {
        let said = outcome::delivered(finding, delivery, subject.zone).capital();
        blocks.push(Rich::new().bold("On the other side: ").then(said).block());
    }
    view::read("Details", blocks)
}

fn facts(subject: &Subject<'_>) -> SlackBlock {
    let (finding, zone) = (subject.finding, subject.zone);
    let mut lines = vec![
        Rich::new()
            .bold("Rule: ")
            .quote(finding.rule.as_str(), QUOTE),
        Rich::new()
            .bold("Since: ")
            .date(subject.since, zone)
            .say(", last seen ")
            .date(subject.last_seen, zone),
    ];
    if let Some(began) = finding.began_at {
        lines.push(Rich::new().bold("Began: ").date(began, zone));
    }
    if let Some(owner) = &finding.owner {
        lines.push(Rich::new().bold("Owner: ").quote(owner.as_str(), QUOTE));
    }
    for (name, url) in [("Link: ", &finding.link), ("Runbook: ", &finding.runbook)] {
        if let Some(url) = url {
            lines.push(Rich::new().bold(name).link(Some(url), url.as_str(), QUOTE));
        }
    }
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or_default();
    lines
        .fold(first, |all, line| all.say("\n").then(line))
        .block()
}

fn evidence(finding: &Finding) -> Option<SlackBlock> {
    if finding.evidence.is_empty() {
        return None;
    }
    let mut lines: Vec<Rich> = finding
        .evidence
        .iter()
        .take(LISTED)
        .map(|line| Rich::new().quote(line.as_str(), QUOTE))
        .collect();
    lines.extend(more(finding.evidence.len(), "more"));
    Some(list(Rich::new().bold("Evidence"), lines))
}

/// The newest tickets, in their order.
fn tickets(subject: &Subject<'_>) -> Option<SlackBlock> {
    let tickets = subject.tickets;
    if tickets.is_empty() {
        return None;
    }
    let left_out = tickets.len().saturating_sub(LISTED);
    let mut lines: Vec<Rich> = more(tickets.len(), "earlier").into_iter().collect();
    let newest = tickets[left_out..].iter();
    lines.extend(newest.map(|ticket| row::filed(ticket, subject.zone).capital()));
    Some(list(Rich::new().bold("Tickets"), lines))
}

/// The newest decisions, in their order.
fn history(subject: &Subject<'_>) -> Option<SlackBlock> {
    let history = subject.history;
    if history.is_empty() {
        return None;
    }
    let left_out = history.len().saturating_sub(LISTED);
    let mut lines: Vec<Rich> = more(history.len(), "earlier").into_iter().collect();
    lines.extend(history[left_out..].iter().map(|decision| {
        match decision.action {
            Action::Undo { version } => undone(history, version, decision, subject.zone),
            _ => row::decided(decision, subject.zone),
        }
        .capital()
    }));
    Some(list(Rich::new().bold("Decided"), lines))
}

/// "undone by @anna, today at 09:30: resolved by @ben, today at 09:12".
fn undone(history: &[Decision], version: i64, undo: &Decision, zone: Tz) -> Rich {
    let line = Rich::new()
        .say("undone by ")
        .person(&undo.by)
        .say(", ")
        .date(undo.at, zone);
    match history.iter().find(|earlier| earlier.version == version) {
        Some(earlier) => line.say(": ").then(row::decided(earlier, zone)),
        None => line,
    }
}

fn more(all: usize, word: &str) -> Option<Rich> {
    let rest = all.checked_sub(LISTED).filter(|rest| *rest > 0)?;
    Some(Rich::new().say(&format!("and {} {word}", thousands(rest as u64))))
}
