//! Compares two sets of invoices, in whatever order they come. Pure, and in memory that grows only with their number.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};

use super::{
    differences::{Difference, Differences, Kind, Side, Sides, positive},
    ledger::{Entry, Full, Ledger},
    period::Period,
    record::OwnRecord,
    status::{Status, Statuses},
};
use crate::{
    checks::payments::money::{Currency, Money},
    text::Untrusted,
};

/// Rows that can't be read are counted; so many are described.
const DESCRIBED: usize = 3;

/// Ids of rows that can't be read are remembered; with more of them, nothing is called missing here.
const REMEMBERED: usize = 10_000;

/// An invoice as Stripe has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeInvoice {
    pub id: String,
    /// In minor units.
    pub total: i64,
    pub currency: Currency,
    /// "paid"; Stripe may add words.
    pub status: String,
    pub created: DateTime<Utc>,
}

/// What counts as a difference.
#[derive(Clone, Debug)]
pub struct Rules {
    pub period: Period,
    /// The user's words for Stripe's statuses.
    pub statuses: BTreeMap<String, String>,
    /// Statuses of invoices that only one side needs to have.
    pub ignored: BTreeSet<String>,
    /// How many invoices of each side are held in memory.
    pub most: usize,
    /// How many differences of each kind are kept; the rest are counted.
    pub kept: usize,
}

/// Compares what is all there.
pub fn compare<'a>(
    ours: impl IntoIterator<Item = OwnRecord<'a>>,
    theirs: impl IntoIterator<Item = StripeInvoice>,
    rules: &Rules,
) -> Differences {
    let mut comparison = Comparison::new(rules);
    let ours = ours.into_iter().try_for_each(|one| comparison.own(&one));
    let theirs = theirs
        .into_iter()
        .try_for_each(|one| comparison.stripes(&one));
    comparison.finish(ours.is_ok(), theirs.is_ok())
}

/// A comparison under way: first all of one's own records, then Stripe's invoices.
pub(super) struct Comparison {
    period: Period,
    statuses: Statuses,
    ignored: Vec<Status>,
    ledger: Ledger,
    most: usize,
    /// Different invoices among the own records.
    distinct: usize,
    /// Ids of own records that can't be read.
    unreadable: HashSet<String>,
    /// There are more of those, or some without an id.
    nameless: bool,
    found: Differences,
}

impl Comparison {
    pub(super) fn new(rules: &Rules) -> Self {
        let mut statuses = Statuses::new(&rules.statuses);
        Self {
            period: rules.period,
            ignored: rules
                .ignored
                .iter()
                .map(|word| statuses.stripes(word))
                .collect(),
            statuses,
            ledger: Ledger::new(rules.most.saturating_mul(2)),
            most: rules.most,
            distinct: 0,
            unreadable: HashSet::new(),
            nameless: false,
            found: Differences::new(rules.kept),
        }
    }

    /// Adds one of one's own records, unless it lies beyond what is compared.
    pub(super) fn own(&mut self, record: &OwnRecord<'_>) -> Result<(), Full> {
        let (from, to) = self.period.here();
        if record.created.is_some_and(|at| at < from || at >= to) {
            self.found.elsewhere += 1;
            return Ok(());
        }
        self.found.own += 1;
        let status = self.statuses.own(record.status);
        if let Some(entry) = self.ledger.find(record.id) {
            let same = (entry.amount, entry.currency, entry.status)
                == (record.amount, record.currency, status);
            entry.times = entry.times.saturating_add(1);
            entry.marks.contradictory |= !same;
            return Ok(());
        }
        if self.distinct >= self.most {
            return Err(Full);
        }
        self.distinct += 1;
        let due = record.created.is_none_or(|at| self.period.holds(at));
        let entry = self
            .ledger
            .insert(record.id, record.amount, record.currency, status)?;
        entry.times = 1;
        entry.created = record.created.map(|at| at.timestamp());
        entry.marks.due = due;
        Ok(())
    }

    /// Notes a row that can't be read, so that its invoice isn't called missing.
    pub(super) fn own_unreadable(&mut self, id: Option<&str>, why: String) {
        self.found.unreadable += 1;
        if self.found.why_unreadable.len() < DESCRIBED {
            self.found.why_unreadable.push(Untrusted::from(why));
        }
        match id {
            Some(id) if self.unreadable.len() < REMEMBERED => {
                self.unreadable.insert(id.to_owned());
            }
            _ => self.nameless = true,
        }
    }

