//! A described Jira Cloud: one project with its issues, its create screen and its workflow, and a search that may lag.

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
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

pub(crate) const EMAIL: &str = "ops@acme.example";
pub(crate) const TOKEN: &str = "ATATT-0123456789";

#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub number: u64,
    pub fields: Value,
    /// As in `STATUSES`.
    pub status: &'static str,
    /// Whether the search knows it.
    pub is_indexed: bool,
    pub is_gone: bool,
    pub comments: Vec<Value>,
}

/// The workflow: every status leads to every other. Name and category.
const STATUSES: [(&str, &str); 3] = [
    ("In Progress", "indeterminate"),
    ("To Do", "new"),
    ("Done", "done"),
];

/// A field of the create screen.
pub(crate) struct Field {
    pub id: &'static str,
    pub name: &'static str,
    pub required: bool,
    pub has_default: bool,
    pub values: Vec<&'static str>,
}

/// How issues can be fetched in bulk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bulk {
    Whole,
    /// None of them for now, each with an error that may pass.
    Failing,
    /// There is no such route.
    Missing,
}

pub(crate) struct Project {
    pub key: String,
    pub issue_types: Vec<&'static str>,
    pub screen: Vec<Field>,
    pub permissions: Vec<&'static str>,
    /// Whether new issues are unknown to the search for now.
    pub lags: bool,
    pub bulk: Bulk,
    /// 429 with this many seconds.
    pub limit: Option<u32>,
    /// Whether another process makes the same issue right before the next one is made.
    pub is_overtaken: bool,
    pub issues: Vec<Issue>,
    pub requests: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Jira(Arc<Mutex<Project>>);

impl Jira {
    pub(crate) fn new() -> Self {
        let field = |id, name, required, has_default| Field {
            id,
            name,
            required,
            has_default,
            values: match id {
                "priority" => vec!["Highest", "High", "Medium", "Low", "Lowest"],
                _ => Vec::new(),
            },
        };
        Self(Arc::new(Mutex::new(Project {
            key: "OPS".to_owned(),
            issue_types: vec!["Task", "Bug"],
            screen: vec![
                field("project", "Project", true, false),
                field("issuetype", "Issue Type", true, false),
                field("summary", "Summary", true, false),
                field("description", "Description", false, false),
                field("labels", "Labels", false, false),
                field("priority", "Priority", false, false),
                field("reporter", "Reporter", true, true),
            ],
            permissions: vec![
                "BROWSE_PROJECTS",
                "CREATE_ISSUES",
                "ADD_COMMENTS",
                "TRANSITION_ISSUES",
            ],
            lags: false,
            bulk: Bulk::Whole,
            limit: None,
            is_overtaken: false,
            issues: Vec::new(),
            requests: Vec::new(),
        })))
    }

    pub(crate) fn now(&self) -> MutexGuard<'_, Project> {
        self.0.lock().unwrap()
    }

    pub(crate) async fn serve(&self) -> SocketAddr {
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(self.clone());
        super::serve(router).await
    }
}

impl Project {
    /// One that somebody made.
    pub(crate) fn made(&mut self, fields: Value) -> &mut Issue {
        let number = 1 + self.issues.len() as u64;
        self.issues.push(Issue {
            number,
            fields,
            status: "To Do",
            is_indexed: !self.lags,
            is_gone: false,
            comments: Vec::new(),
        });
        self.issues.last_mut().unwrap()
    }

    /// Those that nobody has deleted.
    pub(crate) fn there(&self) -> Vec<&Issue> {
        self.issues.iter().filter(|issue| !issue.is_gone).collect()
    }

