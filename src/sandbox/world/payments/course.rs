//! Which events follow from the other objects, in the order in which they are listed.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    Charge, Dispute, Event, Invoice, Outcome, Payment, Payout,
    books::Books,
    endpoint::Parcel,
    invoice::{Collection, End},
    payment::own_part,
    shapes,
};

/// An event before it is written out.
#[derive(Clone, Debug)]
pub(super) struct Happening<'a> {
    pub id: String,
    pub kind: String,
    pub at: DateTime<Utc>,
    about: About<'a>,
}

#[derive(Clone, Debug)]
enum About<'a> {
    Told(&'a Event),
    Invoice(&'a Invoice),
    Payment(Payment),
    Charge(Charge),
    Dispute(&'a Dispute),
    Payout(&'a Payout),
}

impl Happening<'_> {
    pub(super) fn parcel(&self) -> Parcel<'_> {
        Parcel {
            event: &self.id,
            kind: &self.kind,
            created: self.at,
        }
    }

    pub(super) fn told(&self) -> Option<&Event> {
        match &self.about {
            About::Told(event) => Some(event),
            _ => None,
        }
    }

    /// `data.object`, as it was then.
    pub(super) fn object(&self, books: &Books) -> Value {
        match &self.about {
            About::Told(event) => event.object.clone(),
            About::Invoice(invoice) => shapes::invoice(books, invoice, self.at),
            About::Payment(payment) => shapes::payment_intent(books, payment, self.at),
            About::Charge(charge) => shapes::charge(books, charge),
            About::Dispute(dispute) => shapes::dispute(books, dispute, self.at),
            About::Payout(payout) => shapes::payout(books, payout, self.at),
        }
    }
}

/// All up to now, newest first; of those of one second, the later one first.
pub(super) fn happenings(books: &Books, now: DateTime<Utc>) -> Vec<Happening<'_>> {
    let mut all = Collected {
        books,
        now,
        found: Vec::new(),
    };
    if !books.tells_only_its_own_events {
        all.follow();
    }
    for event in &books.events {
        if event.created <= now {
            all.found.push(Happening {
                id: event.id.clone(),
                kind: event.kind.clone(),
                at: event.created,
                about: About::Told(event),
            });
        }
    }
    let mut found = all.found;
    found.sort_by_key(|happening| happening.at.timestamp());
    found.reverse();
    found
}

struct Collected<'a> {
    books: &'a Books,
    now: DateTime<Utc>,
    found: Vec<Happening<'a>>,
}

impl<'a> Collected<'a> {
    fn add(&mut self, kind: &str, subject: &str, at: DateTime<Utc>, about: About<'a>) {
        if at > self.now {
            return;
        }
        let seed = format!("{kind} {subject} {}", at.timestamp());
        self.found.push(Happening {
            id: shapes::minted("evt_1", &seed),
            kind: kind.to_owned(),
            at,
            about,
        });
    }

    fn follow(&mut self) {
        let books = self.books;
        for invoice in &books.invoices {
            self.of_invoice(invoice);
        }
        for payment in &books.payments {
            self.add(
                "payment_intent.created",
                &payment.id,
                payment.created,
                About::Payment(payment.clone()),
            );
            self.of_attempts(payment, None);
        }
        for dispute in &books.disputes {
            self.of_dispute(dispute);
        }
        for payout in &books.payouts {
            let about = || About::Payout(payout);
            self.add("payout.created", &payout.id, payout.created, about());
            let end = match payout.failure {
                Some(_) => "payout.failed",
                None => "payout.paid",
            };
            self.add(end, &payout.id, payout.arrival, about());
        }
    }

    fn of_dispute(&mut self, dispute: &'a Dispute) {
        let about = || About::Dispute(dispute);
        self.add(
            "charge.dispute.created",
            &dispute.id,
            dispute.created,
            about(),
        );
        if let Some(at) = dispute.answered {
            self.add("charge.dispute.updated", &dispute.id, at, about());
        }
        if let Some((at, _)) = dispute.closed {
            self.add("charge.dispute.closed", &dispute.id, at, about());
        }
    }

    fn of_invoice(&mut self, invoice: &'a Invoice) {
        let about = || About::Invoice(invoice);
        let id = invoice.id.as_str();
        self.add("invoice.created", id, invoice.created, about());
        if invoice.finalization_error.is_some() {
            let at = invoice.created + chrono::TimeDelta::hours(1);
            self.add("invoice.finalization_failed", id, at, about());
        }
        let Some(finalized) = invoice.finalized else {
            return;
        };
        self.add("invoice.finalized", id, finalized, about());
        if let Collection::Mail { due, sent } = &invoice.collection {
            for at in sent {
                self.add("invoice.sent", id, *at, about());
            }
            let standing = invoice.standing(self.books, *due);
            if standing.status == "open" {
                self.add("invoice.overdue", id, *due, about());
            }
        }
        if let Some(payment) = Payment::of_invoice(invoice) {
            self.of_attempts(&payment, Some(invoice));
        }
        if let Some((at, end)) = invoice.end {
            let kind = match end {
                End::Void => "invoice.voided",
                End::Uncollectible => "invoice.marked_uncollectible",
                End::PaidElsewhere => "invoice.paid",
            };
            self.add(kind, id, at, about());
        }
    }

    fn of_attempts(&mut self, payment: &Payment, invoice: Option<&'a Invoice>) {
        let course = self.books.course(&payment.attempts, self.now);
        for (place, (attempt, known)) in course.made.iter().zip(&course.known).enumerate() {
            if *known > attempt.at {
                self.of_attempt(payment, place, attempt.at, invoice);
            }
            self.of_attempt(payment, place, *known, invoice);
        }
    }

    /// What that attempt brought about at that time.
    fn of_attempt(
        &mut self,
        payment: &Payment,
        place: usize,
        at: DateTime<Utc>,
        invoice: Option<&'a Invoice>,
    ) {
        let course = self.books.course(&payment.attempts, at);
        let Some(attempt) = course.made.get(place) else {
            return;
        };
        let id = payment.charge_id(place);
        let kinds = Kinds::of(&attempt.outcome);
        let charges = payment.charges(self.books, at);
        if let Some(charge) = charges.into_iter().find(|charge| charge.id == id) {
            self.add(kinds.charge, &id, at, About::Charge(charge));
        }
        let own = own_part(&id);
        self.add(kinds.payment, own, at, About::Payment(payment.clone()));
        let Some(invoice) = invoice else {
            return;
        };
        for kind in kinds.invoice {
            self.add(kind, own, at, About::Invoice(invoice));
        }
    }
}

/// The types of the events that follow from an attempt.
struct Kinds {
    charge: &'static str,
    payment: &'static str,
    invoice: &'static [&'static str],
}

impl Kinds {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeds => Self {
                charge: "charge.succeeded",
                payment: "payment_intent.succeeded",
                invoice: &["invoice.payment_succeeded", "invoice.paid"],
            },
            Outcome::Declined(_) => Self {
                charge: "charge.failed",
                payment: "payment_intent.payment_failed",
                invoice: &["invoice.payment_failed"],
            },
            Outcome::NeedsAction => Self {
                charge: "charge.pending",
                payment: "payment_intent.requires_action",
                invoice: &["invoice.payment_action_required"],
            },
            Outcome::Debited { .. } => Self {
                charge: "charge.pending",
                payment: "payment_intent.processing",
                invoice: &[],
            },
        }
    }
}
