//! `[tickets]`: which tracker, and how it is reached.

use std::sync::Arc;

use anyhow::{Context, bail};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Secret, Tracker,
    github::{self, GitHub},
    jira::{self, Jira},
    linear::{self, Linear},
};
use crate::upstream;

/// `[tickets]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tickets {
    /// None: the local one, as long as there is no section of another one.
    pub tracker: Option<Kind>,
    /// What becomes of a closed ticket whose finding comes back.
    pub returned: Returned,
    pub github: Option<github::Section>,
    pub linear: Option<linear::Section>,
    pub jira: Option<jira::Section>,
    /// Times and retries; not configurable, but tests are in a hurry.
    #[serde(skip)]
    pub settings: upstream::Settings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Local,
    GitHub,
    Linear,
    Jira,
}

impl Kind {
    /// As messages say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::GitHub => "GitHub",
            Self::Linear => "Linear",
            Self::Jira => "Jira",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Returned {
    /// It gets a comment, and is opened again.
    #[default]
    Reopen,
    /// It stays closed, and there is a new one.
    New,
}

impl Tickets {
    fn kind(&self) -> Kind {
        self.tracker.unwrap_or(Kind::Local)
    }

    /// Names the field that is not right; the section of the chosen tracker must be there, and one that is there chosen,
    /// unless another tracker is by name.
    pub fn validate(&self) -> anyhow::Result<()> {
        if let Some(github) = &self.github {
            github.validate().context("in [tickets.github]")?;
        }
        if let Some(linear) = &self.linear {
            linear.validate().context("in [tickets.linear]")?;
        }
        if let Some(jira) = &self.jira {
            jira.validate().context("in [tickets.jira]")?;
        }
        if self.tracker.is_none() {
            let there = [
                ("github", self.github.is_some()),
                ("linear", self.linear.is_some()),
                ("jira", self.jira.is_some()),
            ];
            let unused = there.iter().find(|(_, is_there)| *is_there);
            if let Some((name, _)) = unused {
                bail!(
                    "[tickets.{name}] is there, and nothing says that tickets go there: write `tracker = \"{name}\"` into [tickets], or `tracker = \"local\"` to keep them in the database"
                );
            }
        }
        let missing = match self.kind() {
            Kind::GitHub if self.github.is_none() => "[tickets.github] with `repository`",
            Kind::Linear if self.linear.is_none() => "[tickets.linear] with `team`",
            Kind::Jira if self.jira.is_none() => "[tickets.jira] with `url`, `email` and `project`",
            _ => return Ok(()),
        };
        bail!("`tracker` asks for a section that is not there: add {missing}")
    }

    /// The token of the chosen tracker.
    pub fn secret(&self) -> Option<Secret> {
        match self.kind() {
            Kind::Local => None,
            Kind::GitHub => Some(github::TOKEN),
            Kind::Linear => Some(linear::TOKEN),
            Kind::Jira => Some(jira::TOKEN),
        }
    }

    /// The chosen tracker, or the local one where its section is missing, which `validate` refuses. Without its token it
    /// says so whenever it is asked.
    pub fn tracker(&self, secret: Option<SecretString>) -> Tracker {
        let settings = self.settings.clone();
        let chosen =
            match self.kind() {
                Kind::Local => None,
                Kind::GitHub => self.github.clone().map(|section| {
                    Tracker::GitHub(Arc::new(GitHub::new(section, secret, settings)))
                }),
                Kind::Linear => self.linear.clone().map(|section| {
                    Tracker::Linear(Arc::new(Linear::new(section, secret, settings)))
                }),
                Kind::Jira => self
                    .jira
                    .clone()
                    .map(|section| Tracker::Jira(Arc::new(Jira::new(section, secret, settings)))),
            };
        chosen.unwrap_or(Tracker::Local)
    }
}
