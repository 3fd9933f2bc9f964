//! What was done to the account from outside, to be done to it again.

use serde_json::{Value, json};

use super::{Account, Attempt, Charged, Collection, Mailed, Outcome, Resent, shapes::epoch};

impl Account {
    /// What was paid, sent and sent again, oldest first.
    pub(super) fn done(&self) -> Value {
        let charged = |it: &Charged| {
            let (outcome, code) = match &it.outcome {
                Outcome::Succeeds => ("succeeds", None),
                Outcome::Declined(code) => ("declined", Some(code)),
                Outcome::NeedsAction => ("needs_action", None),
            };
            json!({"invoice": it.invoice, "at": epoch(Some(it.at)), "outcome": outcome, "code": code})
        };
        let mailed = |it: &Mailed| json!({"invoice": it.invoice, "at": epoch(Some(it.at))});
        let resent = |it: &Resent| json!({"event": it.event, "endpoint": it.endpoint, "at": epoch(Some(it.at)), "is_taken": it.is_taken});
        json!({
            "charged": self.ledger.charged.iter().map(charged).collect::<Vec<_>>(),
            "mailed": self.ledger.mailed.iter().map(mailed).collect::<Vec<_>>(),
            "resent": self.ledger.resent.iter().map(resent).collect::<Vec<_>>(),
        })
    }

    /// Takes up what [`Self::done`] gave, as far as there are such invoices and endpoints.
    pub(super) fn do_again(&mut self, done: &Value) {
        let rows = |name: &str| done[name].as_array().cloned().unwrap_or_default();
        for row in rows("charged") {
            self.charge_again(&row);
        }
        for row in rows("mailed") {
            let invoice = self.told_invoice(&row);
            if let Some((Collection::Mail { sent, .. }, at)) =
                invoice.map(|(invoice, at)| (&mut invoice.collection, at))
            {
                sent.push(at);
            }
        }
        for row in rows("resent").iter().filter(|row| row["is_taken"] == true) {
            let mut endpoints = self.live.endpoints.iter_mut();
            let endpoint = endpoints.find(|it| row["endpoint"] == *it.id);
            if let (Some(endpoint), Some(event), Some(at)) =
                (endpoint, row["event"].as_str(), time(row))
            {
                endpoint.resent.insert(event.to_owned(), at);
            }
        }
    }

    fn told_invoice(
        &mut self,
        row: &Value,
    ) -> Option<(&mut super::Invoice, chrono::DateTime<chrono::Utc>)> {
        let mut invoices = self.live.invoices.iter_mut();
        let invoice = invoices.find(|it| row["invoice"] == *it.id)?;
        Some((invoice, time(row)?))
    }

    fn charge_again(&mut self, row: &Value) {
        let outcome = match (row["outcome"].as_str(), row["code"].as_str()) {
            (Some("succeeds"), _) => Outcome::Succeeds,
            (Some("declined"), Some(code)) => Outcome::Declined(code.to_owned()),
            (Some("needs_action"), _) => Outcome::NeedsAction,
            _ => return,
        };
        let Some((invoice, at)) = self.told_invoice(row) else {
            return;
        };
        invoice.finalized.get_or_insert(at);
        invoice.attempts.push(Attempt {
            at,
            outcome: outcome.clone(),
            is_manual: true,
        });
        let charged = Charged {
            invoice: invoice.id.clone(),
            customer: invoice.customer.clone(),
            amount: invoice.amount - invoice.paid_before,
            currency: invoice.currency.clone(),
            outcome,
            idempotency_key: None,
            at,
        };
        self.ledger.charged.push(charged);
    }
}

fn time(row: &Value) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp(row["at"].as_i64()?, 0)
}
