//! What differs between one's own records and Stripe: all of it counted, the worst of it kept. Pure.

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::{DateTime, Utc};

use crate::{
    checks::payments::money::{Money, Sums},
    text::Untrusted,
};

/// In what way an invoice differs; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Stripe has it, the records don't.
    MissingHere,
    /// The records have it, Stripe doesn't.
    MissingAtStripe,
    Currency,
    Amount,
    Status,
    /// Several records of it differ from each other, so none of them was compared.
    Contradictory,
    /// Several equal records of it.
    Repeated,
}

/// What one side says of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    pub money: Money,
    /// In Stripe's words, where the user's are configured.
    pub status: Untrusted,
}

/// Who has the invoice, and what they say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sides {
    Ours(Side),
    Stripes(Side),
    Both { ours: Side, stripes: Side },
}

/// One invoice that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// As it came.
    pub id: String,
    pub kind: Kind,
    pub sides: Sides,
    /// How often it stands in the user's own records.
    pub times: u16,
    pub created: Option<DateTime<Utc>>,
}

impl Difference {
    /// The money in question, never negative: what is missing, or how far two amounts lie apart.
    pub fn stake(&self) -> Money {
        match &self.sides {
            Sides::Ours(side) | Sides::Stripes(side) => positive(side.money),
            Sides::Both { ours, stripes } if self.kind == Kind::Amount => {
                let apart = ours.money.minor - stripes.money.minor;
                positive(Money::new(apart, stripes.money.currency))
            }
            Sides::Both { stripes, .. } => positive(stripes.money),
        }
    }
}

/// Without its sign.
pub(super) fn positive(money: Money) -> Money {
    Money::new(money.minor.abs(), money.currency)
}

/// All differences of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub number: u64,
    /// The money in question, of all of them.
    pub stakes: Sums,
    /// When the oldest of them was created; none if one of them doesn't say.
    pub began: Option<DateTime<Utc>>,
    /// Ordered by stake and, from the last to the first, by id.
    kept: BTreeMap<(i128, Reverse<String>), Difference>,
}

impl Group {
    /// Those that were kept, the worst first.
    pub fn kept(&self) -> impl Iterator<Item = &Difference> {
        self.kept.values().rev()
    }

    /// Counts one; whether it is among the worst so far.
    fn count(
        &mut self,
        stake: Money,
        id: &str,
        created: Option<DateTime<Utc>>,
        most: usize,
    ) -> bool {
        self.began = match self.number {
            0 => created,
            _ => self.began.min(created),
        };
        self.number += 1;
        self.stakes.add(stake);
        let least = self.kept.first_key_value().map(|(key, _)| key);
        most > 0
            && (self.kept.len() < most
                || least.is_some_and(|(least, Reverse(last))| {
                    (*least, Reverse(last.as_str())) < (stake.minor, Reverse(id))
                }))
    }

    fn keep(&mut self, difference: Difference, most: usize) {
        let key = (difference.stake().minor, Reverse(difference.id.clone()));
        self.kept.insert(key, difference);
        if self.kept.len() > most {
            self.kept.pop_first();
        }
    }
}

/// The outcome of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Own records within reach of the period.
    pub own: u64,
    /// Own records that lie beyond it, and were left out.
    pub elsewhere: u64,
    /// Stripe's invoices within reach of the period.
    pub stripes: u64,
    /// Invoices that both sides have.
    pub both: u64,
    /// Own records that could not be read, and why the first of them could not.
    pub unreadable: u64,
    pub why_unreadable: Vec<Untrusted>,
    /// Statuses of own records that are none of Stripe's, and of how many invoices they could not be compared.
    pub unmapped: BTreeMap<Untrusted, u64>,
    /// Whether each side was read to its end.
    pub own_complete: bool,
    pub stripes_complete: bool,
    pub groups: BTreeMap<Kind, Group>,
    most: usize,
}

impl Differences {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// How many invoices differ.
    pub fn number(&self) -> u64 {
        self.groups.values().map(|group| group.number).sum()
    }

    /// Counts a difference, which is built only if it is kept.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        stake: Money,
        id: &str,
        created: Option<DateTime<Utc>>,
        build: impl FnOnce() -> Difference,
    ) {
        let most = self.most;
        let group = self.groups.entry(kind).or_default();
        if group.count(stake, id, created, most) {
            group.keep(build(), most);
        }
    }
}
