//! Linear's GraphQL API.

use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Linear, TOKEN,
    issue::{FIELDS, Issue, Nodes, Team},
    no_team,
    refusal::{Refusal, used_up},
};
use crate::{
    report::{Cause, Unknown},
    trackers::token,
    upstream::{self, Answer, Ask, Credential, Service, Upstream},
};

const LINEAR: Service = Service {
    name: "Linear",
    credential: TOKEN.0,
    reset: used_up,
    should_retry: upstream::says_nothing,
};

pub(super) struct Client {
    upstream: Upstream,
    path: &'static [&'static str],
    deadline: Instant,
}

/// The team of a key, and the labels of the names that were asked for.
pub(super) struct Found {
    pub team: Option<Team>,
    labels: Vec<Label>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Label {
    id: String,
    name: String,
    /// One that holds others can't be set itself.
    #[serde(default)]
    is_group: Option<bool>,
    /// None: of the whole workspace.
    team: Option<Owner>,
}

#[derive(Debug, Deserialize)]
struct Owner {
    id: String,
}

impl Found {
    /// The ids of those that can be set.
    pub(super) fn ids(&self, wanted: &[String]) -> Vec<&str> {
        let found = wanted.iter().filter_map(|name| self.label(name));
        found.map(|label| label.id.as_str()).collect()
    }

    /// The names of those that can't.
    pub(super) fn missing(&self, wanted: &[String]) -> Vec<String> {
        let missing = wanted.iter().filter(|name| self.label(name).is_none());
        missing.cloned().collect()
    }

    /// The team's own comes before the workspace's.
    fn label(&self, name: &str) -> Option<&Label> {
        let team = self.team.as_ref().map(|team| team.id.as_str());
        let usable = self.labels.iter().filter(|label| {
            label.name == name
                && label.is_group != Some(true)
                && label
                    .team
                    .as_ref()
                    .is_none_or(|owner| Some(owner.id.as_str()) == team)
        });
        usable.max_by_key(|label| label.team.is_some())
    }
}

impl Client {
    pub(super) fn connect(linear: &Linear, deadline: Instant) -> Result<Self, Unknown> {
        let token = token(linear.secret.as_ref(), TOKEN)?;
        // A personal key goes as it is; what an app was given, as a bearer's.
        let credential = if token.expose_secret().starts_with("lin_oauth_") {
            Credential::Bearer(token)
        } else {
            Credential::Plain(token)
        };
        let url = &linear.section.url;
        Ok(Self {
            upstream: Upstream::new(LINEAR, url, credential, &linear.settings)?,
            path: if url.path() == "/" { &["graphql"] } else { &[] },
            deadline,
        })
    }

    fn ask(&self) -> Ask<'_> {
        Ask {
            path: self.path,
            query: &[],
            limit: upstream::BODY_LIMIT,
            needs: "read and write access",
            place: "`url` in [tickets.linear]",
        }
    }

    /// The `data` of an answer to a query, which changes nothing.
    async fn query(&self, query: &str, variables: Value) -> Result<Value, Refusal> {
        let body = json!({ "query": query, "variables": variables });
        let answer = self.upstream.query(&self.ask(), &body, self.deadline).await;
        data(answer.map_err(Refusal::of_failure)?)
    }

    /// The `data` of an answer to a mutation, which is sent once.
    pub(super) async fn change(&self, mutation: &str, variables: Value) -> Result<Value, Refusal> {
        let body = json!({ "query": mutation, "variables": variables });
        let answer = self
            .upstream
            .write(Method::POST, &self.ask(), &body, self.deadline)
            .await;
        data(answer.map_err(Refusal::of_unwritten)?)
    }

    /// Those of the ids that there are, archived and trashed ones too.
    pub(super) async fn issues(&self, ids: &[String]) -> Result<Vec<Issue>, Refusal> {
        self.issues_with(ids, "").await
    }

    /// With its team's workflow, which is too much to be asked of a hundred at once.
    pub(super) async fn issue(&self, id: &str) -> Result<Option<Issue>, Refusal> {
        let workflow = "team { id key states(first: 100) { nodes { id type position } } }";
        let found = self.issues_with(&[id.to_owned()], workflow).await?;
        Ok(found.into_iter().find(|issue| issue.id == id))
    }

    async fn issues_with(&self, ids: &[String], more: &str) -> Result<Vec<Issue>, Refusal> {
        let query = format!(
            "query Issues($ids: [ID!]!, $first: Int!) {{ issues(filter: {{ id: {{ in: $ids }} }}, includeArchived: true, first: $first) {{ nodes {{ {FIELDS} {more} }} }} }}"
        );
        let variables = json!({ "ids": ids, "first": ids.len() });
        let data = self.query(&query, variables).await?;
        Ok(nodes(&data, "issues")?.nodes)
    }

    pub(super) async fn has_comment(&self, id: &str) -> Result<bool, Refusal> {
        let query = "query Comments($ids: [ID!]!) { comments(filter: { id: { in: $ids } }, includeArchived: true, first: 1) { nodes { id } } }";
        let data = self.query(query, json!({ "ids": [id] })).await?;
        let found: Nodes<Owner> = nodes(&data, "comments")?;
        Ok(found.nodes.iter().any(|comment| comment.id == id))
    }

    pub(super) async fn team(&self, key: &str, labels: &[String]) -> Result<Found, Refusal> {
        let query = "query Team($key: String!, $labels: [String!]!) { teams(filter: { key: { eq: $key } }, first: 1) { nodes { id key } } issueLabels(filter: { name: { in: $labels } }, first: 250) { nodes { id name isGroup team { id } } } }";
        let variables = json!({ "key": key, "labels": labels });
        let data = self.query(query, variables).await?;
        let teams: Nodes<Team> = nodes(&data, "teams")?;
        Ok(Found {
            team: teams.nodes.into_iter().find(|team| team.key == key),
            labels: nodes(&data, "issueLabels")?.nodes,
        })
    }

    /// An issue that is missing is gone only if the team's others could be seen.
    pub(super) async fn sees_the_team(&self, key: &str) -> Result<(), Unknown> {
        match self.team(key, &[]).await?.team {
            Some(_) => Ok(()),
            None => Err(Unknown::new(Cause::NotFound, no_team(key))),
        }
    }
}

fn data(answer: Answer<Value>) -> Result<Value, Refusal> {
    let now: DateTime<Utc> = answer.date().unwrap_or(answer.received_at);
    match Refusal::of_answer(&answer.body, &answer.headers, now) {
        Some(refusal) => Err(refusal),
        None => Ok(answer.body["data"].clone()),
    }
}

fn nodes<T: DeserializeOwned>(data: &Value, name: &str) -> Result<Nodes<T>, Refusal> {
    Nodes::deserialize(&data[name]).map_err(|_| Refusal::unexpected(name))
}
