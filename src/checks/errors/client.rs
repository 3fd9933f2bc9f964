//! Sentry's API: the organization routes only, as the others are switched off bit by bit.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::TimeDelta;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Errors, TOKEN, issue::Issue};
use crate::{
    checks::{Looking, Progress},
    report::Unknown,
    text::Untrusted,
    upstream::{self, Answer, Ask, Credential, Failure, Service, Unwritten, Upstream},
};

const SENTRY: Service = Service {
    name: "Sentry",
    credential: TOKEN.0,
    reset: |headers| upstream::epoch_seconds(headers, "x-sentry-rate-limit-reset"),
    should_retry: upstream::says_nothing,
};

/// Where a 404 may come from.
const PLACE: &str = "`organization`, `environments` and `url` in [checks.errors]";

/// The rows of a page; Sentry gives no more.
pub(super) const PAGE: u64 = 100;

/// One organization in Sentry, asked until the deadline.
pub(super) struct Sentry<'a> {
    upstream: Upstream,
    organization: &'a str,
    deadline: Instant,
    progress: Progress,
    expected: AtomicU64,
    notices: Mutex<Notices>,
}

/// What answers say besides what was asked.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    /// How far Sentry's clock is ahead of ours; the largest difference that was seen.
    pub skew: Option<TimeDelta>,
    /// Dates on which routes that this check uses will be switched off.
    pub deprecations: BTreeSet<Untrusted>,
}

impl<'a> Sentry<'a> {
    pub(super) fn connect(section: &'a Errors, looking: &Looking) -> Result<Self, Unknown> {
        let token = looking.secret(TOKEN)?;
        Ok(Self {
            upstream: Upstream::new(
                SENTRY,
                &section.url,
                Credential::Bearer(&token),
                &section.settings,
            )?,
            organization: &section.organization,
            deadline: looking.deadline,
            progress: looking.progress.clone(),
            expected: AtomicU64::new(0),
            notices: Mutex::default(),
        })
    }

    pub(super) fn notices(&self) -> Notices {
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes the progress longer by so many requests.
    pub(super) fn expect(&self, requests: u64) {
        let all = self.expected.fetch_add(requests, Ordering::Relaxed) + requests;
        self.progress.expect(all);
    }

    /// One page of a list, as the query says.
    pub(super) async fn page(
        &self,
        route: &str,
        query: &[(&str, &str)],
        needs: &str,
    ) -> Result<Answer<Vec<Value>>, Failure> {
        let path = self.path(&[route]);
        let ask = Ask {
            query,
            limit: upstream::LIST_LIMIT,
            ..ask(&path, needs)
        };
        let answer = self.upstream.get(&ask, self.deadline).await?;
        self.progress.step();
        self.notice(&answer.headers, answer.skew());
        Ok(answer)
    }

    /// Events of the last 24 h by what Sentry did with them.
    pub(super) async fn outcomes(&self, projects: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut query = vec![
            ("groupBy", "outcome"),
            ("field", "sum(quantity)"),
            ("category", "error"),
            ("interval", "1h"),
            ("statsPeriod", "24h"),
        ];
        query.extend(projects);
        let path = self.path(&["stats_v2"]);
        let ask = Ask {
            query: &query,
            ..ask(&path, "the scope `org:read`")
        };
        let answer: Answer<Value> = self.upstream.get(&ask, self.deadline).await?;
        self.progress.step();
        self.notice(&answer.headers, answer.skew());
        Ok(answer.body)
    }

    pub(super) async fn issue(&self, id: &str) -> Result<Option<Issue>, Failure> {
        let path = self.path(&["issues", id]);
        let ask = ask(&path, "the scope `event:read`");
        let answer: Answer<Value> = self.upstream.get(&ask, self.deadline).await?;
        Ok(Issue::read(&answer.body))
    }

    /// Changes what the body names, of this one issue.
    pub(super) async fn update(&self, id: &str, body: &Value) -> Result<Option<Issue>, Unwritten> {
        let path = self.path(&["issues", id]);
        let ask = ask(&path, "the scope `event:write`");
        let answer: Answer<Value> = self
            .upstream
            .write(Method::PUT, &ask, body, self.deadline)
            .await?;
        Ok(Issue::read(&answer.body))
    }

    pub(super) async fn note(&self, id: &str, text: &str) -> Result<(), Failure> {
        let path = self.path(&["issues", id, "notes"]);
        let ask = ask(&path, "the scope `event:write`");
        let written: Result<Answer<Value>, _> = self
            .upstream
            .write(Method::POST, &ask, &json!({ "text": text }), self.deadline)
            .await;
        match written {
            Ok(_) => Ok(()),
            Err(Unwritten::Refused(failure)) if is_there_already(&failure) => Ok(()),
            Err(
                Unwritten::Refused(failure)
                | Unwritten::NotSent(failure)
                | Unwritten::OutcomeUnknown(failure),
            ) => Err(failure),
        }
    }

    /// A route of the organization, with the slash that ends every path of Sentry's.
    fn path<'b>(&'b self, route: &[&'b str]) -> Vec<&'b str> {
        [
            &["api", "0", "organizations", self.organization],
            route,
            &[""],
        ]
        .concat()
    }

    fn notice(&self, headers: &HeaderMap, skew: Option<TimeDelta>) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.skew = [notices.skew, skew]
            .into_iter()
            .flatten()
            .max_by_key(TimeDelta::abs);
        let date = headers
            .get("x-sentry-deprecation-date")
            .and_then(|date| date.to_str().ok());
        notices.deprecations.extend(date.map(Untrusted::from));
    }
}

/// Without a query, for one thing and not for a list.
fn ask<'a>(path: &'a [&'a str], needs: &'a str) -> Ask<'a> {
    Ask {
        path,
        query: &[],
        limit: upstream::BODY_LIMIT,
        needs,
        place: PLACE,
    }
}

/// Sentry refuses the same note within an hour.
fn is_there_already(failure: &Failure) -> bool {
    let said = failure.detail.as_ref().map_or("", Untrusted::as_str);
    failure.status() == Some(400) && said.contains("already posted")
}
