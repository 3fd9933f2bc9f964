//! Deals with what was asked in a chat: who may, what it means, and what to answer.

use std::sync::Arc;

use anyhow::ensure;
use chrono::TimeDelta;

use super::{
    Bot, Denials, Judged, Outcome, Pictured, Wish, denials::counted, pressed::stale, task::Task,
};
use crate::{
    command::{Asked, Item, Press, Triage, View},
    ops_log::{Entry, Kind, NewEntry, Sentence},
    permissions::{Denied, Directory, Home, Permissions, Permit, Verdict},
    report::{Cause, Finding, FindingKey},
    store::{Effect, MessageState, Receipt, RoundOrder, StoredMessage},
    ticket::{Draft, StoredTicket},
    triage::{Action, Decision, Known},
};

/// Where requests from a chat are dealt with, one after the other or many at once.
pub struct Desk {
    pub bot: Arc<Bot>,
    pub permissions: Permissions,
    pub home: Home,
    pub directory: Arc<dyn Directory>,
    pub denials: Denials,
}

/// What a person gets to see for their request, beside what the message shows.
#[expect(clippy::large_enum_variant, reason = "one at a time")]
pub enum Reply {
    /// Nothing: the message shows it.
    Nothing,
    Private(Vec<Sentence>),
    Help,
    Log(Vec<Entry>),
    /// Those that are open, or all.
    Tickets {
        tickets: Vec<StoredTicket>,
        all: bool,
    },
    /// How things stood at the last round, with the decisions since.
    Status(Box<Judged>),
    /// The same round is under way, or has just ended: its message.
    Running {
        order: RoundOrder,
        message: Option<StoredMessage>,
        ended: bool,
    },
    View(Box<Shown>),
}

/// What a view over a message shows.
pub enum Shown {
    Form {
        view: View,
        finding: Finding,
        item: Item,
    },
    /// The form for a ticket, filled in.
    Ticket {
        draft: Draft,
        finding: Finding,
        item: Item,
    },
    Details {
        known: Known,
        history: Vec<Decision>,
        /// The oldest first.
        tickets: Vec<StoredTicket>,
        /// What was last asked of the other side.
        effect: Option<Effect>,
    },
    /// All findings of the message.
    Rest(Pictured),
}

/// Why a request can't be carried out; nothing was changed.
pub(super) struct Refusal(pub(super) Sentence);

impl Desk {
    /// Deals with a request that was accepted. An error means that it is still to be dealt with, by whoever claims it
    /// next.
    pub async fn answer(&self, asked: &Asked, receipt: &Receipt) -> anyhow::Result<Reply> {
        let task = match Task::of(asked) {
            Ok(task) => task,
            Err(why) => {
                self.bot.store.finish_asked(receipt.clone()).await?;
                let lines = why.lines().map(|line| Sentence::new().say(line));
                return Ok(Reply::Private(lines.collect()));
            }
        };
        if let Task::Help = task {
            return self.finish(receipt, Reply::Help).await;
        }
        let verdict = self
            .permissions
            .check(&asked.by, task.right(), &self.home, &*self.directory)
            .await;
        let permit = match verdict {
            Verdict::Permitted(permit) => permit,
            Verdict::Denied(denied) => {
                return Box::pin(self.deny(asked, &task, denied, receipt)).await;
            }
            Verdict::Unknown(unknown) => {
                let why = "whether you may do that is not known, so nothing was changed: ";
                // What may pass by itself keeps the request in the inbox.
                ensure!(!passes(unknown.cause), "{why}{}", unknown.reason.as_str());
                let why = Sentence::new().say(why).quote(&unknown.reason);
                return self.refuse(receipt, why).await;
            }
        };
        match Box::pin(self.carry_out(asked, task, &permit, receipt)).await? {
            Ok(reply) => Ok(reply),
            Err(Refusal(why)) => self.refuse(receipt, why).await,
        }
    }

    async fn refuse(&self, receipt: &Receipt, why: Sentence) -> anyhow::Result<Reply> {
        self.finish(receipt, Reply::Private(vec![why])).await
    }

    /// Ends a request that changes nothing. Whoever lost the claim says nothing: somebody else does.
    pub(super) async fn finish(&self, receipt: &Receipt, reply: Reply) -> anyhow::Result<Reply> {
        let ours = self.bot.store.finish_asked(receipt.clone()).await?;
        Ok(if ours { reply } else { Reply::Nothing })
    }

    async fn deny(
        &self,
        asked: &Asked,
        task: &Task,
        denied: Denied,
        receipt: &Receipt,
    ) -> anyhow::Result<Reply> {
        let line = Sentence::new().say(denied.advice());
        let advice = Reply::Private(vec![line.say("; nothing was changed")]);
        let (who, kind, now) = (asked.by.person(), task.kind(), (self.bot.clock)());
        let about = task.about();
        let Some(taken) = self.denials.take(&who, kind, &about, now) else {
            let reply = self.finish(receipt, advice).await?;
            if !matches!(reply, Reply::Nothing) {
                self.denials.leave_out(&who, kind);
            }
            return Ok(reply);
        };
        let clicked = self.clicked(task).await;
        let mut text = Sentence::new()
            .say("not allowed: ")
            .then(task.name(clicked.as_ref()))
            .say(format!(" · {}", denied.as_str()));
        if taken.left_out > 0 {
            text = text.say(counted(taken.left_out));
        }
        if let Some(channel) = &asked.channel {
            text = text.say(" · in ").quote(channel.as_str());
        }
        let entry = NewEntry {
            at: now,
            kind: Kind::Denied,
            // A channel can be a conversation with one person, and a key can be anything that they typed.
            subject: String::new(),
            by: who.clone(),
            text,
            checks: Vec::new(),
        };
        let Some(entry) = self.bot.store.deny(entry, receipt.clone()).await? else {
            return Ok(Reply::Nothing);
        };
        taken.written();
        self.bot.project_later(&[entry]);
        Ok(advice)
    }

