//! What earlier looks at an account left open, and how far back one has to look so as not to lose it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::subject::Subject;
use crate::{checks::Earlier, report::Finding};

/// What somebody still has to deal with in one account.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsettled<'a>(Vec<(Subject, &'a Finding)>);

impl<'a> Unsettled<'a> {
    pub(super) fn of(earlier: &'a [Earlier], account: Option<&str>) -> Self {
        let unsettled = earlier.iter().filter(|it| !it.is_settled);
        let known = unsettled.filter_map(|it| Some((Subject::of(&it.finding.key)?, &it.finding)));
        Self(
            known
                .filter(|(subject, _)| subject.account.as_deref() == account)
                .collect(),
        )
    }

    fn of_kinds(&self, kinds: &[&str]) -> impl Iterator<Item = &(Subject, &'a Finding)> {
        let kinds: BTreeSet<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        self.0
            .iter()
            .filter(move |(subject, _)| kinds.contains(&subject.kind))
    }

    /// That time, or when the oldest of these kinds began if that was before.
    pub(super) fn since(&self, kinds: &[&str], time: DateTime<Utc>) -> DateTime<Utc> {
        let began = self.of_kinds(kinds).filter_map(|(_, it)| it.began_at);
        began.chain([time]).min().unwrap_or(time)
    }

    /// Ids of invoices, those that were created first before the others.
    pub(super) fn invoices(&self) -> Vec<&str> {
        let mut invoices: Vec<_> = self
            .of_kinds(&["invoice"])
            .map(|(subject, finding)| (finding.began_at, subject.rest.as_str()))
            .collect();
        invoices.sort_unstable();
        invoices.into_iter().map(|(_, id)| id).collect()
    }

    /// Findings about failed payments, by the code of their decline.
    pub(super) fn declines(&self) -> BTreeMap<&str, &'a Finding> {
        self.of_kinds(&["declines"])
            .map(|(subject, finding)| (subject.rest.as_str(), *finding))
            .collect()
    }
}
