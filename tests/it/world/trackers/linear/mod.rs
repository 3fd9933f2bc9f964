//! A described Linear: teams, labels and issues, as the owner of a key sees them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

mod graphql;

use graphql::{Operation, Selected, project};

/// The key that is valid.
pub(crate) const KEY: &str = "lin_api_0123456789";

/// Input types of Linear's own schema.
pub(crate) const INPUTS: &str = include_str!("inputs.json");

#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub id: String,
    pub title: String,
    pub description: String,
    pub priority: u64,
    pub labels: Vec<String>,
    /// As in `STATES`.
    pub state: &'static str,
    pub archived: bool,
    pub trashed: bool,
}

/// The states of the team's workflow: id, type, position.
const STATES: [(&str, &str, f64); 5] = [
    ("s-backlog", "backlog", 0.0),
    ("s-todo", "unstarted", 1.0),
    ("s-doing", "started", 2.0),
    ("s-done", "completed", 3.0),
    ("s-canceled", "canceled", 4.0),
];

/// How Linear refuses everything.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    /// The status, and the code in `extensions`.
    Code(u16, &'static str),
    /// 200 with `success: false` for changes.
    NoSuccess,
}

pub(crate) struct Workspace {
    pub team: String,
    /// Name, and whether it belongs to another team.
    pub labels: Vec<(String, bool)>,
    pub issues: Vec<Issue>,
    /// Id, issue and text.
    pub comments: Vec<(String, String, String)>,
    pub refusal: Option<Refusal>,
    pub requests: usize,
}

#[derive(Clone)]
pub(crate) struct Linear(Arc<Mutex<Workspace>>);

impl Linear {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Workspace {
            team: "ENG".to_owned(),
            labels: vec![("daily-ops".to_owned(), false)],
            issues: Vec::new(),
            comments: Vec::new(),
            refusal: None,
            requests: 0,
        })))
    }

    pub(crate) fn now(&self) -> MutexGuard<'_, Workspace> {
        self.0.lock().unwrap()
    }

    pub(crate) async fn serve(&self) -> SocketAddr {
        let router = axum::Router::new()
            .route("/graphql", axum::routing::post(answer))
            .with_state(self.clone());
        super::serve(router).await
    }
}

impl Workspace {
    fn answer(&mut self, headers: &HeaderMap, body: &Value) -> Response {
        self.requests += 1;
        let key = headers
            .get("authorization")
            .and_then(|key| key.to_str().ok());
        if key != Some(KEY) {
            return error(400, "AUTHENTICATION_ERROR");
        }
        if let Some(Refusal::Code(status, code)) = self.refusal {
            return error(status, code);
        }
        let query = body["query"].as_str().unwrap_or_default();
        let Some(operation) = graphql::parse(query, &body["variables"]) else {
            return error(400, "GRAPHQL_PARSE_FAILED");
        };
        match self.run(&operation) {
            Ok(data) => Json(json!({ "data": data })).into_response(),
            Err(code) => error(
                if code.starts_with("GRAPHQL") {
                    400
                } else {
                    200
                },
                code,
            ),
        }
    }

