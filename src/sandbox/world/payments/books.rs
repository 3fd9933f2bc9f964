//! All objects of one account in one mode.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Charge, Customer, Declining, Dispute, Endpoint, Event, Invoice, Payment, Payout,
    attempt::Course, customer,
};

/// The moment at which a description is added: until then, its times count from here.
pub(super) const ADDED: DateTime<Utc> = DateTime::UNIX_EPOCH;

#[derive(Clone, Debug, Default)]
pub struct Books {
    pub livemode: bool,
    pub customers: Vec<Customer>,
    pub invoices: Vec<Invoice>,
    /// Payments without an invoice.
    pub payments: Vec<Payment>,
    pub disputes: Vec<Dispute>,
    pub payouts: Vec<Payout>,
    pub endpoints: Vec<Endpoint>,
    /// Beside those that follow from the other objects.
    pub events: Vec<Event>,
    pub balance: Vec<Balance>,
    pub declining: Option<Declining>,
    /// The events that follow from the other objects are left out.
    pub tells_only_its_own_events: bool,
}

/// In minor units.
#[derive(Clone, Debug)]
pub struct Balance {
    pub currency: String,
    pub available: i64,
    pub pending: i64,
}

/// What can be added to the books.
pub trait Described {
    /// At that time.
    fn enter(self, books: &mut Books, now: DateTime<Utc>);
}

pub(super) fn shift(at: &mut DateTime<Utc>, by: TimeDelta) {
    *at += by;
}

impl Books {
    pub fn new(livemode: bool) -> Self {
        Self {
            livemode,
            ..Self::default()
        }
    }

    pub fn customer(&mut self, id: &str) -> &mut Customer {
        let mut all = self.customers.iter_mut();
        all.find(|customer| customer.id == id)
            .expect("the customer is described")
    }

    pub fn invoice(&mut self, id: &str) -> &mut Invoice {
        let mut all = self.invoices.iter_mut();
        all.find(|invoice| invoice.id == id)
            .expect("the invoice is described")
    }

    pub fn endpoint(&mut self, id: &str) -> &mut Endpoint {
        let mut all = self.endpoints.iter_mut();
        all.find(|endpoint| endpoint.id == id)
            .expect("the endpoint is described")
    }

    pub(super) fn customer_of(&self, id: &str) -> Option<&Customer> {
        self.customers.iter().find(|customer| customer.id == id)
    }

    /// As far as it has gone.
    pub(super) fn course(&self, plan: &[super::Attempt], now: DateTime<Utc>) -> Course {
        Course::of(plan, self.declining.as_ref(), now)
    }

    /// Those of invoices, and those without, which there are at that time.
    pub(super) fn payments_at(&self, now: DateTime<Utc>) -> Vec<Payment> {
        let of_invoices = self.invoices.iter().filter_map(Payment::of_invoice);
        let alone = self.payments.iter().cloned();
        let all = of_invoices.chain(alone);
        all.filter(|payment| payment.created <= now).collect()
    }

    pub(super) fn charges_at(&self, now: DateTime<Utc>) -> Vec<Charge> {
        let payments = self.payments_at(now);
        let charges = payments
            .iter()
            .flat_map(|payment| payment.charges(self, now));
        charges.collect()
    }
}

impl Described for Customer {
    fn enter(mut self, books: &mut Books, now: DateTime<Utc>) {
        shift(&mut self.created, now - ADDED);
        books.customers.retain(|other| other.id != self.id);
        books.customers.push(self);
    }
}

impl Described for Balance {
    fn enter(self, books: &mut Books, _: DateTime<Utc>) {
        books
            .balance
            .retain(|other| other.currency != self.currency);
        books.balance.push(self);
    }
}

/// Somebody of whom only the id was told has a card that works.
pub(super) fn make_known(books: &mut Books, id: &str, now: DateTime<Utc>) {
    if books.customer_of(id).is_none() {
        customer(id).enter(books, now);
    }
}

/// Available and pending, in minor units.
pub fn balance(currency: &str, available: i64, pending: i64) -> Balance {
    Balance {
        currency: currency.to_owned(),
        available,
        pending,
    }
}
