//! The services of the company, each with a health address.

use anyhow::Context;
use axum::{Router, routing::get};

use super::{Door, Kind, Part, State as _, Switch, World};
use crate::sandbox::time::Time;

mod service;

pub use service::{Description, Service, State};

pub(super) const PART: Kind = Kind {
    open: |time| Box::pin(async { Ok(Box::new(Services::open(time).await?) as Box<dyn Part>) }),
    scenarios: &[],
};

/// All services, and the address beyond them that tells whether our own network works.
pub struct Services {
    all: Vec<Service>,
    control: Door,
}

impl World {
    pub fn services(&self) -> &Services {
        self.part()
    }
}

impl Services {
    async fn open(time: Time) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        for environment in ["production", "staging"] {
            for service in ["website", "api", "checkout", "login"] {
                let described = Description::of(environment, service);
                all.push(Service::open(described, time.clone()).await?);
            }
        }
        let control = Door::open(Router::new().route("/", get(async || "here"))).await?;
        Ok(Self { all, control })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.all.iter()
    }

    /// By "production/checkout".
    pub fn named(&self, name: &str) -> anyhow::Result<&Service> {
        let mut all = self.all.iter();
        all.find(|service| service.described().name() == name)
            .with_context(|| format!("there is no service `{name}`"))
    }
}

impl Part for Services {
    fn configuration(&self) -> String {
        let endpoints: String = self.all.iter().map(Service::configuration).collect();
        format!(
            "[checks.health]\ntime_limit = \"3s\"\ntimeout = \"850ms\"\nconfirm_after = \"100ms\"\n\
             control = \"http://{}/\"\n{endpoints}",
            self.control.address
        )
    }

    fn secret(&self, _: &str) -> Option<String> {
        None
    }

    fn calm(&self) -> anyhow::Result<()> {
        self.all
            .iter()
            .try_for_each(|service| service.set(State::Well))
    }

    fn switches(&self) -> Vec<Switch> {
        let switch = |service: &Service| {
            let described = service.described().clone();
            let label = format!("{} {}", described.environment, described.service);
            let state = service.state();
            state.switch("Services", described.name(), label)
        };
        self.all.iter().map(switch).collect()
    }

    fn switch(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let state = State::named(value).context("a service has no such state")?;
        self.named(name)?.set(state)
    }

    fn cut(&self, gone: bool) -> anyhow::Result<()> {
        self.control.cut(gone)?;
        self.all.iter().try_for_each(|service| service.cut(gone))
    }
}
