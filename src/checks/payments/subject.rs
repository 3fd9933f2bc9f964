//! The subjects of this check's findings: `invoice/in_1`, and `acct_1/invoice/in_1` of a connected account. Pure.

use super::Payments;
use crate::{checks::Check, report::FindingKey};

/// What a finding is about, within its account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// `acct_..`; none for the key's own account.
    pub account: Option<String>,
    /// `invoice`, `dispute`, `webhooks`, `endpoint`, `declines`, `payout`, `balance`, `key` ...
    pub kind: String,
    /// `in_1`, or `we_1/invoice.paid`; empty for all of the kind.
    pub rest: String,
}

impl Subject {
    pub fn new(account: Option<&str>, kind: &str, rest: &str) -> Self {
        Self {
            account: account.map(str::to_owned),
            kind: kind.to_owned(),
            rest: rest.to_owned(),
        }
    }

    /// What covers every finding of a connected account.
    pub fn of_account(account: &str) -> FindingKey {
        FindingKey::new(Payments::NAME, account)
    }

    /// Of a finding of this check.
    pub fn of(key: &FindingKey) -> Option<Self> {
        if key.check() != Payments::NAME {
            return None;
        }
        let (first, after) = key.subject().split_once('/').unwrap_or((key.subject(), ""));
        let (account, kind, rest) = if first.starts_with("acct_") {
            let (kind, rest) = after.split_once('/').unwrap_or((after, ""));
            (Some(first), kind, rest)
        } else {
            (None, first, after)
        };
        (!kind.is_empty()).then(|| Self::new(account, kind, rest))
    }

    pub fn key(&self) -> FindingKey {
        let parts = [
            self.account.as_deref().unwrap_or_default(),
            &self.kind,
            &self.rest,
        ];
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        FindingKey::new(Payments::NAME, &said.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back_from_its_key() {
        for (subject, key) in [
            (
                Subject::new(None, "invoice", "in_1"),
                "payments:invoice/in_1",
            ),
            (
                Subject::new(Some("acct_1"), "invoice", "in_1"),
                "payments:acct_1/invoice/in_1",
            ),
            (
                Subject::new(None, "webhooks", "we_1/invoice.paid"),
                "payments:webhooks/we_1/invoice.paid",
            ),
            (Subject::new(None, "key", ""), "payments:key"),
            (
                Subject::new(Some("acct_1"), "balance", "eur"),
                "payments:acct_1/balance/eur",
            ),
        ] {
            assert_eq!(subject.key().to_string(), key);
            assert_eq!(Subject::of(&subject.key()), Some(subject));
        }
        assert_eq!(Subject::of(&"errors:1".parse().unwrap()), None);
        assert_eq!(Subject::of(&"payments:acct_1".parse().unwrap()), None);
    }
}
