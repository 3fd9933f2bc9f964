//! A small company, derived from one description: what it is on a quiet morning, and what scenarios change.
//!
//! What a check looks at is a part of the company, and a folder here. A new one needs:
//!
//! 1. its description, which may be changed at any time, and a server that answers from it alone, behind a `Door`;
//! 2. `Part` for it: its section of the configuration, its secret, its switches, and what is calm;
//! 3. its scenarios; those of more than one part stand in `scenarios`. They say what happens when, so that the next
//!    morning follows from the time alone;
//! 4. `pub(super) const PART: Kind`, its `mod` line here and its place in `PARTS`.
//!
//! Nothing else knows which parts there are: the page shows every switch, `daily-ops sandbox --help` names every
//! scenario, and the tests play each of them.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::watch;

use super::time::Time;
use crate::text::{did_you_mean, one_line};

/// Sentry.
pub mod errors;

/// Services with a health address.
pub mod health;

/// Stripe.
pub mod payments;

mod door;
mod part;
mod scenarios;

pub use door::{Door, HangUp};
pub use part::{Choice, Kind, Opening, Part, Switch};

use part::{State, choice};

/// Every part, in the order of the report.
const PARTS: &[Kind] = &[health::PART, errors::PART, payments::PART];

/// A story that can be told in this world.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// For the command line.
    pub name: &'static str,
    pub title: &'static str,
    /// One or two sentences: what happened.
    pub story: &'static str,
    /// Changes the world, which is as it is on a quiet morning.
    pub change: fn(&World) -> anyhow::Result<()>,
}

static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let of_parts = PARTS.iter().flat_map(|part| part.scenarios);
    let all = scenarios::FIRST.into_iter().chain(of_parts.copied());
    all.chain(scenarios::LAST).collect()
});

/// The switch that cuts every part off.
const NETWORK: &str = "network";

#[derive(Clone, Copy, PartialEq)]
enum Network {
    There,
    Gone,
}

impl State for Network {
    const ALL: &'static [(Self, Choice)] = &[
        (Self::There, choice("there", "is there")),
        (Self::Gone, choice("gone", "is gone")),
    ];
}

/// Everything that the checks look at, on loopback addresses. It closes when it is dropped.
pub struct World {
    pub time: Time,
    parts: Vec<Box<dyn Part>>,
    told: Mutex<Told>,
    /// Held by whoever plays or switches: two at once would leave a mixture of both.
    turning: Mutex<()>,
    changed: watch::Sender<u64>,
}

struct Told {
    playing: &'static Scenario,
    began: DateTime<Utc>,
    network: Network,
}

impl World {
    /// As it is on a quiet morning.
    pub async fn open(time: Time) -> anyhow::Result<Self> {
        let mut world = Self::empty(time.clone());
        for part in PARTS {
            world.parts.push((part.open)(time.clone()).await?);
        }
        Ok(world)
    }

    /// There is no company: nothing can be played or switched.
    pub fn empty(time: Time) -> Self {
        let told = Told {
            playing: &Self::scenarios()[0],
            began: time.now(),
            network: Network::There,
        };
        Self {
            time,
            parts: Vec::new(),
            told: Mutex::new(told),
            turning: Mutex::default(),
            changed: watch::channel(0).0,
        }
    }

    /// What teaches most in two minutes.
    pub const FIRST: &str = "broken-cart";

    /// All that can be played; the first is the quiet morning.
    pub fn scenarios() -> &'static [Scenario] {
        &SCENARIOS
    }

    /// The part of that type.
    pub fn part<P: Part>(&self) -> &P {
        let parts = self.parts.iter();
        let mut of_type = parts.filter_map(|part| {
            let part: &dyn std::any::Any = &**part;
            part.downcast_ref()
        });
        of_type.next().expect("each type of part is in the list")
    }

    /// The checks' sections of the configuration.
    pub fn configuration(&self) -> String {
        self.parts
            .iter()
            .map(|part| part.configuration())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// What the environment would hold.
    pub fn secret(&self, name: &str) -> Option<String> {
        self.parts.iter().find_map(|part| part.secret(name))
    }

    /// Puts everything back to a quiet morning, and tells this story.
    pub fn play(&self, name: &str) -> anyhow::Result<()> {
        let all = Self::scenarios();
        let found = all.iter().find(|scenario| scenario.name == name);
        let scenario = found.with_context(|| {
            let names = all.iter().map(|scenario| scenario.name);
            format!(
                "there is no scenario `{}`; {}",
                one_line(name),
                did_you_mean(name, names)
            )
        })?;
        anyhow::ensure!(
            !self.parts.is_empty(),
            "there is no company here in which that could happen"
        );
        let _alone = self.turning.lock();
        self.told().began = self.time.now();
        self.calm()?;
        (scenario.change)(self)?;
        self.told().playing = scenario;
        self.tell();
        Ok(())
    }

    pub fn playing(&self) -> &'static Scenario {
        self.told().playing
    }

    /// When what is playing was told.
    pub fn began(&self) -> DateTime<Utc> {
        self.told().began
    }

    /// What each part was told from outside, to be told to it again.
    pub fn told_from_outside(&self) -> BTreeMap<String, Value> {
        let told = self.parts.iter().filter_map(|part| part.told());
        told.map(|(name, told)| (name.to_owned(), told)).collect()
    }

    /// Tells it again.
    pub fn tell_from_outside(&self, told: &BTreeMap<String, Value>) {
        for part in &self.parts {
            let name = part.told().map(|(name, _)| name);
            if let Some(told) = name.and_then(|name| told.get(name)) {
                part.tell(told);
            }
        }
        self.tell();
    }

    /// All that can be broken.
    pub fn switches(&self) -> Vec<Switch> {
        if self.parts.is_empty() {
            return Vec::new();
        }
        let network = self.told().network;
        let network = network.switch("Network", NETWORK.to_owned(), "our own network".to_owned());
        let of_parts = self.parts.iter().flat_map(|part| part.switches());
        of_parts.chain([network]).collect()
    }

    /// Turns the switch of that name to that value.
    pub fn switch(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let _alone = self.turning.lock();
        self.turn(name, value)
    }

    fn turn(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let switches = self.switches();
        let found = switches.iter().find(|switch| switch.name == name);
        let switch = found.with_context(|| {
            let names = switches.iter().map(|switch| switch.name.as_str());
            format!(
                "there is no switch `{}`; {}",
                one_line(name),
                did_you_mean(name, names)
            )
        })?;
        let values = switch.choices.iter().map(|choice| choice.value);
        if !values.clone().any(|known| known == value) {
            anyhow::bail!(
                "`{name}` can't be switched to `{}`; {}",
                one_line(value),
                did_you_mean(value, values)
            );
        }
        match Network::named(value).filter(|_| name == NETWORK) {
            Some(network) => self.set_network(network)?,
            None => {
                let mut parts = self.parts.iter();
                let part = parts.find(|part| {
                    let own = part.switches();
                    own.iter().any(|switch| switch.name == name)
                });
                let part = part.context("each switch has its part")?;
                part.switch(name, value)?;
            }
        }
        self.tell();
        Ok(())
    }

    /// Counts what was played and switched.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn calm(&self) -> anyhow::Result<()> {
        self.set_network(Network::There)?;
        self.parts.iter().try_for_each(|part| part.calm())
    }

    fn set_network(&self, network: Network) -> anyhow::Result<()> {
        let gone = network == Network::Gone;
        self.parts.iter().try_for_each(|part| part.cut(gone))?;
        self.told().network = network;
        Ok(())
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.send_modify(|changes| *changes += 1);
    }
}
