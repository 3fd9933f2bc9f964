//! Signed requests.

use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use super::{ACK, Acked, Retry, Why};

/// More of an answer is not read.
const LONGEST: usize = 1 << 20;

/// Keeps its connections.
pub(super) struct Sender(Client<HttpConnector, Full<Bytes>>);

pub(super) struct Letter<'a> {
    pub(super) body: String,
    /// Else it is a form.
    pub(super) is_json: bool,
    pub(super) secret: &'a str,
    pub(super) now: DateTime<Utc>,
    pub(super) retry: Option<Retry>,
}

impl Sender {
    pub(super) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(10))
            .build(connector);
        Self(client)
    }

    pub(super) async fn post(&self, url: &Url, letter: Letter<'_>) -> Acked {
        let request = letter.request(url).map_err(|_| Why::Connection)?;
        let answered = timeout(ACK, async {
            let answer = self.0.request(request).await.map_err(|_| Why::Connection)?;
            let status = answer.status();
            let no_retry = answer
                .headers()
                .get("x-slack-no-retry")
                .is_some_and(|value| value == "1");
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            let body = body.map_err(|_| Why::Connection)?.to_bytes();
            if status.is_success() {
                Ok(said(&body))
            } else {
                Err(Why::Status { no_retry })
            }
        });
        answered.await.unwrap_or(Err(Why::Timeout))
    }
}

impl Letter<'_> {
    fn request(self, url: &Url) -> hyper::http::Result<Request<Full<Bytes>>> {
        let timestamp = self.now.timestamp().to_string();
        let kind = if self.is_json {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let signature = sign(self.secret, &timestamp, self.body.as_bytes());
        let mut request = Request::post(url.as_str())
            .header("content-type", kind)
            .header("accept", "*/*")
            .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signature);
        if let Some(retry) = self.retry {
            request = request
                .header("x-slack-retry-num", u16::from(retry.number))
                .header("x-slack-retry-reason", retry.reason);
        }
        request.body(Full::new(Bytes::from(self.body)))
    }
}

/// JSON, else text, else null.
fn said(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| match String::from_utf8_lossy(body).trim() {
        "" => Value::Null,
        text => text.into(),
    })
}

/// `v0`: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.
fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}
