//! The checks that exist, and how their sections of the configuration are read.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};

use super::{
    Check, Secret, Secrets,
    checklist::{AnyCheck, Checklist, Configured, DEFAULT_TIME_LIMIT, Item},
};
use crate::text::{did_you_mean, one_line};

type Configure = fn(toml::Table) -> anyhow::Result<Arc<dyn AnyCheck>>;

struct Registered {
    name: &'static str,
    secrets: &'static [Secret],
    configure: Configure,
}

/// The checks that exist.
#[derive(Default)]
pub struct Registry(Vec<Registered>);

impl Registry {
    pub fn with<C: Check>(mut self) -> Self {
        assert!(
            self.0.iter().all(|known| known.name != C::NAME),
            "two checks are named `{}`",
            C::NAME
        );
        let configure: Configure = |section| {
            let check = C::deserialize(section)?;
            check.validate()?;
            Ok(Arc::new(check))
        };
        self.0.push(Registered {
            name: C::NAME,
            secrets: C::SECRETS,
            configure,
        });
        self
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.0.iter().map(|known| known.name)
    }

    /// The variables of all the secrets that the checks know.
    pub fn secrets(&self) -> impl Iterator<Item = &'static str> {
        self.0
            .iter()
            .flat_map(|known| known.secrets)
            .map(|(name, _)| *name)
    }

    /// Builds the checklist from the sections under `[checks]`. A check without a section is off.
    pub fn configure(
        &self,
        mut sections: toml::Table,
        secrets: Secrets,
    ) -> anyhow::Result<Checklist> {
        let mut items = Vec::new();
        for known in &self.0 {
            let configured = match sections.remove(known.name) {
                None => None,
                Some(toml::Value::Table(section)) => Some(
                    read(known, section).with_context(|| format!("in [checks.{}]", known.name))?,
                ),
                Some(_) => bail!("`checks.{0}` is no section: write [checks.{0}]", known.name),
            };
            items.push(Item {
                name: known.name,
                secrets: known.secrets,
                configured,
            });
        }
        if let Some(name) = sections.keys().next() {
            bail!(
                "there is no check `{}`; {}",
                one_line(name),
                did_you_mean(name, self.names())
            );
        }
        Ok(Checklist {
            items,
            secrets: Arc::new(secrets),
        })
    }
}

/// Reads a section, of which `time_limit` is every check's.
fn read(known: &Registered, mut section: toml::Table) -> anyhow::Result<Configured> {
    let time_limit = match section.remove("time_limit") {
        None => DEFAULT_TIME_LIMIT,
        Some(value) => {
            let text = value
                .as_str()
                .context("`time_limit` is a duration such as \"20s\"")?;
            humantime::parse_duration(text).with_context(|| {
                format!(
                    "`time_limit` is a duration such as \"20s\", not \"{}\"",
                    one_line(text)
                )
            })?
        }
    };
    if time_limit < Duration::from_secs(1) || time_limit > Duration::from_secs(600) {
        bail!("`time_limit` must lie between 1s and 10m");
    }
    Ok(Configured {
        check: (known.configure)(section)?,
        time_limit,
    })
}
