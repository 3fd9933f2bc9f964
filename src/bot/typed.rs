//! What is typed about a finding: judged, carried out, and answered in the terminal's words.

use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use super::{
    Bot, Outcome, Wish,
    offers::not_offered,
    said::{self, Said},
};
use crate::{
    checks::Order,
    command::Triage,
    effects::{Delivery, deliver_due},
    ops_log::{Entry, Sentence},
    permissions::Permit,
    report::{Finding, FindingKey, Verb},
    store::idempotency_key,
    text::{LINE_LIMIT, cut, one_line, thousands},
    triage::{Action, Decision, Known, Person},
};

/// How long a rehearsal may take.
const REHEARSAL: Duration = Duration::from_secs(20);

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
                    ..
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
        if let Some(why) = too_long(asked) {
            return Ok(Err(vec![why]));
        }
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
            if let Some(remedy) = known.finding.remedy(verb.as_str()) {
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
        let Some(remedy) = finding.remedy(verb.as_str()) else {
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

/// Why what somebody wrote can't be kept whole.
fn too_long(asked: &Triage) -> Option<Sentence> {
    let written = match asked {
        Triage::Acknowledge { reason, .. } | Triage::Resolve { reason, .. } => reason.clone()?,
        Triage::Note { text, .. } => text.join(" "),
        Triage::Handle { note, .. } => note.join(" "),
        _ => return None,
    };
    let line = one_line(&written);
    if cut(&line, LINE_LIMIT) == line {
        return None;
    }
    Some(Sentence::new().say(format!(
        "that has {} characters, of which {LINE_LIMIT} are kept at most: shorten it, or open a ticket, which takes more; nothing was changed",
        thousands(line.chars().count() as u64)
    )))
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
