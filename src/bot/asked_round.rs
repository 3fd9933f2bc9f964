//! Rounds that a chat or the schedule asks for: kept, and run one after the other.

use std::time::Duration;

use anyhow::anyhow;
use chrono::TimeDelta;
use tokio::{sync::mpsc, time::timeout};

use super::{Bot, Desk, Reply, check_names, desk::Refusal};
use crate::{
    command::Asked,
    ops_log::Sentence,
    permissions::Permit,
    render::slack::Finished,
    report::{CheckReport, Outcome},
    store::{AskedRound, Begun, Receipt, RoundClaim, RoundOrder, RoundState},
    triage::Person,
};

/// How long a round is ours alone without a sign of life.
const LEASE: TimeDelta = TimeDelta::seconds(45);

/// How often a round that runs gives one, however long its checks look.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// How long a round that could not be recorded waits for the next attempt.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// After so many attempts a round is given up, and its message says so.
const TRIES: i64 = 3;

/// An equal round that ended within this time is shown instead of a new one.
pub const KEEP_ROUND: TimeDelta = TimeDelta::seconds(5);

/// The checks of a round that runs, in the order of the report: how each came out, once it did.
pub type RoundProgress = Vec<(String, Option<Finished>)>;

impl Bot {
    /// Runs the round that has waited longest, if any waits. False if none did.
    pub async fn run_asked_round(&self) -> anyhow::Result<bool> {
        let Some(round) = self.store.claim_round((self.clock)(), LEASE).await? else {
            return Ok(false);
        };
        let claim = round.claim();
        // No attempt was recorded as over: the process ended before, or the database could not be written.
        let ran = if round.attempts > TRIES {
            Err(anyhow!(
                "it was begun {TRIES} times, and its end was never recorded: each time Daily Ops ended before, or did not \
                 reach its database; its own log says which"
            ))
        } else {
            self.run(&round, &claim).await
        };
        if let Err(error) = ran {
            self.again_or_never(&round, &claim, &error).await?;
        }
        self.wake.messages.notify_one();
        Ok(true)
    }

    async fn again_or_never(
        &self,
        round: &AskedRound,
        claim: &RoundClaim,
        error: &anyhow::Error,
    ) -> anyhow::Result<()> {
        let (id, now) = (&round.id, (self.clock)());
        let why = format!("{error:#}");
        let ours = if round.attempts >= TRIES {
            tracing::error!(round = id, "a round was given up: {why}");
            self.store.fail_round(claim, why.into(), now).await?
        } else {
            tracing::warn!(round = id, "a round is tried again: {why}");
            let nothing = serde_json::json!([]);
            self.store
                .keep_progress(claim, nothing, now + PAUSE)
                .await?
        };
        if !ours {
            tracing::info!(round = id, "another process has taken the round over");
        }
        Ok(())
    }

    async fn run(&self, round: &AskedRound, claim: &RoundClaim) -> anyhow::Result<()> {
        let only = round.order.only.as_deref();
        let mut progress = self.pending(only);
        self.keep(claim, &progress).await;
        let bars = self.checklist.progress(only);
        let by = round.order.by.clone().unwrap_or_else(Person::program);
        let (ended, mut ends) = mpsc::unbounded_channel();
        let run = async {
            let tell = move |report: &CheckReport| drop(ended.send(finished(report)));
            self.round(only, &bars, &by, Some(claim.clone()), tell)
                .await
        };
        let follow = async {
            while news(&mut ends, &mut progress).await {
                self.keep(claim, &progress).await;
            }
        };
        let (done, ()) = tokio::join!(run, follow);
        let done = done?;
        if let Err(error) = done.file {
            tracing::warn!(
                "the round is recorded, but the ops log's file was not written: {error:#}"
            );
        }
        Ok(())
    }

    /// How far a round has come that is asked for, or runs.
    pub fn progress_of(&self, round: &AskedRound) -> RoundProgress {
        let kept = round.progress.clone();
        kept.and_then(|progress| serde_json::from_value(progress).ok())
            .filter(|progress: &RoundProgress| !progress.is_empty())
            .unwrap_or_else(|| self.pending(round.order.only.as_deref()))
    }

