//! A described GitHub: one repository with its issues, labels and people, as a token of some account sees it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// The token that is valid.
pub(crate) const TOKEN: &str = "ghp_0123456789abcdefghij";

#[derive(Clone)]
pub(crate) struct Issue {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub open: bool,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub is_pull_request: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub comments: Vec<(DateTime<Utc>, String)>,
}

/// What a limit answers with.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// The hour's budget is used up for so many seconds.
    Primary(i64),
    /// Too much at once; with a wait in seconds, or without.
    Secondary(Option<u32>),
}

pub(crate) struct Repository {
    /// `acme/web`; every other one is not there.
    pub name: String,
    pub renamed: bool,
    pub has_issues: bool,
    pub archived: bool,
    /// Of a classic token.
    pub scopes: Option<&'static str>,
    /// Whether the token's account may push.
    pub push: bool,
    /// Whether the token may open issues.
    pub write: bool,
    pub people: Vec<String>,
    pub issues: Vec<Issue>,
    /// Numbers that a person deleted, and those moved to another repository.
    pub deleted: Vec<u64>,
    pub transferred: Vec<u64>,
    pub limit: Option<Limit>,
    /// What another process opens right before the next issue is opened.
    pub overtaken_by: Option<String>,
    pub now: DateTime<Utc>,
    pub requests: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct GitHub(Arc<Mutex<Repository>>);

impl GitHub {
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Repository {
            name: "acme/web".to_owned(),
            renamed: false,
            has_issues: true,
            archived: false,
            scopes: None,
            push: true,
            write: true,
            people: vec!["octocat".to_owned()],
            issues: Vec::new(),
            deleted: Vec::new(),
            transferred: Vec::new(),
            limit: None,
            overtaken_by: None,
            now,
            requests: Vec::new(),
        })))
    }

    pub(crate) fn now(&self) -> MutexGuard<'_, Repository> {
        self.0.lock().unwrap()
    }

    pub(crate) async fn serve(&self) -> SocketAddr {
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(self.clone());
        super::serve(router).await
    }
}

impl Repository {
    /// One that somebody else opened, so long ago.
    pub(crate) fn opened(&mut self, ago: TimeDelta, body: &str) -> &mut Issue {
        let at = self.now - ago;
        let number = self.next_number();
        self.issues.push(Issue {
            number,
            title: "a title".to_owned(),
            body: body.to_owned(),
            open: true,
            labels: Vec::new(),
            assignees: Vec::new(),
            is_pull_request: false,
            created_at: at,
            updated_at: at,
            comments: Vec::new(),
        });
        self.issues.last_mut().unwrap()
    }

    fn next_number(&self) -> u64 {
        let all = self.issues.iter().map(|issue| issue.number);
        1 + all.chain(self.deleted.iter().copied()).max().unwrap_or(0)
    }

