//! Sentry's API: the organization routes only, as the others are switched off bit by bit.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Errors, TOKEN,
    issue::Issue,
    pages::{self, Hits, Next},
};
use crate::{
    checks::{Looking, Progress},
    report::{Cause, Unknown},
    text::Untrusted,
    upstream::{self, Answer, Ask, Failure, Service, Unwritten, Upstream},
};

const SENTRY: Service = Service {
    name: "Sentry",
    credential: TOKEN.0,
    reset: |headers| upstream::epoch_seconds(headers, "x-sentry-rate-limit-reset"),
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

/// A list to be read page by page.
pub(super) struct List<'a> {
    /// Below the organization: "issues".
    pub route: &'a str,
    pub query: &'a [(&'a str, &'a str)],
    pub needs: &'a str,
    /// What it holds: "issues of the last 24 h".
    pub noun: &'a str,
    /// The most items to read.
    pub most: usize,
}

/// What was read of a list.
#[derive(Debug)]
pub(super) struct Walk<T> {
    pub items: Vec<T>,
    /// When it was begun, by Sentry's clock; none if nothing came back.
    pub began_at: Option<DateTime<Utc>>,
    /// Why it is not all of the list; empty if it is.
    pub gaps: Vec<Unknown>,
}

impl<'a> Sentry<'a> {
    pub(super) fn connect(section: &'a Errors, looking: &Looking) -> Result<Self, Unknown> {
        let token = looking.secret(TOKEN)?;
        Ok(Self {
            upstream: Upstream::new(SENTRY, &section.url, Some(&token), &section.settings)?,
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

    /// Reads a list to the end that its `Link` header tells; keeps what was read if it doesn't get there.
    pub(super) async fn walk<T>(
        &self,
        list: &List<'_>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Walk<T> {
        let mut walk = Walk {
            items: Vec::new(),
            began_at: None,
            gaps: Vec::new(),
        };
        let (mut hits, mut cursors) = (None, HashSet::new());
        let (mut cursor, mut unreadable) = (None::<String>, 0);
        let end = loop {
            let page = match self.page(list, cursor.as_deref()).await {
                Ok(page) => page,
                Err(failure) => break Err(Unknown::from(failure)),
            };
            walk.began_at = walk
                .began_at
                .or(Some(page.date().unwrap_or(page.received_at)));
            if hits.is_none() {
                hits = Hits::read(&page.headers);
                let pages = hits.map_or(1, |hits| hits.number.div_ceil(PAGE));
                self.expect(pages.saturating_sub(1));
            }
            for item in &page.body {
                match read(item) {
                    Some(item) => walk.items.push(item),
                    None => unreadable += 1,
                }
            }
            match pages::next(&page.headers) {
                Next::End => break Ok(()),
                Next::Unsaid => break Err(unsaid(list, page.body.is_empty() && cursor.is_none())),
                Next::Cursor(next) if !cursors.insert(next.clone()) => {
                    break Err(Unknown::new(
                        Cause::Decode,
                        format!(
                            "Sentry gave the same cursor twice for its {}; look again",
                            list.noun
                        ),
                    ));
                }
                Next::Cursor(_) if walk.items.len() >= list.most => {
                    break Err(Unknown::new(
                        Cause::Truncated,
                        "this is the most that is read; raise `max_issues`, or resolve and archive what is old",
                    ));
                }
                Next::Cursor(next) => cursor = Some(next),
            }
        };
        if let Err(why) = end {
            walk.gaps.push(stopped(list, &walk.items, hits, why));
        }
        if unreadable > 0 {
            walk.gaps.push(Unknown::new(Cause::Decode, format!("{unreadable} of Sentry's {} had no id and could not be read; see whether `url` leads to Sentry itself", list.noun)));
        }
        walk
    }

    async fn page(
        &self,
        list: &List<'_>,
        cursor: Option<&str>,
    ) -> Result<Answer<Vec<Value>>, Failure> {
        let mut query = list.query.to_vec();
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let path = [
            "api",
            "0",
            "organizations",
            self.organization,
            list.route,
            "",
        ];
        let ask = Ask {
            path: &path,
            query: &query,
            limit: upstream::LIST_LIMIT,
            needs: list.needs,
            place: PLACE,
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
        let path = [
            "api",
            "0",
            "organizations",
            self.organization,
            "stats_v2",
            "",
        ];
        let ask = Ask {
            path: &path,
            query: &query,
            limit: upstream::BODY_LIMIT,
            needs: "the scope `org:read`",
            place: PLACE,
        };
        let answer: Answer<Value> = self.upstream.get(&ask, self.deadline).await?;
        self.progress.step();
        self.notice(&answer.headers, answer.skew());
        Ok(answer.body)
    }

    pub(super) async fn issue(&self, id: &str) -> Result<Option<Issue>, Failure> {
        let path = self.issue_path(id);
        let ask = Ask {
            path: &path,
            query: &[],
            limit: upstream::BODY_LIMIT,
            needs: "the scope `event:read`",
            place: PLACE,
        };
        let answer: Answer<Value> = self.upstream.get(&ask, self.deadline).await?;
        Ok(Issue::read(&answer.body))
    }

    /// Changes what the body names, of this one issue.
    pub(super) async fn update(&self, id: &str, body: &Value) -> Result<Option<Issue>, Unwritten> {
        let path = self.issue_path(id);
        let ask = Ask {
            path: &path,
            query: &[],
            limit: upstream::BODY_LIMIT,
            needs: "the scope `event:write`",
            place: PLACE,
        };
        let answer: Answer<Value> = self
            .upstream
            .write(Method::PUT, &ask, body, self.deadline)
            .await?;
        Ok(Issue::read(&answer.body))
    }

    pub(super) async fn note(&self, id: &str, text: &str) -> Result<(), Failure> {
        let path = [
            "api",
            "0",
            "organizations",
            self.organization,
            "issues",
            id,
            "notes",
            "",
        ];
        let ask = Ask {
            path: &path,
            query: &[],
            limit: upstream::BODY_LIMIT,
            needs: "the scope `event:write`",
            place: PLACE,
        };
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

    fn issue_path<'b>(&'b self, id: &'b str) -> [&'b str; 7] {
        [
            "api",
            "0",
            "organizations",
            self.organization,
            "issues",
            id,
            "",
        ]
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

/// Sentry refuses the same note within an hour.
fn is_there_already(failure: &Failure) -> bool {
    let said = failure.detail.as_ref().map_or("", Untrusted::as_str);
    failure.status() == Some(400) && said.contains("already posted")
}

/// Sentry always sends `Link` with a list, but for one case: a token that may see no project gets an empty list.
fn unsaid(list: &List<'_>, empty: bool) -> Unknown {
    let noun = list.noun;
    if empty {
        let reason = format!(
            "Sentry answered with an empty list of {noun} and no `Link` header, as it does to a token that may see no project; give the token {}",
            list.needs
        );
        return Unknown::new(Cause::Forbidden, reason);
    }
    Unknown::new(
        Cause::Truncated,
        format!(
            "Sentry didn't say whether there are more {noun} (no `Link` header that can be read); see whether a proxy takes it away"
        ),
    )
}

/// Says how far the reading came, unless it came nowhere.
fn stopped<T>(list: &List<'_>, items: &[T], hits: Option<Hits>, why: Unknown) -> Unknown {
    if items.is_empty() {
        return why;
    }
    let progress = pages::progress(items.len(), hits, list.noun);
    Unknown::new(
        Cause::Truncated,
        format!("read {progress}, then: {}", why.reason.as_str()),
    )
}
