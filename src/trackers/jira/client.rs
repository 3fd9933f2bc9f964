//! Jira Cloud's REST API, version 3.

use chrono::{DateTime, Utc};
use reqwest::{Method, header::HeaderMap};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Jira, TOKEN, refusal};
use crate::{
    report::{Cause, Unknown},
    ticket::{Ticket, TicketState},
    trackers::{NotEnsured, token},
    upstream::{self, Ask, Credential, Failure, Service, Unwritten, Upstream},
};

const JIRA: Service = Service {
    name: "Jira",
    credential: TOKEN.0,
    reset,
    should_retry: upstream::says_nothing,
};

const PLACE: &str = "`url` and `project` in [tickets.jira]";
const NEEDS: &str = "an account with the permissions Browse Projects, Create Issues, Add Comments and Transition Issues, or the scopes `read:jira-work` and `write:jira-work`";

/// Issues that may be fetched at once.
pub(super) const BULK: usize = 100;

fn reset(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let reset = headers.get("x-ratelimit-reset")?.to_str().ok()?;
    // The seconds may be left out: `2026-11-22T09:00Z`.
    let whole = reset.replace('Z', ":00Z");
    [reset, &whole]
        .into_iter()
        .find_map(|text| text.parse().ok())
}

pub(super) struct Client<'a> {
    upstream: Upstream,
    jira: &'a Jira,
    deadline: Instant,
}

/// An issue as far as it was asked for.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Issue {
    pub id: String,
    pub key: String,
    #[serde(default)]
    fields: Fields,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Fields {
    #[serde(default)]
    labels: Vec<String>,
    status: Option<Status>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    status_category: Category,
}

#[derive(Clone, Debug, Deserialize)]
struct Category {
    key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    issues: Vec<Issue>,
    #[serde(default)]
    issue_errors: Vec<Value>,
}

#[derive(Deserialize)]
struct Transitions {
    transitions: Vec<Transition>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Transition {
    pub id: String,
    pub to: Status,
}

impl Status {
    /// `new`, `indeterminate` or `done`, and `undefined`.
    pub(super) fn category(&self) -> &str {
        &self.status_category.key
    }
}

impl Issue {
    pub(super) fn has_label(&self, label: &str) -> bool {
        self.fields
            .labels
            .iter()
            .any(|own| own.eq_ignore_ascii_case(label))
    }

    /// One that was made just now, and is open.
    pub(super) fn made(id: String, key: String) -> Self {
        Self {
            id,
            key,
            fields: Fields::default(),
        }
    }

    /// Its number within its project.
    pub(super) fn number(&self) -> Option<u64> {
        self.key.rsplit_once('-')?.1.parse().ok()
    }

    pub(super) fn is_done(&self) -> bool {
        self.fields
            .status
            .as_ref()
            .is_some_and(|status| status.category() == "done")
    }
}

impl<'a> Client<'a> {
    pub(super) fn connect(jira: &'a Jira, deadline: Instant) -> Result<Self, Unknown> {
        let credential = Credential::Basic {
            user: &jira.section.email,
            password: token(jira.secret.as_ref(), TOKEN)?,
        };
        Ok(Self {
            upstream: Upstream::new(JIRA, &jira.section.url, credential, &jira.settings)?,
            jira,
            deadline,
        })
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        route: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let path = path(route);
        let ask = Ask {
            query,
            ..ask(&path)
        };
        let answer = self.upstream.get(&ask, self.deadline).await;
        Ok(answer.map_err(refusal::told)?.body)
    }

    async fn query<T: DeserializeOwned>(&self, route: &[&str], body: &Value) -> Result<T, Failure> {
        let path = path(route);
        let answer = self.upstream.query(&ask(&path), body, self.deadline).await;
        Ok(answer.map_err(refusal::told)?.body)
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        route: &[&str],
        body: &Value,
    ) -> Result<T, NotEnsured> {
        let written = self.write(route, body).await;
        written.map_err(refusal::not_written)
    }

    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        route: &[&str],
        body: &Value,
    ) -> Result<T, Unwritten> {
        let path = path(route);
        let written = self
            .upstream
            .write(Method::POST, &ask(&path), body, self.deadline)
            .await;
        Ok(written?.body)
    }

