//! An answer that is no answer: a status that refuses, or something that is not JSON.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, LOCATION},
};
use serde_json::Value;
use url::Url;

use super::{
    Ask, Service,
    failure::{Failure, Reached},
};
use crate::{
    report::Cause,
    text::{Untrusted, cut},
};

/// Bytes of a refusal that are read to find its `detail`.
pub(super) const DETAIL_LIMIT: usize = 16 << 10;

/// Graphemes of it that are shown: Stripe names a missing permission at the end of 240.
const DETAIL_SHOWN: usize = 280;

impl Failure {
    pub(super) fn answered(
        mut self,
        service: &Service,
        ask: &Ask<'_>,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        asked_wait: Option<Duration>,
    ) -> Self {
        self.reached = Reached::Answer(status);
        self.asked_wait = asked_wait;
        self.refusal = refusal(body).map(Box::new);
        self.detail = self.refusal.as_deref().and_then(detail);
        let said = self
            .detail
            .as_ref()
            .map_or_else(String::new, |said| format!(" (\"{}\")", said.as_str()));
        let came_back = format!("answered {}{said}", status.as_u16());
        let name = service.name;
        match status.as_u16() {
            300..=399 => {
                let host = location(headers).map_or_else(String::new, |host| format!(" to {host}"));
                self.told(Cause::Redirect, format!("{came_back}, a redirect{host}, which is not followed"))
                    .advised("set `url` to the final address")
            }
            401 => self.told(Cause::Auth, came_back).advised(format!("renew {}, which {name} does not accept", service.credential)),
            403 => self.told(Cause::Forbidden, came_back).advised(format!("give the token in {} {}", service.credential, ask.needs)),
            404 => self.told(Cause::NotFound, came_back).advised(format!("check {}, and that the token may see it ({})", ask.place, ask.needs)),
            410 => self.told(Cause::Gone, came_back).advised(format!("{name} has switched this route off, for a test or for good: look again in an hour, then update daily-ops")),
            429 => {
                let wait = asked_wait.map_or_else(String::new, |wait| format!(", asking to wait {} s", wait.as_secs()));
                self.told(Cause::RateLimited, format!("{came_back}{wait}")).advised("look again later, or ask less often")
            }
            408 => self.told(Cause::Timeout, came_back).advised("look again later"),
            500..=599 => self.told(Cause::Upstream, came_back).advised(format!("look at {name}'s status page, then again")),
            _ => self.told(Cause::Upstream, came_back).advised(format!("check {}", ask.place)),
        }
    }
}

/// A login page behind a 200 is no answer.
pub(super) fn json_only(failure: &Failure, headers: &HeaderMap) -> Result<(), Failure> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("");
    let essence = kind
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    let what = match essence.as_str() {
        "" => "something without a content type".to_owned(),
        "text/html" => "an HTML page, perhaps a login".to_owned(),
        other => cut(other, 60),
    };
    Err(failure
        .clone()
        .told(Cause::Decode, format!("the answer is {what}, not JSON"))
        .advised("check that `url` leads to the API itself and not to a proxy or a login"))
}

fn refusal(body: &[u8]) -> Option<Value> {
    match serde_json::from_slice(body).ok()? {
        // Sentry sends some refusals as JSON inside a JSON string.
        Value::String(inner) => serde_json::from_str(&inner).ok(),
        value => Some(value),
    }
}

/// What a refusal says of itself, wherever it stands: in `detail` (Sentry), `error` (Stripe), `message` (GitHub),
/// `errors` (Linear) or `errorMessages` (Jira). Cut short.
fn detail(refusal: &Value) -> Option<Untrusted> {
    let said = [
        "/detail",
        "/error",
        "/message",
        "/errorMessages/0",
        "/errors/0",
    ]
    .into_iter()
    .find_map(|place| refusal.pointer(place))
    .or_else(|| refusal.get("errors")?.as_object()?.values().next())?;
    let said = said.get("message").unwrap_or(said).as_str()?;
    let line = Untrusted::from(said);
    (!line.is_empty()).then(|| Untrusted::from(cut(line.as_str(), DETAIL_SHOWN)))
}

fn location(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let host = Url::parse(location).ok()?.host_str()?.to_owned();
    Some(cut(&host, 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_quoted_short_and_without_secrets() {
        let quoted = |body: &str| {
            let said = refusal(body.as_bytes()).as_ref().and_then(detail);
            said.map(|line| line.as_str().to_owned())
        };
        assert_eq!(quoted(r#"{"detail":"no  way"}"#).as_deref(), Some("no way"));
        assert_eq!(
            quoted(r#"{"detail":{"message":"sso","code":"x"}}"#).as_deref(),
            Some("sso")
        );
        assert_eq!(quoted(r#"{"message":"gone"}"#).as_deref(), Some("gone"));
        assert_eq!(
            quoted(r#""{\"detail\": \"twice\"}""#).as_deref(),
            Some("twice")
        );
        assert_eq!(
            quoted(r#"{"detail":"token=abcdefgh"}"#).as_deref(),
            Some("token=[redacted]")
        );
        assert_eq!(quoted("<html>"), None);
        let long = quoted(&format!(r#"{{"detail":"{}"}}"#, "x".repeat(5000))).unwrap();
        assert!(long.chars().count() <= DETAIL_SHOWN);
        for (other, said) in [
            (
                r#"{"error":{"message":"No such invoice","code":"x"}}"#,
                "No such invoice",
            ),
            (r#"{"errors":[{"message":"Bad input"}]}"#, "Bad input"),
            (
                r#"{"errorMessages":[],"errors":{"summary":"is required"}}"#,
                "is required",
            ),
            (
                r#"{"errorMessages":["No project"],"errors":{}}"#,
                "No project",
            ),
        ] {
            assert_eq!(quoted(other).as_deref(), Some(said));
        }
    }
}