    fn route(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        let pair = BASE64_STANDARD.encode(format!("{EMAIL}:{TOKEN}"));
        let given = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let is_known = given == Some(&format!("Basic {pair}"));
        if let Some(wait) = self.limit {
            let headers = [
                ("retry-after", wait.to_string()),
                ("ratelimit-reason", "jira-burst-based".to_owned()),
            ];
            return (headers, refusal(429, "Rate limit exceeded.")).into_response();
        }
        let Ok(Query(query)) = Query::<BTreeMap<String, String>>::try_from_uri(uri) else {
            return refusal(400, "no query");
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(path) = uri.path().strip_prefix("/rest/api/3/") else {
            return refusal(404, "no such route");
        };
        let parts: Vec<&str> = path.split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            // To a stranger Jira shows nothing, and does not say so.
            ("POST", ["search", "jql"]) if !is_known => {
                Json(json!({ "issues": [] })).into_response()
            }
            ("POST", ["issue", "bulkfetch"]) if !is_known => {
                Json(json!({ "issues": [], "issueErrors": [] })).into_response()
            }
            _ if !is_known => refusal(401, "Client must be authenticated to access this resource."),
            (_, ["search"]) => refusal(
                410,
                "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",
            ),
            ("GET", ["myself"]) => {
                Json(json!({ "accountId": "1", "emailAddress": EMAIL })).into_response()
            }
            ("GET", ["mypermissions"]) => self.permissions(&query),
            ("POST", ["search", "jql"]) => self.search(&body),
            ("POST", ["issue", "bulkfetch"]) if self.bulk != Bulk::Missing => self.bulk(&body),
            ("POST", ["issue"]) => self.create(&body),
            ("GET", ["issue", "createmeta", key, "issuetypes", rest @ ..]) if *key == self.key => {
                self.createmeta(rest.first().copied(), &query)
            }
            (method, ["issue", id, rest @ ..]) => self.one(method, id, rest, &query, &body),
            _ => refusal(404, "no such route"),
        }
    }

    fn may(&self, permission: &str) -> bool {
        self.permissions.contains(&permission)
    }

    fn permissions(&self, query: &BTreeMap<String, String>) -> Response {
        if query.get("projectKey") != Some(&self.key) {
            return refusal(404, "No project could be found with key.");
        }
        let names = query["permissions"].split(',');
        let seen: serde_json::Map<String, Value> = names
            .map(|name| (name.to_owned(), json!({ "havePermission": self.may(name) })))
            .collect();
        Json(json!({ "permissions": seen })).into_response()
    }

    fn search(&self, body: &Value) -> Response {
        let jql = body["jql"].as_str().unwrap_or_default();
        let (clause, order) = jql.split_once(" ORDER BY ").unwrap_or((jql, ""));
        let Some((field, value)) = clause.split_once(" = ") else {
            return refusal(400, "Error in the JQL Query.");
        };
        let value = value.trim_matches('"');
        if field == "project" && value != self.key {
            return refusal(
                400,
                &format!("The value '{value}' does not exist for the field 'project'."),
            );
        }
        let mut found: Vec<&Issue> = self
            .there()
            .into_iter()
            .filter(|issue| issue.is_indexed && self.may("BROWSE_PROJECTS"))
            .filter(|issue| match field {
                "labels" => issue.labels().any(|label| label == value),
                _ => field == "project",
            })
            .collect();
        if order.ends_with("DESC") {
            found.reverse();
        }
        let most = body["maxResults"].as_u64().unwrap_or(50) as usize;
        let found: Vec<Value> = found
            .into_iter()
            .take(most)
            .map(|issue| self.show(issue, &body["fields"]))
            .collect();
        Json(json!({ "issues": found, "isLast": true })).into_response()
    }

