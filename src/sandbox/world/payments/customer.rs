//! Who pays, and what their card does.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Outcome, books::ADDED};

#[derive(Clone, Debug)]
pub struct Customer {
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub created: DateTime<Utc>,
    pub currency: String,
    /// None: there is nothing that could be charged.
    pub card: Option<Card>,
    pub is_deleted: bool,
}

/// Kept with the customer.
#[derive(Clone, Debug)]
pub struct Card {
    pub brand: &'static str,
    pub last4: String,
    /// When it is charged next.
    pub outcome: Outcome,
}

/// Somebody whose card works.
pub fn customer(id: &str) -> Customer {
    let own = id.trim_start_matches("cus_").to_lowercase();
    Customer {
        id: id.to_owned(),
        name: Some(format!("Customer {own}")),
        email: Some(format!("{own}@example.com")),
        created: ADDED - TimeDelta::days(200),
        currency: "eur".to_owned(),
        card: Some(Card {
            brand: "visa",
            last4: "4242".to_owned(),
            outcome: Outcome::Succeeds,
        }),
        is_deleted: false,
    }
}

impl Customer {
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..self
        }
    }

    #[must_use]
    pub fn mail(self, email: &str) -> Self {
        Self {
            email: Some(email.to_owned()),
            ..self
        }
    }

    /// Their card is declined with this code.
    #[must_use]
    pub fn declines(self, code: &str) -> Self {
        self.does(Outcome::Declined(code.to_owned()))
    }

    /// Their bank wants to see them each time.
    #[must_use]
    pub fn needs_action(self) -> Self {
        self.does(Outcome::NeedsAction)
    }

    #[must_use]
    pub fn without_card(self) -> Self {
        Self { card: None, ..self }
    }

    /// From now on, when their card is charged.
    #[must_use]
    pub fn does(mut self, outcome: Outcome) -> Self {
        if let Some(card) = &mut self.card {
            card.outcome = outcome;
        }
        self
    }
}
