//! Brings messages to Slack and keeps them as the database has them: posted once, edited one after the other.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use url::Url;

use super::{
    api::{Api, ApiError, Class},
    drawing,
};
use crate::{
    bot::{Bot, Pictured},
    effects::LONGEST_WAIT,
    render::slack::{self, Message},
    store::{self, MessageState, RoundState, Showing, StoredMessage},
    text::Untrusted,
};

/// While a round runs, its message is edited no more often.
const PROGRESS: TimeDelta = TimeDelta::seconds(2);

/// How long after a post that followed an unconfirmed one copies are looked for.
const DOUBT: TimeDelta = TimeDelta::seconds(60);

/// For how long a message waits for a channel that can't be posted to.
const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// For how long a claimed message belongs to one process.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub time: TimeDelta,
    /// From then on after the claim nothing is begun any more, so that no two processes write the same message.
    pub too_late: Duration,
}

impl Default for Lease {
    /// Six calls to Slack that take their whole time.
    fn default() -> Self {
        Self {
            time: TimeDelta::seconds(60),
            too_late: Duration::from_secs(20),
        }
    }
}

/// Keeps the messages of a workspace.
pub struct Courier {
    pub bot: Arc<Bot>,
    pub api: Arc<Api>,
    pub lease: Lease,
    /// The workspace's address, for links to messages.
    pub workspace: Url,
}

/// A message that is claimed, and what Slack is to show of it.
pub(super) struct Draft {
    pub(super) pictured: Pictured,
    message: Message,
    digest: String,
    claimed: Instant,
}

impl Courier {
    /// Brings one message up to date. False if none waits.
    pub async fn deliver_next(&self) -> anyhow::Result<bool> {
        let now = (self.bot.clock)();
        let Some(message) = self.bot.store.claim_message(now, self.lease.time).await? else {
            return Ok(false);
        };
        let claimed = Instant::now();
        if message.ts.is_some() {
            self.api.pace.turn(&message.id).await;
        }
        let Some(pictured) = self.bot.picture(&message.id).await? else {
            self.settle(&message, Showing::Gone).await?;
            return Ok(true);
        };
        let drawn = drawing::draw(&pictured, &self.bot, &self.workspace);
        let draft = Draft {
            digest: digest(&drawn, &pictured)?,
            message: drawn,
            // What was claimed, with its fence, stands in for what was read since.
            pictured: Pictured {
                message: message.clone(),
                ..pictured
            },
            claimed,
        };
        let showing = match &message.ts {
            // One that may have been posted is looked for first: nobody else would take its buttons off.
            None if message.state == MessageState::Old && message.first_sent_at.is_none() => {
                Showing::Gone
            }
            None => self.post(&draft).await?,
            Some(ts) => self.update(&draft, ts).await?,
        };
        // Before this is settled: nobody deletes it afterwards.
        if matches!(showing, Showing::Shown { .. }) && !runs(&draft.pictured) {
            self.remove_lost(&message).await;
        }
        let is_ours = self.settle(&message, showing.clone()).await?;
        match showing {
            Showing::Shown { .. } if is_ours => {
                self.replace_older(&draft.pictured).await?;
            }
            Showing::Shown { ts, .. } | Showing::Found { ts } if !is_ours => {
                self.remove_if_copy(&message, &ts).await?;
            }
            _ => {}
        }
        Ok(true)
    }

    /// False if another process has taken the message over.
    async fn settle(&self, message: &StoredMessage, showing: Showing) -> anyhow::Result<bool> {
        let undelivered = match &showing {
            Showing::Later { error, .. } => Some(error.as_str().to_owned()),
            _ => None,
        };
        if let Some(error) = undelivered {
            tracing::warn!(id = message.id, channel = message.channel, "{error}");
        }
        let is_ours = self.bot.store.settle_message(message, showing).await?;
        if !is_ours {
            tracing::info!(id = message.id, "another process took a message over");
        }
        Ok(is_ours)
    }

    /// Deletes our own post, if another process has posted the message meanwhile.
    async fn remove_if_copy(&self, message: &StoredMessage, ts: &str) -> anyhow::Result<()> {
        let stands = self.bot.store.message(&message.id).await?;
        if let Some(kept) = stands.and_then(|message| message.ts) {
            self.remove_copies(message, &[ts.to_owned()], &kept).await;
        }
        Ok(())
    }

