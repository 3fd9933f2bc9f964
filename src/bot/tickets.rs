//! Tickets that findings have: asked for, read back, and opened again when the finding comes back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tokio::time::{Duration, Instant};

use super::{Bot, Outcome, Wish};
use crate::{
    ops_log::{Entry, Kind, NewEntry, Sentence},
    permissions::Permit,
    render,
    report::{CheckReport, FindingKey, Outcome as Look, RunId, Unknown},
    store::NewTicket,
    text::{Untrusted, count},
    ticket::{
        Draft, LOCAL, Marker, StoredTicket, TicketOrder, TicketState, TicketStatus, newest_made,
    },
    trackers::{Read, Returned},
    triage::{Action, Decision, Known, Person, Return, Row, Standing, Triaged},
};

/// As in `check tickets`.
pub const NAME: &str = "tickets";

/// How long the tracker may take to say how the open tickets stand.
const READ_LIMIT: Duration = Duration::from_secs(15);

/// A ticket that a decision asks for, and what its tracker is asked for it.
pub(super) struct Wanted {
    pub(super) ticket: NewTicket,
    /// None: the ticket is kept here alone.
    pub(super) order: Option<TicketOrder>,
}

pub(super) fn still_open(ticket: &StoredTicket) -> Sentence {
    let said = Sentence::new()
        .say("its ticket ")
        .quote(ticket.name())
        .say(" is open: ");
    if ticket.remote.is_none() {
        said.say(format!(
            "close it first, with `ticket close T-{}`; nothing was changed",
            ticket.number
        ))
    } else {
        said.say(format!(
            "close it in {} first; nothing was changed",
            ticket.tracker
        ))
    }
}

impl Bot {
    /// A ticket about an open finding, to be changed by whoever wants it, or why there is none to be had.
    pub async fn draft(
        &self,
        key: &FindingKey,
        by: &Person,
    ) -> anyhow::Result<Result<Draft, Sentence>> {
        Ok(match self.known(key).await? {
            Ok(known) => Ok(self.draft_of(&known, by).await?),
            Err(why) => Err(why),
        })
    }

    /// As [`Bot::draft`], about what is known already.
    pub(super) async fn draft_of(&self, known: &Known, by: &Person) -> anyhow::Result<Draft> {
        let run = self.store.last_run_of(known.finding.key.check()).await?;
        let now = (self.clock)();
        Ok(render::ticket::draft(
            known,
            run.as_ref().map(|run| &run.run),
            &self.known_as(by),
            self.schedule.time_zone,
            now,
        ))
    }

    /// Who somebody is outside of Slack, where nobody knows them by a user's id.
    fn known_as(&self, person: &Person) -> Person {
        let user = person.id().strip_prefix("slack:");
        match user.and_then(|user| self.people.get(user)) {
            Some(address) => Person::from(format!("slack:{address}")),
            None => person.clone(),
        }
    }

    /// The name of the ticket that a decision has made here; none of one that its tracker has still to make.
    pub(super) async fn local_name(&self, decision: &Decision) -> anyhow::Result<Option<String>> {
        let Action::Ticket { marker, .. } = &decision.action else {
            return Ok(None);
        };
        let tickets = self.store.tickets_of([&decision.key]).await?;
        let mut tickets = tickets.into_values().flatten();
        let made = tickets.find(|ticket| ticket.marker == *marker && ticket.tracker == LOCAL);
        Ok(made.map(|ticket| ticket.name()))
    }

    /// The decision for a ticket about that finding; the newest one is opened again if it is closed and the
    /// configuration says so.
    pub(super) async fn ticket_for(
        &self,
        key: &FindingKey,
        draft: &Draft,
    ) -> anyhow::Result<Result<(Action, Wanted), Sentence>> {
        let tickets = self.store.tickets_of([key]).await?.remove(key);
        let tickets = tickets.unwrap_or_default();
        let made: Vec<&StoredTicket> = tickets
            .iter()
            .filter(|ticket| ticket.state != TicketStatus::Failed)
            .collect();
        let tracker = self.tracker.name();
        let newest = match made.last() {
            Some(open) if open.is_open() => return Ok(Err(there_is(open))),
            newest => newest.filter(|closed| {
                self.returned == Returned::Reopen
                    && closed.tracker == tracker
                    && closed.state == TicketStatus::Closed
            }),
        };
        let draft = draft.clone().tidy();
        if draft.title.is_empty() {
            let why = "a ticket needs a title: nothing was changed";
            return Ok(Err(Sentence::new().say(why)));
        }
        let number = u32::try_from(made.len()).unwrap_or(u32::MAX);
        let marker = match newest {
            Some(closed) => closed.marker.clone(),
            None => Marker::new(key, number.saturating_add(1)),
        };
        let order = match newest.and_then(|closed| closed.remote.as_ref()) {
            _ if self.tracker.is_local() => None,
            Some(remote) => Some(TicketOrder::Reopen {
                marker: marker.clone(),
                id: remote.id.clone(),
                comment: draft.body.clone(),
            }),
            None => Some(TicketOrder::Open {
                marker: marker.clone(),
                draft: draft.clone(),
            }),
        };
        let action = Action::Ticket {
            marker: marker.clone(),
            tracker: self.tracker.name().to_owned(),
            title: Untrusted::from(draft.title.as_str()),
            again: newest.is_some(),
        };
        let ticket = NewTicket {
            marker,
            tracker: tracker.to_owned(),
            draft,
        };
        Ok(Ok((action, Wanted { ticket, order })))
    }

    /// Closes a ticket that is kept here, or where nobody looks any more.
    pub async fn close_ticket(
        &self,
        ticket: &StoredTicket,
        by: &Person,
    ) -> anyhow::Result<Result<Entry, Sentence>> {
        let say = |words: &str| Sentence::new().say(words);
        if ticket.tracker != LOCAL && ticket.tracker == self.tracker.name() {
            return Ok(Err(Sentence::new().quote(ticket.name()).say(format!(
                " is kept in {0}: close it there, and the next round shows it as closed",
                ticket.tracker
            ))));
        }
        let now = (self.clock)();
        let entry = closed(ticket, by, now, "here");
        let entry = self.store.close_ticket(&ticket.marker, now, entry).await?;
        Ok(match entry {
            Some(entry) => {
                self.wake.messages.notify_one();
                Ok(entry)
            }
            None => Err(say("it is closed already: nothing was changed")),
        })
    }

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
        .map(|reason| Unknown::new(crate::report::Cause::NotConfigured, reason))
        .collect()
}

fn there_is(ticket: &StoredTicket) -> Sentence {
    let said = Sentence::new().say("it has the ticket ");
    match ticket.state {
        TicketStatus::Wanted => Sentence::new().say(format!(
            "its ticket is being opened in {}: nothing was changed",
            ticket.tracker
        )),
        state => said.quote(ticket.name()).say(format!(
            ", which is {}: nothing was changed",
            state.as_str()
        )),
    }
}

fn closed(ticket: &StoredTicket, by: &Person, at: DateTime<Utc>, how: &str) -> NewEntry {
    NewEntry {
        at,
        kind: Kind::Effect,
        subject: ticket.key.to_string(),
        by: by.clone(),
        text: Sentence::new()
            .say("ticket ")
            .quote(ticket.name())
            .say(format!(" closed {how} · {} ", ticket.key))
            .quote(ticket.draft.title.as_str()),
        checks: vec![ticket.key.check().to_owned()],
    }
}

fn unreadable(error: anyhow::Error) -> Unknown {
    let why = format!("{error:#}; restore the database from a backup");
    Unknown::new(crate::report::Cause::Store, why)
}
