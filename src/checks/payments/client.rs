//! Stripe's API, of one version and one account at a time.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::TimeDelta;
use reqwest::{Method, header::HeaderMap};
use secrecy::ExposeSecret;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use tokio::time::Instant;

use super::{KEY, Mode, Payments, budget::Budget, permission};
use crate::{
    checks::{Looking, Progress},
    report::{Cause, Unknown},
    upstream::{self, Answer, Ask, Body, Credential, Failure, Service, Unwritten, Upstream, Write},
};

const STRIPE: Service = Service {
    name: "Stripe",
    credential: KEY.0,
    reset: upstream::says_nothing,
    should_retry,
};

/// The version whose shapes this check reads; without it, an account's own default would decide.
pub(super) const VERSION: &str = "2026-10-28.endive";

/// Where a 404 or a 400 may come from.
const PLACE: &str = "`url` and `accounts` in [checks.payments]";

/// The rows of a page; Stripe gives no more.
pub(super) const PAGE: usize = 100;

/// One account at Stripe, asked until the deadline. Clones share what they notice.
#[derive(Clone)]
pub(super) struct Stripe<'a> {
    upstream: Upstream,
    /// `acct_..` of a connected account; none for the key's own.
    pub account: Option<&'a str>,
    pub deadline: Instant,
    /// The rows of a page.
    pub rows: usize,
    /// For what is read after the first page of a list.
    pub budget: Budget,
    progress: Progress,
    expected: Arc<AtomicU64>,
    notices: Arc<Mutex<Notices>>,
}

/// What answers say besides what was asked.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    /// How far Stripe's clock is ahead of ours; the largest difference that was seen.
    pub skew: Option<TimeDelta>,
    /// The modes of the objects that were read.
    pub modes: BTreeSet<Mode>,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T = Value> {
    pub items: Vec<T>,
    pub has_more: bool,
}

/// A list as Stripe writes it.
#[derive(Deserialize)]
struct Written<T> {
    object: String,
    has_more: bool,
    data: Vec<T>,
}

/// A change, and what it needs.
pub(super) struct Change<'b> {
    /// Below `/v1`: `["invoices", "in_1", "pay"]`.
    pub path: &'b [&'b str],
    pub form: &'b [(&'b str, &'b str)],
    /// At most 255 characters; without one, Stripe does it as often as it is told.
    pub idempotency_key: Option<&'b str>,
    /// `rak_invoice_write`.
    pub needs: &'b str,
}

impl<'a> Stripe<'a> {
    /// The key's own account. Nothing is asked yet; a key of the other mode is [`mode_of_key`]'s to tell.
    pub(super) fn connect(section: &'a Payments, looking: &Looking) -> Result<Self, Unknown> {
        let key = looking.secret(KEY)?;
        let upstream = Upstream::new(
            STRIPE,
            &section.url,
            Credential::Bearer(&key),
            &section.settings,
        )?
        .with_header("stripe-version", VERSION)?
        .through(section.gates.of(section.mode));
        Ok(Self {
            upstream,
            account: None,
            deadline: looking.deadline,
            rows: section.rows,
            budget: Budget::endless(),
            progress: looking.progress.clone(),
            expected: Arc::default(),
            notices: Arc::default(),
        })
    }

    /// The same, with no more requests than these.
    pub(super) fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// The same, for that connected account.
    pub(super) fn of(&self, account: Option<&'a str>) -> Result<Self, Unknown> {
        let mut stripe = self.clone();
        stripe.account = account;
        if let Some(account) = account {
            stripe.upstream = stripe.upstream.with_header("stripe-account", account)?;
        }
        Ok(stripe)
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

    /// Reads one thing: `["invoices", "in_1"]`.
    pub(super) async fn one(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        needs: &str,
    ) -> Result<Value, Failure> {
        let path = under(path);
        let answer = self.read(&path, query, upstream::BODY_LIMIT, needs).await?;
        self.notice_mode(&answer);
        Ok(answer)
    }

    /// Reads one thing in the text that Stripe sends.
    pub(super) async fn whole(&self, path: &[&str], needs: &str) -> Result<Box<RawValue>, Failure> {
        let path = under(path);
        let ask = Ask {
            path: &path,
            query: &[],
            limit: upstream::BODY_LIMIT,
            needs,
            place: PLACE,
        };
        let answer: Result<Answer<Box<RawValue>>, Failure> =
            self.upstream.get(&ask, self.deadline).await;
        let answer = answer.map_err(|failure| self.explained(failure, needs))?;
        self.notice_skew(answer.skew());
        Ok(answer.body)
    }

    /// Reads one page of a list; what is no list is a failure to decode.
    pub(super) async fn page(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        needs: &str,
    ) -> Result<Page, Unknown> {
        let under = under(path);
        let body: Value = self
            .read(&under, query, upstream::LIST_LIMIT, needs)
            .await?;
        let page = page(body).ok_or_else(|| no_list(path))?;
        for item in &page.items {
            self.notice_mode(item);
        }
        Ok(page)
    }

    /// As [`Stripe::page`], of rows that are decoded no further than `T` needs. Their mode is the caller's to notice.
    pub(super) async fn rows<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        needs: &str,
    ) -> Result<Page<T>, Unknown> {
        let list: Written<T> = self
            .read(&under(path), query, upstream::LIST_LIMIT, needs)
            .await?;
        if list.object != "list" {
            return Err(no_list(path));
        }
        Ok(Page {
            items: list.data,
            has_more: list.has_more,
        })
    }

