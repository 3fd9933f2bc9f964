//! What comes of charging a card.

use chrono::{DateTime, TimeDelta, Utc};

/// What a card does when it is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeds,
    /// With this decline code: `insufficient_funds`.
    Declined(String),
    /// The bank wants to see the customer.
    NeedsAction,
    /// An account is debited, whose bank answers so long after it was asked; until then it is pending.
    Debited {
        answered_after: TimeDelta,
        with: Box<Outcome>,
    },
}

impl Outcome {
    pub fn debited(answered_after: TimeDelta, with: Self) -> Self {
        Self::Debited {
            answered_after,
            with: Box::new(with),
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        matches!(self, Self::Debited { .. })
    }

    /// As it is known by then, and since when; of what is pending, when it was asked.
    fn known(self, asked: DateTime<Utc>, now: DateTime<Utc>) -> (Self, DateTime<Utc>) {
        match self {
            Self::Debited {
                answered_after,
                with,
            } if asked + answered_after <= now => (*with, asked + answered_after),
            other => (other, asked),
        }
    }
}

/// One try to collect.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// In the future it is planned.
    pub at: DateTime<Utc>,
    pub outcome: Outcome,
    /// Asked for, and not of the account's own plan of retries.
    pub is_manual: bool,
}

/// Since then, all cards are declined alike.
#[derive(Clone, Debug)]
pub struct Declining {
    pub since: DateTime<Utc>,
    pub code: String,
}

/// From a plan of attempts: those that were made, and when the next one is due.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// Oldest first; nothing follows a success, or what is pending.
    pub made: Vec<Attempt>,
    /// Since when the outcome of each is known.
    pub known: Vec<DateTime<Utc>>,
    pub next: Option<DateTime<Utc>>,
}

/// When the account tries again what an unusual trouble declined.
const AGAIN: TimeDelta = TimeDelta::days(3);

impl Course {
    pub(super) fn of(plan: &[Attempt], declining: Option<&Declining>, now: DateTime<Utc>) -> Self {
        let mut made: Vec<Attempt> = Vec::new();
        let mut known = Vec::new();
        let mut next = None;
        let mut is_unusual = false;
        let mut sorted: Vec<&Attempt> = plan.iter().collect();
        sorted.sort_by_key(|attempt| attempt.at);
        for attempt in sorted {
            if made
                .last()
                .is_some_and(|last| last.outcome == Outcome::Succeeds || last.outcome.is_pending())
            {
                break;
            }
            if attempt.at > now {
                next = Some(attempt.at);
                break;
            }
            let mut attempt = attempt.clone();
            let trouble = declining.filter(|it| it.since <= attempt.at);
            is_unusual = attempt.outcome == Outcome::Succeeds && trouble.is_some();
            if let Some(trouble) = trouble.filter(|_| is_unusual) {
                attempt.outcome = Outcome::Declined(trouble.code.clone());
            }
            let (outcome, since) = attempt.outcome.known(attempt.at, now);
            made.push(Attempt { outcome, ..attempt });
            known.push(since);
        }
        let last = made.last();
        if is_unusual && next.is_none() {
            next = last.map(|last| last.at + AGAIN).filter(|at| *at > now);
        }
        Self { made, known, next }
    }

    pub(super) fn last(&self) -> Option<&Attempt> {
        self.made.last()
    }

    pub(super) fn paid_at(&self) -> Option<DateTime<Utc>> {
        let last = self.last()?;
        let known = self.known.last().copied();
        known.filter(|_| last.outcome == Outcome::Succeeds)
    }
}

/// A decline in Stripe's words.
pub(super) struct Decline<'a> {
    pub code: &'a str,
    pub decline_code: Option<&'a str>,
    pub message: &'static str,
    /// What the network advises.
    pub advice: &'static str,
}

impl<'a> Decline<'a> {
    pub(super) fn of(code: &'a str) -> Self {
        let message = match code {
            "insufficient_funds" => "Your card has insufficient funds.",
            "expired_card" => "Your card has expired.",
            "incorrect_cvc" => "Your card's security code is incorrect.",
            "processing_error" => {
                "An error occurred while processing your card. Try again in a little bit."
            }
            _ => "Your card was declined.",
        };
        let is_of_its_own = matches!(code, "expired_card" | "incorrect_cvc" | "processing_error");
        let advice = match code {
            "lost_card" | "stolen_card" | "pickup_card" | "fraudulent" => "do_not_try_again",
            "expired_card" | "incorrect_cvc" => "confirm_card_data",
            _ => "try_again_later",
        };
        Self {
            code: if is_of_its_own { code } else { "card_declined" },
            decline_code: (!is_of_its_own).then_some(code),
            message,
            advice,
        }
    }
}
