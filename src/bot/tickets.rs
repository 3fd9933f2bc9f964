//! Tickets that findings have: asked for, and closed where they are kept here.

use chrono::{DateTime, Utc};

use super::Bot;
use crate::{
    ops_log::{Entry, Kind, NewEntry, Sentence},
    render,
    report::FindingKey,
    store::NewTicket,
    text::Untrusted,
    ticket::{Draft, LOCAL, Marker, StoredTicket, TicketOrder, TicketStatus},
    trackers::Returned,
    triage::{Action, Decision, Known, Person},
};

/// As in `check tickets`.
pub const NAME: &str = "tickets";

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

pub(super) fn closed(ticket: &StoredTicket, by: &Person, at: DateTime<Utc>, how: &str) -> NewEntry {
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