    /// Posts a message that Slack is not known to have. After a post whose outcome is unknown it is looked for first.
    async fn post(&self, draft: &Draft) -> anyhow::Result<Showing> {
        let stored = &draft.pictured.message;
        let (mut repeated, mut is_known) = (None, true);
        if let Some(since) = stored.first_sent_at {
            match self
                .api
                .find(&stored.channel, &stored.marker(), since)
                .await
            {
                Ok(found) => match found.first() {
                    Some(ts) => {
                        self.remove_copies(stored, &found, ts).await;
                        return Ok(Showing::Found { ts: ts.clone() });
                    }
                    None => repeated = Some(draft.message.clone()),
                },
                Err(error) if error.passes() => return self.later(draft, &error).await,
                // It can't be looked for; a reader who sees two of them is told why.
                Err(_) => {
                    repeated = Some(slack::repeated(draft.message.clone()));
                    is_known = false;
                }
            }
        }
        if self.missed(draft, is_known).await? || stored.state == MessageState::Old {
            return Ok(Showing::Gone);
        }
        let now = (self.bot.clock)();
        if draft.claimed.elapsed() > self.lease.too_late
            || !self.bot.store.mark_posting(stored, now).await?
        {
            return Ok(self.soon(draft, "it took too long to begin"));
        }
        let doubted_at = repeated.is_some().then_some(now);
        let message = repeated.as_ref().unwrap_or(&draft.message);
        let posted = self.send(stored, message).await;
        // Only once every try of it was refused for certain.
        if let Err(error) = &posted
            && stored.first_sent_at.is_none()
            && !error.outcome_unknown()
        {
            self.bot.store.unmark_posting(stored).await?;
        }
        match posted {
            Ok((ts, refused)) => {
                if let Some(error) = &refused {
                    self.note_refusal(stored, error).await?;
                }
                Ok(self.shown(draft, ts, doubted_at, refused.as_ref()))
            }
            Err(error) => {
                self.tell(draft, &error).await;
                self.later(draft, &error).await
            }
        }
    }

    /// Posts a message, as text alone if its blocks are refused. Gives its `ts`, and that refusal.
    async fn send(
        &self,
        stored: &StoredMessage,
        message: &Message,
    ) -> Result<(String, Option<ApiError>), ApiError> {
        let marker = stored.marker();
        let mut posted = self.api.post(&stored.channel, message, &marker).await;
        if let Err(error) = &posted
            && error.code.as_str() == "not_in_channel"
            && self.api.join(&stored.channel).await.is_ok()
        {
            posted = self.api.post(&stored.channel, message, &marker).await;
        }
        match posted {
            Err(refusal) if refusal.class == Class::Refused => self
                .api
                .post_text_only(&stored.channel, &message.text, &marker)
                .await
                .map(|ts| (ts, Some(refusal))),
            posted => posted.map(|ts| (ts, None)),
        }
    }

    async fn update(&self, draft: &Draft, ts: &str) -> anyhow::Result<Showing> {
        let stored = &draft.pictured.message;
        if let Some(since) = stored.doubted_at {
            match self
                .api
                .find(&stored.channel, &stored.marker(), since)
                .await
            {
                Ok(found) => self.remove_copies(stored, &found, ts).await,
                Err(error) if error.class == Class::RateLimited => {
                    return self.later(draft, &error).await;
                }
                Err(error) => tracing::warn!(id = stored.id, "{error}"),
            }
        }
        let now = (self.bot.clock)();
        let doubted_at = stored.doubted_at.filter(|since| now - *since < DOUBT);
        if stored.digest.as_ref() == Some(&draft.digest) {
            return Ok(self.shown(draft, ts.to_owned(), doubted_at, None));
        }
        if draft.claimed.elapsed() > self.lease.too_late {
            return Ok(self.soon(draft, "it took too long to begin"));
        }
        self.api.pace.edited(&stored.id);
        let marker = stored.marker();
        let updated = self
            .api
            .update(&stored.channel, ts, &draft.message, &marker)
            .await;
        match updated {
            Ok(()) => Ok(self.shown(draft, ts.to_owned(), doubted_at, None)),
            Err(error) if error.class == Class::MessageGone => self.lost(draft, ts, &error).await,
            Err(error) if error.class == Class::Refused => {
                let text = &draft.message.text;
                match self
                    .api
                    .update_text_only(&stored.channel, ts, text, &marker)
                    .await
                {
                    Ok(()) => {
                        self.note_refusal(stored, &error).await?;
                        Ok(self.shown(draft, ts.to_owned(), doubted_at, Some(&error)))
                    }
                    Err(error) => self.later(draft, &error).await,
                }
            }
            Err(error) => self.later(draft, &error).await,
        }
    }

