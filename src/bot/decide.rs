//! Judges what somebody wants to decide about a finding, and records it.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::time::sleep;

use super::{
    Bot,
    offers::{READS_OTHERWISE, not_offered, offers, reads_otherwise},
    orders::UNDER_WAY,
    said,
};
use crate::{
    ops_log::{Entry, Sentence},
    permissions::{Permit, Right},
    report::{FindingKey, Verb},
    store::{Decided, Receipt},
    text::nearest,
    ticket::{self, Draft},
    triage::{Action, Decision, Known, Transition, transition},
};

/// How often a decision is judged anew because somebody was quicker.
const TRIES: u8 = 60;

/// Any time up to so many milliseconds.
fn any_below(milliseconds: u8) -> anyhow::Result<Duration> {
    let mut byte = [0];
    getrandom::fill(&mut byte).context("the system gives no random bytes")?;
    Ok(Duration::from_millis((byte[0] % (milliseconds + 1)).into()))
}

/// What somebody wants to decide.
#[derive(Clone, Debug)]
pub enum Wish {
    Act(Action),
    /// To have the check do what they confirmed, and nothing else: `Remedy::digest` names it.
    Confirmed {
        verb: Verb,
        digest: String,
    },
    /// To have a ticket that says this.
    Ticket(Draft),
}

impl Wish {
    /// What is decided by it; none of one for a ticket.
    pub(super) fn action(&self) -> Option<Action> {
        match self {
            Self::Act(action) => Some(action.clone()),
            Self::Confirmed { verb, .. } => Some(Action::Remedy { verb: *verb }),
            Self::Ticket(_) => None,
        }
    }
}

impl From<Action> for Wish {
    fn from(action: Action) -> Self {
        Self::Act(action)
    }
}

/// What became of a wish to decide.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and an entry is the usual case"
)]
pub enum Outcome {
    Recorded {
        decision: Decision,
        entry: Entry,
        /// In the words of the terminal and of a private answer.
        said: Sentence,
        /// Whether something is asked of the other side.
        wants_effect: bool,
        /// Whether it is an assignment that the other side could have been told of, and is not.
        is_ours_alone: bool,
    },
    /// Nothing was changed, and why.
    Refused(Sentence),
    /// Another process deals with the request.
    Elsewhere,
}

