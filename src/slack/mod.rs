//! Slack's wire: what people ask comes in over HTTP or Socket Mode, messages go out.
//!
//! Only this module and the Block Kit renderer know Slack's own formats.

use std::{future::Future, pin::Pin};

use anyhow::{Context, ensure};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::command::Asked;

/// The Web API.
pub mod api;

/// The app's manifest.
pub mod manifest;

/// Users and user groups.
pub mod people;

/// Requests over HTTP.
pub mod http;

/// What requests say.
pub mod payload;

/// Whether a request is Slack's.
pub mod signature;

/// Requests over Socket Mode.
pub mod socket;

mod courier;
mod drawing;
mod intake;
mod taken;
mod undelivered;

pub use courier::{Courier, Lease};
pub use intake::Intake;

pub use crate::command::Transport;

/// Where requests are kept before they are acked.
pub trait Inbox: Send + Sync {
    /// Ok means that it is committed, now or before.
    fn accept<'a>(
        &'a self,
        asked: Asked,
    ) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;
}

/// `[slack]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default)]
    pub transport: Transport,
    /// Where summaries and alerts go: a channel's id.
    pub channel: String,
    #[serde(default = "slack_api")]
    pub api_url: Url,
    #[serde(skip)]
    pub secrets: Secrets,
}

/// The tokens, as far as they are set.
#[derive(Debug, Default)]
pub struct Secrets {
    pub bot_token: Option<SecretString>,
    /// For Socket Mode.
    pub app_token: Option<SecretString>,
    /// For HTTP; more than one while one is being rotated.
    pub signing: Vec<SecretString>,
}

pub const BOT_TOKEN: &str = "SLACK_BOT_TOKEN";
pub const APP_TOKEN: &str = "SLACK_APP_TOKEN";
pub const SIGNING_SECRET: &str = "SLACK_SIGNING_SECRET";

fn slack_api() -> Url {
    Url::parse("https://slack.com/api").expect("the address is constant")
}

impl Settings {
    /// Adds the secrets, and checks what the types can't say.
    pub fn with_secrets(
        mut self,
        secret: &dyn Fn(&str) -> anyhow::Result<Option<SecretString>>,
    ) -> anyhow::Result<Self> {
        let is_id = self.channel.len() > 1
            && self.channel.starts_with(['C', 'G', 'D'])
            && self
                .channel
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        ensure!(
            is_id,
            "`channel` in [slack] is an id such as C0123456789, never a name: in Slack it stands at the end of the \
             channel's details"
        );
        ensure!(
            matches!(self.api_url.scheme(), "http" | "https") && self.api_url.has_host(),
            "`api_url` in [slack] is an http or https address"
        );
        let signing = secret(SIGNING_SECRET)?;
        self.secrets = Secrets {
            bot_token: secret(BOT_TOKEN)?,
            app_token: secret(APP_TOKEN)?,
            signing: signing
                .iter()
                .flat_map(|all| all.expose_secret().split(','))
                .map(str::trim)
                .filter(|one| !one.is_empty())
                .map(SecretString::from)
                .collect(),
        };
        Ok(self)
    }

    /// The bot's token, or what to do about its absence.
    pub fn bot_token(&self) -> anyhow::Result<&SecretString> {
        self.secrets.bot_token.as_ref().with_context(|| {
            format!("{BOT_TOKEN} is not set; it posts messages. Set it, or {BOT_TOKEN}_FILE to a file that holds it")
        })
    }
}