    pub(super) fn shown(
        &self,
        draft: &Draft,
        ts: String,
        doubted_at: Option<DateTime<Utc>>,
        refused: Option<&ApiError>,
    ) -> Showing {
        let runs = runs(&draft.pictured);
        let now = (self.bot.clock)();
        Showing::Shown {
            ts,
            digest: draft.digest.clone(),
            quiet_until: match doubted_at {
                _ if runs => Some(now + PROGRESS),
                Some(since) => Some(since + DOUBT),
                None => None,
            },
            doubted_at,
            refused_blocks: refused.map(|error| error.to_string().into()),
        }
    }

    async fn later(&self, draft: &Draft, error: &ApiError) -> anyhow::Result<Showing> {
        let stored = &draft.pictured.message;
        let now = (self.bot.clock)();
        if error.class == Class::Channel && now - draft.pictured.round.order.at > PATIENCE {
            return self.give_up(draft, error).await;
        }
        let asked = error
            .retry_after
            .map(|wait| TimeDelta::from_std(wait).unwrap_or(LONGEST_WAIT))
            .map_or(TimeDelta::zero(), |asked| asked.min(LONGEST_WAIT));
        Ok(Showing::Later {
            not_before: now + back_off(&error.class, stored.attempts).max(asked),
            error: error.to_string().into(),
        })
    }

    fn soon(&self, draft: &Draft, why: &str) -> Showing {
        Showing::Later {
            not_before: (self.bot.clock)()
                + back_off(&Class::Other, draft.pictured.message.attempts),
            error: Untrusted::from(why),
        }
    }

    /// Deletes the copies of a message that Slack posted late.
    async fn remove_copies(&self, stored: &StoredMessage, found: &[String], kept: &str) {
        for copy in found.iter().filter(|ts| ts.as_str() != kept) {
            match self.api.delete(&stored.channel, copy).await {
                Ok(()) => tracing::info!(id = stored.id, "a copy of a message was removed"),
                Err(error) => tracing::warn!(id = stored.id, "{error}"),
            }
        }
    }

    /// Takes the buttons off older messages in the channel, once a newer one stands there; and off this one, if a newer
    /// one ended first.
    async fn replace_older(&self, pictured: &Pictured) -> anyhow::Result<()> {
        let (round, stored) = (&pictured.round, &pictured.message);
        if round.state != RoundState::Done || stored.state != MessageState::Living {
            return Ok(());
        }
        let (mut older, mut newer) = (Vec::new(), None);
        let living = self.bot.store.living_messages(&stored.channel).await?;
        let given_up = self.bot.store.given_up_messages(&stored.channel).await?;
        for id in living.iter().chain(&given_up) {
            let Some(other) = self.bot.store.asked_round(id).await? else {
                continue;
            };
            let ended = matches!(other.state, RoundState::Done | RoundState::Failed);
            if *id == stored.id || !ended {
                continue;
            }
            if other.order.at < round.order.at && round.order.replaces(&other.order) {
                older.push(id.clone());
            } else if living.contains(id)
                && other.order.at > round.order.at
                && other.state == RoundState::Done
                && other.order.replaces(&round.order)
            {
                newer = Some(id.clone());
            }
        }
        if let Some(newer) = newer {
            let this = vec![stored.id.clone()];
            self.bot.store.replace_messages(this, &newer).await?;
            self.bot.wake.messages.notify_one();
        }
        if !older.is_empty() {
            self.bot.store.replace_messages(older, &stored.id).await?;
            self.bot.wake.messages.notify_one();
        }
        Ok(())
    }
}

pub(super) fn runs(pictured: &Pictured) -> bool {
    matches!(
        pictured.round.state,
        RoundState::Waiting | RoundState::Running
    )
}

/// Of what is to be shown, and whether its round has ended.
fn digest(message: &Message, pictured: &Pictured) -> anyhow::Result<String> {
    let digest = hex::encode(Sha256::digest(serde_json::to_vec(message)?));
    Ok(match runs(pictured) {
        true => format!("{}{digest}", store::PROGRESS),
        false => digest,
    })
}

/// Seconds first, then the time within which a message stands again once Slack is back. What only a person can mend is
/// tried less often.
fn back_off(class: &Class, attempts: i64) -> TimeDelta {
    let longest = match class {
        Class::TokenDead | Class::MissingScope { .. } | Class::Refused => 15 * 60,
        _ => 45,
    };
    TimeDelta::seconds(match attempts {
        ..=1 => 2,
        2 => 5,
        3 => 15,
        4..=9 => 45,
        _ => longest,
    })
}