impl Bot {
    /// Judges an action, and records it with its log entry and the effect that it asks for. `seen` is the newest version
    /// that the person had before them; None: whatever is newest now.
    pub async fn decide(
        &self,
        key: &FindingKey,
        wish: impl Into<Wish>,
        seen: Option<i64>,
        permit: &Permit,
        receipt: Option<&Receipt>,
    ) -> anyhow::Result<Outcome> {
        let wish = wish.into();
        ensure!(
            permit.right() != Right::Look,
            "this is a defect: somebody may look, and would decide"
        );
        let (now, zone) = ((self.clock)(), self.schedule.time_zone);
        let known = match self.known(key).await? {
            Ok(known) => known,
            Err(why) => return Ok(Outcome::Refused(why)),
        };
        if let Some(action) = wish.action()
            && let Some(why) = not_offered(&known.finding, &action)
        {
            return Ok(Outcome::Refused(why));
        }
        if let Wish::Confirmed { verb, digest } = &wish
            && reads_otherwise(&known.finding, *verb, digest)
        {
            return Ok(Outcome::Refused(Sentence::new().say(READS_OTHERWISE)));
        }
        let mut seen = seen;
        for attempt in 0..TRIES {
            let history = self.store.history(key).await?;
            let newest = history.last().map_or(0, |last| last.version);
            // What comes about between two tries, nobody has seen.
            let seen = *seen.get_or_insert(newest);
            let (action, ticket) = match &wish {
                Wish::Act(action) => (action.clone(), None),
                Wish::Confirmed { verb, .. } => (Action::Remedy { verb: *verb }, None),
                Wish::Ticket(draft) => match self.ticket_for(key, draft).await? {
                    Ok((action, ticket)) => (action, Some(ticket)),
                    Err(why) => return Ok(Outcome::Refused(why)),
                },
            };
            let tickets = self.store.tickets_of([key]).await?;
            let closed = ticket::closed(&tickets).remove(key);
            let judged = transition(&history, action, seen, &known, closed, now);
            let action = match judged {
                Transition::Decide(action) => action,
                Transition::Already(first) => {
                    return Ok(Outcome::Refused(said::already(&first, zone, now)));
                }
                Transition::Overruled(newer) => {
                    return Ok(Outcome::Refused(said::overruled(&newer, zone, now)));
                }
                Transition::NothingToUndo => {
                    let why = "there is no decision to undo";
                    return Ok(Outcome::Refused(Sentence::new().say(why)));
                }
            };
            let decision = Decision {
                key: key.clone(),
                version: newest + 1,
                at: now,
                by: permit.by().clone(),
                action,
                severity: known.finding.severity,
                magnitude: known.finding.magnitude,
            };
            let wants = match self
                .wants(&known, &history, &decision, ticket, permit)
                .await?
            {
                Ok(wants) => wants,
                Err(why) => return Ok(Outcome::Refused(why)),
            };
            let wants_effect = wants.effect.is_some();
            let title = Sentence::new().quote(&known.finding.title);
            let entry = said::entry(&decision, &history, title);
            match self
                .store
                .decide(decision.clone(), entry, wants, receipt.cloned())
                .await?
            {
                Decided::Recorded(entry) => {
                    self.wake.effects.notify_one();
                    self.wake.messages.notify_one();
                    let said = said::recorded(&decision, &history, &known.finding, &entry, zone);
                    let is_ours_alone = matches!(decision.action, Action::Assign { .. })
                        && offers(&known.finding, "assign")
                        && !wants_effect;
                    let said = match is_ours_alone {
                        true => said.say(said::OURS_ALONE),
                        false => said,
                    };
                    let name = self.local_name(&decision).await?;
                    return Ok(Outcome::Recorded {
                        said: match name {
                            Some(name) => said.say(format!(" · it is `{name}`")),
                            None => said,
                        },
                        decision,
                        entry,
                        wants_effect,
                        is_ours_alone,
                    });
                }
                // Those who were slower don't try again all at once.
                Decided::Conflict => sleep(any_below(attempt)?).await,
                Decided::Elsewhere => return Ok(Outcome::Elsewhere),
                Decided::Sent => return Ok(Outcome::Refused(Sentence::new().say(UNDER_WAY))),
            }
        }
        // Not a refusal: what was accepted is dealt with later.
        bail!("others decided about {key} all the time; nothing was changed, try it again")
    }

    /// What is known of a finding that was open, or that it is not any more; in which case there is nothing to decide.
    pub(super) async fn still_open(
        &self,
        key: &FindingKey,
    ) -> anyhow::Result<Result<Known, Sentence>> {
        let known = self.store.memory().await?.remove(key);
        Ok(known.ok_or_else(|| no_longer_listed(key)))
    }

    /// What is known of an open finding, or why there is nothing to decide.
    pub(super) async fn known(&self, key: &FindingKey) -> anyhow::Result<Result<Known, Sentence>> {
        let mut memory = self.store.memory().await?;
        if let Some(known) = memory.remove(key) {
            return Ok(Ok(known));
        }
        let keys: Vec<String> = memory.keys().map(ToString::to_string).collect();
        // What was decided about was there.
        if !self.store.history(key).await?.is_empty() {
            return Ok(Err(no_longer_listed(key)));
        }
        let what = Sentence::new()
            .say("no open finding is named ")
            .quote(key.to_string());
        Ok(Err(
            match nearest(&key.to_string(), keys.iter().map(String::as_str)) {
                Some(near) => what.say("; did you mean ").quote(near).say("?"),
                None if keys.is_empty() => what.say(": the last round left none open"),
                None => what
                    .say(": it is gone, or never was; the last round's report lists what is open"),
            },
        ))
    }
}

/// What was handled and has grown too old for a look is not on the list either: nobody knows whether that is gone.
fn no_longer_listed(key: &FindingKey) -> Sentence {
    Sentence::new()
        .quote(key.to_string())
        .say(" is no longer on the list: newer looks did not find it; nothing was changed")
}
