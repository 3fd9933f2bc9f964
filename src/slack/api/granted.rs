//! What the token may do, read off the headers of `auth.test`.

use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::{ApiError, Class, Identity};
use crate::upstream::{self, Ask, Credential, Failure, Service, Settings, Unwritten, Upstream};

const METHOD: &str = "auth.test";

const SLACK: Service = Service {
    name: "Slack",
    credential: super::super::BOT_TOKEN,
    reset: upstream::says_nothing,
    should_retry: upstream::says_nothing,
};

/// Whom a token belongs to, and what it may do.
#[derive(Debug)]
pub struct Granted {
    pub identity: Identity,
    /// None: Slack did not say.
    pub scopes: Option<Vec<String>>,
    /// How far Slack's clock is ahead of ours.
    pub skew: Option<TimeDelta>,
}

/// Why that could not be learnt.
#[derive(Debug, thiserror::Error)]
pub enum NotGranted {
    #[error(transparent)]
    Refused(#[from] ApiError),
    /// Slack could not be asked.
    #[error(transparent)]
    Unasked(#[from] Failure),
}

pub async fn granted(
    base: &Url,
    token: &SecretString,
    deadline: Instant,
) -> Result<Granted, NotGranted> {
    let upstream = Upstream::new(SLACK, base, Credential::Bearer(token), &Settings::default())?;
    let ask = Ask {
        path: &[METHOD],
        query: &[],
        limit: crate::upstream::BODY_LIMIT,
        needs: "access to this workspace",
        place: "`api_url` in [slack]",
    };
    let answer = upstream
        .write::<_, Value>(reqwest::Method::POST, &ask, &json!({}), deadline)
        .await
        .map_err(|error| match error {
            Unwritten::Refused(failure)
            | Unwritten::NotSent(failure)
            | Unwritten::OutcomeUnknown(failure) => failure,
        })?;
    let scopes = answer
        .headers
        .get("x-oauth-scopes")
        .and_then(|scopes| scopes.to_str().ok())
        .map(|scopes| {
            let scopes = scopes.split(',').map(str::trim);
            scopes
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect()
        });
    let skew = answer.skew();
    let unreadable = || ApiError::new(METHOD, Class::Broken, "an answer that can't be read");
    if answer.body["ok"] != true {
        let code = answer.body["error"].as_str().ok_or_else(unreadable)?;
        return Err(ApiError::new(METHOD, Class::of(code, None), code).into());
    }
    let identity = serde_json::from_value(answer.body).map_err(|_| unreadable())?;
    Ok(Granted {
        identity,
        scopes,
        skew,
    })
}
