//! Those who carry orders out: the checks, and the tracker.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::{ATTEMPT_LIMIT, decision_of, delivery::Failed};
use crate::{
    checks::{Applied, Checklist, NotApplied, Order},
    schedule::Clock,
    store::Effect,
    ticket::TicketOrder,
    trackers::Tracker,
    triage::{Action, Decision},
};

/// So long a tracker's newest tickets are looked through for one that an earlier order may have made.
const OF_LATE: TimeDelta = TimeDelta::days(30);

/// Those who can carry an order out.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    pub checklist: &'a Checklist,
    pub tracker: &'a Tracker,
}

impl Sides<'_> {
    pub(super) async fn apply(
        self,
        order: &Order,
        history: &[Decision],
        clock: &Clock,
    ) -> Result<Applied, Failed> {
        match &order.ticket {
            None => Ok(self.checklist.apply(order, ATTEMPT_LIMIT, clock).await?),
            Some(ticket) => {
                self.ticket(ticket, first_wanted(ticket, history, order.at))
                    .await
            }
        }
    }

    async fn ticket(
        self,
        ticket: &TicketOrder,
        wanted_at: DateTime<Utc>,
    ) -> Result<Applied, Failed> {
        let deadline = Instant::now() + ATTEMPT_LIMIT;
        let ensured = self.tracker.ensure(ticket, wanted_at, deadline).await?;
        let name = self.tracker.name();
        let mut said = format!("ticket {} in {name}", ensured.ticket.name);
        if let Some(url) = &ensured.ticket.url {
            said.push_str(&format!(": {url}"));
        }
        if let Some(remark) = &ensured.remark {
            said.push_str(&format!("; {}", remark.as_str()));
        }
        Ok(Applied::Ticketed {
            said: said.into(),
            ticket: ensured.ticket,
            remark: ensured.remark,
        })
    }

    /// Nothing goes to another tracker than the one that was decided for.
    pub(super) fn has_the_tracker(
        self,
        effect: &Effect,
        history: &[Decision],
    ) -> Result<(), NotApplied> {
        let decision = decision_of(effect, history).map(|decision| &decision.action);
        let Some(Action::Ticket { tracker, .. }) = decision else {
            return Ok(());
        };
        if tracker == self.tracker.name() {
            return Ok(());
        }
        let place = match self.tracker {
            Tracker::Local => "here".to_owned(),
            other => format!("in {}", other.name()),
        };
        let so_far = match (&effect.order.ticket, effect.first_sent_at) {
            (Some(TicketOrder::Open { marker, .. }), Some(_)) => format!(
                "whether the ticket was opened there is not known: look there for `{}`, or for `{}`",
                marker.words(),
                marker.label()
            ),
            (Some(TicketOrder::Reopen { .. }), Some(_)) => {
                "whether the ticket was opened again there is not known: look at it there"
                    .to_owned()
            }
            _ => "nothing was sent there".to_owned(),
        };
        let why = format!(
            "{tracker} isn't configured any more: {so_far}; ask for the ticket again to have one {place}, or configure {tracker} again first"
        );
        Err(NotApplied::Refused(why.into()))
    }
}

/// When a ticket with that marker was asked for first, of late: a try that was given up may have made it. A reopening is
/// of its own decision.
fn first_wanted(
    ticket: &TicketOrder,
    history: &[Decision],
    decided_at: DateTime<Utc>,
) -> DateTime<Utc> {
    let TicketOrder::Open { marker: wanted, .. } = ticket else {
        return decided_at;
    };
    let is_for_it = |decision: &&Decision| matches!(&decision.action, Action::Ticket { marker, .. } if marker == wanted);
    let first = history.iter().find(is_for_it);
    first.map_or(decided_at, |first| {
        first.at.clamp(decided_at - OF_LATE, decided_at)
    })
}
