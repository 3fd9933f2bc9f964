//! Messages of a channel: posted, edited, found again.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Api, ApiError, Class, EVENT_TYPE,
    answers::{Done, Page, Posted},
};
use crate::render::slack::{Message, limits};

/// Pages of a channel's history that a search reads at most.
const PAGES: usize = 20;
const PAGE: u16 = 100;

/// How far Slack's clock and ours may be apart.
const SKEW: TimeDelta = TimeDelta::minutes(5);

impl Api {
    /// Posts a message, and gives its `ts`. `marker` finds it again.
    pub async fn post(
        &self,
        channel: &str,
        message: &Message,
        marker: &str,
    ) -> Result<String, ApiError> {
        let body = sent(channel, &message.text, Some(message), marker);
        self.post_body(&body).await
    }

    /// Posts a message whose blocks were refused.
    pub async fn post_text_only(
        &self,
        channel: &str,
        text: &str,
        marker: &str,
    ) -> Result<String, ApiError> {
        self.post_body(&sent(channel, text, None, marker)).await
    }

    async fn post_body(&self, body: &Value) -> Result<String, ApiError> {
        let posted: Posted = self.paced("chat.postMessage", body).await?;
        Ok(posted.ts)
    }

    pub async fn update(
        &self,
        channel: &str,
        ts: &str,
        message: &Message,
        marker: &str,
    ) -> Result<(), ApiError> {
        let body = sent(channel, &message.text, Some(message), marker);
        self.update_body(body, ts).await
    }

    /// Puts a text in the place of a message whose blocks were refused.
    pub async fn update_text_only(
        &self,
        channel: &str,
        ts: &str,
        text: &str,
        marker: &str,
    ) -> Result<(), ApiError> {
        self.update_body(sent(channel, text, None, marker), ts)
            .await
    }

    async fn update_body(&self, mut body: Value, ts: &str) -> Result<(), ApiError> {
        body["ts"] = ts.into();
        self.paced::<Done>("chat.update", &body).await.map(drop)
    }

    /// Slack counts these methods by channel: after a wait that it asked for with one message, others wait as well.
    async fn paced<T: DeserializeOwned + Send>(
        &self,
        method: &'static str,
        body: &Value,
    ) -> Result<T, ApiError> {
        let channel = body["channel"].as_str().unwrap_or_default();
        if let Some(wait) = self.pace.wait(method, channel) {
            return Err(ApiError {
                retry_after: Some(wait),
                ..ApiError::new(method, Class::RateLimited, "ratelimited")
            });
        }
        let done = self.call(method, body).await;
        if let Err(error) = &done
            && error.class == Class::RateLimited
            && let Some(wait) = error.retry_after
        {
            self.pace.refused(method, channel, wait);
        }
        done
    }

    /// The `ts` of each message with that marker since then, oldest first; an error if not all of them could be read.
    pub async fn find(
        &self,
        channel: &str,
        marker: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<String>, ApiError> {
        const METHOD: &str = "conversations.history";
        let oldest = (since - SKEW).timestamp().max(0).to_string();
        let mut body = json!({
            "channel": channel, "oldest": oldest, "inclusive": true, "include_all_metadata": true, "limit": PAGE,
        });
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let page: Page = self.call(METHOD, &body).await?;
            let next = page.next();
            found.extend(page.marked(marker));
            match next {
                None => {
                    found.sort();
                    return Ok(found);
                }
                Some(cursor) => body["cursor"] = cursor.into(),
            }
        }
        let read = format!("more than {PAGES} pages");
        Err(ApiError::new(METHOD, Class::TooMuch, &read))
    }

    /// Whether the bot is in a channel, told by reading its newest message, which needs the scope for its history.
    pub async fn is_in(&self, channel: &str) -> Result<(), ApiError> {
        let body = json!({ "channel": channel, "limit": 1 });
        self.call::<_, Done>("conversations.history", &body)
            .await
            .map(drop)
    }

    /// Shows a message to one person alone, who has to be in the channel.
    pub async fn post_ephemeral(
        &self,
        channel: &str,
        user: &str,
        message: &Message,
    ) -> Result<(), ApiError> {
        debug_assert_eq!(limits::validate(message), Ok(()), "Slack would refuse it");
        let body = json!({
            "channel": channel, "user": user, "text": message.text, "blocks": message.blocks,
        });
        self.call::<_, Done>("chat.postEphemeral", &body)
            .await
            .map(drop)
    }

    pub async fn delete(&self, channel: &str, ts: &str) -> Result<(), ApiError> {
        let body = json!({ "channel": channel, "ts": ts });
        self.call::<_, Done>("chat.delete", &body).await.map(drop)
    }

    /// Joins a public channel.
    pub async fn join(&self, channel: &str) -> Result<(), ApiError> {
        let body = json!({ "channel": channel });
        self.call::<_, Done>("conversations.join", &body)
            .await
            .map(drop)
    }
}

/// The arguments of `chat.postMessage` and `chat.update`: nothing is unfurled, and no `@name` becomes a mention.
fn sent(channel: &str, text: &str, message: Option<&Message>, marker: &str) -> Value {
    // Where they are silent, the two methods differ.
    let mut body = json!({
        "channel": channel,
        "text": text,
        "metadata": { "event_type": EVENT_TYPE, "event_payload": { "message": marker } },
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    });
    if let Some(message) = message {
        debug_assert_eq!(limits::validate(message), Ok(()), "Slack would refuse it");
        body["blocks"] = json!(message.blocks);
    }
    body
}
