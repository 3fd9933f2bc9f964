//! What people decide about findings, here and on the other side.

use anyhow::{bail, ensure};
use chrono::{DateTime, Utc};

use super::{Bot, said, said::Said};
use crate::{
    checks::{Applied, Order},
    command::Triage,
    effects::{Delivery, deliver_due},
    ops_log::{Entry, Sentence},
    report::{Finding, FindingKey},
    store::{Decided, Effect, EffectState, NewEffect},
    text::nearest,
    triage::{Action, Decision, Known, Person, Transition, transition},
};

impl Bot {
    /// Carries one triage command out. An error means that it could not be judged at all.
    pub async fn triage(&self, asked: &Triage, by: &Person) -> anyhow::Result<Said> {
        let (now, zone) = ((self.clock)(), self.schedule.time_zone);
        let key = asked.key();
        let known = self.known(key).await?;
        let history = self.store.history(key).await?;
        let Some(wanted) = wanted(asked, now) else {
            return Ok(said::shown(&known, &history, zone, now));
        };
        if let Action::Archive = wanted {
            ensure!(
                offers(&known.finding, "archive"),
                "`{key}` can't be archived on the other side: snooze it instead"
            );
        }
        let seen = history.last().map_or(0, |last| last.version);
        match transition(&history, wanted, seen, &known, now) {
            Transition::Decide(action) => self.decide(known, history, action, by, now).await,
            Transition::Already(first) => Ok(Said::refusal(said::already(&first, zone, now))),
            Transition::Overruled(newer) => Ok(Said::refusal(said::overruled(&newer, zone, now))),
            Transition::NothingToUndo => Ok(Said::refusal(
                Sentence::new().say("there is no decision to undo"),
            )),
        }
    }

    /// Records the decision with its log entry and the effect that it asks for, then makes a first attempt at that.
    async fn decide(
        &self,
        known: Known,
        history: Vec<Decision>,
        action: Action,
        by: &Person,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Said> {
        let finding = &known.finding;
        let decision = Decision {
            key: finding.key.clone(),
            version: history.last().map_or(1, |last| last.version + 1),
            at: now,
            by: by.clone(),
            action,
            severity: finding.severity,
            magnitude: finding.magnitude,
        };
        let effect = self
            .order(finding, &history, &decision)
            .await?
            .map(|order| NewEffect {
                effect_key: format!("{}:{}:{}", order.verb, order.key, decision.version),
                order,
                not_before: now,
            });
        let wants_effect = effect.is_some();
        let entry = said::entry(&decision, &history, Sentence::new().quote(&finding.title));
        let Decided::Recorded(entry) = self.store.decide(decision.clone(), entry, effect).await?
        else {
            return Ok(Said::refusal(Sentence::new().say(
                "somebody was quicker: look at it again, nothing was changed",
            )));
        };
        let zone = self.schedule.time_zone;
        let mut said = Said {
            lines: vec![said::recorded(&decision, &history, finding, &entry, zone)],
            accepted: true,
        };
        let mut entries = vec![entry];
        if wants_effect {
            match self.deliver(&decision, &mut entries).await {
                Ok(delivery) => {
                    said.accepted =
                        !matches!(delivery, Delivery::Overtaken(_) | Delivery::Refused(_));
                    said.lines
                        .push(said::delivered(&delivery, zone, (self.clock)()));
                }
                Err(error) => {
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

    async fn known(&self, key: &FindingKey) -> anyhow::Result<Known> {
        let mut memory = self.store.memory().await?;
        if let Some(known) = memory.remove(key) {
            return Ok(known);
        }
        let keys: Vec<String> = memory.keys().map(ToString::to_string).collect();
        match nearest(&key.to_string(), keys.iter().map(String::as_str)) {
            Some(near) => bail!("no open finding is named `{key}`; did you mean `{near}`?"),
            None if keys.is_empty() => {
                bail!("no open finding is named `{key}`: the last round left none open")
            }
            None => bail!("no open finding is named `{key}`: `daily-ops daily --all` lists them"),
        }
    }

    /// What the decision asks of the other side, if the finding's check can do it.
    async fn order(
        &self,
        finding: &Finding,
        history: &[Decision],
        decision: &Decision,
    ) -> anyhow::Result<Option<Order>> {
        let order = |verb: &str, argument, reason| Order {
            key: decision.key.clone(),
            verb: verb.to_owned(),
            by: decision.by.clone(),
            argument,
            reason,
            before: None,
            after: None,
        };
        let name = decision.action.name();
        Ok(match &decision.action {
            Action::Undo { version } => {
                let undone = history.iter().find(|earlier| earlier.version == *version);
                let effect = self.store.effect_of(&decision.key, *version).await?;
                undone
                    .filter(|_| effect.is_some_and(may_have_changed))
                    .map(|undone| order(name, Some(undone.action.name().into()), None))
            }
            _ if !offers(finding, name) => None,
            Action::Resolve { reason } => Some(order(name, None, reason.clone())),
            // Whoever has no e-mail address or # is known here alone.
            Action::Assign { to } if !to.id().contains(['@', '#']) => None,
            Action::Assign { to } => Some(order(name, Some(to.id().into()), None)),
            Action::Archive => Some(order(name, None, None)),
            _ => None,
        })
    }

    /// Makes a first attempt at what the decision asks for; `entries` takes the log's lines about it.
    async fn deliver(
        &self,
        decision: &Decision,
        entries: &mut Vec<Entry>,
    ) -> anyhow::Result<Delivery> {
        let attempts = deliver_due(&self.store, &self.checklist, &self.clock).await?;
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

/// None if it only wants to look.
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
        Triage::Show { .. } => return None,
    })
}

/// Whether there is, or soon will be, something to undo on the other side.
fn may_have_changed(effect: Effect) -> bool {
    effect.state != EffectState::Failed
        && matches!(
            effect.result,
            None | Some(Applied::Done { changed: true, .. })
        )
}

fn offers(finding: &Finding, verb: &str) -> bool {
    finding.remedies.iter().any(|remedy| remedy.verb == verb)
}
