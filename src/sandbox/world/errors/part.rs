//! Sentry as a part of the company: its section of the configuration, and what can be wrong with it as a whole.

use anyhow::Context;
use serde_json::Value;

use super::{
    super::{Choice, Kind, Part, State, Switch, World, choice},
    Issue, Organization, Sentry, background, scenarios,
};

pub(in crate::sandbox::world) const PART: Kind = Kind {
    open: |time| {
        Box::pin(async {
            let sentry = background::organization(time).open().await?;
            Ok(Box::new(sentry) as Box<dyn Part>)
        })
    },
    scenarios: &scenarios::ALL,
};

const SWITCH: &str = "sentry";

/// What Sentry as a whole suffers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// The token lost the scope by which issues are read.
    Forbidden,
    Unauthorized,
    Limited,
    Unavailable,
    Slow,
    Hangs,
    /// Something in between answers in its place.
    Garbage,
    Refuses,
}

impl State for Trouble {
    const ALL: &'static [(Self, Choice)] = &[
        (Self::None, choice("well", "answers well")),
        (
            Self::Forbidden,
            choice("403", "answers 403: the token lost a scope"),
        ),
        (
            Self::Unauthorized,
            choice("401", "answers 401: the token is not known"),
        ),
        (
            Self::Limited,
            choice("429", "answers 429: too many requests"),
        ),
        (
            Self::Unavailable,
            choice("503", "answers 503: it is being maintained"),
        ),
        (Self::Slow, choice("slow", "answers slowly")),
        (
            Self::Hangs,
            choice("hangs", "takes requests and never answers"),
        ),
        (
            Self::Garbage,
            choice("garbage", "answers what is not from Sentry"),
        ),
        (Self::Refuses, choice("refuses", "refuses connections")),
    ];
}

impl World {
    pub fn sentry(&self) -> &Sentry {
        self.part()
    }
}

impl Sentry {
    /// From now on.
    pub fn suffer(&self, trouble: Trouble) -> anyhow::Result<()> {
        self.world().trouble = trouble;
        self.door.shut(trouble == Trouble::Refuses)
    }

    /// These happen as well.
    pub(in crate::sandbox::world) fn happen(&self, issues: impl IntoIterator<Item = Issue>) {
        self.world().issues.extend(issues);
    }
}

impl Part for Sentry {
    fn configuration(&self) -> String {
        let world = self.world();
        let projects: Vec<&str> = world.projects.iter().map(|it| it.slug.as_str()).collect();
        format!(
            "[checks.errors]\ntime_limit = \"1800ms\"\nurl = \"{}\"\norganization = \"acme\"\nprojects = {projects:?}\n",
            self.url()
        )
    }

    fn secret(&self, name: &str) -> Option<String> {
        (name == "SENTRY_AUTH_TOKEN").then(|| self.world().token.clone())
    }

    fn calm(&self) -> anyhow::Result<()> {
        self.suffer(Trouble::None)?;
        let mut world = self.world();
        let calm: Organization = background::organization(world.time.clone());
        *world = Organization {
            // What was asked stays asked.
            asked: std::mem::take(&mut world.asked),
            ..calm
        };
        Ok(())
    }

    fn switches(&self) -> Vec<Switch> {
        let trouble = self.world().trouble;
        vec![trouble.switch("Sentry", SWITCH.to_owned(), "Sentry".to_owned())]
    }

    fn switch(&self, _: &str, value: &str) -> anyhow::Result<()> {
        self.suffer(Trouble::named(value).context("Sentry has no such state")?)
    }

    fn cut(&self, gone: bool) -> anyhow::Result<()> {
        self.door.cut(gone)
    }

    fn told(&self) -> Option<(&'static str, Value)> {
        Some((SWITCH, self.world().decisions()))
    }

    fn tell(&self, told: &Value) {
        self.world().decide_again(told);
    }
}
