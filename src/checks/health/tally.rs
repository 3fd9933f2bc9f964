//! Counts what is ok, and gathers what is unknown. Pure.

use std::{collections::HashMap, fmt::Write as _};

use crate::{
    report::{Cause, Unknown},
    text::{Untrusted, count, thousands},
};

/// Environments that the summary names, and endpoints that one reason names.
const NAMED: usize = 6;

/// What could not be seen, by its reason.
#[derive(Default)]
pub(super) struct Reasons {
    pub(super) own_network: usize,
    pub(super) not_asked: usize,
    pub(super) unconfirmed: Vec<String>,
    pub(super) could_not: Vec<Unknown>,
}

impl Reasons {
    /// One for each kind; `all` is the number of endpoints.
    pub(super) fn told(self, all: usize) -> Vec<Unknown> {
        let mut reasons = Vec::new();
        if self.own_network > 0 {
            let reason = format!(
                "{} could not be seen: our own network failed; look at this machine's connection and DNS",
                count(self.own_network, "endpoint")
            );
            reasons.push(Unknown::new(Cause::OwnNetwork, reason));
        }
        if self.not_asked > 0 {
            let reason = format!(
                "{} of {} could not be seen within the time limit; raise `time_limit` in [checks.health]",
                thousands(self.not_asked as u64),
                count(all, "endpoint")
            );
            reasons.push(Unknown::new(Cause::Timeout, reason));
        }
        if !self.unconfirmed.is_empty() {
            let reason = format!(
                "{} looked bad once and could not be asked again within the time limit: {}",
                count(self.unconfirmed.len(), "endpoint"),
                listed(&self.unconfirmed)
            );
            reasons.push(Unknown::new(Cause::Timeout, reason));
        }
        let more = self.could_not.len().saturating_sub(NAMED);
        let more_cause = self.could_not.get(NAMED).map(|unknown| unknown.cause);
        reasons.extend(self.could_not.into_iter().take(NAMED));
        if let Some(cause) = more_cause {
            let reason = format!("{} more could not be asked either", count(more, "endpoint"));
            reasons.push(Unknown::new(cause, reason));
        }
        reasons
    }
}

/// "production/api, production/web and 3 more".
fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {} more", thousands(more as u64)),
    }
}

/// How many endpoints of an environment are ok, in the order of the configuration.
#[derive(Default)]
pub(super) struct Tally<'a> {
    environments: Vec<(&'a str, Count)>,
    places: HashMap<&'a str, usize>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    ok: u64,
    all: u64,
    unknown: u64,
}

impl<'a> Tally<'a> {
    pub(super) fn add(&mut self, environment: &'a str, ok: bool, known: bool) {
        let environments = &mut self.environments;
        let place = *self.places.entry(environment).or_insert_with(|| {
            environments.push((environment, Count::default()));
            environments.len() - 1
        });
        let (_, count) = &mut environments[place];
        count.ok += u64::from(ok);
        count.all += 1;
        count.unknown += u64::from(!known);
    }

    /// "production 3 of 4 ok, staging 2 of 2 ok".
    pub(super) fn summary(&self) -> Untrusted {
        let part = |name: &str, count: Count| {
            let mut part = format!(
                "{name} {} of {} ok",
                thousands(count.ok),
                thousands(count.all)
            );
            if count.unknown > 0 {
                let _ = write!(part, " ({} unknown)", thousands(count.unknown));
            }
            part
        };
        let (named, rest) = self
            .environments
            .split_at(self.environments.len().min(NAMED));
        let mut parts: Vec<String> = named
            .iter()
            .map(|(name, count)| part(name, *count))
            .collect();
        if !rest.is_empty() {
            let sum = rest.iter().fold(Count::default(), |sum, (_, count)| Count {
                ok: sum.ok + count.ok,
                all: sum.all + count.all,
                unknown: sum.unknown + count.unknown,
            });
            parts.push(part(&count(rest.len(), "more environment"), sum));
        }
        parts.join(", ").into()
    }
}
