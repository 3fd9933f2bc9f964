//! What the message of a round shows, read from the database.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::Semaphore;

use super::{Bot, outcomes, round::in_doubt};
use crate::{
    command::Item,
    ops_log::Head,
    report::{Finding, FindingKey, Report, RunId},
    store::{AskedRound, Effect, MessageState, Remembered, StoredMessage},
    ticket::{self, Tickets},
    triage::{Action, Decision, Past, Triaged, triage},
};

/// Runs that are read and judged at a time: each holds its whole report.
static PLACES: Semaphore = Semaphore::const_new(4);

/// A message with all that it shows.
pub struct Pictured {
    pub message: StoredMessage,
    pub round: AskedRound,
    /// Once the round has been recorded, and as long as its run is kept.
    pub done: Option<Judged>,
    /// The message that has taken its place.
    pub newer: Option<StoredMessage>,
}

/// A run, judged with the decisions of this moment.
pub struct Judged {
    pub triaged: Triaged,
    pub history: BTreeMap<FindingKey, Vec<Decision>>,
    /// What was last asked of the other side.
    pub effects: BTreeMap<FindingKey, Effect>,
    pub tickets: Tickets,
    /// The log's head as the round left it.
    pub head: Option<Head>,
}

impl Pictured {
    /// What a button of it stands for; none for a button of the whole message, or once the run is no longer kept.
    pub(super) fn finding(&self, item: &Item) -> Option<&Finding> {
        let index = usize::try_from(item.finding?).ok()?;
        self.done.as_ref()?.triaged.findings().nth(index)
    }
}

impl Judged {
    /// The newest note about each finding that has one.
    pub fn notes(&self) -> BTreeMap<FindingKey, Decision> {
        let newest = |(key, history): (&FindingKey, &Vec<Decision>)| {
            let note = history
                .iter()
                .rfind(|decision| matches!(decision.action, Action::Note { .. }));
            note.map(|note| (key.clone(), note.clone()))
        };
        self.history.iter().filter_map(newest).collect()
    }

    /// The newest decision's version of each finding that has any.
    pub fn versions(&self) -> BTreeMap<FindingKey, i64> {
        let newest = |(key, history): (&FindingKey, &Vec<Decision>)| {
            history.last().map(|last| (key.clone(), last.version))
        };
        self.history.iter().filter_map(newest).collect()
    }
}

impl Bot {
    /// None if there is no such message.
    pub async fn picture(&self, message: &str) -> anyhow::Result<Option<Pictured>> {
        let (Some(message), Some(round)) = (
            self.store.message(message).await?,
            self.store.asked_round(message).await?,
        ) else {
            return Ok(None);
        };
        let newer = match &message.newer {
            Some(newer) if message.state == MessageState::Old => self.store.message(newer).await?,
            _ => None,
        };
        let mut done = match &round.run {
            Some(run) => self.judged(run).await?,
            None => None,
        };
        if let Some(done) = &mut done
            && message.state == MessageState::Living
            && let Err(error) = self.part_with_gone(&mut done.triaged).await
        {
            tracing::warn!("a message may show what is gone: {error:#}");
        }
        Ok(Some(Pictured {
            message,
            round,
            done,
            newer,
        }))
    }

    /// Has what newer looks no longer found counted as gone.
    async fn part_with_gone(&self, triaged: &mut Triaged) -> anyhow::Result<()> {
        // Before what is open: a look that is recorded between the two takes nothing away.
        let mut newer = self.store.looked_at().await?;
        newer.retain(|_, at| *at > triaged.report.started_at);
        let mut checks = triaged.report.checks.iter();
        if checks.any(|check| newer.contains_key(&check.name)) {
            triaged.part_with(&newer, &self.store.memory().await?);
        }
        Ok(())
    }

    /// A run as the decisions of this moment let it look; None once it is no longer kept.
    pub async fn judged(&self, run: &RunId) -> anyhow::Result<Option<Judged>> {
        let _place = PLACES.acquire().await?;
        let Some((report, before)) = self.store.run(run).await? else {
            return Ok(None);
        };
        let head = self.store.head_of(run).await?;
        self.judge(report, before, head).await.map(Some)
    }

    /// The newest look of each check that is on, as if all had been one run. None if none has looked yet.
    pub async fn newest_looks(&self) -> anyhow::Result<Option<Judged>> {
        let _place = PLACES.acquire().await?;
        let mut newest: Option<(Report, Remembered)> = None;
        let on = self.checklist.list().into_iter().filter(|check| check.on);
        for name in on.map(|check| check.name).chain(self.own_items()) {
            let Some(run) = self.store.last_run_of(name).await? else {
                continue;
            };
            let Some((mut report, mut before)) = self.store.run(&run.run).await? else {
                continue;
            };
            report.checks.retain(|check| check.name == name);
            before.memory.retain(|key, _| key.check() == name);
            newest = Some(match newest {
                None => (report, before),
                Some(others) => together(others, (report, before)),
            });
        }
        match newest {
            Some((report, before)) => {
                let head = self.store.head().await?;
                self.judge(report, before, Some(head)).await.map(Some)
            }
            None => Ok(None),
        }
    }

    async fn judge(
        &self,
        report: Report,
        before: Remembered,
        head: Option<Head>,
    ) -> anyhow::Result<Judged> {
        let Remembered { memory, previous } = before;
        let keys: BTreeSet<&FindingKey> = report.keys().chain(memory.keys()).collect();
        let (history, effects, tickets) = tokio::try_join!(
            self.store.decisions(keys.iter().copied()),
            self.store.effects_of(keys.iter().copied()),
            self.store.tickets_of(keys.iter().copied()),
        )?;
        let (asked, failed) = (outcomes::asked(&effects), outcomes::failed(&effects));
        let newest = |(key, mut all): (FindingKey, Vec<Effect>)| Some((key, all.pop()?));
        let effects: BTreeMap<FindingKey, Effect> =
            effects.into_iter().filter_map(newest).collect();
        let past = Past {
            memory,
            asked,
            failed,
            undelivered: effects
                .values()
                .filter(|effect| effect.is_open())
                .map(|effect| (effect.key.clone(), effect.version))
                .collect(),
            in_doubt: in_doubt(effects.values()),
            history,
            previous,
            tickets_closed: ticket::closed(&tickets),
        };
        Ok(Judged {
            triaged: triage(report, &past),
            history: past.history,
            effects,
            tickets,
            head,
        })
    }
}

/// Two looks as one: named by the newer one.
fn together(
    (mut one, mut before): (Report, Remembered),
    (other, others_before): (Report, Remembered),
) -> (Report, Remembered) {
    if other.finished_at > one.finished_at {
        one.run = other.run;
        one.finished_at = other.finished_at;
    }
    one.started_at = one.started_at.min(other.started_at);
    one.checks.extend(other.checks);
    before.memory.extend(others_before.memory);
    before.previous = None;
    (one, before)
}