    /// The finding that was clicked on. The log's entry does without it where that can't be read.
    async fn clicked(&self, task: &Task) -> Option<FindingKey> {
        let item = task.item()?;
        let pictured = self.bot.picture(&item.message).await.ok()??;
        pictured.finding(item).map(|finding| finding.key.clone())
    }

    async fn carry_out(
        &self,
        asked: &Asked,
        task: Task,
        permit: &Permit,
        receipt: &Receipt,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        Ok(match task {
            Task::Help => Ok(Reply::Help),
            Task::Round(only) => return self.round(asked, only, permit, receipt).await,
            Task::Status => self.done(receipt, self.status().await?).await?,
            Task::Log(read) => self.done(receipt, self.log(read).await?).await?,
            Task::Typed(Triage::Show { key }) => {
                let said = self.bot.show(&key).await?;
                self.done(receipt, Ok(Reply::Private(said.lines))).await?
            }
            Task::Typed(triage) => {
                let known = match self.bot.known(triage.key()).await? {
                    Ok(known) => known,
                    Err(why) => return Ok(Err(Refusal(why))),
                };
                let now = (self.bot.clock)();
                match self.bot.wish(&triage, &known, permit.by(), now).await? {
                    Ok(wish) => {
                        let wish = match self.addressed(wish, Some(&known.finding)).await? {
                            Ok(wish) => wish,
                            Err(refusal) => return Ok(Err(refusal)),
                        };
                        self.decide(triage.key(), wish, None, permit, receipt, true)
                            .await?
                    }
                    Err(mut lines) => {
                        if triage.remedy().is_some_and(|(_, asked)| !asked.dry_run) {
                            let way = "the button in the message does it as well";
                            lines.push(Sentence::new().say(way));
                        }
                        self.done(receipt, Ok(Reply::Private(lines))).await?
                    }
                }
            }
            Task::Ticket(asked) => self.ticket_asked(&asked, permit, receipt).await?,
            Task::Press(press, item) => {
                let found = match self.find(asked, &item).await? {
                    Ok(found) => found,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let now = (self.bot.clock)();
                let action = match press {
                    Press::Open(view) => {
                        let shown = self.view(view, item, found, permit.by()).await?;
                        return self.done(receipt, shown).await;
                    }
                    Press::CloseTicket => {
                        let Some(finding) = found.finding else {
                            return Ok(Err(stale()));
                        };
                        let name = finding.key.to_string();
                        let tell = found.pictured.message.state == MessageState::Gone;
                        return self.close(&name, permit, receipt, tell).await;
                    }
                    Press::Acknowledge => Action::Acknowledge { reason: None },
                    Press::Resolve => Action::Resolve { reason: None },
                    Press::Snooze => Action::Snooze {
                        until: now + TimeDelta::days(1),
                    },
                    Press::Undo => Action::Undo { version: 0 },
                };
                self.decide_there(found, &item, action, permit, receipt)
                    .await?
            }
            Task::Submit(form, item) => {
                let found = match self.find(asked, &item).await? {
                    Ok(found) => found,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let wish = self.filled_in(form);
                let wish = match self.addressed(wish, found.finding.as_ref()).await? {
                    Ok(wish) => wish,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                self.decide_there(found, &item, wish, permit, receipt)
                    .await?
            }
        })
    }

    pub(super) async fn done(
        &self,
        receipt: &Receipt,
        reply: Result<Reply, Refusal>,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        Ok(match reply {
            Ok(reply) => Ok(self.finish(receipt, reply).await?),
            Err(refusal) => Err(refusal),
        })
    }

    pub(super) async fn decide(
        &self,
        key: &FindingKey,
        wish: impl Into<Wish>,
        seen: Option<i64>,
        permit: &Permit,
        receipt: &Receipt,
        tell: bool,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        let outcome = self
            .bot
            .decide(key, wish, seen, permit, Some(receipt))
            .await?;
        Ok(match outcome {
            Outcome::Recorded {
                entry,
                said,
                wants_effect,
                is_ours_alone,
                ..
            } => {
                self.bot.project_later(&[entry]);
                // The message can't show of an assignment that nobody else hears of it.
                Ok(if tell || is_ours_alone {
                    let mut lines = vec![said];
                    if wants_effect {
                        lines.push(Sentence::new().say(
                            "the other side is told now; `/ops triage show` says what came of it",
                        ));
                    }
                    Reply::Private(lines)
                } else {
                    Reply::Nothing
                })
            }
            Outcome::Refused(why) => Err(Refusal(why)),
            Outcome::Elsewhere => Ok(Reply::Nothing),
        })
    }
}

/// Whether trying again later can help.
pub(super) fn passes(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Timeout
            | Cause::Network
            | Cause::OwnNetwork
            | Cause::Upstream
            | Cause::RateLimited
            | Cause::Decode
    )
}
