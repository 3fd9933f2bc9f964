//! Slack's Web API. Every call has its time, and every failure says whether it may have been done all the same.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use sha2::{Digest, Sha256};
use slack_morphism::prelude::{
    ClientResult, SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientApiCallContext,
    SlackClientHttpConnector, SlackClientHyperConnector, SlackClientHyperHttpsConnector, SlackView,
};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::{
    render::slack::{Message, limits},
    upstream,
};

mod answers;
mod class;
mod error;
mod granted;
mod messages;
mod pace;

pub use answers::{Identity, User};
pub use class::Class;
pub use error::ApiError;
pub use granted::{Granted, NotGranted, granted};

use answers::{Connection, Done, Group, Opened, UserInfo};
use pace::Pace;

/// The `event_type` of our messages' metadata.
pub const EVENT_TYPE: &str = "daily_ops";

/// Slack takes answers to a request for so long.
pub const ANSWERABLE: TimeDelta = TimeDelta::minutes(30);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect: Duration,
    /// One call with its whole answer.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            call: Duration::from_secs(10),
        }
    }
}

/// The bot's calls to Slack.
pub struct Api {
    client: SlackClient<SlackClientHyperHttpsConnector>,
    token: SlackApiToken,
    base: Url,
    limits: Limits,
    pub(super) pace: Pace,
    /// Why Slack takes the bot's token no more.
    refusal: Mutex<Option<ApiError>>,
}

