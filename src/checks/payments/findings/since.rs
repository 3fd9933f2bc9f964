//! What failed since the last look, from one page of events. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{At, declines, gaps, invoices, stamp, standing, unpaid};
use crate::{
    checks::{Evaluation, payments::Invoice},
    report::Finding,
    text::count,
};

/// Every kind of finding that a whole look may bring; of none it is known that it is gone.
const KINDS: [&str; 8] = [
    "webhooks", "endpoint", "declines", "invoice", "invoices", "dispute", "payout", "balance",
];

impl At<'_> {
    /// Judges the news, and says what they are.
    pub(super) fn judge_since(&self, since: DateTime<Utc>, judged: &mut Evaluation) -> String {
        for unknown in gaps(&self.seen.news.events) {
            self.note(judged, unknown);
        }
        if let Some(unseen) = &mut judged.unseen {
            unseen.extend(KINDS.map(|kind| self.key(kind, "")));
        }
        let findings = self.news();
        let number = findings.len();
        judged.findings.extend(findings);
        let failed = declines::payments(self).len();
        let failed = if failed > 0 {
            format!(", {}", count(failed, "failed payment"))
        } else {
            String::new()
        };
        format!(
            "since {}: {} new{failed}",
            stamp(since),
            count(number, "finding")
        )
    }

    fn news(&self) -> Vec<Finding> {
        let news = &self.seen.news;
        let mut met = BTreeSet::new();
        // An invoice that has already failed twice tells of itself twice; the newest comes first.
        let latest = news
            .invoices
            .iter()
            .filter(|invoice| met.insert(invoice.id.as_str()));
        let unpaid = latest.filter_map(|invoice| self.troubled(invoice));
        let disputes = news
            .disputes
            .iter()
            .filter(|dispute| dispute.needs_response())
            .map(|dispute| standing::disputed(self, dispute));
        let payouts = news
            .payouts
            .iter()
            .map(|payout| standing::not_paid_out(self, payout));
        let declines = declines::flood(self);
        unpaid
            .chain(disputes)
            .chain(payouts)
            .chain(declines)
            .collect()
    }

    fn troubled(&self, invoice: &Invoice) -> Option<Finding> {
        let sent = unpaid::Sent {
            ids: BTreeSet::new(),
            known_since: None,
        };
        let trouble = unpaid::judge(invoice, &sent, self.now)?;
        let trouble = invoices::weighed(self, invoice, trouble);
        let mut finding = invoices::one(self, invoice, trouble);
        // It is as it was at that time, and may have been paid since.
        finding.remedies.clear();
        Some(finding)
    }
}