    fn route(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if text("user-agent").is_none() {
            return refusal(403, "Request forbidden by administrative rules.");
        }
        if text("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refusal(401, "Bad credentials");
        }
        if text("x-github-api-version") != Some("2022-11-28") {
            return refusal(400, "unknown version");
        }
        if let Some(limit) = self.limit {
            return limit.answer(self.now);
        }
        let path = uri.path().trim_start_matches('/').to_owned();
        let Some(rest) = path.strip_prefix(&format!("repos/{}", self.name)) else {
            return refusal(404, "Not Found");
        };
        if self.renamed {
            let to = [("location", "https://api.github.com/repositories/1")];
            return (to, refusal(301, "Moved Permanently")).into_response();
        }
        let Ok(Query(query)) = Query::<BTreeMap<String, String>>::try_from_uri(uri) else {
            return refusal(400, "Problems parsing the query");
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let parts: Vec<&str> = rest.split('/').skip(1).collect();
        if matches!(*method, Method::POST | Method::PATCH) && !self.write {
            return refusal(403, "Resource not accessible by personal access token");
        }
        match (method.as_str(), parts.as_slice()) {
            ("GET", []) => self.describe(),
            _ if !self.has_issues => refusal(410, "Issues has been disabled in this repository."),
            ("GET", ["issues"]) => self.list(uri, &query),
            ("POST", ["issues"]) => self.open(&body),
            (method, ["issues", number, rest @ ..]) => {
                self.one(method, number.parse().unwrap_or(0), rest, &query, &body)
            }
            _ => refusal(404, "Not Found"),
        }
    }

    fn describe(&self) -> Response {
        let body = json!({
            "full_name": self.name, "private": true, "archived": self.archived, "has_issues": self.has_issues,
            "permissions": { "pull": true, "push": self.push, "admin": false },
        });
        match self.scopes {
            Some(scopes) => ([("x-oauth-scopes", scopes)], Json(body)).into_response(),
            None => Json(body).into_response(),
        }
    }

    fn list(&self, uri: &Uri, query: &BTreeMap<String, String>) -> Response {
        let of = |name: &str| query.get(name).map(String::as_str);
        let since: Option<DateTime<Utc>> = of("since").map(|since| since.parse().unwrap());
        let mut issues: Vec<&Issue> = self
            .issues
            .iter()
            .filter(|issue| match of("state") {
                Some("all") => true,
                Some("closed") => !issue.open,
                _ => issue.open,
            })
            .filter(|issue| since.is_none_or(|since| issue.updated_at >= since))
            .filter(|issue| {
                let labels = of("labels")
                    .into_iter()
                    .flat_map(|labels| labels.split(','));
                labels
                    .into_iter()
                    .all(|label| issue.labels.iter().any(|own| own == label))
            })
            .collect();
        match of("sort") {
            Some("updated") => issues.sort_by_key(|issue| issue.updated_at),
            _ => issues.sort_by_key(|issue| (issue.created_at, issue.number)),
        }
        if of("direction") != Some("asc") {
            issues.reverse();
        }
        let shown: Vec<Value> = issues.into_iter().map(|issue| self.show(issue)).collect();
        paged(uri, query, &shown)
    }

    fn open(&mut self, body: &Value) -> Response {
        let Some(title) = body["title"]
            .as_str()
            .filter(|title| title.chars().count() <= 256)
        else {
            return invalid("title");
        };
        let text = body["body"].as_str().unwrap_or_default().to_owned();
        if text.chars().count() > 65_536 {
            return invalid("body");
        }
        let names = |field: &str| -> Vec<String> {
            let names = body[field].as_array().cloned().unwrap_or_default();
            names
                .iter()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect()
        };
        let (mut labels, mut assignees) = (names("labels"), names("assignees"));
        if !self.push {
            (labels, assignees) = (Vec::new(), Vec::new());
        }
        if assignees.iter().any(|login| !self.people.contains(login)) {
            return invalid("assignees");
        }
        if let Some(text) = self.overtaken_by.take() {
            self.opened(TimeDelta::zero(), &text);
        }
        let title = title.to_owned();
        let issue = self.opened(TimeDelta::zero(), &text);
        (issue.title, issue.labels, issue.assignees) = (title, labels, assignees);
        let made = issue.clone();
        (StatusCode::CREATED, Json(self.show(&made))).into_response()
    }

    fn one(
        &mut self,
        method: &str,
        number: u64,
        rest: &[&str],
        query: &BTreeMap<String, String>,
        body: &Value,
    ) -> Response {
        if self.deleted.contains(&number) {
            return refusal(410, "This issue was deleted");
        }
        if self.transferred.contains(&number) {
            let to = [("location", "https://api.github.com/repositories/2/issues/1")];
            return (to, refusal(301, "Moved Permanently")).into_response();
        }
        let now = self.now;
        let Some(issue) = self.issues.iter_mut().find(|issue| issue.number == number) else {
            return refusal(404, "Not Found");
        };
        match (method, rest) {
            ("GET", ["comments"]) => {
                let since: Option<DateTime<Utc>> =
                    query.get("since").map(|since| since.parse().unwrap());
                let comments = issue.comments.iter();
                let comments = comments.filter(|(at, _)| since.is_none_or(|since| *at >= since));
                let shown: Vec<Value> = comments.map(|(_, body)| json!({ "body": body })).collect();
                return paged(&Uri::from_static("/"), query, &shown);
            }
            ("POST", ["comments"]) => {
                let text = body["body"].as_str().unwrap_or_default().to_owned();
                issue.comments.push((now, text.clone()));
                issue.updated_at = now;
                return (StatusCode::CREATED, Json(json!({ "body": text }))).into_response();
            }
            ("PATCH", []) => {
                issue.open = body["state"].as_str() == Some("open");
                issue.updated_at = now;
            }
            ("GET", []) => {}
            _ => return refusal(404, "Not Found"),
        }
        let issue = issue.clone();
        Json(self.show(&issue)).into_response()
    }

    fn show(&self, issue: &Issue) -> Value {
        let mut shown = json!({
            "id": 1_000 + issue.number, "number": issue.number, "title": issue.title, "body": issue.body,
            "state": if issue.open { "open" } else { "closed" },
            "html_url": format!("https://github.com/{}/issues/{}", self.name, issue.number),
            "created_at": issue.created_at, "updated_at": issue.updated_at,
            "labels": issue.labels.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
            "assignees": issue.assignees.iter().map(|login| json!({ "login": login })).collect::<Vec<_>>(),
        });
        if issue.is_pull_request {
            shown["pull_request"] = json!({ "url": "https://api.github.com/" });
        }
        shown
    }
}

impl Limit {
    fn answer(self, now: DateTime<Utc>) -> Response {
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        match self {
            Self::Primary(seconds) => {
                let reset = (now.timestamp() + seconds).to_string();
                let headers = [
                    ("date", date),
                    ("x-ratelimit-remaining", "0".to_owned()),
                    ("x-ratelimit-reset", reset),
                ];
                (
                    headers,
                    refusal(403, "API rate limit exceeded for user ID 1."),
                )
                    .into_response()
            }
            Self::Secondary(wait) => {
                let said = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
                match wait {
                    None => refusal(403, said),
                    Some(wait) => {
                        ([("retry-after", wait.to_string())], refusal(429, said)).into_response()
                    }
                }
            }
        }
    }
}

fn paged(uri: &Uri, query: &BTreeMap<String, String>, items: &[Value]) -> Response {
    let number = |name: &str, or: usize| query.get(name).map_or(or, |text| text.parse().unwrap());
    let (rows, page) = (number("per_page", 30).min(100), number("page", 1));
    let from = ((page - 1) * rows).min(items.len());
    let shown = &items[from..(from + rows).min(items.len())];
    let mut answer = Json(shown).into_response();
    if from + rows < items.len() {
        let next = format!(
            "<https://api.github.com{}?page={}>; rel=\"next\"",
            uri.path(),
            page + 1
        );
        answer.headers_mut().insert("link", next.parse().unwrap());
    }
    answer
}

fn refusal(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        Json(json!({ "message": message, "documentation_url": "https://docs.github.com/rest" })),
    )
        .into_response()
}

fn invalid(field: &str) -> Response {
    let body = json!({
        "message": "Validation Failed",
        "errors": [{ "resource": "Issue", "field": field, "code": "invalid" }],
    });
    (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
}

async fn answer(
    State(github): State<GitHub>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut repository = github.now();
    repository.requests.push(format!("{method} {uri}"));
    repository.route(&method, &uri, &headers, &body)
}