impl Api {
    pub fn new(base: &Url, token: &SecretString, limits: Limits) -> anyhow::Result<Self> {
        upstream::admit(base).context("`api_url` in [slack] can't be asked")?;
        let near = base.scheme() == "https"
            || crate::address::literal(base).is_ok_and(|literal| literal.is_some())
            || base.host_str() == Some("localhost");
        ensure!(
            near,
            "`api_url` in [slack] is plain http, and a token never travels that way to a name: write https://, or an \
             address such as http://127.0.0.1:8080/api"
        );
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(limits.connect));
        http.set_nodelay(true);
        // HTTP/1 alone: a connection that has gone deaf is dropped with its request, and takes no later one with it.
        let tls = HttpsConnectorBuilder::new();
        let tls = if base.scheme() == "http" {
            // A machine without CA certificates can still ask its own network.
            let nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
            tls.with_tls_config(nobody.with_no_client_auth())
        } else {
            tls.with_native_roots()
                .context("no TLS client could be set up; install the system's CA certificates")?
        };
        let https = tls.https_or_http().enable_http1().wrap_connector(http);
        let connector = SlackClientHyperConnector::from(https)
            .with_slack_api_url(base.as_str().trim_end_matches('/'));
        Ok(Self {
            client: SlackClient::new(connector),
            token: api_token(token, super::BOT_TOKEN)?,
            base: base.clone(),
            limits,
            pace: Pace::default(),
            refusal: Mutex::default(),
        })
    }

    /// Why Slack takes the bot's token no more, since it last did.
    pub fn refusal(&self) -> Option<ApiError> {
        let refusal = self.refusal.lock();
        refusal.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whom the token belongs to.
    pub async fn auth_test(&self) -> Result<Identity, ApiError> {
        self.call("auth.test", &json!({})).await
    }

    /// Opens a view over the message that was clicked, and gives its id. A trigger lasts 3 seconds and serves once.
    pub async fn open_view(&self, trigger: &str, view: &SlackView) -> Result<String, ApiError> {
        debug_assert_eq!(limits::validate_view(view), Ok(()), "Slack would refuse it");
        let body = json!({ "trigger_id": trigger, "view": named(view, trigger) });
        let opened: Opened = self.call("views.open", &body).await?;
        Ok(opened.view.id)
    }

    /// Changes the view that a trigger opened; by that alone, where its id never came.
    pub async fn update_view(
        &self,
        trigger: &str,
        id: Option<&str>,
        view: &SlackView,
    ) -> Result<(), ApiError> {
        debug_assert_eq!(limits::validate_view(view), Ok(()), "Slack would refuse it");
        let mut body = json!({ "view": named(view, trigger) });
        match id {
            Some(id) => body["view_id"] = id.into(),
            None => body["external_id"] = name(trigger).into(),
        }
        self.call::<_, Done>("views.update", &body).await.map(drop)
    }

    /// Answers one person alone, at the address that came with what they asked.
    pub async fn respond(&self, address: &str, message: &Message) -> Result<(), ApiError> {
        const METHOD: &str = "response_url";
        let url = Url::parse(address)
            .ok()
            .filter(|url| answers_us(url, &self.base))
            .ok_or_else(|| {
                ApiError::new(METHOD, Class::Refused, "an address that isn't Slack's")
            })?;
        let mut body = json!({
            "response_type": "ephemeral", "replace_original": false, "text": message.text,
        });
        if !message.blocks.is_empty() {
            body["blocks"] = json!(message.blocks);
        }
        let span = tracing::Span::none();
        let context = SlackClientApiCallContext {
            rate_control_params: None,
            token: None,
            tracing_span: &span,
            is_sensitive_url: true,
        };
        let connector = &self.client.http_api.connector;
        self.within(METHOD, connector.http_post_uri(url, &body, context))
            .await
            .map(|_: Done| ())
    }

    /// A new address for Socket Mode. It is a secret itself.
    pub async fn connections_open(&self, app_token: &SecretString) -> Result<Url, ApiError> {
        const METHOD: &str = "apps.connections.open";
        let token = api_token(app_token, super::APP_TOKEN)
            .map_err(|_| ApiError::new(METHOD, Class::TokenDead, "a token that is none"))?;
        let session = self.client.open_session(&token);
        let body = json!({});
        let call = session.http_session_api.http_post(METHOD, &body, None);
        let opened: Connection = self.within(METHOD, call).await?;
        let plain = self.base.scheme() == "http" && opened.url.scheme() == "ws";
        if plain || opened.url.scheme() == "wss" {
            return Ok(opened.url);
        }
        Err(ApiError::new(
            METHOD,
            Class::Broken,
            "an address that is no wss://",
        ))
    }

    pub async fn member(&self, user: &str) -> Result<User, ApiError> {
        let found: UserInfo = self.read("users.info", &[("user", Some(user))]).await?;
        Ok(found.user)
    }

    /// The users of a user group; none of a disabled one.
    pub async fn group_members(&self, group: &str) -> Result<Vec<String>, ApiError> {
        let found: Group = self
            .read("usergroups.users.list", &[("usergroup", Some(group))])
            .await?;
        Ok(found.users)
    }

    async fn call<B, T>(&self, method: &'static str, body: &B) -> Result<T, ApiError>
    where
        B: Serialize + Send + Sync,
        T: DeserializeOwned + Send,
    {
        let session = self.client.open_session(&self.token);
        let call = session.http_session_api.http_post(method, body, None);
        self.with_our_token(self.within(method, call).await)
    }

    /// For methods that take no JSON.
    async fn read<T: DeserializeOwned + Send>(
        &self,
        method: &'static str,
        query: &[(&'static str, Option<&str>); 1],
    ) -> Result<T, ApiError> {
        let session = self.client.open_session(&self.token);
        let call = session.http_session_api.http_get(method, query, None);
        self.with_our_token(self.within(method, call).await)
    }

    /// Remembers whether the bot's token is still taken.
    fn with_our_token<T>(&self, done: Result<T, ApiError>) -> Result<T, ApiError> {
        let refusal = match &done {
            Ok(_) => None,
            Err(error) if error.class == Class::TokenDead => Some(error.clone()),
            Err(_) => return done,
        };
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        done
    }

    /// Gives a call its time, and counts it.
    async fn within<T>(
        &self,
        method: &'static str,
        call: impl Future<Output = ClientResult<T>>,
    ) -> Result<T, ApiError> {
        let started = Instant::now();
        let done = match timeout(self.limits.call, call).await {
            Ok(done) => done.map_err(|error| ApiError::from_client(method, &error)),
            Err(_) => Err(ApiError::timeout(method, self.limits.call)),
        };
        metrics::histogram!("daily_ops_upstream_request_seconds", "service" => "slack", "method" => method)
            .record(started.elapsed().as_secs_f64());
        if let Err(error) = &done {
            metrics::counter!("daily_ops_upstream_errors_total", "service" => "slack", "class" => error.class.as_str())
                .increment(1);
            tracing::debug!(%error, "a call to Slack failed");
        }
        done
    }
}

/// A view with the name by which it is found without its id.
fn named(view: &SlackView, trigger: &str) -> serde_json::Value {
    let mut view = json!(view);
    view["external_id"] = name(trigger).into();
    view
}

fn name(trigger: &str) -> String {
    hex::encode(Sha256::digest(trigger))
}

/// Whether an answering address is Slack's own: `hooks.` before the API's host, or the origin of a stand-in's API.
fn answers_us(url: &Url, base: &Url) -> bool {
    let api = base.host_str().unwrap_or_default();
    let hooks = url.scheme() == "https"
        && url.port().is_none()
        && url.host_str() == Some(format!("hooks.{api}").as_str());
    let stand_in = api != "slack.com" && url.origin() == base.origin();
    (hooks || stand_in) && !crate::address::holds_credentials(url)
}

fn api_token(token: &SecretString, name: &str) -> anyhow::Result<SlackApiToken> {
    let token = token.expose_secret();
    ensure!(
        !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()),
        "{name} holds what no HTTP header can carry; set it to the token alone"
    );
    Ok(SlackApiToken::new(SlackApiTokenValue(token.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_to_slack_alone() {
        let to = |url: &str, base: &str| answers_us(&url.parse().unwrap(), &base.parse().unwrap());
        let slack = "https://slack.com/api";
        assert!(to("https://hooks.slack.com/commands/T1/2/x", slack));
        assert!(to(
            "https://hooks.slack-gov.com/x",
            "https://slack-gov.com/api"
        ));
        assert!(to(
            "http://127.0.0.1:9/response/1",
            "http://127.0.0.1:9/api"
        ));
        for url in [
            "http://hooks.slack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://hooks.slack.com.evil.example/x",
            "https://u:p@hooks.slack.com/x",
            "https://slack.com/x",
            "https://169.254.169.254/x",
        ] {
            assert!(!to(url, slack), "{url}");
        }
        assert!(!to(
            "http://127.0.0.1:10/response/1",
            "http://127.0.0.1:9/api"
        ));
    }

    #[test]
    fn plain_http_goes_to_no_name_and_no_public_address() {
        let made = |base: &str| {
            rustls::crypto::ring::default_provider()
                .install_default()
                .ok();
            Api::new(&base.parse().unwrap(), &"xoxb-1".into(), Limits::default()).is_ok()
        };
        assert!(made("https://slack.com/api") && made("http://127.0.0.1:1/api"));
        assert!(!made("http://slack.com/api") && !made("http://8.8.8.8/api"));
    }
}
