//! What was done to the account from outside, to be done to it again.

use serde_json::{Value, json};

use super::{Account, Attempt, Charged, Collection, Mailed, Outcome, Resent, shapes::epoch};

impl Account {
    /// What was paid, sent and sent again, oldest first.
    pub(super) fn done(&self) -> Value {
        let charged = |it: &Charged| {
            let mut row = outcome(&it.outcome);
            row["invoice"] = json!(it.invoice);
            row["at"] = json!(epoch(Some(it.at)));
            row
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
        let (Some(outcome), Some((invoice, at))) = (read_outcome(row), self.told_invoice(row))
        else {
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

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Succeeds => json!({"outcome": "succeeds"}),
        Outcome::Declined(code) => json!({"outcome": "declined", "code": code}),
        Outcome::NeedsAction => json!({"outcome": "needs_action"}),
        Outcome::Debited {
            answered_after,
            with,
        } => json!({
            "outcome": "debited",
            "answered_after": answered_after.num_seconds(),
            "with": self::outcome(with),
        }),
    }
}

fn read_outcome(row: &Value) -> Option<Outcome> {
    Some(match row["outcome"].as_str()? {
        "succeeds" => Outcome::Succeeds,
        "declined" => Outcome::Declined(row["code"].as_str()?.to_owned()),
        "needs_action" => Outcome::NeedsAction,
        "debited" => Outcome::debited(
            chrono::TimeDelta::try_seconds(row["answered_after"].as_i64()?)?,
            read_outcome(&row["with"])?,
        ),
        _ => return None,
    })
}

fn time(row: &Value) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp(row["at"].as_i64()?, 0)
}
