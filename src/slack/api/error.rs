//! What Slack refused, or left unanswered: what was tried, what came back, what to do now.

use std::{error::Error, fmt, time::Duration};

use hyper_util::client::legacy;
use serde::Deserialize;
use slack_morphism::errors::{SlackClientError, SlackClientHttpError};

use super::Class;
use crate::{
    report::{Cause, Unknown},
    text::{Untrusted, cut},
};

/// A call that brought no result. It holds neither the answer's body nor a token.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// `chat.postMessage`.
    pub method: &'static str,
    pub class: Class,
    /// Slack's own word (`not_in_channel`), or what came instead of one.
    pub code: Untrusted,
    /// How long Slack asks to wait.
    pub retry_after: Option<Duration>,
    /// What Slack says about our arguments.
    pub detail: Option<Untrusted>,
}

/// What the body of a refusal says besides its code.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    needed: Option<String>,
    errors: Vec<serde_json::Value>,
    response_metadata: Messages,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Messages {
    messages: Vec<String>,
}

impl ApiError {
    pub(super) fn new(method: &'static str, class: Class, code: &str) -> Self {
        Self {
            method,
            class,
            code: Untrusted::from(cut(code, 60)),
            retry_after: None,
            detail: None,
        }
    }

    /// A refusal with this code and body.
    fn refused(method: &'static str, code: &str, body: Option<&str>) -> Self {
        let said: Refusal = body
            .and_then(|body| serde_json::from_str(body).ok())
            .unwrap_or_default();
        let detail = said
            .errors
            .iter()
            .find_map(|error| error.as_str())
            .or(said.response_metadata.messages.first().map(String::as_str))
            .map(|text| Untrusted::from(cut(text, 120)));
        let needed = said.needed.map(|needed| cut(&needed, 60));
        Self {
            detail,
            ..Self::new(method, Class::of(code, needed.as_deref()), code)
        }
    }

    fn answered(method: &'static str, answer: &SlackClientHttpError) -> Self {
        let status = answer.status_code.as_u16();
        let class = match status {
            408 | 500..=599 => Class::Server,
            404 | 410 => Class::Expired,
            _ => Class::Other,
        };
        Self::new(method, class, &format!("http {status}"))
    }