    /// The first of what a JQL query finds; the index it asks may be some seconds behind.
    pub(super) async fn search(&self, jql: &str) -> Result<Vec<Issue>, Failure> {
        let body = json!({ "jql": jql, "fields": ["labels", "status"], "maxResults": 5 });
        let found: Found = self.query(&["search", "jql"], &body).await?;
        Ok(found.issues)
    }

    /// Those of up to a hundred ids or keys that there are, from the database and not from the index. None: this Jira
    /// has no such route, or could not look at all of them; one by one they can be asked for.
    pub(super) async fn fetch(&self, names: &[String]) -> Result<Option<Vec<Issue>>, Failure> {
        let body = json!({ "issueIdsOrKeys": names, "fields": ["labels", "status"] });
        match self.query(&["issue", "bulkfetch"], &body).await {
            Ok(Found {
                issues,
                issue_errors,
            }) if issue_errors.is_empty() => Ok(Some(issues)),
            Ok(_) => Ok(None),
            Err(failure) if matches!(failure.status(), Some(404 | 405)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// None if it is gone, or can no longer be seen.
    pub(super) async fn issue(&self, id: &str) -> Result<Option<Issue>, Failure> {
        match self
            .get(&["issue", id], &[("fields", "labels,status")])
            .await
        {
            Ok(issue) => Ok(Some(issue)),
            Err(failure) if failure.cause == Cause::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The ways out of its state that the account may take.
    pub(super) async fn transitions(&self, issue: &Issue) -> Result<Vec<Transition>, Failure> {
        let route = ["issue", issue.id.as_str(), "transitions"];
        let offered: Transitions = self.get(&route, &[]).await?;
        Ok(offered.transitions)
    }

    pub(super) async fn transit(&self, issue: &Issue, way: &Transition) -> Result<(), NotEnsured> {
        let route = ["issue", issue.id.as_str(), "transitions"];
        let body = json!({ "transition": { "id": way.id } });
        let _: Value = self.post(&route, &body).await?;
        Ok(())
    }

    /// Those of these permissions that the account lacks in the project. Jira answers as to a stranger where a token is
    /// not valid, so this also tells whether it is.
    pub(super) async fn lacks(&self, permissions: &[&str]) -> Result<Vec<String>, Failure> {
        let query = [
            ("projectKey", self.jira.section.project.as_str()),
            ("permissions", &permissions.join(",")),
        ];
        let _: Value = self.get(&["myself"], &[]).await?;
        let seen: Value = self.get(&["mypermissions"], &query).await?;
        let lacks = |name: &&&str| {
            let has = &seen["permissions"][**name]["havePermission"];
            has.as_bool() != Some(true)
        };
        Ok(permissions
            .iter()
            .filter(lacks)
            .map(|name| (*name).to_owned())
            .collect())
    }

    /// An issue that is missing is gone only if others could be seen.
    pub(super) async fn sees_the_project(&self) -> Result<(), Unknown> {
        if self.lacks(&["BROWSE_PROJECTS"]).await?.is_empty() {
            return Ok(());
        }
        let reason = format!(
            "Jira does not show the project {} to the account of {}: give it the permission Browse Projects there, or correct `project` in [tickets.jira]",
            self.jira.section.project, TOKEN.0
        );
        Err(Unknown::new(Cause::Forbidden, reason))
    }

    pub(super) async fn ticket(&self, issue: &Issue) -> Ticket {
        let name = crate::text::cut(&crate::text::one_line(&issue.key), 40);
        let mut url = self.jira.site(self).await;
        if let Some(url) = &mut url
            && let Ok(mut path) = url.path_segments_mut()
        {
            path.pop_if_empty().extend(["browse", &name]);
        }
        Ticket {
            id: issue.id.clone(),
            name,
            url,
            state: if issue.is_done() {
                TicketState::Closed
            } else {
                TicketState::Open
            },
        }
    }
}

fn path<'a>(route: &[&'a str]) -> Vec<&'a str> {
    [&["rest", "api", "3"], route].concat()
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
