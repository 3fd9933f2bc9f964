//! A payment with its charges, of an invoice or alone.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Attempt, Invoice, Outcome,
    books::{ADDED, Books, Described, make_known, shift},
};

#[derive(Clone, Debug)]
pub struct Payment {
    pub id: String,
    pub customer: Option<String>,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub created: DateTime<Utc>,
    pub description: Option<String>,
    pub attempts: Vec<Attempt>,
    pub invoice: Option<String>,
}

/// What an attempt left behind, if the bank was asked.
#[derive(Clone, Debug)]
pub(super) struct Charge {
    pub id: String,
    pub payment: Payment,
    pub at: DateTime<Utc>,
    pub outcome: Outcome,
}

/// Of a checkout two hours ago, over 10 euros; it succeeded.
pub fn payment(id: &str) -> Payment {
    let created = ADDED - TimeDelta::hours(2);
    Payment {
        id: id.to_owned(),
        customer: Some("cus_1".to_owned()),
        amount: 1_000,
        currency: "eur".to_owned(),
        created,
        description: None,
        attempts: vec![Attempt {
            at: created,
            outcome: Outcome::Succeeds,
            is_manual: true,
        }],
        invoice: None,
    }
}

impl Payment {
    #[must_use]
    pub fn of(self, customer: &str) -> Self {
        let customer = Some(customer.to_owned());
        Self { customer, ..self }
    }

    /// In minor units.
    #[must_use]
    pub fn amount(self, amount: i64, currency: &str) -> Self {
        Self {
            amount,
            currency: currency.to_owned(),
            ..self
        }
    }

    /// So long before it is added.
    #[must_use]
    pub fn ago(mut self, age: TimeDelta) -> Self {
        let by = ADDED - age - self.created;
        self.created += by;
        self.attempts.iter_mut().for_each(|it| it.at += by);
        self
    }

    #[must_use]
    pub fn declined(mut self, code: &str) -> Self {
        let outcome = Outcome::Declined(code.to_owned());
        self.attempts
            .iter_mut()
            .for_each(|it| it.outcome = outcome.clone());
        self
    }

    /// What is behind an invoice; there is none before it is finalised.
    pub(super) fn of_invoice(invoice: &Invoice) -> Option<Self> {
        let created = invoice.finalized?;
        if invoice.amount == 0 {
            return None;
        }
        let own = own_part(&invoice.id);
        Some(Self {
            id: format!("pi_{own}"),
            customer: Some(invoice.customer.clone()),
            amount: invoice.amount - invoice.paid_before,
            currency: invoice.currency.clone(),
            created,
            description: invoice
                .subscription
                .as_ref()
                .map(|_| "Subscription update".to_owned()),
            attempts: invoice.attempts.clone(),
            invoice: Some(invoice.id.clone()),
        })
    }

    pub(super) fn charges(&self, books: &Books, now: DateTime<Utc>) -> Vec<Charge> {
        let made = books.course(&self.attempts, now).made.into_iter();
        let asked = made
            .enumerate()
            .filter(|(_, attempt)| attempt.outcome != Outcome::NeedsAction);
        let charges = asked.map(|(place, attempt)| Charge {
            id: self.charge_id(place),
            payment: self.clone(),
            at: attempt.at,
            outcome: attempt.outcome,
        });
        charges.collect()
    }

    /// Of the attempt at that place.
    pub(super) fn charge_id(&self, place: usize) -> String {
        format!("ch_{}a{}", own_part(&self.id), place + 1)
    }
}

/// Without its prefix.
pub(super) fn own_part(id: &str) -> &str {
    id.split_once('_').map_or(id, |(_, own)| own)
}

impl Described for Payment {
    fn enter(mut self, books: &mut Books, now: DateTime<Utc>) {
        let by = now - ADDED;
        shift(&mut self.created, by);
        self.attempts
            .iter_mut()
            .for_each(|it| shift(&mut it.at, by));
        if let Some(customer) = &self.customer {
            make_known(books, customer, now);
        }
        books.payments.push(self);
    }
}
