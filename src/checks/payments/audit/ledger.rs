//! Invoices by id, packed: 1 million of them take about 70 MB. The ids themselves are compared, so none collide.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::status::Status;
use crate::checks::payments::money::Currency;

/// What is kept of one invoice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) amount: i64,
    /// In seconds since 1970; None of one's own records that don't say it.
    pub(super) created: Option<i64>,
    start: u32,
    length: u8,
    pub(super) currency: Currency,
    pub(super) status: Status,
    /// How often it stands in one's own records; 0 of what only Stripe has.
    pub(super) times: u16,
    pub(super) at_stripe: bool,
    pub(super) marks: Marks,
}

/// What else is known of an invoice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// Created in the period, so that the other side must have it.
    pub(super) due: bool,
    /// Several own records of it differ from each other.
    pub(super) contradictory: bool,
    /// It was compared, and is a difference already.
    pub(super) differs: bool,
}

/// No more fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

pub(super) struct Ledger {
    /// All ids, one after another.
    ids: Vec<u8>,
    entries: Vec<Entry>,
    places: HashTable<u32>,
    hasher: RandomState,
    most: usize,
}

impl Ledger {
    pub(super) fn new(most: usize) -> Self {
        Self {
            ids: Vec::new(),
            entries: Vec::new(),
            places: HashTable::new(),
            hasher: RandomState::new(),
            most,
        }
    }

    pub(super) fn find(&mut self, id: &str) -> Option<&mut Entry> {
        let hash = self.hasher.hash_one(id.as_bytes());
        let place = *self.places.find(hash, |place| {
            text(&self.ids, &self.entries, *place) == id.as_bytes()
        })?;
        self.entries.get_mut(place as usize)
    }

    /// Adds what [`Ledger::find`] doesn't find.
    pub(super) fn insert(
        &mut self,
        id: &str,
        amount: i64,
        currency: Currency,
        status: Status,
    ) -> Result<&mut Entry, Full> {
        let place = u32::try_from(self.entries.len()).map_err(|_| Full)?;
        let start = u32::try_from(self.ids.len()).map_err(|_| Full)?;
        let length = u8::try_from(id.len()).map_err(|_| Full)?;
        if self.entries.len() >= self.most {
            return Err(Full);
        }
        self.ids.extend_from_slice(id.as_bytes());
        self.entries.push(Entry {
            amount,
            created: None,
            start,
            length,
            currency,
            status,
            times: 0,
            at_stripe: false,
            marks: Marks::default(),
        });
        let Self {
            ids,
            entries,
            places,
            hasher,
            ..
        } = self;
        let rehash = |place: &u32| hasher.hash_one(text(ids, entries, *place));
        places.insert_unique(hasher.hash_one(id.as_bytes()), place, rehash);
        entries.last_mut().ok_or(Full)
    }

    /// All, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|entry| {
            let id = span(&self.ids, entry);
            (str::from_utf8(id).unwrap_or_default(), entry)
        })
    }
}

fn text<'a>(ids: &'a [u8], entries: &[Entry], place: u32) -> &'a [u8] {
    entries
        .get(place as usize)
        .map_or(&[], |entry| span(ids, entry))
}

fn span<'a>(ids: &'a [u8], entry: &Entry) -> &'a [u8] {
    let start = entry.start as usize;
    ids.get(start..start + usize::from(entry.length))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::checks::payments::audit::status::Statuses;

    #[test]
    fn what_was_put_in_is_found_and_no_more_than_the_most_fits() {
        let mut ledger = Ledger::new(1_000);
        let eur: Currency = "eur".parse().unwrap();
        let paid = Statuses::new(&BTreeMap::new()).stripes("paid");
        for number in 0..1_000_i64 {
            let id = format!("in_{number}");
            assert!(ledger.find(&id).is_none());
            ledger.insert(&id, number, eur, paid).unwrap();
        }
        assert_eq!(ledger.find("in_777").map(|entry| entry.amount), Some(777));
        assert_eq!(ledger.iter().nth(999).map(|(id, _)| id), Some("in_999"));
        let more = ledger.insert("in_1000", 0, eur, paid);
        assert_eq!(more.err(), Some(Full));
    }

    #[test]
    fn an_entry_stays_small() {
        assert!(size_of::<Entry>() <= 40, "{}", size_of::<Entry>());
    }
}
