//! What a decision asks of the other side, and what of it can still be taken back.

use super::{
    Bot,
    offers::offers,
    tickets::{self, Wanted},
};
use crate::{
    checks::{Applied, Order},
    ops_log::Sentence,
    permissions::Permit,
    report::Finding,
    store::{Effect, EffectState, NewEffect, Wants},
    triage::{Action, Decision, Known, Person},
};

const ASKED_THERE: &str =
    "the other side has taken it and can't be told to stop from here; nothing was changed";

const DONE_THERE: &str = "it is done and can't be taken back from here (a payment is refunded in Stripe): nothing was changed";

pub(super) const UNDER_WAY: &str =
    "it is under way and can't be taken back any more: see what comes of it";

/// How a decision is taken back.
enum Undo {
    /// By an order to the other side, or with nothing to do there.
    Order(Option<Box<Order>>),
    /// By sending nothing.
    Cancel,
}

impl Bot {
    /// All that a decision asks for beside itself, or why it can't be made.
    pub(super) async fn wants(
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
                let offered = finding.remedy(name)?;
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
                let is_asked = matches!(effect.result, Some(Applied::Asked { .. }));
                let why = if is_asked { ASKED_THERE } else { DONE_THERE };
                Ok(Err(Sentence::new().say(why)))
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
