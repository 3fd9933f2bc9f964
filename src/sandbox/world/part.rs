//! What every part of the company can do, and the switches by which people break it.

use std::any::Any;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::Scenario;
use crate::sandbox::time::Time;

/// What one check looks at, on addresses of its own.
pub trait Part: Any + Send + Sync {
    /// Its sections of the configuration file, as TOML.
    fn configuration(&self) -> String;

    /// What the environment would hold under that name, if it is this part's.
    fn secret(&self, name: &str) -> Option<String>;

    /// Puts it back to a quiet morning.
    fn calm(&self) -> anyhow::Result<()>;

    fn switches(&self) -> Vec<Switch>;

    /// Turns one of its own switches to one of that switch's own values.
    fn switch(&self, name: &str, value: &str) -> anyhow::Result<()>;

    /// While the network is gone, all its addresses refuse connections.
    fn cut(&self, gone: bool) -> anyhow::Result<()>;

    /// Its name, and what it was told from outside since the story began; None: nobody can tell it anything.
    fn told(&self) -> Option<(&'static str, Value)> {
        None
    }

    /// Takes up again what [`Part::told`] gave.
    fn tell(&self, _told: &Value) {}
}

/// A part on its way to its addresses.
pub type Opening = BoxFuture<'static, anyhow::Result<Box<dyn Part>>>;

/// How a part is opened, and what can happen in it.
pub struct Kind {
    pub open: fn(Time) -> Opening,
    pub scenarios: &'static [Scenario],
}

/// One thing that can be broken, and in which ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// "Services".
    pub part: &'static str,
    /// Of all switches, only this one has it: "production/checkout".
    pub name: String,
    /// For people: "production checkout".
    pub label: String,
    /// The first is how it is on a quiet morning.
    pub choices: Vec<Choice>,
    pub chosen: &'static str,
}

/// One position of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: &'static str,
    /// Said of the switched thing: "answers 503".
    pub label: &'static str,
}

/// A closed list of states, each a position of a switch.
pub(super) trait State: Copy + PartialEq + 'static {
    /// The first is the one of a quiet morning.
    const ALL: &'static [(Self, Choice)];

    fn named(value: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        let found = all.find(|(_, choice)| choice.value == value)?;
        Some(found.0)
    }

    fn switch(self, part: &'static str, name: String, label: String) -> Switch {
        let of_this = |(state, _): &&(Self, Choice)| *state == self;
        let chosen = Self::ALL.iter().find(of_this).unwrap_or(&Self::ALL[0]);
        Switch {
            part,
            name,
            label,
            choices: Self::ALL.iter().map(|(_, choice)| *choice).collect(),
            chosen: chosen.1.value,
        }
    }
}

pub(super) const fn choice(value: &'static str, label: &'static str) -> Choice {
    Choice { value, label }
}
