//! What is said where a message does not reach people as it should: to who asked, in the log, in the metrics.

use anyhow::Context;
use chrono::TimeDelta;

use super::{
    api::ApiError,
    courier::{Courier, Draft, passes},
};
use crate::{
    bot::LATEST,
    ops_log::{Kind, NewEntry, Sentence},
    render::slack,
    store::{MessageState, Showing, StoredMessage},
    text::Untrusted,
    triage::Person,
};

/// Slack takes answers to a request for so long.
const ANSWERABLE: TimeDelta = TimeDelta::minutes(30);

impl Courier {
    /// A message that can't be edited is posted anew, once; one that somebody deleted after its end was shown stays so.
    pub(super) async fn lost(&self, draft: &Draft, error: &ApiError) -> anyhow::Result<Showing> {
        let stored = &draft.pictured.message;
        let is_deleted = error.code.as_str() == "message_not_found";
        if stored.state == MessageState::Old || (is_deleted && stored.showed_end()) {
            tracing::info!(id = stored.id, "a message is left as it is: {error}");
            return Ok(Showing::Gone);
        }
        if stored.lost_ts.is_some() {
            return self.give_up(draft, error).await;
        }
        tracing::warn!(id = stored.id, "a message is posted anew: {error}");
        Ok(Showing::Anew {
            error: error.to_string().into(),
        })
    }

    /// Deletes the message that one was posted in place of, where it would say for ever that the round runs.
    pub(super) async fn remove_lost(&self, stored: &StoredMessage) {
        if let Some(lost) = stored.lost_ts.as_ref().filter(|_| !stored.showed_end())
            && let Err(error) = self.api.delete(&stored.channel, lost).await
        {
            tracing::warn!(id = stored.id, "{error}");
        }
    }

    /// Leaves a message as it is, and says so.
    pub(super) async fn give_up(&self, draft: &Draft, error: &ApiError) -> anyhow::Result<Showing> {
        let stored = &draft.pictured.message;
        tracing::error!(id = stored.id, "a message was given up: {error}");
        metrics::counter!("daily_ops_messages_given_up_total").increment(1);
        self.alert(stored, "the message of a round was given up: ", error)
            .await?;
        self.tell(draft, error).await;
        Ok(Showing::Gone)
    }

    /// Whether a summary is too late to be posted. Then the ledger has it as missed.
    pub(super) async fn missed(&self, draft: &Draft) -> anyhow::Result<bool> {
        let (stored, round) = (&draft.pictured.message, &draft.pictured.round);
        let now = (self.bot.clock)();
        let Some(due) = round.order.due_at.filter(|due| now - *due > LATEST) else {
            return Ok(false);
        };
        // Posted anew, it was seen in time.
        if stored.lost_ts.is_some() {
            return Ok(false);
        }
        self.bot
            .miss_delivery(&stored.channel, due)
            .await
            .context("a summary that is too late could not be noted")?;
        Ok(true)
    }

    /// The log says, once per message, that people see less than they should.
    pub(super) async fn note_refusal(
        &self,
        stored: &StoredMessage,
        error: &ApiError,
    ) -> anyhow::Result<()> {
        tracing::error!(id = stored.id, "shown as text alone: {error}");
        if stored.last_error.is_some() {
            return Ok(());
        }
        self.alert(stored, "Slack took the text alone of a message: ", error)
            .await
    }

    async fn alert(
        &self,
        stored: &StoredMessage,
        what: &str,
        error: &ApiError,
    ) -> anyhow::Result<()> {
        let entry = NewEntry {
            at: (self.bot.clock)(),
            kind: Kind::Alert,
            subject: stored.id.clone(),
            by: Person::program(),
            text: Sentence::new().say(what).quote(error.to_string()),
            checks: Vec::new(),
        };
        let entry = self.bot.store.append(entry).await?;
        self.bot.project_later(&[entry]);
        Ok(())
    }

    /// Tells whoever asked, once, that Slack does not take the message of their round, and what to do.
    pub(super) async fn tell(&self, draft: &Draft, error: &ApiError) {
        let (stored, order) = (&draft.pictured.message, &draft.pictured.round.order);
        let before = stored.last_error.as_ref().map(Untrusted::as_str);
        let Some(address) = &order.reply_to else {
            return;
        };
        if passes(error)
            || before == Some(error.to_string().as_str())
            || (self.bot.clock)() - order.at > ANSWERABLE
        {
            return;
        }
        let line = match error.code.as_str() {
            "not_in_channel" | "channel_not_found" => Sentence::new()
                .say("the round runs, but I can't post in this channel: ")
                .say("type `/invite @daily-ops` here, and its message appears by itself"),
            code => Sentence::new()
                .say("the round runs, but Slack does not take its message: ")
                .say(error.advice())
                .say(" (")
                .quote(code)
                .say("); then it appears by itself"),
        };
        if let Err(error) = self.api.respond(address, &slack::reply(&[line])).await {
            tracing::warn!("{error}");
        }
    }
}