    fn bulk(&self, body: &Value) -> Response {
        let names = body["issueIdsOrKeys"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if names.len() > 100 {
            return refusal(400, "Too many issues requested.");
        }
        if self.bulk == Bulk::Failing {
            let errors: Vec<Value> = names
                .iter()
                .map(|name| json!({ "id": name, "errorMessage": "try again" }))
                .collect();
            return Json(json!({ "issues": [], "issueErrors": errors })).into_response();
        }
        let there = self.there().into_iter();
        let found: Vec<Value> = there
            .filter(|issue| {
                self.may("BROWSE_PROJECTS") && names.iter().any(|name| self.is_called(issue, name))
            })
            .map(|issue| self.show(issue, &body["fields"]))
            .collect();
        Json(json!({ "issues": found, "issueErrors": [] })).into_response()
    }

    fn is_called(&self, issue: &Issue, name: &Value) -> bool {
        let name = name.as_str().unwrap_or_default();
        name == issue.id() || name == format!("{}-{}", self.key, issue.number)
    }

    fn create(&mut self, body: &Value) -> Response {
        let fields = &body["fields"];
        let mut errors = serde_json::Map::new();
        let mut wrong = |field: &str, message: &str| {
            errors.insert(field.to_owned(), message.into());
        };
        if fields["project"]["key"] != self.key.as_str() || !self.may("CREATE_ISSUES") {
            wrong("project", "You cannot create issues in this project.");
        }
        if !self
            .issue_types
            .iter()
            .any(|kind| fields["issuetype"]["name"] == *kind)
        {
            wrong("issuetype", "Specify a valid issue type");
        }
        for field in &self.screen {
            if field.required && !field.has_default && fields.get(field.id).is_none() {
                wrong(field.id, &format!("{} is required.", field.name));
            }
        }
        for name in fields
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            if !self.screen.iter().any(|field| field.id == name) {
                wrong(
                    name,
                    &format!(
                        "Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
                    ),
                );
            }
        }
        let of_priority = |name: &Value| {
            let field = self.screen.iter().find(|field| field.id == "priority");
            field.is_none_or(|field| field.values.iter().any(|value| name == value))
        };
        if let Some(priority) = fields.get("priority")
            && !of_priority(&priority["name"])
        {
            wrong("priority", "Specify a valid 'name' for priority");
        }
        if fields["summary"]
            .as_str()
            .is_none_or(|text| text.contains('\n') || text.chars().count() > 255)
        {
            wrong(
                "summary",
                "The summary is invalid because it contains newline characters or is too long.",
            );
        }
        if !is_document(&fields["description"]) {
            wrong(
                "description",
                "Operation value must be an Atlassian Document",
            );
        }
        let labels = fields["labels"].as_array().cloned().unwrap_or_default();
        if labels
            .iter()
            .any(|label| label.as_str().is_none_or(|label| label.contains(' ')))
        {
            wrong("labels", "The label contains spaces which is invalid.");
        }
        if !errors.is_empty() {
            let body = json!({ "errorMessages": [], "errors": errors });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
        let fields = fields.clone();
        if std::mem::take(&mut self.is_overtaken) {
            self.made(fields.clone());
        }
        let issue = self.made(fields).clone();
        let key = format!("{}-{}", self.key, issue.number);
        let made = json!({ "id": issue.id(), "key": key, "self": format!("https://acme.atlassian.net/rest/api/3/issue/{}", issue.id()) });
        (StatusCode::CREATED, Json(made)).into_response()
    }

    fn createmeta(&self, kind: Option<&str>, query: &BTreeMap<String, String>) -> Response {
        let number =
            |name: &str, or: usize| query.get(name).map_or(or, |text| text.parse().unwrap());
        let (start, most) = (number("startAt", 0), number("maxResults", 50));
        let (name, all): (&str, Vec<Value>) = match kind {
            None => {
                let kinds = self.issue_types.iter().enumerate();
                (
                    "issueTypes",
                    kinds
                        .map(|(at, name)| json!({ "id": (10_000 + at).to_string(), "name": name }))
                        .collect(),
                )
            }
            Some(_) => {
                let shown = |field: &Field| {
                    let values: Vec<Value> = field
                        .values
                        .iter()
                        .map(|value| match field.id {
                            "priority" => json!({ "id": "1", "name": value }),
                            _ => json!({ "id": "1", "value": value }),
                        })
                        .collect();
                    json!({ "fieldId": field.id, "key": field.id, "name": field.name, "required": field.required, "hasDefaultValue": field.has_default, "allowedValues": values })
                };
                ("fields", self.screen.iter().map(shown).collect())
            }
        };
        // A page may be shorter than was asked for.
        let page: Vec<Value> = all.iter().skip(start).take(most.min(3)).cloned().collect();
        Json(json!({ name: page, "startAt": start, "maxResults": 3, "total": all.len() }))
            .into_response()
    }

    fn one(
        &mut self,
        method: &str,
        id: &str,
        rest: &[&str],
        query: &BTreeMap<String, String>,
        body: &Value,
    ) -> Response {
        let sees = self.may("BROWSE_PROJECTS");
        let name = Value::from(id);
        let at = self
            .issues
            .iter()
            .position(|issue| sees && !issue.is_gone && self.is_called(issue, &name));
        let Some(at) = at else {
            return refusal(
                404,
                "Issue does not exist or you do not have permission to see it.",
            );
        };
        match (method, rest) {
            ("GET", []) => {
                let fields: Vec<&str> = query["fields"].split(',').collect();
                Json(self.show(&self.issues[at], &json!(fields))).into_response()
            }
            ("GET", ["comment"]) => {
                let number = |name: &str, or: usize| {
                    query.get(name).map_or(or, |text| text.parse().unwrap())
                };
                let all = &self.issues[at].comments;
                let page: Vec<&Value> = all
                    .iter()
                    .rev()
                    .skip(number("startAt", 0))
                    .take(number("maxResults", 50))
                    .collect();
                Json(json!({ "comments": page, "total": all.len() })).into_response()
            }
            ("POST", ["comment"]) => {
                if !is_document(&body["body"]) {
                    return refusal(400, "Comment body is not valid!");
                }
                let comment = json!({ "id": "1", "body": body["body"] });
                self.issues[at].comments.push(comment.clone());
                (StatusCode::CREATED, Json(comment)).into_response()
            }
            ("GET", ["transitions"]) => {
                let ways = STATUSES
                    .iter()
                    .enumerate()
                    .filter(|_| self.may("TRANSITION_ISSUES"));
                let ways: Vec<Value> = ways
                    .map(|(id, (name, category))| json!({ "id": id.to_string(), "name": name, "to": { "name": name, "statusCategory": { "key": category } } }))
                    .collect();
                Json(json!({ "transitions": ways })).into_response()
            }
            ("POST", ["transitions"]) => {
                let id = body["transition"]["id"].as_str().unwrap_or_default();
                self.issues[at].status = STATUSES[id.parse::<usize>().unwrap()].0;
                StatusCode::NO_CONTENT.into_response()
            }
            _ => refusal(405, "Method Not Allowed"),
        }
    }

    fn show(&self, issue: &Issue, fields: &Value) -> Value {
        let category = STATUSES
            .iter()
            .find(|(name, _)| *name == issue.status)
            .unwrap()
            .1;
        let status = json!({ "name": issue.status, "statusCategory": { "key": category } });
        let mut shown = serde_json::Map::new();
        for field in fields.as_array().into_iter().flatten() {
            let name = field.as_str().unwrap();
            let value = if name == "status" {
                status.clone()
            } else {
                issue.fields[name].clone()
            };
            shown.insert(name.to_owned(), value);
        }
        json!({ "id": issue.id(), "key": format!("{}-{}", self.key, issue.number), "fields": shown })
    }
}

impl Issue {
    pub(crate) fn id(&self) -> String {
        (10_000 + self.number).to_string()
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        let labels = self.fields["labels"].as_array().into_iter().flatten();
        labels.filter_map(Value::as_str)
    }
}

/// Whether it is a document without empty text nodes.
fn is_document(value: &Value) -> bool {
    fn is_node(node: &Value) -> bool {
        let children = node["content"].as_array();
        match node["type"].as_str() {
            Some("text") => node["text"].as_str().is_some_and(|text| !text.is_empty()),
            Some("hardBreak") => true,
            Some(
                "doc" | "paragraph" | "heading" | "bulletList" | "orderedList" | "listItem"
                | "codeBlock",
            ) => children.is_some_and(|children| children.iter().all(is_node)),
            _ => false,
        }
    }
    value["type"] == "doc" && value["version"] == 1 && is_node(value)
}

fn refusal(status: u16, message: &str) -> Response {
    let body = json!({ "errorMessages": [message], "errors": {} });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

async fn answer(
    State(jira): State<Jira>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut project = jira.now();
    project.requests.push(format!("{method} {uri}"));
    project.route(&method, &uri, &headers, &body)
}
