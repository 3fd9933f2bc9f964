//! What people decide about findings, here and on the other side.

use anyhow::{bail, ensure};
use chrono::{DateTime, Utc};

use super::Bot;
use crate::{
    checks::{Applied, Order},
    command::Triage,
    effects::{Delivery, deliver_due},
    ops_log::{Entry, Head, Kind, NewEntry, Sentence},
    render,
    report::{Finding, FindingKey},
    store::{Decided, NewEffect},
    text::nearest,
    triage::{Action, Decision, Known, Person, Transition, transition},
};

/// What the bot answers to a person who decides.
pub struct Said {
    pub lines: Vec<Sentence>,
    /// False if nothing was decided: somebody was quicker, or something stands in its way.
    pub accepted: bool,
}

impl Said {
    fn refusal(line: Sentence) -> Self {
        Self {
            lines: vec![line],
            accepted: false,
        }
    }
}

impl Bot {
    /// Carries one triage command out. An error means that it could not be judged at all.
    pub async fn triage(&self, asked: &Triage, by: &Person) -> anyhow::Result<Said> {
        let now = (self.clock)();
        let key = asked.key();
        let known = self.known(key).await?;
        let history = self
            .store
            .decisions([key])
            .await?
            .remove(key)
            .unwrap_or_default();
        let wanted = match asked {
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
            Triage::Show { .. } => return Ok(self.show(&known, &history, now)),
        };
        if let Action::Archive = wanted {
            ensure!(
                offers(&known.finding, "archive"),
                "`{}` can't be archived on the other side: snooze it instead",
                key
            );
        }
        let seen = history.last().map_or(0, |last| last.version);
        let zone = self.schedule.time_zone;
        match transition(&history, wanted, seen, &known, now) {
            Transition::Decide(action) => self.decide(known, history, action, by, now).await,
            Transition::Already(first) => Ok(Said::refusal(
                Sentence::new()
                    .say("already ")
                    .quote(render::decided(&first, zone, now)),
            )),
            Transition::Overruled(first) => Ok(Said::refusal(
                Sentence::new()
                    .say("it is ")
                    .quote(render::decided(&first, zone, now))
                    .say(": undo that first, nothing was changed"),
            )),
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
        let order = self.order(finding, &history, &decision).await?;
        let text = Sentence::new()
            .say(format!("{} ", finding.key))
            .quote(&finding.title);
        let effect = order.map(|order| NewEffect {
            effect_key: format!("{}:{}:{}", order.verb, order.key, decision.version),
            order,
            not_before: now,
        });
        let wants_effect = effect.is_some();
        let recorded = self
            .store
            .decide(
                decision.clone(),
                self.entry(&decision, text, &history),
                effect,
            )
            .await?;
        let Decided::Recorded(entry) = recorded else {
            return Ok(Said::refusal(Sentence::new().say(
                "somebody was quicker: look at it again, nothing was changed",
            )));
        };
        let mut said = Said {
            lines: vec![self.recorded(&decision, &history, finding, &entry, now)],
            accepted: true,
        };
        let mut entries = vec![entry];
        if wants_effect {
            let mut attempts = deliver_due(&self.store, &self.checklist, &self.clock).await?;
            entries.extend(
                attempts
                    .iter_mut()
                    .filter_map(|attempt| attempt.entry.take()),
            );
            let ours = attempts
                .into_iter()
                .find(|a| a.effect.key == decision.key && a.effect.version == decision.version);
            let delivery = ours.map_or(Delivery::Elsewhere, |ours| ours.delivery);
            said.lines.push(self.delivered(&delivery, now));
            if let Delivery::Overtaken(_) = delivery {
                entries.extend(self.withdraw(&decision).await?);
                said.accepted = false;
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
        let verb_of = |action: &Action| match action {
            Action::Resolve { .. } | Action::Assign { .. } | Action::Archive => Some(action.name()),
            _ => None,
        };
        let (verb, argument, reason, before) = match &decision.action {
            Action::Undo { version } => {
                let undone = history.iter().find(|earlier| earlier.version == *version);
                let Some(verb) = undone.and_then(|undone| verb_of(&undone.action)) else {
                    return Ok(None);
                };
                let before = match self
                    .store
                    .effect_of(&decision.key, *version)
                    .await?
                    .and_then(|effect| effect.result)
                {
                    Some(Applied::Done { before, .. }) => before,
                    _ => return Ok(None),
                };
                ("undo", Some(verb.into()), None, before)
            }
            action @ Action::Resolve { reason } => (action.name(), None, reason.clone(), None),
            action @ Action::Assign { to } => (action.name(), Some(to.id().into()), None, None),
            action @ Action::Archive => (action.name(), None, None, None),
            _ => return Ok(None),
        };
        let able = offers(finding, verb) || verb == "undo";
        Ok(able.then(|| Order {
            key: decision.key.clone(),
            verb: verb.to_owned(),
            by: decision.by.clone(),
            argument,
            reason,
            before,
        }))
    }

    /// Takes a decision back that the other side has overtaken, in the name of the program.
    async fn withdraw(&self, overtaken: &Decision) -> anyhow::Result<Option<Entry>> {
        let now = (self.clock)();
        let undo = Decision {
            version: overtaken.version + 1,
            at: now,
            by: Person::from("daily-ops".to_owned()),
            action: Action::Undo {
                version: overtaken.version,
            },
            ..overtaken.clone()
        };
        let text = Sentence::new().say(format!("{}: overtaken on the other side", undo.key));
        match self
            .store
            .decide(
                undo.clone(),
                self.entry(&undo, text, std::slice::from_ref(overtaken)),
                None,
            )
            .await?
        {
            Decided::Recorded(entry) => Ok(Some(entry)),
            Decided::Conflict => Ok(None),
        }
    }

    fn entry(&self, decision: &Decision, about: Sentence, history: &[Decision]) -> NewEntry {
        let mut text = Sentence::new()
            .quote(what(decision, history, self, decision.at))
            .say(" · ");
        text.0.extend(about.0);
        if let Some(remark) = remark(&decision.action) {
            text = text.say(" · ").quote(remark);
        }
        NewEntry {
            at: decision.at,
            kind: Kind::Decision,
            subject: decision.key.to_string(),
            by: decision.by.clone(),
            text,
            checks: vec![decision.key.check().to_owned()],
        }
    }

    fn recorded(
        &self,
        decision: &Decision,
        history: &[Decision],
        finding: &Finding,
        entry: &Entry,
        now: DateTime<Utc>,
    ) -> Sentence {
        let head = Head {
            seq: entry.seq,
            hash: entry.hash,
        };
        Sentence::new()
            .quote(what(decision, history, self, now))
            .say(format!(" · {} ", finding.key))
            .quote(&finding.title)
            .say(format!(" · {head}"))
    }

    fn delivered(&self, delivery: &Delivery, now: DateTime<Utc>) -> Sentence {
        let later = |at| render::moment(at, self.schedule.time_zone, now);
        match delivery {
            Delivery::Done(said) => Sentence::new().quote(said),
            Delivery::Overtaken(said) => Sentence::new().say("nothing was changed: ").quote(said),
            Delivery::Refused(why) => Sentence::new()
                .say("decided here alone, the other side was not changed: ")
                .quote(why),
            Delivery::Later(why, at) => Sentence::new()
                .say("the other side was not reached: ")
                .quote(&why.reason)
                .say(format!(
                    "; tried again by the next command after {}",
                    later(*at)
                )),
            Delivery::NeedsHuman(why) => Sentence::new()
                .say("the other side needs a human: ")
                .quote(&why.reason),
            Delivery::Elsewhere => {
                Sentence::new().say("another process is carrying it out on the other side")
            }
        }
    }

    fn show(&self, known: &Known, history: &[Decision], now: DateTime<Utc>) -> Said {
        let (finding, zone) = (&known.finding, self.schedule.time_zone);
        let mut lines = vec![
            Sentence::new()
                .say(format!("{}  {}  ", finding.severity, finding.key))
                .quote(&finding.title),
            Sentence::new().say("rule      ").quote(&finding.rule),
            Sentence::new().say(format!(
                "since     {}",
                render::moment(known.since, zone, now)
            )),
            Sentence::new().say(format!(
                "last seen {}",
                render::moment(known.last_seen, zone, now)
            )),
        ];
        lines.extend(
            finding
                .owner
                .as_ref()
                .map(|owner| Sentence::new().say("owner     ").quote(owner)),
        );
        lines.extend(
            finding
                .link
                .as_ref()
                .map(|url| Sentence::new().say("link      ").quote(url.as_str())),
        );
        lines.extend(
            finding
                .runbook
                .as_ref()
                .map(|url| Sentence::new().say("runbook   ").quote(url.as_str())),
        );
        lines.extend(
            finding
                .evidence
                .iter()
                .map(|line| Sentence::new().say("seen      ").quote(line)),
        );
        lines.extend(history.iter().map(|decision| {
            let line = Sentence::new()
                .say(format!("{:<10}", format!("#{}", decision.version)))
                .quote(render::decided(decision, zone, now));
            remark(&decision.action)
                .into_iter()
                .fold(line, |line, remark| line.say(": ").quote(remark))
        }));
        Said {
            lines,
            accepted: true,
        }
    }
}

fn offers(finding: &Finding, verb: &str) -> bool {
    finding.remedies.iter().any(|remedy| remedy.verb == verb)
}

fn remark(action: &Action) -> Option<&crate::text::Untrusted> {
    match action {
        Action::Acknowledge { reason } | Action::Resolve { reason } => reason.as_ref(),
        Action::Note { text } => Some(text),
        _ => None,
    }
}

/// "snoozed until Tue 24 Nov 09:00 UTC", "undone: resolved by anna, ...".
fn what(decision: &Decision, history: &[Decision], bot: &Bot, now: DateTime<Utc>) -> String {
    let zone = bot.schedule.time_zone;
    match decision.action {
        Action::Undo { version } => match history.iter().find(|earlier| earlier.version == version)
        {
            Some(undone) => format!("undone: {}", render::decided(undone, zone, now)),
            None => "undone".to_owned(),
        },
        _ => render::action(&decision.action, zone, now),
    }
}