    fn run(&mut self, operation: &Operation) -> Result<Value, &'static str> {
        let mut data = json!({});
        for field in &operation.fields {
            let whole = match operation.is_mutation {
                true if matches!(self.refusal, Some(Refusal::NoSuccess)) => {
                    json!({ "success": false, "issue": null, "comment": null })
                }
                true => self.mutate(field)?,
                false => self.query(field)?,
            };
            let chosen = project(&whole, &field.fields).ok_or("GRAPHQL_VALIDATION_FAILED")?;
            data[&field.name] = chosen;
        }
        Ok(data)
    }

    fn query(&self, field: &Selected) -> Result<Value, &'static str> {
        let filter = &field.arguments["filter"];
        let is_one_of = |value: &str, list: &Value| {
            list.as_array()
                .is_some_and(|list| list.iter().any(|one| one == value))
        };
        let everything = field.arguments.get("includeArchived") == Some(&Value::Bool(true));
        let found: Vec<Value> = match field.name.as_str() {
            "issues" => self
                .issues
                .iter()
                .filter(|issue| is_one_of(&issue.id, &filter["id"]["in"]))
                .filter(|issue| everything || !(issue.archived || issue.trashed))
                .map(|issue| self.show(issue))
                .collect(),
            "comments" => self
                .comments
                .iter()
                .filter(|(id, ..)| is_one_of(id, &filter["id"]["in"]))
                .map(|(id, _, body)| json!({ "id": id, "body": body }))
                .collect(),
            "teams" if filter["key"]["eq"] == self.team.as_str() => vec![self.team()],
            "teams" => Vec::new(),
            "issueLabels" => self
                .labels
                .iter()
                .filter(|(name, _)| is_one_of(name, &filter["name"]["in"]))
                .map(|(name, foreign)| {
                    let team = foreign.then(|| json!({ "id": "t-other", "key": "OTH" }));
                    json!({ "id": format!("l-{name}"), "name": name, "isGroup": false, "team": team })
                })
                .collect(),
            _ => return Err("GRAPHQL_VALIDATION_FAILED"),
        };
        let first = field
            .arguments
            .get("first")
            .and_then(Value::as_u64)
            .unwrap_or(50);
        let found: Vec<Value> = found.into_iter().take(first as usize).collect();
        Ok(json!({ "nodes": found }))
    }

    fn mutate(&mut self, field: &Selected) -> Result<Value, &'static str> {
        let input = &field.arguments.get("input").cloned().unwrap_or_default();
        let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        match field.name.as_str() {
            "issueCreate" => {
                fits("IssueCreateInput", input)?;
                let id = text("id");
                if input["teamId"] != "t-1" {
                    return Err("ENTITY_NOT_FOUND");
                }
                let is_version_4 = id.len() == 36 && id.as_bytes()[14] == b'4';
                if !is_version_4 || self.issues.iter().any(|issue| issue.id == id) {
                    return Err("INVALID_INPUT");
                }
                let labels = input["labelIds"].as_array().cloned().unwrap_or_default();
                let labels = labels.iter().map(|id| id.as_str().unwrap()[2..].to_owned());
                self.issues.push(Issue {
                    id,
                    title: text("title"),
                    description: text("description"),
                    priority: input["priority"].as_u64().unwrap_or(0),
                    labels: labels.collect(),
                    state: "s-backlog",
                    archived: false,
                    trashed: false,
                });
                let issue = self.issues.last().map(|issue| self.show(issue));
                Ok(json!({ "success": true, "issue": issue }))
            }
            "commentCreate" => {
                fits("CommentCreateInput", input)?;
                let (id, issue) = (text("id"), text("issueId"));
                if self.comments.iter().any(|(other, ..)| *other == id) {
                    return Err("INVALID_INPUT");
                }
                self.comments.push((id.clone(), issue, text("body")));
                Ok(json!({ "success": true, "comment": { "id": id } }))
            }
            "issueUpdate" | "issueUnarchive" => {
                let id = field.arguments["id"].clone();
                let issue = self.issues.iter_mut().find(|issue| issue.id == id);
                let issue = issue.ok_or("ENTITY_NOT_FOUND")?;
                if field.name == "issueUnarchive" {
                    issue.archived = false;
                } else {
                    let state = STATES.iter().find(|(id, ..)| input["stateId"] == *id);
                    issue.state = state.ok_or("INVALID_INPUT")?.0;
                }
                let issue = issue.clone();
                Ok(json!({ "success": true, "issue": self.show(&issue) }))
            }
            _ => Err("GRAPHQL_VALIDATION_FAILED"),
        }
    }

    fn team(&self) -> Value {
        let states = STATES
            .map(|(id, kind, position)| json!({ "id": id, "type": kind, "position": position }));
        json!({ "id": "t-1", "key": self.team, "name": "Engineering", "states": { "nodes": states } })
    }

    fn show(&self, issue: &Issue) -> Value {
        let number = 1 + self
            .issues
            .iter()
            .position(|one| one.id == issue.id)
            .unwrap();
        let state = STATES.iter().find(|(id, ..)| *id == issue.state).unwrap();
        json!({
            "id": issue.id, "identifier": format!("{}-{number}", self.team), "title": issue.title,
            "url": format!("https://linear.app/acme/issue/{}-{number}", self.team),
            "trashed": issue.trashed.then_some(true),
            "archivedAt": (issue.archived || issue.trashed).then_some("2026-11-01T00:00:00.000Z"),
            "state": { "id": state.0, "type": state.1 }, "team": self.team(),
        })
    }
}

/// Whether Linear's schema has all these fields, and what it demands is there.
fn fits(kind: &str, input: &Value) -> Result<(), &'static str> {
    let schema: Value = serde_json::from_str(INPUTS).unwrap();
    let fields = schema[kind].as_object().unwrap();
    let given = input.as_object().ok_or("GRAPHQL_VALIDATION_FAILED")?;
    let is_known = given.iter().all(|(name, value)| {
        let kind = fields.get(name).and_then(Value::as_str).unwrap_or_default();
        match kind.trim_end_matches('!') {
            "String" => value.is_string(),
            "Int" => value.is_u64(),
            "[String!]" => value.is_array(),
            _ => false,
        }
    });
    let is_whole = fields
        .iter()
        .all(|(name, kind)| !kind.as_str().unwrap().ends_with('!') || given.contains_key(name));
    (is_known && is_whole)
        .then_some(())
        .ok_or("GRAPHQL_VALIDATION_FAILED")
}

fn error(status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let body = json!({
        "errors": [{ "message": "no", "extensions": { "code": code, "userPresentableMessage": "It was refused." } }],
        "data": null,
    });
    let mut answer = (status, Json(body)).into_response();
    if code == "RATELIMITED" {
        for (name, value) in [
            ("date", "Sun, 22 Nov 2026 09:00:00 GMT"),
            ("x-ratelimit-requests-remaining", "0"),
            ("x-ratelimit-requests-reset", "1795338090000"),
        ] {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    answer
}

async fn answer(State(linear): State<Linear>, headers: HeaderMap, body: Json<Value>) -> Response {
    linear.now().answer(&headers, &body)
}