    /// The library's errors print whole bodies; this takes out what may be shown.
    pub(super) fn from_client(method: &'static str, error: &SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(error) => {
                Self::refused(method, &error.code, error.http_response_body.as_deref())
            }
            SlackClientError::RateLimitError(error) => Self {
                retry_after: error.retry_after,
                ..Self::new(method, Class::RateLimited, "ratelimited")
            },
            SlackClientError::HttpError(answer) => Self::answered(method, answer),
            SlackClientError::HttpProtocolError(error) => match &error.cause {
                Some(cause) => match cause.downcast_ref::<legacy::Error>() {
                    Some(http) if http.is_connect() => {
                        Self::new(method, Class::NotSent, &innermost(http))
                    }
                    Some(http) => Self::new(method, Class::Broken, &innermost(http)),
                    // It could not even be written down.
                    None => Self::new(method, Class::NotSent, "the request is no HTTP"),
                },
                None => Self::new(method, Class::Broken, "no HTTP"),
            },
            SlackClientError::ProtocolError(_) => {
                Self::new(method, Class::Broken, "an answer that can't be read")
            }
            SlackClientError::EndOfStream(_)
            | SlackClientError::SystemError(_)
            | SlackClientError::SocketModeProtocolError(_) => {
                Self::new(method, Class::Broken, "an answer that broke off")
            }
        }
    }

    pub(super) fn timeout(method: &'static str, limit: Duration) -> Self {
        let code = format!("no answer within {}", humantime::format_duration(limit));
        Self::new(method, Class::Timeout, &code)
    }

    /// Whether Slack may have carried it out all the same: look before doing it again.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self.class, Class::Server | Class::Timeout | Class::Broken)
    }

    /// Whether it may be otherwise by itself, a little later.
    pub fn passes(&self) -> bool {
        self.outcome_unknown() || matches!(self.class, Class::RateLimited | Class::NotSent)
    }

    fn came_back(&self) -> String {
        let code = self.code.as_str();
        let said = match (&self.class, self.retry_after) {
            (Class::RateLimited, Some(wait)) => {
                format!("answered {code}, asking to wait {} s", wait.as_secs())
            }
            (Class::Timeout, _) => code.to_owned(),
            (Class::NotSent, _) => format!("no connection came about ({code})"),
            (Class::Broken, _) => format!("no usable answer came ({code})"),
            _ => format!("answered {code}"),
        };
        match &self.detail {
            Some(detail) => format!("{said} (\"{}\")", detail.as_str()),
            None => said,
        }
    }

    /// What to do now.
    pub fn advice(&self) -> String {
        match &self.class {
            Class::RateLimited => "it is tried again when that time is over".to_owned(),
            Class::Server => {
                "look at https://slack-status.com; it may have been done all the same".to_owned()
            }
            Class::Timeout | Class::Broken => {
                "it may have been done all the same: check the network, and `api_url` in [slack]"
                    .to_owned()
            }
            Class::NotSent => "check the network, and `api_url` in [slack]".to_owned(),
            Class::TokenDead if self.method == "apps.connections.open" => {
                "make an app-level token with `connections:write` and set SLACK_APP_TOKEN"
                    .to_owned()
            }
            Class::TokenDead => {
                "install the app again and set SLACK_BOT_TOKEN to its bot token".to_owned()
            }
            Class::MissingScope { needed } => format!(
                "add {} to the app's scopes and install it again",
                Untrusted::from(needed.as_str()).as_str()
            ),
            Class::Channel => match self.code.as_str() {
                "is_archived" => "unarchive the channel, or name another in [slack]".to_owned(),
                code if code.starts_with("restricted_action")
                    || code == "posting_to_channel_denied" =>
                {
                    "let the app post in that channel, in the channel's or the workspace's settings"
                        .to_owned()
                }
                _ => "write `/invite @daily-ops` in the channel, and check its id in [slack]"
                    .to_owned(),
            },
            Class::MessageGone => {
                "the message stays as it is; the next round has one of its own".to_owned()
            }
            Class::Refused => "this is a defect of daily-ops: please report it".to_owned(),
            Class::Expired => "ask again: Slack waits only for a short time".to_owned(),
            Class::Nobody => "check the id in [permissions]".to_owned(),
            Class::TooMuch => "look into the channel yourself".to_owned(),
            Class::Other => {
                "look the code up among Slack's method pages, and run `daily-ops doctor`".to_owned()
            }
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Slack {}: {}; {}",
            self.method,
            self.came_back(),
            self.advice()
        )
    }
}

impl Error for ApiError {}

impl From<ApiError> for Unknown {
    fn from(error: ApiError) -> Self {
        let cause = match error.class {
            Class::RateLimited => Cause::RateLimited,
            Class::Server => Cause::Upstream,
            Class::Timeout => Cause::Timeout,
            Class::NotSent => Cause::Network,
            Class::TokenDead => Cause::Auth,
            Class::MissingScope { .. } => Cause::Forbidden,
            Class::Broken => Cause::Decode,
            Class::Channel | Class::MessageGone | Class::Expired | Class::Nobody => Cause::NotFound,
            Class::TooMuch => Cause::Truncated,
            Class::Refused | Class::Other => Cause::Upstream,
        };
        Self::new(cause, error.to_string())
    }
}

/// The last word of a chain of errors; the first ones repeat the address.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_slack_may_have_done_has_an_unknown_outcome() {
        let unknown =
            |class: Class| ApiError::new("chat.postMessage", class, "x").outcome_unknown();
        assert!(unknown(Class::Timeout) && unknown(Class::Broken) && unknown(Class::Server));
        assert!(
            !unknown(Class::NotSent) && !unknown(Class::RateLimited) && !unknown(Class::Channel)
        );
    }

    #[test]
    fn a_refusal_says_what_to_do_and_quotes_no_body() {
        let body = r#"{"ok":false,"error":"missing_scope","needed":"channels:history","provided":"chat:write","secret":"xoxb-1-2-abc"}"#;
        let text =
            ApiError::refused("conversations.history", "missing_scope", Some(body)).to_string();
        assert_eq!(
            text,
            "Slack conversations.history: answered missing_scope; add channels:history to the app's scopes and install it again"
        );
        let body = r#"{"ok":false,"error":"invalid_blocks","errors":["must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]}"#;
        let error = ApiError::refused("chat.postMessage", "invalid_blocks", Some(body));
        assert_eq!(error.class, Class::Refused);
        assert!(
            error
                .to_string()
                .contains("json-pointer:/blocks/0/text/text"),
            "{error}"
        );
    }
}
