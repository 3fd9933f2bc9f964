//! What people decide about findings, here and on the other side.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use tokio::time::sleep;

use super::{
    Bot, said,
    said::Said,
    tickets::{self, Wanted},
};
use crate::{
    checks::{Applied, Order},
    command::Triage,
    effects::{Delivery, deliver_due},
    ops_log::{Entry, Sentence},
    permissions::{Permit, Right},
    report::{Finding, FindingKey, Verb},
    store::{Decided, Effect, EffectState, NewEffect, Receipt, Wants, idempotency_key},
    text::nearest,
    ticket::{self, Draft},
    triage::{Action, Decision, Known, Person, Transition, transition},
};

/// How long a rehearsal may take.
const REHEARSAL: Duration = Duration::from_secs(20);

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
    fn action(&self) -> Option<Action> {
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
    },
    /// Nothing was changed, and why.
    Refused(Sentence),
    /// Another process deals with the request.
    Elsewhere,
}

impl Bot {
    /// Carries one triage command of the terminal out. An error means that it could not be judged at all.
    pub async fn triage(&self, asked: &Triage, permit: &Permit) -> anyhow::Result<Said> {
        let now = (self.clock)();
        let known = match self.known(asked.key()).await? {
            Ok(known) => known,
            Err(why) => bail!("{}", why.plain()),
        };
        if let Triage::Show { key } = asked {
            return self.show(key).await;
        }
        let wish = match self.wish(asked, &known, permit.by(), now).await? {
            Ok(wish) => wish,
            Err(lines) => return Ok(Said::refused(lines)),
        };
        if let Some(action) = wish.action()
            && let Some(why) = not_offered(&known.finding, &action)
        {
            bail!("{}", why.plain());
        }
        let (decision, entry, said, wants_effect) =
            match self.decide(asked.key(), wish, None, permit, None).await? {
                Outcome::Recorded {
                    decision,
                    entry,
                    said,
                    wants_effect,
                } => (decision, entry, said, wants_effect),
                Outcome::Refused(why) => return Ok(Said::refusal(why)),
                Outcome::Elsewhere => bail!("another process deals with that"),
            };
        let mut said = Said::done(vec![said]);
        let mut entries = vec![entry];
        if wants_effect {
            match self.deliver(&decision, &mut entries).await {
                Ok(delivery) => {
                    let zone = self.schedule.time_zone;
                    said.take(decision.action.name(), &delivery, zone, (self.clock)());
                }
                Err(error) => {
                    said.settled = false;
                    let line = Sentence::new().say("recorded, and kept for the other side: ");
                    said.lines.push(line.quote(format!("{error:#}")));
                }
            }
        }
        if let Err(error) = self.project(&entries).await {
            said.lines.push(
                Sentence::new()
                    .say("the ops log's file was not written: ")
                    .quote(format!("{error:#}")),
            );
        }
        Ok(said)
    }

    /// All that is known and decided about a finding.
    pub async fn show(&self, key: &FindingKey) -> anyhow::Result<Said> {
        let known = match self.known(key).await? {
            Ok(known) => known,
            Err(why) => return Ok(Said::refusal(why)),
        };
        let history = self.store.history(key).await?;
        let tickets = self.store.tickets_of([key]).await?.remove(key);
        let (now, zone) = ((self.clock)(), self.schedule.time_zone);
        let tickets = tickets.unwrap_or_default();
        Ok(said::shown(&known, &history, &tickets, zone, now))
    }

