//! GitHub's REST API, and what its refusals mean here.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::{Method, header::HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    GitHub, TOKEN,
    issue::{Comment, Issue, Place, Repository},
};
use crate::{
    report::{Cause, Unknown},
    trackers::{Hindrance, NotEnsured, token},
    upstream::{self, Answer, Ask, Credential, Failure, Service, Unwritten, Upstream},
};

const GITHUB: Service = Service {
    name: "GitHub",
    credential: TOKEN.0,
    reset: used_up,
    should_retry: upstream::says_nothing,
};

const PLACE: &str = "`repository` and `url` in [tickets.github]";
const NEEDS: &str = "the permission Issues: read and write";

/// What GitHub asks to wait for where a limit names no time.
const LEAST_WAIT: Duration = Duration::from_secs(60);

/// When the budget of requests is filled again, if it is used up.
fn used_up(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let left = headers.get("x-ratelimit-remaining")?.to_str().ok()?;
    (left.trim() == "0").then_some(())?;
    upstream::epoch_seconds(headers, "x-ratelimit-reset")
}

pub(super) struct Client {
    upstream: Upstream,
    deadline: Instant,
}

/// One page of a list.
pub(super) struct Page<T> {
    pub items: Vec<T>,
    pub is_last: bool,
}

impl Client {
    pub(super) fn connect(github: &GitHub, deadline: Instant) -> Result<Self, Unknown> {
        let token = token(github.secret.as_ref(), TOKEN)?;
        let upstream = Upstream::new(
            GITHUB,
            &github.section.url,
            Credential::Bearer(token),
            &github.settings,
        )?
        .with_header(
            "accept",
            "application/vnd.github+json, application/json;q=0.9",
        )?
        .with_header("x-github-api-version", "2022-11-28")?
        .through(&github.gate);
        Ok(Self { upstream, deadline })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer<T>, Failure> {
        let ask = Ask {
            query,
            limit: upstream::LIST_LIMIT,
            ..ask(path)
        };
        self.upstream.get(&ask, self.deadline).await.map_err(told)
    }

    async fn page<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        (page, rows): (usize, usize),
    ) -> Result<Page<T>, Failure> {
        let (number, per_page) = (page.to_string(), rows.to_string());
        let query = [query, &[("per_page", &per_page), ("page", &number)]].concat();
        let answer: Answer<Vec<T>> = self.get(path, &query).await?;
        let link = answer
            .headers
            .get("link")
            .and_then(|link| link.to_str().ok());
        let says_next = link.is_some_and(|link| link.contains("rel=\"next\""));
        Ok(Page {
            is_last: answer.body.is_empty() || !(says_next || answer.body.len() >= rows),
            items: answer.body,
        })
    }

    /// Of all states; `page` counts from 1.
    pub(super) async fn issues(
        &self,
        repository: &Repository,
        query: &[(&str, &str)],
        page: (usize, usize),
    ) -> Result<Page<Issue>, Failure> {
        let path = ["repos", repository.owner(), repository.name(), "issues"];
        let query = [&[("state", "all")], query].concat();
        self.page(&path, &query, page).await
    }

    pub(super) async fn issue(&self, place: &Place) -> Result<Issue, Failure> {
        let number = place.number.to_string();
        let path = path(place, &number);
        Ok(self.get(&path, &[]).await?.body)
    }

    /// Those since then.
    pub(super) async fn comments(
        &self,
        place: &Place,
        since: DateTime<Utc>,
        page: usize,
    ) -> Result<Page<Comment>, Failure> {
        let number = place.number.to_string();
        let path = [&path(place, &number)[..], &["comments"]].concat();
        let since = timestamp(since);
        self.page(&path, &[("since", &since)], (page, 100)).await
    }

    pub(super) async fn repository(
        &self,
        repository: &Repository,
    ) -> Result<Answer<Value>, Failure> {
        self.get(&["repos", repository.owner(), repository.name()], &[])
            .await
    }

    pub(super) async fn create(
        &self,
        repository: &Repository,
        issue: &Value,
    ) -> Result<Issue, NotEnsured> {
        let path = ["repos", repository.owner(), repository.name(), "issues"];
        self.write(Method::POST, &path, issue).await
    }

    pub(super) async fn comment(&self, place: &Place, body: &str) -> Result<(), NotEnsured> {
        let number = place.number.to_string();
        let path = [&path(place, &number)[..], &["comments"]].concat();
        let body = json!({ "body": body });
        let _: Value = self.write(Method::POST, &path, &body).await?;
        Ok(())
    }

    pub(super) async fn open_again(&self, place: &Place) -> Result<Issue, NotEnsured> {
        self.change(place, &json!({ "state": "open" })).await
    }

