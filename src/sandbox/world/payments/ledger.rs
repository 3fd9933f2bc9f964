//! What was asked of the account, and what came of it: tests count with it.

use chrono::{DateTime, Utc};

use super::{Outcome, request::Request};

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub requests: Vec<Request>,
    pub charged: Vec<Charged>,
    pub mailed: Vec<Mailed>,
    pub resent: Vec<Resent>,
    /// Requests that are being answered.
    pub at_once: usize,
    /// The most that there were at a time.
    pub most_at_once: usize,
}

/// A card was asked for money, because somebody asked for it.
#[derive(Clone, Debug)]
pub struct Charged {
    pub invoice: String,
    pub customer: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub outcome: Outcome,
    pub idempotency_key: Option<String>,
    pub at: DateTime<Utc>,
}

/// An invoice went to its customer by e-mail.
#[derive(Clone, Debug)]
pub struct Mailed {
    pub invoice: String,
    pub to: Option<String>,
    pub at: DateTime<Utc>,
}

/// An event was sent to an endpoint once more.
#[derive(Clone, Debug)]
pub struct Resent {
    pub event: String,
    pub endpoint: String,
    pub is_taken: bool,
    pub at: DateTime<Utc>,
}

impl Ledger {
    /// Of these words, all must be in its line: `["GET /v1/events", "limit=100"]`.
    pub fn asked(&self, words: &[&str]) -> usize {
        let is_meant = |request: &&Request| {
            let line = request.line();
            words.iter().all(|word| line.contains(word))
        };
        self.requests.iter().filter(is_meant).count()
    }

    /// Each request's line.
    pub fn lines(&self) -> Vec<String> {
        self.requests.iter().map(Request::line).collect()
    }

    /// How much was really taken from cards for this invoice, in minor units.
    pub fn taken(&self, invoice: &str) -> i64 {
        let paid = |it: &&Charged| it.invoice == invoice && it.outcome == Outcome::Succeeds;
        self.charged.iter().filter(paid).map(|it| it.amount).sum()
    }

    /// The requests alone.
    pub(super) fn anew(self) -> Self {
        Self {
            charged: Vec::new(),
            mailed: Vec::new(),
            resent: Vec::new(),
            ..self
        }
    }

    pub(super) fn enter(&mut self, request: Request) -> usize {
        self.requests.push(request);
        self.at_once += 1;
        self.most_at_once = self.most_at_once.max(self.at_once);
        self.requests.len() - 1
    }

    pub(super) fn leave(&mut self, place: usize, status: Option<u16>) {
        self.at_once = self.at_once.saturating_sub(1);
        if let Some(request) = self.requests.get_mut(place) {
            request.status = status;
        }
    }
}
