//! An invoice: what was told of it, and how it therefore stands at a time.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Attempt, Outcome,
    attempt::Course,
    books::{ADDED, Books, Described, make_known, shift},
};

#[derive(Clone, Debug)]
pub struct Invoice {
    pub id: String,
    pub number: Option<String>,
    pub customer: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    /// In minor units, in part and before any attempt.
    pub paid_before: i64,
    pub created: DateTime<Utc>,
    /// None: it stays a draft.
    pub finalized: Option<DateTime<Utc>>,
    /// Why it could not be finalised: `customer_tax_location_invalid`.
    pub finalization_error: Option<String>,
    pub auto_advance: bool,
    pub collection: Collection,
    /// Those that were made, and those that are planned.
    pub attempts: Vec<Attempt>,
    pub end: Option<(DateTime<Utc>, End)>,
    pub subscription: Option<String>,
    /// To be charged in place of the customer's own: `pm_..`.
    pub means: Option<String>,
    pub billing_reason: &'static str,
}

#[derive(Clone, Debug)]
pub enum Collection {
    Automatic,
    /// By an e-mail with a link, sent at these times.
    Mail {
        due: DateTime<Utc>,
        sent: Vec<DateTime<Utc>>,
    },
}

/// How it ended without a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Void,
    Uncollectible,
    PaidElsewhere,
}

/// How an invoice stands at a time.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub status: &'static str,
    pub course: Course,
    pub finalized: Option<DateTime<Utc>>,
    pub ended: Option<(DateTime<Utc>, End)>,
}

/// Over 10 euros, of yesterday, and to be paid by card; nothing was tried yet.
pub fn invoice(id: &str) -> Invoice {
    let created = ADDED - TimeDelta::days(1);
    Invoice {
        id: id.to_owned(),
        number: None,
        customer: "cus_1".to_owned(),
        amount: 1_000,
        currency: "eur".to_owned(),
        paid_before: 0,
        created,
        finalized: Some(created + TimeDelta::hours(1)),
        finalization_error: None,
        auto_advance: true,
        collection: Collection::Automatic,
        attempts: Vec::new(),
        end: None,
        subscription: Some("sub_1".to_owned()),
        means: None,
        billing_reason: "subscription_cycle",
    }
}

