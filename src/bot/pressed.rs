//! What buttons and forms of a message stand for.

use chrono::TimeDelta;

use super::{Desk, Pictured, Reply, Wish, desk::Refusal};
use crate::{
    command::{Asked, Form, Item, Pause},
    ops_log::Sentence,
    permissions::Permit,
    report::Finding,
    store::{MessageState, Receipt},
    ticket::Draft,
    triage::{Action, Person},
};

/// What a button stands for.
pub(super) struct Found {
    pub(super) pictured: Pictured,
    /// None for a button of the whole message, or once the run is no longer kept.
    pub(super) finding: Option<Finding>,
}

pub(super) fn stale() -> Refusal {
    Refusal(Sentence::new().say(
        "this message is too old: its run is no longer kept. `/ops daily` shows how things stand; nothing was changed",
    ))
}

impl Desk {
    /// What a button stands for, if it belongs to one of our messages and was clicked there.
    pub(super) async fn find(
        &self,
        asked: &Asked,
        item: &Item,
    ) -> anyhow::Result<Result<Found, Refusal>> {
        let Some(pictured) = self.bot.picture(&item.message).await? else {
            return Ok(Err(Refusal(Sentence::new().say(
                "this message is not known any more, or is of another database: ask for a new round with `/ops daily`; \
                 nothing was changed",
            ))));
        };
        let message = &pictured.message;
        let is_there = asked.channel.as_ref() == Some(&message.channel)
            && match (&message.ts, &asked.message) {
                (Some(known), Some(clicked)) => known == clicked,
                // Slack never confirmed the post, and now shows it to somebody.
                (None, Some(clicked)) => self.bot.store.adopt_message(&message.id, clicked).await?,
                (_, None) => false,
            };
        if !is_there {
            return Ok(Err(Refusal(Sentence::new().say(
                "this button is a copy of one in another message: use the one there; nothing was changed",
            ))));
        }
        let finding = pictured.finding(item).cloned();
        Ok(Ok(Found { pictured, finding }))
    }

    pub(super) fn filled_in(&self, form: Form) -> Wish {
        let now = (self.bot.clock)();
        let action = match form {
            Form::Ticket {
                title,
                body,
                severity,
                labels,
            } => {
                return Wish::Ticket(Draft {
                    title,
                    body,
                    severity,
                    labels,
                });
            }
            Form::Handle { note } => Action::Handle { note: note.into() },
            Form::Remedy { verb, read } => return Wish::Confirmed { verb, digest: read },
            Form::Acknowledge { reason } => Action::Acknowledge {
                reason: reason.map(Into::into),
            },
            Form::Assign { to } => Action::Assign {
                to: Person::from(format!("slack:{to}")),
            },
            Form::Snooze { time } => match time {
                Pause::Day => Action::Snooze {
                    until: now + TimeDelta::days(1),
                },
                Pause::ThreeDays => Action::Snooze {
                    until: now + TimeDelta::days(3),
                },
                Pause::Week => Action::Snooze {
                    until: now + TimeDelta::days(7),
                },
                Pause::UntilItEscalates => Action::Archive,
            },
            Form::Note { text } => Action::Note { text: text.into() },
        };
        Wish::Act(action)
    }

    /// Decides about what a button or a form stands for, as far as its message showed it.
    pub(super) async fn decide_there(
        &self,
        found: Found,
        item: &Item,
        wish: impl Into<Wish>,
        permit: &Permit,
        receipt: &Receipt,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        let Found { pictured, finding } = found;
        // It does not show what is decided.
        let tell = pictured.message.state == MessageState::Gone;
        // A whole run, while others wait to read theirs.
        drop(pictured);
        match finding {
            Some(finding) => {
                if let Err(why) = self.bot.still_open(&finding.key).await? {
                    return Ok(Err(Refusal(why)));
                }
                let seen = Some(item.seen);
                self.decide(&finding.key, wish, seen, permit, receipt, tell)
                    .await
            }
            None => Ok(Err(stale())),
        }
    }
}
