//! A payment that the customer takes back, and money on its way to the bank.

use chrono::{DateTime, TimeDelta, Utc};

use super::books::{ADDED, Books, Described, shift};

#[derive(Clone, Debug)]
pub struct Dispute {
    pub id: String,
    pub charge: String,
    pub payment: Option<String>,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub created: DateTime<Utc>,
    pub reason: &'static str,
    pub due: Option<DateTime<Utc>>,
    /// When evidence was sent.
    pub answered: Option<DateTime<Utc>>,
    /// When, and whether it was won.
    pub closed: Option<(DateTime<Utc>, bool)>,
    /// It is not a chargeback yet.
    pub is_inquiry: bool,
}

/// Of two days ago over 10 euros; it waits for evidence for a week.
pub fn dispute(id: &str) -> Dispute {
    Dispute {
        id: id.to_owned(),
        charge: "ch_1a1".to_owned(),
        payment: Some("pi_1".to_owned()),
        amount: 1_000,
        currency: "eur".to_owned(),
        created: ADDED - TimeDelta::days(2),
        reason: "fraudulent",
        due: Some(ADDED + TimeDelta::days(7)),
        answered: None,
        closed: None,
        is_inquiry: false,
    }
}

impl Dispute {
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
    pub fn ago(self, age: TimeDelta) -> Self {
        let created = ADDED - age;
        Self { created, ..self }
    }

    /// So long after it is added; negative: it is over.
    #[must_use]
    pub fn due_in(self, time: TimeDelta) -> Self {
        let due = Some(ADDED + time);
        Self { due, ..self }
    }

    #[must_use]
    pub fn answered(self, ago: TimeDelta) -> Self {
        let answered = Some(ADDED - ago);
        Self { answered, ..self }
    }

    #[must_use]
    pub fn closed(self, ago: TimeDelta, is_won: bool) -> Self {
        let closed = Some((ADDED - ago, is_won));
        Self { closed, ..self }
    }

    #[must_use]
    pub fn inquiry(self) -> Self {
        Self {
            is_inquiry: true,
            ..self
        }
    }

    /// In Stripe's words.
    pub(super) fn status(&self, now: DateTime<Utc>) -> &'static str {
        let is_over = self.due.is_some_and(|due| due <= now);
        match self.closed.filter(|(at, _)| *at <= now) {
            Some(_) if self.is_inquiry => "warning_closed",
            Some((_, true)) => "won",
            Some((_, false)) => "lost",
            None if self.is_answered(now) && self.is_inquiry => "warning_under_review",
            None if self.is_answered(now) => "under_review",
            None if is_over && self.is_inquiry => "warning_closed",
            None if is_over => "lost",
            None if self.is_inquiry => "warning_needs_response",
            None => "needs_response",
        }
    }

    pub(super) fn is_answered(&self, now: DateTime<Utc>) -> bool {
        self.answered.is_some_and(|at| at <= now)
    }
}

impl Described for Dispute {
    fn enter(mut self, books: &mut Books, now: DateTime<Utc>) {
        let by = now - ADDED;
        shift(&mut self.created, by);
        let others = self.due.iter_mut().chain(&mut self.answered);
        others.for_each(|at| shift(at, by));
        self.closed.iter_mut().for_each(|(at, _)| shift(at, by));
        books.disputes.push(self);
    }
}

#[derive(Clone, Debug)]
pub struct Payout {
    pub id: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub created: DateTime<Utc>,
    pub arrival: DateTime<Utc>,
    /// Why it came back: `account_closed`.
    pub failure: Option<String>,
}

/// Of yesterday, 100 euros; it arrives the day after.
pub fn payout(id: &str) -> Payout {
    let created = ADDED - TimeDelta::days(1);
    Payout {
        id: id.to_owned(),
        amount: 10_000,
        currency: "eur".to_owned(),
        created,
        arrival: created + TimeDelta::days(2),
        failure: None,
    }
}

impl Payout {
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
    pub fn ago(self, age: TimeDelta) -> Self {
        let created = ADDED - age;
        Self {
            created,
            arrival: created + TimeDelta::days(2),
            ..self
        }
    }

    /// The bank sent it back a few hours after it was made.
    #[must_use]
    pub fn failed(self, code: &str) -> Self {
        Self {
            failure: Some(code.to_owned()),
            arrival: self.created + TimeDelta::hours(6),
            ..self
        }
    }

    /// In Stripe's words.
    pub(super) fn status(&self, now: DateTime<Utc>) -> &'static str {
        match &self.failure {
            _ if now < self.created + TimeDelta::hours(1) => "pending",
            _ if now < self.arrival => "in_transit",
            Some(_) => "failed",
            None => "paid",
        }
    }
}

impl Described for Payout {
    fn enter(mut self, books: &mut Books, now: DateTime<Utc>) {
        let by = now - ADDED;
        shift(&mut self.created, by);
        shift(&mut self.arrival, by);
        books.payouts.push(self);
    }
}
