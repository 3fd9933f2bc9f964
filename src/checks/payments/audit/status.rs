//! The words for what has become of an invoice: Stripe's, and those of the user's own records. Pure.

use std::collections::{BTreeMap, HashMap};

/// Stripe's words (docs.stripe.com/api/invoices/object); it may add more.
pub(super) const STRIPES: [&str; 5] = ["draft", "open", "paid", "uncollectible", "void"];

/// Different words that are told apart; more are no words.
const MOST: usize = 200;

/// A word, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Status(u8);

impl Status {
    /// What no word stands for: there are too many.
    const NONE: Self = Self(u8::MAX);

    /// Whether it is one of the words that Stripe is known to use.
    pub(super) fn is_stripes(self) -> bool {
        usize::from(self.0) < STRIPES.len()
    }
}

/// All words that came up.
pub(super) struct Statuses {
    words: Vec<String>,
    /// By the words of the user's own records.
    own: HashMap<String, Status>,
    /// As configured, in lower case.
    mapped: BTreeMap<String, String>,
}

impl Statuses {
    pub(super) fn new(mapped: &BTreeMap<String, String>) -> Self {
        Self {
            words: STRIPES.map(str::to_owned).to_vec(),
            own: HashMap::new(),
            mapped: mapped
                .iter()
                .map(|(own, stripes)| (own.to_lowercase(), stripes.clone()))
                .collect(),
        }
    }

    /// Of one's own records: the configured meaning, or the word itself.
    pub(super) fn own(&mut self, word: &str) -> Status {
        if let Some(status) = self.own.get(word) {
            return *status;
        }
        let lower = word.to_lowercase();
        let meant = self.mapped.get(&lower).cloned().unwrap_or(lower);
        let status = self.stripes(&meant);
        if self.own.len() < MOST {
            self.own.insert(word.to_owned(), status);
        }
        status
    }

    pub(super) fn stripes(&mut self, word: &str) -> Status {
        let place = self.words.iter().position(|known| known == word);
        let place = place.unwrap_or_else(|| {
            if self.words.len() < MOST {
                self.words.push(word.to_owned());
                self.words.len() - 1
            } else {
                usize::MAX
            }
        });
        u8::try_from(place).map_or(Status::NONE, Status)
    }

    pub(super) fn word(&self, status: Status) -> &str {
        self.words
            .get(usize::from(status.0))
            .map_or("(too many different words)", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_what_is_configured_or_itself() {
        let mapped = BTreeMap::from([("Settled".to_owned(), "paid".to_owned())]);
        let mut statuses = Statuses::new(&mapped);
        let paid = statuses.stripes("paid");
        for own in ["settled", "SETTLED", "paid", "Paid"] {
            assert_eq!(statuses.own(own), paid, "{own}");
        }
        let refunded = statuses.own("refunded");
        assert!(!refunded.is_stripes());
        assert_eq!(statuses.word(refunded), "refunded");
    }

    #[test]
    fn garbage_can_not_fill_the_memory() {
        let mut statuses = Statuses::new(&BTreeMap::new());
        for number in 0..1_000 {
            statuses.own(&format!("word {number}"));
        }
        assert_eq!((statuses.words.len(), statuses.own.len()), (MOST, MOST));
        assert_eq!(statuses.own("word 999"), Status::NONE);
    }
}