    /// Adds one of Stripe's invoices; what comes again counts once.
    pub(super) fn stripes(&mut self, invoice: &StripeInvoice) -> Result<(), Full> {
        let status = self.statuses.stripes(&invoice.status);
        let Some(entry) = self.ledger.find(&invoice.id) else {
            let due = self.period.holds(invoice.created);
            let entry = self
                .ledger
                .insert(&invoice.id, invoice.total, invoice.currency, status)?;
            entry.at_stripe = true;
            entry.created = Some(invoice.created.timestamp());
            entry.marks.due = due;
            self.found.stripes += 1;
            return Ok(());
        };
        if std::mem::replace(&mut entry.at_stripe, true) {
            return Ok(());
        }
        let before = *entry;
        self.found.stripes += 1;
        self.found.both += 1;
        let differs = self.compare_pair(&before, invoice, status);
        if let Some(entry) = self.ledger.find(&invoice.id) {
            entry.marks.differs = differs;
        }
        Ok(())
    }

    fn compare_pair(&mut self, entry: &Entry, invoice: &StripeInvoice, status: Status) -> bool {
        let Some(kind) = self.how_it_differs(entry, invoice, status) else {
            return false;
        };
        let created = Some(invoice.created);
        let difference = Difference {
            id: invoice.id.clone(),
            kind,
            sides: Sides::Both {
                ours: side(&self.statuses, entry),
                stripes: Side {
                    money: Money::new(invoice.total, invoice.currency),
                    status: invoice.status.as_str().into(),
                },
            },
            times: entry.times,
            created,
        };
        let stake = difference.stake();
        self.found
            .add(kind, stake, &invoice.id, created, || difference);
        true
    }

    fn how_it_differs(
        &mut self,
        entry: &Entry,
        invoice: &StripeInvoice,
        status: Status,
    ) -> Option<Kind> {
        let both_ignored = self.ignored.contains(&entry.status) && self.ignored.contains(&status);
        if entry.marks.contradictory || both_ignored {
            return None;
        }
        let meaningless = entry.status != status && !entry.status.is_stripes();
        if meaningless {
            let word = Untrusted::from(self.statuses.word(entry.status));
            *self.found.unmapped.entry(word).or_default() += 1;
        }
        if entry.currency != invoice.currency {
            Some(Kind::Currency)
        } else if entry.amount != invoice.total {
            Some(Kind::Amount)
        } else {
            (entry.status != status && !meaningless).then_some(Kind::Status)
        }
    }

    /// What differs. Of a side that wasn't read to its end, nothing is called missing.
    pub(super) fn finish(mut self, own_complete: bool, stripes_complete: bool) -> Differences {
        self.found.own_complete = own_complete && !self.nameless;
        self.found.stripes_complete = stripes_complete;
        let mut found = std::mem::take(&mut self.found);
        for (id, entry) in self.ledger.iter() {
            let Some(kind) = self.kind(id, entry, &found) else {
                continue;
            };
            let stake = positive(Money::new(entry.amount, entry.currency));
            let created = entry.created;
            let created = created.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            found.add(kind, stake, id, created, || Difference {
                id: id.to_owned(),
                kind,
                sides: match kind {
                    Kind::MissingHere => Sides::Stripes(side(&self.statuses, entry)),
                    _ => Sides::Ours(side(&self.statuses, entry)),
                },
                times: entry.times,
                created,
            });
        }
        found
    }

    /// What only the whole ledger tells of one entry.
    fn kind(&self, id: &str, entry: &Entry, found: &Differences) -> Option<Kind> {
        let due = entry.marks.due && !self.ignored.contains(&entry.status);
        if entry.times == 0 {
            let missing = due && found.own_complete && !self.unreadable.contains(id);
            return missing.then_some(Kind::MissingHere);
        }
        if !entry.at_stripe && due && found.stripes_complete {
            return Some(Kind::MissingAtStripe);
        }
        if entry.marks.contradictory {
            return Some(Kind::Contradictory);
        }
        (entry.times > 1 && !entry.marks.differs).then_some(Kind::Repeated)
    }
}

fn side(statuses: &Statuses, entry: &Entry) -> Side {
    Side {
        money: Money::new(entry.amount, entry.currency),
        status: statuses.word(entry.status).into(),
    }
}
