//! What is said where a message does not reach people as it should: to who asked, in the log, in the metrics.

use anyhow::Context;

use super::{
    api::{ANSWERABLE, ApiError},
    courier::{Courier, Draft, runs},
};
use crate::{
    bot::LATEST,
    ops_log::{Kind, NewEntry, Sentence},
    render::slack,
    store::{MessageState, Showing, StoredMessage},
    text::Untrusted,
    triage::Person,
};

impl Courier {
    /// A message that can't be edited is posted anew, once; one that somebody deleted after its end was shown stays so.
    pub(super) async fn lost(
        &self,
        draft: &Draft,
        ts: &str,
        error: &ApiError,
    ) -> anyhow::Result<Showing> {
        let stored = &draft.pictured.message;
        let is_deleted = error.code.as_str() == "message_not_found";
        if stored.state == MessageState::Old || (is_deleted && stored.showed_end()) {
            tracing::info!(id = stored.id, "a message is left as it is: {error}");
            return Ok(Showing::Gone);
        }
        // Anew only once there is an end to show: what is posted now could not follow either.
        if !is_deleted && runs(&draft.pictured) {
            tracing::info!(id = stored.id, "progress is not shown: {error}");
            return Ok(self.shown(draft, ts.to_owned(), stored.doubted_at, None));
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
        let line = Sentence::new()
            .say("the message of your round can't be changed any more (")
            .quote(error.code.as_str())
            .say("), so it stays as it is. What is decided counts and is logged all the same: ")
            .say("`/ops status` shows how things stand");
        self.answer(draft, line).await;
        Ok(Showing::Gone)
    }

    /// Whether a summary is too late to be posted. Then the ledger has it as missed. `is_known`: Slack does not have it.
    pub(super) async fn missed(&self, draft: &Draft, is_known: bool) -> anyhow::Result<bool> {
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
            .miss_delivery(&stored.channel, due, is_known)
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
        let before = draft.pictured.message.last_error.as_ref();
        if error.passes() || before.map(Untrusted::as_str) == Some(error.to_string().as_str()) {
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
        self.answer(draft, line).await;
    }

    /// Tells whoever asked for the round, as long as Slack lets them be told.
    async fn answer(&self, draft: &Draft, line: Sentence) {
        let (stored, order) = (&draft.pictured.message, &draft.pictured.round.order);
        if let Some(address) = &order.reply_to
            && (self.bot.clock)() - order.at <= ANSWERABLE
            && let Err(error) = self.api.respond(address, &slack::reply(&[line])).await
        {
            tracing::warn!(id = stored.id, "{error}");
        }
    }
}
