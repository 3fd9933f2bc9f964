//! How the tickets stand where they are kept, read back in each round; what has come back is opened again.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use super::{
    Bot, Outcome, Wish,
    tickets::{NAME, closed},
};
use crate::{
    ops_log::Entry,
    permissions::Permit,
    report::{Cause, CheckReport, Outcome as Look, RunId, Unknown},
    text::count,
    ticket::{Draft, LOCAL, StoredTicket, TicketState, TicketStatus, newest_made},
    trackers::Read,
    triage::{Action, Person, Return, Row, Standing, Triaged},
};

/// How long the tracker may take to say how the open tickets stand.
const READ_LIMIT: Duration = Duration::from_secs(15);

impl Bot {
    /// Reads how the open tickets stand where they are kept, all or those of these checks, and closes here what was
    /// closed there. None if there is nothing to read.
    pub(super) async fn look_at_tickets(
        &self,
        only: Option<&[String]>,
    ) -> Option<(CheckReport, Vec<Entry>)> {
        let began = Instant::now();
        let mut unknown = Vec::new();
        let mut kept = self.store.tickets(true).await.unwrap_or_else(|error| {
            unknown.push(unreadable(error));
            Vec::new()
        });
        let is_meant = |ticket: &StoredTicket| {
            let check = ticket.key.check();
            only.is_none_or(|names| names.iter().any(|name| name == check))
        };
        kept.retain(is_meant);
        unknown.extend(elsewhere(&kept, self.tracker.name()));
        if self.tracker.is_local() && unknown.is_empty() {
            return None;
        }
        let (summary, entries) = match self.read_tickets(&kept).await {
            Ok(read) => read,
            Err(why) => {
                unknown.push(why);
                (String::new(), Vec::new())
            }
        };
        let outcome = match unknown.is_empty() {
            true => Look::Looked,
            false => Look::Unknown(unknown),
        };
        let report = CheckReport {
            name: NAME.to_owned(),
            outcome,
            findings: Vec::new(),
            unseen: None,
            aged: Vec::new(),
            summary: summary.into(),
            took_ms: began.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
            measures: Vec::new(),
        };
        Some((report, entries))
    }

    async fn read_tickets(&self, kept: &[StoredTicket]) -> Result<(String, Vec<Entry>), Unknown> {
        let here: BTreeMap<String, &StoredTicket> = kept
            .iter()
            .filter(|ticket| ticket.tracker == self.tracker.name())
            .filter(|ticket| ticket.state == TicketStatus::Open)
            .filter_map(|ticket| Some((ticket.remote.as_ref()?.id.clone(), ticket)))
            .collect();
        let ids: Vec<String> = here.keys().cloned().collect();
        if ids.is_empty() {
            return Ok(("none open".to_owned(), Vec::new()));
        }
        let read = self.tracker.read(&ids, Instant::now() + READ_LIMIT).await?;
        let now = (self.clock)();
        let mut entries = Vec::new();
        for (id, ticket) in &here {
            let (how, is_gone) = match read.get(id) {
                Some(Read::Ticket(seen)) if seen.state == TicketState::Open => continue,
                Some(Read::Ticket(_)) => (format!("in {}", ticket.tracker), false),
                Some(Read::Gone) => (format!("because it is gone from {}", ticket.tracker), true),
                None => continue,
            };
            let entry = closed(ticket, &Person::program(), now, &how);
            let entry = match ticket.remote.as_ref().filter(|_| is_gone) {
                Some(remote) => {
                    let lost = self.store.lose_ticket(&ticket.marker, remote, now, entry);
                    lost.await
                }
                None => self.store.close_ticket(&ticket.marker, now, entry).await,
            };
            entries.extend(entry.map_err(unreadable)?);
        }
        let closed = match entries.len() {
            0 => String::new(),
            closed => format!(", {closed} closed since the last round"),
        };
        let open = ids.len() - entries.len();
        Ok((format!("{} open{closed}", count(open, "ticket")), entries))
    }

    /// Opens the closed tickets of findings that have come back again, or new ones. The configuration stands for the
    /// person: nobody has to ask twice for what was asked for once.
    pub(super) async fn bring_back(
        &self,
        triaged: &Triaged,
        run: &RunId,
    ) -> anyhow::Result<Vec<Entry>> {
        let open: Vec<&Row> = triaged.needs_you.iter().collect();
        let keys = open.iter().map(|row| &row.finding.key);
        let tickets = self.store.tickets_of(keys).await?;
        let mut entries = Vec::new();
        for row in open {
            let key = &row.finding.key;
            let newest = tickets.get(key).and_then(|all| newest_made(all));
            let Some(ticket) = newest.filter(|ticket| ticket.is_done()) else {
                continue;
            };
            if !has_come_back(row, ticket) || self.is_given_up(ticket).await? {
                continue;
            }
            let Ok(draft) = self.draft(key, &Person::program()).await? else {
                continue;
            };
            let wish = Wish::Ticket(Draft {
                body: format!("It has come back (run {run}).\n\n{}", draft.body),
                ..draft
            });
            let permit = Permit::of_configuration();
            if let Outcome::Recorded { entry, .. } =
                self.decide(key, wish, None, &permit, None).await?
            {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Whether its tracker didn't open it again when it was last asked to. That is told once, and is a person's to mend:
    /// each further try could leave another comment.
    async fn is_given_up(&self, ticket: &StoredTicket) -> anyhow::Result<bool> {
        if ticket.state != TicketStatus::Closed || ticket.tracker != self.tracker.name() {
            return Ok(false);
        }
        let withdrawn = Action::Undo {
            version: ticket.version,
        };
        let history = self.store.history(&ticket.key).await?;
        let mut history = history.iter();
        Ok(history.any(|it| it.action == withdrawn && it.by == Person::program()))
    }
}

/// Whether the finding is another occurrence than the one that the ticket was for, or has got worse since. What
/// somebody took back stays so.
fn has_come_back(row: &Row, ticket: &StoredTicket) -> bool {
    match &row.standing {
        Standing::Back(_, Return::NotDone) => false,
        Standing::Back(decision, _) => matches!(decision.action, Action::Ticket { .. }),
        Standing::Open => ticket.closed_at.is_some_and(|closed| row.since > closed),
        Standing::Handled(_) => false,
    }
}

/// Why nothing is known of tickets in a tracker that is not configured any more, one reason for each tracker.
fn elsewhere(kept: &[StoredTicket], tracker: &str) -> Vec<Unknown> {
    let mut others: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ticket in kept {
        if ticket.tracker != LOCAL && ticket.tracker != tracker {
            let names = others.entry(&ticket.tracker).or_default();
            names.push(ticket.name());
        }
    }
    let reasons = others.into_iter().map(|(other, names)| {
        let number = count(names.len(), "open ticket");
        let first = names.first().map_or("NAME", String::as_str);
        format!(
            "{number} in {other}, which isn't configured any more, so how they stand is not known: close them here, with `ticket close {first}`, or configure {other} again"
        )
    });
    reasons
        .map(|reason| Unknown::new(Cause::NotConfigured, reason))
        .collect()
}

fn unreadable(error: anyhow::Error) -> Unknown {
    let why = format!("{error:#}; restore the database from a backup");
    Unknown::new(Cause::Store, why)
}
