//! What earlier looks at an account left open, and how far back one has to look so as not to lose it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::subject::Subject;
use crate::{
    checks::Earlier,
    report::{Finding, Severity},
};

/// What somebody still has to deal with in one account.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsettled<'a> {
    findings: Vec<(Subject, &'a Finding)>,
    /// Ids of invoices that need nobody as they stand, and may get worse.
    slight: Vec<(Option<DateTime<Utc>>, String)>,
}

impl<'a> Unsettled<'a> {
    pub(super) fn of(earlier: &'a [Earlier], account: Option<&str>) -> Self {
        let mut all = Self::default();
        for Earlier {
            finding,
            is_settled,
        } in earlier
        {
            match Subject::of(&finding.key) {
                Some(subject) if subject.account.as_deref() != account => {}
                Some(subject) if !is_settled => all.findings.push((subject, finding)),
                Some(subject) if subject.kind == "invoice" && finding.severity == Severity::Low => {
                    all.slight.push((finding.began_at, subject.rest));
                }
                _ => {}
            }
        }
        all.slight.sort_unstable();
        all
    }

    fn of_kinds(&self, kinds: &[&str]) -> impl Iterator<Item = &(Subject, &'a Finding)> {
        let kinds: BTreeSet<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        self.findings
            .iter()
            .filter(move |(subject, _)| kinds.contains(&subject.kind))
    }

    /// That time, or when the oldest of these kinds began if that was before.
    pub(super) fn since(&self, kinds: &[&str], time: DateTime<Utc>) -> DateTime<Utc> {
        let began = self.of_kinds(kinds).filter_map(|(_, it)| it.began_at);
        began.chain([time]).min().unwrap_or(time)
    }

    /// Ids of invoices, the worse before those that need nobody yet, and of each the oldest first.
    pub(super) fn invoices(&self) -> Vec<&str> {
        let mut invoices: Vec<_> = self
            .of_kinds(&["invoice"])
            .map(|(subject, finding)| (finding.began_at, subject.rest.as_str()))
            .collect();
        invoices.sort_unstable();
        let slight = self.slight.iter().map(|(_, id)| id.as_str());
        invoices
            .into_iter()
            .map(|(_, id)| id)
            .chain(slight)
            .collect()
    }

    /// Findings about failed payments, by the code of their decline.
    pub(super) fn declines(&self) -> BTreeMap<&str, &'a Finding> {
        self.of_kinds(&["declines"])
            .map(|(subject, finding)| (subject.rest.as_str(), *finding))
            .collect()
    }
}
