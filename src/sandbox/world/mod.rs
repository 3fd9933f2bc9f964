//! A small company, derived from one description: what it is on a quiet morning, and what scenarios change.
//!
//! Each check's part is a folder: the description, the server that answers from it, its section of the configuration,
//! and its scenarios.

use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use super::time::Time;
use crate::text::nearest;

/// Sentry.
pub mod errors;

/// Services with a health address.
pub mod health;

/// A story that can be told in this world. The first one is how it begins.
pub struct Scenario {
    /// For the command line.
    pub name: &'static str,
    pub title: &'static str,
    /// One sentence: what happened.
    pub story: &'static str,
    /// Changes the world, which is as it is on a quiet morning.
    pub change: fn(&World),
}

/// Everything that the checks look at, on loopback addresses. It closes when it is dropped.
pub struct World {
    pub time: Time,
    pub services: Vec<health::Service>,
    pub sentry: errors::Sentry,
    playing: Mutex<&'static Scenario>,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "quiet",
        title: "Monday morning, all quiet",
        story: "Everything answers, and nobody saw an error.",
        change: |_| {},
    },
    Scenario {
        name: "broken-cart",
        title: "A release broke the cart",
        story: "Since the release, the cart of 212 people was undefined.",
        change: |world| world.sentry.world().issues.push(errors::broken_cart()),
    },
    Scenario {
        name: "checkout-down",
        title: "Checkout is down",
        story: "The checkout answers 503.",
        change: |world| {
            if let Some(service) = world
                .services
                .iter()
                .find(|it| it.described().name == "checkout")
            {
                service.described().status = 503;
            }
        },
    },
];

impl World {
    pub async fn open(time: Time) -> anyhow::Result<Self> {
        let mut services = Vec::new();
        for (name, environment) in [
            ("website", "production"),
            ("checkout", "production"),
            ("website", "staging"),
        ] {
            let described = health::Description {
                name,
                environment,
                status: 200,
            };
            services.push(health::Service::open(described).await?);
        }
        Ok(Self {
            sentry: errors::Organization::new(time.clone()).open().await?,
            time,
            services,
            playing: Mutex::new(&SCENARIOS[0]),
        })
    }

    pub fn scenarios() -> &'static [Scenario] {
        SCENARIOS
    }

    /// The checks' sections of the configuration.
    pub fn configuration(&self) -> String {
        let endpoints: String = self
            .services
            .iter()
            .map(|service| {
                let described = service.described();
                format!(
                    "  {{ name = \"{}\", environment = \"{}\", url = \"{}\" }},\n",
                    described.name, described.environment, service.url
                )
            })
            .collect();
        format!(
            "[checks.health]\nconfirm_after = \"200ms\"\nendpoints = [\n{endpoints}]\n\
             [checks.errors]\nurl = \"{}\"\norganization = \"acme\"\nprojects = [\"web\"]\n",
            self.sentry.url()
        )
    }

    /// What the environment would hold.
    pub fn secret(&self, name: &str) -> Option<String> {
        (name == "SENTRY_AUTH_TOKEN").then(|| self.sentry.world().token.clone())
    }

    /// Puts everything back to a quiet morning, and tells this story.
    pub fn play(&self, name: &str) -> anyhow::Result<()> {
        let scenario = SCENARIOS
            .iter()
            .find(|scenario| scenario.name == name)
            .with_context(|| {
                let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
                let near = nearest(name, names.iter().copied());
                let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                format!(
                    "there is no scenario `{name}`; there are {}{hint}",
                    names.join(", ")
                )
            })?;
        self.calm();
        (scenario.change)(self);
        *self.playing.lock().unwrap_or_else(PoisonError::into_inner) = scenario;
        Ok(())
    }

    pub fn playing(&self) -> &'static Scenario {
        *self.playing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calm(&self) {
        for service in &self.services {
            service.described().status = 200;
        }
        self.sentry.world().issues.clear();
    }
}
