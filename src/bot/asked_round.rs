//! Runs the rounds that a chat or the schedule asked for, one after the other.

use anyhow::anyhow;
use chrono::TimeDelta;
use tokio::sync::mpsc;

use super::{Bot, LOG_CHECK};
use crate::{
    render::slack::Finished,
    report::{CheckReport, Outcome},
    store::{AskedRound, RoundClaim},
    triage::Person,
};

/// How long a round is ours alone without a sign of life: longer than the slowest check may look.
const LEASE: TimeDelta = TimeDelta::minutes(5);

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
        // What ends the process ends this before an attempt is over, each time.
        let ran = if round.attempts > TRIES {
            Err(anyhow!(
                "Daily Ops ended {TRIES} times while it ran; its own log says why"
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
            while let Some((name, finished)) = ends.recv().await {
                if let Some(place) = progress.iter_mut().find(|(check, _)| *check == name) {
                    place.1 = Some(finished);
                }
                if ends.is_empty() {
                    self.keep(claim, &progress).await;
                }
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
            .chain([LOG_CHECK.to_owned()])
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

fn finished(report: &CheckReport) -> (String, Finished) {
    let finished = Finished {
        looked: report.outcome == Outcome::Looked,
        findings: report.findings.len(),
        took_ms: report.took_ms,
    };
    (report.name.clone(), finished)
}
