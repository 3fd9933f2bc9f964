//! Linear's issues, over GraphQL.

use std::collections::BTreeMap;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::{Ensured, NotEnsured, Read, Secret};
use crate::{
    report::{Cause, Unknown},
    ticket::TicketOrder,
    upstream,
};

mod client;
mod issue;
mod open;
mod refusal;
mod reopen;

use client::Client;

/// Issues that are asked for at once.
const CHUNK: usize = 100;

pub(super) const TOKEN: Secret = (
    "LINEAR_API_KEY",
    "opens, reads and reopens issues of the team of [tickets.linear]",
);

/// `[tickets.linear]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its key, with which names of issues begin: `ENG`.
    pub team: String,
    #[serde(default = "api_linear_app")]
    pub url: Url,
    /// On every ticket, besides its own; only those that exist are set.
    #[serde(default = "daily_ops")]
    pub labels: Vec<String>,
}

fn api_linear_app() -> Url {
    Url::parse("https://api.linear.app/graphql").expect("the address is constant")
}

fn daily_ops() -> Vec<String> {
    vec!["daily-ops".to_owned()]
}

impl Section {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        ensure!(
            !self.team.is_empty() && self.team.bytes().all(|b| b.is_ascii_alphanumeric()),
            "`team` is a team's key, such as `ENG` in ENG-12"
        );
        upstream::admit(&self.url)?;
        ensure!(
            self.labels.iter().all(|label| !label.trim().is_empty()),
            "`labels` holds an empty name"
        );
        Ok(())
    }
}

/// One team's issues.
#[derive(Debug)]
pub struct Linear {
    section: Section,
    secret: Option<SecretString>,
    settings: upstream::Settings,
}

impl Linear {
    pub(super) fn new(
        section: Section,
        secret: Option<SecretString>,
        settings: upstream::Settings,
    ) -> Self {
        Self {
            section,
            secret,
            settings,
        }
    }
}

impl Linear {
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
            } => reopen::reopen(&client, &self.section.team, marker, id, comment, wanted_at).await,
        }
    }

    pub(super) async fn read(
        &self,
        ids: &[String],
        deadline: Instant,
    ) -> Result<BTreeMap<String, Read>, Unknown> {
        let client = Client::connect(self, deadline)?;
        let mut read = BTreeMap::new();
        for some in ids.chunks(CHUNK) {
            for issue in client.issues(some).await? {
                let state = match issue.is_trashed() {
                    true => Read::Gone,
                    false => Read::Ticket(issue.ticket()),
                };
                read.insert(issue.id, state);
            }
        }
        read.retain(|id, _| ids.contains(id));
        if ids.iter().any(|id| !read.contains_key(id)) {
            client.sees_the_team(&self.section.team).await?;
        }
        for id in ids {
            read.entry(id.clone()).or_insert(Read::Gone);
        }
        Ok(read)
    }

    pub(super) async fn probe(&self, deadline: Instant) -> Result<String, Unknown> {
        let client = Client::connect(self, deadline)?;
        let labels = &self.section.labels;
        let found = client.team(&self.section.team, labels).await?;
        let Some(team) = &found.team else {
            return Err(Unknown::new(Cause::NotFound, no_team(&self.section.team)));
        };
        let mut said = format!("the team {} is there", team.key);
        let missing = found.missing(labels);
        if !missing.is_empty() {
            said.push_str(&format!("; it has no labels {}", missing.join(", ")));
        }
        said.push_str("; whether the key may open issues shows with the first one");
        Ok(said)
    }
}

fn no_team(key: &str) -> String {
    format!(
        "Linear shows no team with the key {key}: correct `team` in [tickets.linear], or give the key in {} access to that team",
        TOKEN.0
    )
}
