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
    text::Untrusted,
    ticket::TicketOrder,
    upstream::{self, Gate},
};

mod client;
mod duplicate;
mod issue;
mod open;
mod probe;
mod read;
mod reopen;

use client::Client;
use issue::{Place, Repository};

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
        order: &TicketOrder,
        wanted_at: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<Ensured, NotEnsured> {
        let client = Client::connect(self, deadline).map_err(NotEnsured::not_sent)?;
        match order {
            TicketOrder::Open { marker, draft } => {
                open::open(self, &client, marker, draft, wanted_at).await
            }
            TicketOrder::Reopen {
                marker,
                id,
                comment,
            } => {
                let place = self.place(id).ok_or_else(|| {
                    let id = Untrusted::from(id.as_str());
                    NotEnsured::refused(format!("`{}` names no issue on GitHub", id.as_str()))
                })?;
                reopen::reopen(&client, &place, marker, comment, wanted_at).await
            }
        }
    }

    pub(super) async fn read(
        &self,
        ids: &[String],
        deadline: Instant,
    ) -> Result<BTreeMap<String, Read>, Unknown> {
        read::read(self, &Client::connect(self, deadline)?, ids).await
    }

    pub(super) async fn probe(&self, deadline: Instant) -> Result<String, Unknown> {
        probe::probe(self, &Client::connect(self, deadline)?).await
    }

    fn repository(&self) -> Repository {
        Repository(self.section.repository.clone())
    }

    /// The label by which our tickets are listed; one with a comma would be two.
    fn search_label(&self) -> Option<&str> {
        let label = self.section.labels.first()?;
        (!label.contains(',')).then_some(label)
    }

    /// Of `acme/web#17`; a ticket stays where it was made when another repository is configured.
    fn place(&self, id: &str) -> Option<Place> {
        let (repository, number) = id.split_once('#')?;
        let (owner, name) = repository.split_once('/')?;
        (is_name(owner) && is_name(name)).then_some(())?;
        Some(Place {
            repository: Repository(repository.to_owned()),
            number: number.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_lead_elsewhere_is_no_repository() {
        let section = |repository: &str| Section {
            repository: repository.to_owned(),
            url: api_github_com(),
            labels: daily_ops(),
            assignees: Vec::new(),
        };
        section("acme/web.app_2").validate().unwrap();
        for wrong in [
            "acme",
            "acme/",
            "acme/web/issues",
            "acme/..",
            "https://github.com/a",
        ] {
            assert!(section(wrong).validate().is_err(), "{wrong}");
        }
    }
}
