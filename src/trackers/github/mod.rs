//! GitHub Issues, of github.com or of an Enterprise Server.

use std::collections::BTreeMap;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::{Ensured, NotEnsured, Read, Secret};
use crate::{
    report::Unknown,
    ticket::TicketOrder,
    upstream::{self, Gate},
};

pub(super) const TOKEN: Secret = (
    "GITHUB_TOKEN",
    "opens, reads and reopens issues in the repository of [tickets.github]",
);

/// `[tickets.github]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// `acme/web`.
    pub repository: String,
    /// Of the API: an Enterprise Server's is `https://HOST/api/v3`.
    #[serde(default = "api_github_com")]
    pub url: Url,
    /// On every ticket, besides its own.
    #[serde(default = "daily_ops")]
    pub labels: Vec<String>,
    /// Logins.
    #[serde(default)]
    pub assignees: Vec<String>,
}

fn api_github_com() -> Url {
    Url::parse("https://api.github.com").expect("the address is constant")
}

fn daily_ops() -> Vec<String> {
    vec!["daily-ops".to_owned()]
}

impl Section {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        ensure!(
            self.repository
                .split_once('/')
                .is_some_and(|(owner, name)| is_name(owner) && is_name(name)),
            "`repository` is written OWNER/NAME, such as `acme/web`"
        );
        upstream::admit(&self.url)?;
        ensure!(
            !matches!(self.url.host_str(), Some("github.com" | "www.github.com")),
            "`url` is the API's address: leave it out for github.com"
        );
        ensure!(
            self.labels
                .iter()
                .all(|label| (1..=50).contains(&label.trim().chars().count())),
            "`labels` holds names of 1 to 50 characters"
        );
        ensure!(
            self.assignees.iter().all(|login| is_name(login)) && self.assignees.len() <= 10,
            "`assignees` holds up to ten logins, such as `octocat`"
        );
        Ok(())
    }
}

/// A name as it may stand in a path of GitHub's.
fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// One repository's issues.
#[derive(Debug)]
pub struct GitHub {
    section: Section,
    secret: Option<SecretString>,
    settings: upstream::Settings,
    /// GitHub asks its callers to send one request after the other.
    gate: Gate,
}

impl GitHub {
    pub(super) fn new(
        section: Section,
        secret: Option<SecretString>,
        settings: upstream::Settings,
    ) -> Self {
        Self {
            section,
            secret,
            settings,
            gate: Gate::new(1, 100),
        }
    }
}

impl GitHub {
    pub(super) async fn ensure(
        &self,
        _: &TicketOrder,
        _: DateTime<Utc>,
        _: Instant,
    ) -> Result<Ensured, NotEnsured> {
        super::token(self.secret.as_ref(), TOKEN).map_err(NotEnsured::not_sent)?;
        Err(NotEnsured::refused("not wired yet"))
    }

    pub(super) async fn read(
        &self,
        _: &[String],
        _: Instant,
    ) -> Result<BTreeMap<String, Read>, Unknown> {
        super::token(self.secret.as_ref(), TOKEN)?;
        Ok(BTreeMap::new())
    }

    pub(super) async fn probe(&self, _: Instant) -> Result<String, Unknown> {
        super::token(self.secret.as_ref(), TOKEN)?;
        Ok(String::new())
    }
}