    /// What a typed decision comes to, or what is to be said in its place.
    pub(super) async fn wish(
        &self,
        asked: &Triage,
        known: &Known,
        by: &Person,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Result<Wish, Vec<Sentence>>> {
        if let Triage::Ticket { title, label, .. } = asked {
            let mut draft = self.draft_of(known, by).await?;
            if let Some(title) = title {
                draft.title.clone_from(title);
            }
            draft.labels.extend_from_slice(label);
            return Ok(Ok(Wish::Ticket(draft)));
        }
        if let Some((verb, asked)) = asked.remedy() {
            if asked.dry_run {
                return self.rehearse(&known.finding, verb, by).await.map(Err);
            }
            let unsure = said::unsure(&known.finding, verb).filter(|_| !asked.yes);
            if let Some(lines) = unsure {
                return Ok(Err(lines));
            }
            let mut offered = known.finding.remedies.iter();
            if let Some(remedy) = offered.find(|remedy| remedy.verb == verb.as_str()) {
                let digest = remedy.digest();
                return Ok(Ok(Wish::Confirmed { verb, digest }));
            }
        }
        let action = wanted(asked, now).context("`show` and `ticket` are dealt with before")?;
        Ok(Ok(Wish::Act(action)))
    }

    /// What would be sent now, a line each; nothing but reads is.
    async fn rehearse(
        &self,
        finding: &Finding,
        verb: Verb,
        by: &Person,
    ) -> anyhow::Result<Vec<Sentence>> {
        let mut offered = finding.remedies.iter();
        let Some(remedy) = offered.find(|remedy| remedy.verb == verb.as_str()) else {
            let why = not_offered(finding, &Action::Remedy { verb });
            return Ok(why.into_iter().collect());
        };
        let history = self.store.history(&finding.key).await?;
        let version = history.last().map_or(0, |last| last.version) + 1;
        let at = (self.clock)();
        let order = Order::new(&finding.key, verb.as_str(), by);
        let order = Order {
            argument: remedy.argument.clone(),
            at,
            idempotency_key: idempotency_key(&order, version, at),
            ..order
        };
        let rehearsed = self
            .checklist
            .rehearse(&order, REHEARSAL, &self.clock)
            .await;
        let head = "nothing was sent; what would be, if it were decided at this moment:";
        let mut lines = vec![Sentence::new().say(head)];
        match rehearsed {
            Ok(said) => lines.extend(said.iter().map(|line| Sentence::new().quote(line))),
            Err(why) => lines = vec![Sentence::new().quote(why.to_string())],
        }
        Ok(lines)
    }

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
                    let name = self.local_name(&decision).await?;
                    return Ok(Outcome::Recorded {
                        said: match name {
                            Some(name) => said.say(format!(" · it is `{name}`")),
                            None => said,
                        },
                        decision,
                        entry,
                        wants_effect,
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

    /// What is known of an open finding, or why there is nothing to decide.
    pub(super) async fn known(&self, key: &FindingKey) -> anyhow::Result<Result<Known, Sentence>> {
        let mut memory = self.store.memory().await?;
        if let Some(known) = memory.remove(key) {
            return Ok(Ok(known));
        }
        let keys: Vec<String> = memory.keys().map(ToString::to_string).collect();
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

    /// All that a decision asks for beside itself, or why it can't be made.
    async fn wants(
        &self,
        known: &Known,
        history: &[Decision],
        decision: &Decision,
        ticket: Option<Wanted>,
        permit: &Permit,
    ) -> anyhow::Result<Result<Wants, Sentence>> {
        let mut wants = Wants::default();
        let order = match (&decision.action, ticket) {
            (_, Some(Wanted { order, ticket })) => {
                wants.ticket = Some(ticket);
                order.map(|ticket| Order {
                    ticket: Some(ticket),
                    ..Order::new(&decision.key, decision.action.name(), &decision.by)
                })
            }
            (Action::Undo { version }, None) => {
                match self.undo(history, decision, *version).await? {
                    Ok(Undo::Order(order)) => order.map(|order| *order),
                    Ok(Undo::Cancel) => {
                        wants.cancels = Some(*version);
                        None
                    }
                    Err(why) => return Ok(Err(why)),
                }
            }
            _ => self.order(&known.finding, decision),
        };
        if wants.cancels.is_none() {
            wants.cancels = match self.superseded(history, decision).await? {
                Ok(superseded) => superseded,
                Err(why) => return Ok(Err(why)),
            };
        }
        wants.effect = order
            .map(|order| NewEffect::new(order, decision.version, decision.at, permit))
            .transpose()?;
        Ok(Ok(wants))
    }

    /// The version of the remedy that was asked for before and has not been sent: whatever is decided now takes its
    /// place. One that was sent goes on; then no second one can be asked for.
    async fn superseded(
        &self,
        history: &[Decision],
        decision: &Decision,
    ) -> anyhow::Result<Result<Option<i64>, Sentence>> {
        if matches!(decision.action, Action::Note { .. } | Action::Undo { .. }) {
            return Ok(Ok(None));
        }
        let asked = |earlier: &&Decision| matches!(earlier.action, Action::Remedy { .. });
        let Some(asked) = history.iter().rev().find(asked) else {
            return Ok(Ok(None));
        };
        let effect = self.store.effect_of(&decision.key, asked.version).await?;
        let under_way = effect.filter(is_under_way);
        Ok(match under_way {
            Some(effect) if effect.first_sent_at.is_none() => Ok(Some(asked.version)),
            Some(_) if matches!(decision.action, Action::Remedy { .. }) => {
                Err(Sentence::new().say(UNDER_WAY))
            }
            _ => Ok(None),
        })
    }

    /// What the decision asks of the other side, if the finding's check can do it.
    fn order(&self, finding: &Finding, decision: &Decision) -> Option<Order> {
        let name = decision.action.name();
        let order = Order::new(&decision.key, name, &decision.by);
        if !offers(finding, name) {
            return None;
        }
        match &decision.action {
            Action::Resolve { reason } => Some(Order {
                reason: reason.clone(),
                ..order
            }),
            Action::Assign { to } => self.address(to).map(|address| Order {
                argument: Some(address),
                ..order
            }),
            Action::Remedy { .. } => {
                let mut remedies = finding.remedies.iter();
                let offered = remedies.find(|remedy| remedy.verb == name)?;
                Some(Order {
                    argument: offered.argument.clone(),
                    ..order
                })
            }
            Action::Archive => Some(order),
            _ => None,
        }
    }

    /// How a decision is taken back. What the other side can't take back is not sent any more; if it has been sent, the
    /// decision alone is taken back, once nothing is under way.
    async fn undo(
        &self,
        history: &[Decision],
        undo: &Decision,
        version: i64,
    ) -> anyhow::Result<Result<Undo, Sentence>> {
        let Some(undone) = history.iter().find(|earlier| earlier.version == version) else {
            return Ok(Ok(Undo::Order(None)));
        };
        let effect = self.store.effect_of(&undo.key, version).await?;
        match (&undone.action, effect) {
            (Action::Ticket { .. } | Action::Remedy { .. }, Some(effect))
                if is_under_way(&effect) =>
            {
                Ok(match effect.first_sent_at {
                    None => Ok(Undo::Cancel),
                    Some(_) => Err(Sentence::new().say(UNDER_WAY)),
                })
            }
            (Action::Ticket { marker, .. }, _) => {
                let tickets = self.store.tickets_of([&undo.key]).await?;
                let mut tickets = tickets.into_values().flatten();
                let open = tickets.find(|ticket| ticket.marker == *marker && ticket.is_open());
                Ok(match open {
                    Some(ticket) => Err(tickets::still_open(&ticket)),
                    None => Ok(Undo::Order(None)),
                })
            }
            (Action::Remedy { .. }, Some(effect)) if effect.state == EffectState::Done => {
                Ok(Err(Sentence::new().say(DONE_THERE)))
            }
            (Action::Remedy { .. }, _) => Ok(Ok(Undo::Order(None))),
            (action, effect) => Ok(Ok(Undo::Order(effect.filter(may_have_changed).map(|_| {
                Box::new(Order {
                    argument: Some(action.name().into()),
                    ..Order::new(&undo.key, undo.action.name(), &undo.by)
                })
            })))),
        }
    }

    /// What the other side knows a person by. Whoever has no e-mail address or # is known here alone.
    fn address(&self, person: &Person) -> Option<String> {
        match person.id().strip_prefix("slack:") {
            Some(user) => self.people.get(user).cloned(),
            None => person
                .id()
                .contains(['@', '#'])
                .then(|| person.id().to_owned()),
        }
    }

    /// Makes a first attempt at what the decision asks for; `entries` takes the log's lines about it.
    async fn deliver(
        &self,
        decision: &Decision,
        entries: &mut Vec<Entry>,
    ) -> anyhow::Result<Delivery> {
        let attempts = deliver_due(&self.store, self.sides(), &self.clock).await?;
        let mut delivery = Delivery::Elsewhere;
        for attempt in attempts {
            if attempt.effect.key == decision.key && attempt.effect.version == decision.version {
                delivery = attempt.delivery;
            }
            entries.extend(attempt.entries);
        }
        Ok(delivery)
    }
}

/// How a decision is taken back.
enum Undo {
    /// By an order to the other side, or with nothing to do there.
    Order(Option<Box<Order>>),
    /// By sending nothing.
    Cancel,
}

const DONE_THERE: &str = "it is done and can't be taken back from here (a payment is refunded in Stripe): nothing was changed";

const UNDER_WAY: &str = "it is under way and can't be taken back any more: see what comes of it";

const READS_OTHERWISE: &str = "what you read has changed since: open it again and read what would be done now; nothing was changed";

/// Whether what somebody has confirmed is not what would be done now.
fn reads_otherwise(finding: &Finding, verb: Verb, digest: &str) -> bool {
    let mut offered = finding.remedies.iter();
    let now = offered.find(|remedy| remedy.verb == verb.as_str());
    now.is_some_and(|now| now.digest() != digest)
}

/// Why the finding's check can't do that about it, if it is for the check to do.
pub(super) fn not_offered(finding: &Finding, action: &Action) -> Option<Sentence> {
    let name = action.name();
    let is_offered = match action {
        Action::Resolve { .. } => finding.can_be_resolved,
        Action::Archive | Action::Remedy { .. } => offers(finding, name),
        _ => true,
    };
    if is_offered {
        return None;
    }
    let key = &finding.key;
    let why = match action {
        Action::Resolve { .. } => format!(
            "`{key}` can't be resolved from here: nothing would change on the other side. Once it was dealt with, `triage handle {key} NOTE` says so; nothing was changed"
        ),
        Action::Archive => {
            format!("`{key}` can't be archived on the other side: snooze it instead")
        }
        _ => format!(
            "`{name}` is nothing that can be done about `{key}` from here: `triage show {key}` says what is known of it"
        ),
    };
    Some(Sentence::new().say(why))
}

/// None if it only wants to look, or wants a ticket.
fn wanted(asked: &Triage, now: DateTime<Utc>) -> Option<Action> {
    Some(match asked {
        Triage::Acknowledge { reason, .. } => Action::Acknowledge {
            reason: reason.as_deref().map(Into::into),
        },
        Triage::Assign { who, .. } => Action::Assign {
            to: Person::from(who.clone()),
        },
        Triage::Snooze { time, .. } => Action::Snooze { until: now + *time },
        Triage::Resolve { reason, .. } => Action::Resolve {
            reason: reason.as_deref().map(Into::into),
        },
        Triage::Archive { .. } => Action::Archive,
        Triage::Undo { .. } => Action::Undo { version: 0 },
        Triage::Note { text, .. } => Action::Note {
            text: text.join(" ").into(),
        },
        Triage::Handle { note, .. } => Action::Handle {
            note: note.join(" ").into(),
        },
        Triage::Pay(_) | Triage::Send(_) | Triage::Resend(_) | Triage::Replay(_) => {
            let (verb, _) = asked.remedy()?;
            Action::Remedy { verb }
        }
        Triage::Show { .. } | Triage::Ticket { .. } => return None,
    })
}

/// Whether something of it is or will be sent, as far as is known.
fn is_under_way(effect: &Effect) -> bool {
    effect.is_open() && effect.state != EffectState::NeedsHuman
}

/// Whether there is, or soon will be, something to undo on the other side.
fn may_have_changed(effect: &Effect) -> bool {
    effect.state != EffectState::Failed
        && matches!(
            effect.result,
            None | Some(Applied::Done { changed: true, .. })
        )
}

fn offers(finding: &Finding, verb: &str) -> bool {
    finding.remedies.iter().any(|remedy| remedy.verb == verb)
}