impl Invoice {
    #[must_use]
    pub fn of(self, customer: &str) -> Self {
        let customer = customer.to_owned();
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

    /// In cents.
    #[must_use]
    pub fn eur(self, cents: i64) -> Self {
        self.amount(cents, "eur")
    }

    /// So long before it is added.
    #[must_use]
    pub fn ago(mut self, age: TimeDelta) -> Self {
        let by = ADDED - age - self.created;
        self.created += by;
        self.finalized = self.finalized.map(|at| at + by);
        self
    }

    #[must_use]
    pub fn open(self) -> Self {
        let finalized = Some(self.created + TimeDelta::hours(1));
        Self { finalized, ..self }
    }

    #[must_use]
    pub fn draft(self) -> Self {
        Self {
            finalized: None,
            ..self
        }
    }

    #[must_use]
    pub fn paid(self) -> Self {
        self.tried(Outcome::Succeeds)
    }

    /// After one attempt at least; more with [`Invoice::attempts`].
    #[must_use]
    pub fn declined(self, code: &str) -> Self {
        self.tried(Outcome::Declined(code.to_owned()))
    }

    #[must_use]
    pub fn needs_action(self) -> Self {
        self.tried(Outcome::NeedsAction)
    }

    /// That many, all alike, over the time since it was finalised.
    #[must_use]
    pub fn attempts(mut self, number: usize) -> Self {
        let first = self.attempts.first().cloned();
        let first =
            first.unwrap_or_else(|| attempt(Outcome::Declined("generic_decline".to_owned())));
        self.attempts.retain(|attempt| attempt.at > ADDED);
        self.attempts
            .splice(0..0, std::iter::repeat_n(first, number));
        self
    }

    /// The account's own next try, so long after it is added.
    #[must_use]
    pub fn retried_in(mut self, time: TimeDelta, outcome: Outcome) -> Self {
        self.attempts.push(Attempt {
            at: ADDED + time,
            ..attempt(outcome)
        });
        self
    }

    #[must_use]
    pub fn void(self) -> Self {
        self.ended(End::Void)
    }

    #[must_use]
    pub fn uncollectible(self) -> Self {
        self.ended(End::Uncollectible)
    }

    /// To be paid by an e-mail that was sent, due so long after it is added; negative: it was due.
    #[must_use]
    pub fn mailed(self, due_in: TimeDelta) -> Self {
        let sent = self.finalized.into_iter().collect();
        Self {
            collection: Collection::Mail {
                due: ADDED + due_in,
                sent,
            },
            ..self
        }
    }

    /// As [`Invoice::mailed`], but nobody has sent it.
    #[must_use]
    pub fn unsent(self, due_in: TimeDelta) -> Self {
        let mailed = self.mailed(due_in);
        Self {
            collection: Collection::Mail {
                due: ADDED + due_in,
                sent: Vec::new(),
            },
            ..mailed
        }
    }

    /// It stays a draft for this reason.
    #[must_use]
    pub fn not_finalized(self, code: &str) -> Self {
        Self {
            finalization_error: Some(code.to_owned()),
            ..self.draft()
        }
    }

    fn tried(mut self, outcome: Outcome) -> Self {
        let number = self.attempts.len().max(1);
        self.attempts = vec![attempt(outcome); number];
        self
    }

    fn ended(self, end: End) -> Self {
        let at = ADDED - TimeDelta::minutes(30);
        Self {
            end: Some((at, end)),
            ..self
        }
    }

    pub(super) fn standing(&self, books: &Books, now: DateTime<Utc>) -> Standing {
        let course = books.course(&self.attempts, now);
        let finalized = self.finalized.filter(|at| *at <= now);
        let ended = self.end.filter(|(at, _)| *at <= now);
        let status = match ended {
            _ if finalized.is_none() => "draft",
            _ if course.paid_at().is_some() => "paid",
            Some((_, End::PaidElsewhere)) => "paid",
            Some((_, End::Void)) => "void",
            Some((_, End::Uncollectible)) => "uncollectible",
            None if self.amount == 0 => "paid",
            None => "open",
        };
        Standing {
            status,
            course,
            finalized,
            ended,
        }
    }

    /// When it was paid, in whatever way.
    pub(super) fn paid_at(&self, standing: &Standing) -> Option<DateTime<Utc>> {
        let ended = standing.ended.map(|(at, _)| at);
        let at = standing.course.paid_at().or(ended).or(standing.finalized);
        at.filter(|_| standing.status == "paid")
    }
}

impl Standing {
    /// Any first one counts, and of the later ones those of the account's own plan.
    pub(super) fn attempt_count(&self) -> usize {
        let later = self.course.made.iter().skip(1);
        let own = later.filter(|attempt| !attempt.is_manual).count();
        own + usize::from(!self.course.made.is_empty())
    }
}

fn attempt(outcome: Outcome) -> Attempt {
    Attempt {
        at: ADDED,
        outcome,
        is_manual: false,
    }
}

impl Described for Invoice {
    fn enter(mut self, books: &mut Books, now: DateTime<Utc>) {
        let by = now - ADDED;
        self.spread();
        shift(&mut self.created, by);
        self.finalized.iter_mut().for_each(|at| shift(at, by));
        self.end.iter_mut().for_each(|(at, _)| shift(at, by));
        let attempts = self.attempts.iter_mut();
        attempts.for_each(|attempt| shift(&mut attempt.at, by));
        if let Collection::Mail { due, sent } = &mut self.collection {
            shift(due, by);
            sent.iter_mut().for_each(|at| shift(at, by));
        }
        make_known(books, &self.customer, now);
        books.invoices.push(self);
    }
}

impl Invoice {
    /// Gives each attempt that was made its time: the first when it was finalised.
    fn spread(&mut self) {
        let first = self.finalized.unwrap_or(self.created);
        let made = self
            .attempts
            .iter_mut()
            .filter(|attempt| attempt.at == ADDED);
        let made: Vec<&mut Attempt> = made.collect();
        let number = i32::try_from(made.len()).unwrap_or(i32::MAX).max(1);
        let each = (ADDED - first) / number;
        for (place, attempt) in (0i32..).zip(made) {
            attempt.at = first + each * place;
        }
    }
}