    /// As one that is not worked on.
    pub(super) async fn close(&self, place: &Place) -> Result<Issue, NotEnsured> {
        let body = json!({ "state": "closed", "state_reason": "not_planned" });
        self.change(place, &body).await
    }

    async fn change(&self, place: &Place, body: &Value) -> Result<Issue, NotEnsured> {
        let number = place.number.to_string();
        self.write(Method::PATCH, &path(place, &number), body).await
    }

    async fn write<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &Value,
    ) -> Result<T, NotEnsured> {
        let written = self
            .upstream
            .write(method, &ask(path), body, self.deadline)
            .await;
        written
            .map(|answer: Answer<T>| answer.body)
            .map_err(not_written)
    }

    /// Whether an issue that could not be read is gone, deleted or moved to another repository: the others of its
    /// repository can be read.
    pub(super) async fn is_gone(&self, place: &Place, failure: Failure) -> Result<(), Failure> {
        if !matches!(failure.status(), Some(301 | 404 | 410)) {
            return Err(failure);
        }
        self.issues(&place.repository, &[], (1, 1)).await.map(drop)
    }
}

fn path<'a>(place: &'a Place, number: &'a str) -> [&'a str; 5] {
    let repository = &place.repository;
    [
        "repos",
        repository.owner(),
        repository.name(),
        "issues",
        number,
    ]
}

fn ask<'a>(path: &'a [&'a str]) -> Ask<'a> {
    Ask {
        path,
        query: &[],
        limit: upstream::BODY_LIMIT,
        needs: NEEDS,
        place: PLACE,
    }
}

/// As GitHub's queries take it.
pub(super) fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The failure with what it means at GitHub: 403 is a limit or a permission, 410 and 301 speak of the repository.
fn told(mut failure: Failure) -> Failure {
    let limited = failure.asked_wait().is_some()
        || failure
            .detail
            .as_ref()
            .is_some_and(|said| said.as_str().to_lowercase().contains("rate limit"));
    match failure.status() {
        Some(403) if limited => {
            failure.cause = Cause::RateLimited;
            failure.advice = "it is asked again later".to_owned();
        }
        Some(301 | 302 | 307 | 308) => {
            failure.cause = Cause::NotFound;
            failure.advice = "the repository was renamed or moved: set `repository` in [tickets.github] to its new name".to_owned();
        }
        Some(410) => {
            failure.advice = "switch issues on in the repository's settings, or set another `repository` in [tickets.github]".to_owned();
        }
        Some(422) => failure.advice = invalid(failure.refusal.as_deref()),
        _ => {}
    }
    failure
}

/// What to do about a 422, which names fields with codes.
fn invalid(refusal: Option<&Value>) -> String {
    let errors = refusal.and_then(|body| body["errors"].as_array());
    let fields: Vec<&str> = errors
        .into_iter()
        .flatten()
        .filter_map(|error| error["field"].as_str())
        .collect();
    let known = ["assignees", "labels"]
        .into_iter()
        .find(|known| fields.contains(known) || fields.contains(&known.trim_end_matches('s')));
    match (known, fields.first()) {
        (Some(known), _) => format!(
            "correct `{known}` in [tickets.github], or of this ticket: not all of them exist there"
        ),
        (None, Some(field)) => {
            let field = crate::text::cut(&crate::text::one_line(field), 40);
            format!("GitHub does not take its `{field}`: change it, and open the ticket again")
        }
        (None, None) => "change the ticket's title, text or labels, and open it again".to_owned(),
    }
}

fn hindrance(failure: Failure) -> Hindrance {
    let limited = failure.cause == Cause::RateLimited;
    let mut hindrance = Hindrance::from(failure);
    if limited {
        hindrance.asked_wait.get_or_insert(LEAST_WAIT);
    }
    hindrance
}

/// What a failed look means for a ticket: where there is no such repository, waiting is no help.
pub(super) fn not_seen(failure: Failure) -> NotEnsured {
    match failure.cause {
        Cause::NotFound | Cause::Gone => NotEnsured::refused(failure.to_string()),
        _ => NotEnsured::NotSent(hindrance(failure)),
    }
}

fn not_written(unwritten: Unwritten) -> NotEnsured {
    match unwritten {
        Unwritten::Refused(failure) => {
            let failure = told(failure);
            match failure.cause {
                Cause::RateLimited | Cause::Auth | Cause::Forbidden => {
                    NotEnsured::NotSent(hindrance(failure))
                }
                _ => NotEnsured::refused(failure.to_string()),
            }
        }
        Unwritten::NotSent(failure) => NotEnsured::NotSent(hindrance(told(failure))),
        Unwritten::OutcomeUnknown(failure) => NotEnsured::in_doubt(hindrance(failure)),
    }
}