    /// Asks for a change, once.
    pub(super) async fn change(&self, change: &Change<'_>) -> Result<Value, Unwritten> {
        let path = under(change.path);
        let key = change.idempotency_key.map(|key| ("idempotency-key", key));
        let write = Write {
            method: Method::POST,
            ask: Ask {
                path: &path,
                query: &[],
                limit: upstream::BODY_LIMIT,
                needs: change.needs,
                place: PLACE,
            },
            body: Body::form(change.form.iter().copied()),
            headers: key.as_slice(),
        };
        let answer: Result<Answer<Value>, Unwritten> =
            self.upstream.send(&write, self.deadline).await;
        let explained = |failure| self.explained(failure, change.needs);
        match answer {
            Ok(answer) => {
                self.notice_skew(answer.skew());
                Ok(answer.body)
            }
            Err(Unwritten::Refused(failure)) => Err(Unwritten::Refused(explained(failure))),
            Err(Unwritten::NotSent(failure)) => Err(Unwritten::NotSent(explained(failure))),
            Err(Unwritten::OutcomeUnknown(failure)) => {
                Err(Unwritten::OutcomeUnknown(explained(failure)))
            }
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        limit: usize,
        needs: &str,
    ) -> Result<T, Failure> {
        let ask = Ask {
            path,
            query,
            limit,
            needs,
            place: PLACE,
        };
        let answer: Result<Answer<T>, Failure> = self.upstream.get(&ask, self.deadline).await;
        self.progress.step();
        let answer = answer.map_err(|failure| self.explained(failure, needs))?;
        self.notice_skew(answer.skew());
        Ok(answer.body)
    }

    /// Says which permission is missing, where that is what is wrong.
    fn explained(&self, failure: Failure, needs: &str) -> Failure {
        match permission::advice(&failure, needs, self.account) {
            None => failure,
            Some(advice) => {
                let mut told = failure.unquoted();
                told.advice = advice;
                told
            }
        }
    }

    fn notice_skew(&self, skew: Option<TimeDelta>) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.skew = [notices.skew, skew]
            .into_iter()
            .flatten()
            .max_by_key(TimeDelta::abs);
    }

    fn notice_mode(&self, object: &Value) {
        self.notice_livemode(object["livemode"].as_bool());
    }

    pub(super) fn notice_livemode(&self, live: impl IntoIterator<Item = bool>) {
        let modes = live
            .into_iter()
            .map(|live| if live { Mode::Live } else { Mode::Test });
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.modes.extend(modes);
    }
}

/// The mode that a key's prefix tells: `sk_live_`, `rk_test_`. None if it tells none.
pub(super) fn mode_of_key(looking: &Looking) -> Result<Option<Mode>, Unknown> {
    let key = looking.secret(KEY)?;
    let key = key.expose_secret();
    let has = |word: &str| {
        key.get(..20.min(key.len()))
            .is_some_and(|start| start.contains(word))
    };
    Ok(if has("_test_") {
        Some(Mode::Test)
    } else if has("_live_") {
        Some(Mode::Live)
    } else {
        None
    })
}

fn under<'b>(path: &[&'b str]) -> Vec<&'b str> {
    [&["v1"], path].concat()
}

fn no_list(path: &[&str]) -> Unknown {
    let reason = format!(
        "Stripe GET /v1/{}: the answer is no list as Stripe documents it; check that `url` in [checks.payments] leads to Stripe itself",
        path.join("/")
    );
    Unknown::new(Cause::Decode, reason)
}

fn page(mut body: Value) -> Option<Page> {
    if body["object"] != "list" {
        return None;
    }
    let has_more = body["has_more"].as_bool()?;
    match body["data"].take() {
        Value::Array(items) => Some(Page { items, has_more }),
        _ => None,
    }
}

/// Whether Stripe says that there is no such thing.
pub(super) fn is_missing(failure: &Failure) -> bool {
    let refusal = failure.refusal.as_ref();
    failure.status() == Some(404)
        && refusal.is_some_and(|refusal| refusal["error"]["code"] == "resource_missing")
}

/// What Stripe itself says about a second try.
fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match headers.get("stripe-should-retry")?.to_str().ok()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_stripe_documents_is_a_list() {
        let whole = json!({"object": "list", "has_more": false, "data": [{"id": "a"}]});
        let page = page(whole).unwrap();
        assert_eq!((page.items.len(), page.has_more), (1, false));
        for other in [
            json!({}),
            json!([]),
            json!({"object": "list", "data": []}),
            json!({"object": "list", "has_more": false, "data": null}),
            json!({"object": "search_result", "has_more": false, "data": []}),
            json!({"error": {"message": "no"}}),
        ] {
            assert!(super::page(other.clone()).is_none(), "{other}");
        }
    }

    #[test]
    fn stripes_own_word_about_a_second_try_is_read() {
        let said = |word: &str| {
            should_retry(&HeaderMap::from_iter([(
                "stripe-should-retry".parse().unwrap(),
                word.parse().unwrap(),
            )]))
        };
        assert_eq!(
            (said("true"), said("false"), said("?")),
            (Some(true), Some(false), None)
        );
        assert_eq!(should_retry(&HeaderMap::new()), None);
    }
}
