//! Jira Cloud's issues.

use std::collections::BTreeMap;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::{sync::OnceCell, time::Instant};
use url::Url;

use super::{Ensured, NotEnsured, Read, Secret};
use crate::{
    report::{Severity, Unknown},
    ticket::TicketOrder,
    upstream,
};

mod adf;
mod client;
mod duplicate;
mod open;
mod probe;
mod refusal;
mod reopen;

use client::{BULK, Client};

pub(super) const TOKEN: Secret = (
    "JIRA_API_TOKEN",
    "opens, reads and reopens issues in the project of [tickets.jira]",
);

/// `[tickets.jira]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The site's, `https://acme.atlassian.net`; for a token with scopes, `https://api.atlassian.com/ex/jira/CLOUD_ID`.
    pub url: Url,
    /// Of the account to which the token belongs.
    pub email: String,
    /// Its key, with which names of issues begin: `OPS`.
    pub project: String,
    #[serde(default = "task")]
    pub issue_type: String,
    /// On every ticket, besides its own.
    #[serde(default = "daily_ops")]
    pub labels: Vec<String>,
    /// Names of Jira's priorities by severity; a severity that is not here takes the one that new projects have.
    #[serde(default)]
    pub priorities: BTreeMap<Severity, String>,
    /// What else the project demands, as Jira's API takes it: `customfield_10010 = { value = "Backend" }`.
    #[serde(default)]
    pub fields: BTreeMap<String, serde_json::Value>,
}

fn task() -> String {
    "Task".to_owned()
}

fn daily_ops() -> Vec<String> {
    vec!["daily-ops".to_owned()]
}

/// Fields that are filled in from the finding.
const OWN_FIELDS: [&str; 5] = ["project", "issuetype", "summary", "description", "labels"];

/// What Jira calls a severity where nobody has changed its priorities.
fn usual_priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Highest",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    }
}

impl Section {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        upstream::admit(&self.url)?;
        ensure!(
            !self.url.path().contains("/rest/api"),
            "`url` is the site's address without /rest/api"
        );
        ensure!(
            self.email.contains('@') && !self.email.contains(':'),
            "`email` is the e-mail address of the token's account"
        );
        ensure!(
            self.project.starts_with(|c: char| c.is_ascii_uppercase())
                && self
                    .project
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
            "`project` is a project's key, such as `OPS` in OPS-3"
        );
        ensure!(
            !self.issue_type.trim().is_empty(),
            "`issue_type` is empty; it is a name such as `Task`"
        );
        ensure!(
            self.labels
                .iter()
                .all(|label| !label.is_empty() && !label.contains(char::is_whitespace)),
            "`labels` holds words without spaces, as Jira takes no others"
        );
        for field in OWN_FIELDS {
            ensure!(
                !self.fields.contains_key(field),
                "`fields` sets `{field}`, which is filled in from the finding"
            );
        }
        Ok(())
    }
}

/// One project's issues.
#[derive(Debug)]
pub struct Jira {
    section: Section,
    secret: Option<SecretString>,
    settings: upstream::Settings,
    /// The site's address as people open it.
    site: OnceCell<Url>,
}

impl Jira {
    pub(super) fn new(
        section: Section,
        secret: Option<SecretString>,
        settings: upstream::Settings,
    ) -> Self {
        Self {
            section,
            secret,
            settings,
            site: OnceCell::new(),
        }
    }

    pub(super) async fn ensure(
        &self,
        order: &TicketOrder,
        wanted_at: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<Ensured, NotEnsured> {
        let client = Client::connect(self, deadline).map_err(NotEnsured::not_sent)?;
        match order {
            TicketOrder::Open { marker, draft } => {
                open::open(&self.section, &client, marker, draft).await
            }
            TicketOrder::Reopen {
                marker,
                id,
                comment,
            } => reopen::reopen(&client, marker, id, comment, wanted_at).await,
        }
    }

    pub(super) async fn read(
        &self,
        ids: &[String],
        deadline: Instant,
    ) -> Result<BTreeMap<String, Read>, Unknown> {
        let client = Client::connect(self, deadline)?;
        let mut read = BTreeMap::new();
        for some in ids.chunks(BULK) {
            let issues = match client.fetch(some).await? {
                Some(issues) => issues,
                None => {
                    let mut issues = Vec::new();
                    for id in some {
                        issues.extend(client.issue(id).await?);
                    }
                    issues
                }
            };
            for issue in issues {
                read.insert(issue.id.clone(), Read::Ticket(client.ticket(&issue).await));
            }
        }
        read.retain(|id, _| ids.contains(id));
        if ids.iter().any(|id| !read.contains_key(id)) {
            client.sees_the_project().await?;
        }
        for id in ids {
            read.entry(id.clone()).or_insert(Read::Gone);
        }
        Ok(read)
    }

    pub(super) async fn probe(&self, deadline: Instant) -> Result<String, Unknown> {
        let client = Client::connect(self, deadline)?;
        probe::probe(&self.section, &client).await
    }

    /// Tokens with scopes go through Atlassian's gateway, where nobody reads issues; Jira tells its own address.
    async fn site(&self, client: &Client<'_>) -> Option<Url> {
        if !self.section.url.path().contains("/ex/jira/") {
            return Some(self.section.url.clone());
        }
        let site = self.site.get_or_try_init(|| async {
            let info: serde_json::Value = client.get(&["serverInfo"], &[]).await.map_err(drop)?;
            let url = info["baseUrl"]
                .as_str()
                .and_then(|url| Url::parse(url).ok());
            url.filter(|url| url.scheme() == "https").ok_or(())
        });
        site.await.ok().cloned()
    }
}