    /// The checks that are on, none of which has finished.
    fn pending(&self, only: Option<&[String]>) -> RoundProgress {
        let wanted = |name: &str| only.is_none_or(|names| names.iter().any(|one| one == name));
        let on = self.checklist.list().into_iter().filter(|check| check.on);
        on.map(|check| check.name.to_owned())
            .chain(self.own_items().map(str::to_owned))
            .filter(|name| wanted(name))
            .map(|name| (name, None))
            .collect()
    }

    /// A progress that is not kept is not shown, and nothing worse.
    async fn keep(&self, claim: &RoundClaim, progress: &RoundProgress) {
        let until = (self.clock)() + LEASE;
        let kept = match serde_json::to_value(progress) {
            Ok(progress) => self.store.keep_progress(claim, progress, until).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = kept {
            tracing::debug!("the progress of a round was not kept: {error:#}");
        }
        self.wake.messages.notify_one();
    }
}

impl Desk {
    /// Asks for a round, unless the same one runs or has just ended.
    pub(super) async fn round(
        &self,
        asked: &Asked,
        only: Option<Vec<String>>,
        permit: &Permit,
        receipt: &Receipt,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        let Some(channel) = &asked.channel else {
            return Ok(Err(Refusal(
                Sentence::new().say("a round needs a channel: ask for it in one"),
            )));
        };
        if let Some(names) = &only
            && let Err(error) = check_names(&self.bot.checklist, &self.bot.tracker, names)
        {
            return Ok(Err(Refusal(Sentence::new().quote(format!("{error:#}")))));
        }
        let now = (self.bot.clock)();
        let order = RoundOrder {
            by: Some(permit.by().clone()),
            at: now,
            only,
            due_at: None,
            missed: Vec::new(),
            reply_to: asked.reply_to.clone(),
        };
        let begun = self
            .bot
            .store
            .begin_round(channel, order, now - KEEP_ROUND, Some(receipt.clone()))
            .await?;
        Ok(Ok(match begun {
            Begun::Started => {
                self.bot.wake.rounds.notify_one();
                self.bot.wake.messages.notify_one();
                Reply::Nothing
            }
            Begun::Running(round) => Reply::Running {
                message: self.bot.store.message(&round.id).await?,
                ended: round.state == RoundState::Done,
                order: round.order,
            },
            Begun::Elsewhere => Reply::Nothing,
        }))
    }
}

/// Waits until the progress is to be kept: checks have ended, or a sign of life is due. False once the round is over.
async fn news(
    ends: &mut mpsc::UnboundedReceiver<(String, Finished)>,
    progress: &mut RoundProgress,
) -> bool {
    loop {
        match timeout(SIGN_OF_LIFE, ends.recv()).await {
            Ok(Some((name, finished))) => {
                if let Some(place) = progress.iter_mut().find(|(check, _)| *check == name) {
                    place.1 = Some(finished);
                }
            }
            Ok(None) => return false,
            Err(_) => return true,
        }
        if ends.is_empty() {
            return true;
        }
    }
}

fn finished(report: &CheckReport) -> (String, Finished) {
    let finished = Finished {
        looked: report.outcome == Outcome::Looked,
        findings: report.findings.len(),
        took_ms: report.took_ms,
    };
    (report.name.clone(), finished)
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_check_that_looks_for_ten_minutes_never_lets_the_round_go() {
        let (ended, mut ends) = mpsc::unbounded_channel();
        let started = Instant::now();
        let mut kept = Vec::new();
        let mut progress = vec![("errors".to_owned(), None)];
        let follow = async {
            while news(&mut ends, &mut progress).await {
                let is_done = progress.iter().all(|(_, finished)| finished.is_some());
                kept.push((started.elapsed(), is_done));
            }
        };
        let look = async {
            sleep(Duration::from_secs(635)).await;
            let looked = Finished {
                looked: true,
                findings: 0,
                took_ms: 635_000,
            };
            ended.send(("errors".to_owned(), looked)).unwrap();
            drop(ended);
        };
        tokio::join!(follow, look);
        assert_eq!(kept.len(), 43, "{kept:?}");
        let mut before = Duration::ZERO;
        for (at, _) in &kept {
            assert!(*at - before < LEASE.to_std().unwrap() / 2, "{kept:?}");
            before = *at;
        }
        assert_eq!(
            kept.iter().map(|(_, done)| *done).collect::<Vec<_>>(),
            [vec![false; 42], vec![true]].concat()
        );
    }
}
