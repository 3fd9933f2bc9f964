//! Why a payment of an invoice did not come about, as far as Stripe tells. Pure.

use serde_json::Value;

use super::{Event, Invoice, read};
use crate::text::Untrusted;

/// The word for what only the customer can go on with.
const WAITS: &str = "authentication_required";

/// Why it failed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The issuer's reason, or Stripe's own code: `insufficient_funds`.
    pub code: String,
    pub message: Option<Untrusted>,
}

impl Why {
    /// Of an invoice with its payments expanded; none if Stripe says nothing.
    pub fn of_invoice(answer: &Value) -> Option<Self> {
        let intent = intent(answer);
        let error = &intent["last_payment_error"];
        let code = [&error["decline_code"], &error["code"], &error["type"]];
        let waits = intent["status"] == "requires_action";
        let code = code.into_iter().find_map(read::word);
        Some(Self {
            code: code.or_else(|| waits.then(|| WAITS.to_owned()))?,
            message: read::line(&error["message"]),
        })
    }

    /// As the newest event tells that names the invoice, or the payment behind it.
    pub fn by_events<'a>(
        events: impl Iterator<Item = &'a Event> + Clone,
        invoice: &Invoice,
    ) -> Option<Self> {
        let id = Some(invoice.id.as_str());
        let own = events.clone().filter(|event| event.object.as_deref() == id);
        let payments: Vec<&str> = own.filter_map(|event| event.payment.as_deref()).collect();
        let telling =
            events.filter_map(|event| Some((event.created, Self::of_event(event, id, &payments)?)));
        let newest = telling.max_by_key(|(created, _)| *created);
        newest.map(|(_, why)| why)
    }

    fn of_event(event: &Event, invoice: Option<&str>, payments: &[&str]) -> Option<Self> {
        if event.kind == "invoice.payment_action_required" && event.object.as_deref() == invoice {
            return Some(Self {
                code: WAITS.to_owned(),
                message: None,
            });
        }
        let fault = event.fault.as_ref()?;
        let is_meant =
            fault.invoice.as_deref() == invoice || payments.contains(&fault.payment.as_str());
        Some(Self {
            code: fault.code.clone().filter(|_| is_meant)?,
            message: fault.message.clone(),
        })
    }

    /// Whether the customer has to confirm it at the bank.
    pub fn waits_for_customer(&self) -> bool {
        self.code == WAITS
    }

    /// "insufficient funds".
    pub fn in_short(&self) -> String {
        if self.waits_for_customer() {
            return "the customer has to confirm it".to_owned();
        }
        self.code.replace('_', " ")
    }

    /// `insufficient_funds ("Your card has insufficient funds.")`.
    pub fn in_full(&self) -> String {
        match &self.message {
            Some(message) => format!("{} (\"{}\")", self.code, message.as_str()),
            None => self.code.clone(),
        }
    }
}

/// The payment that Stripe itself would go on with: the default one, else an open one, else the newest.
pub(super) fn intent(invoice: &Value) -> &Value {
    let payments = invoice["payments"]["data"].as_array();
    let payments = payments.map_or(&[][..], Vec::as_slice);
    let found = payments
        .iter()
        .find(|payment| payment["is_default"] == true)
        .or_else(|| payments.iter().find(|payment| payment["status"] == "open"))
        .or(payments.first());
    found.map_or(
        &invoice["payment_intent"],
        |payment| &payment["payment"]["payment_intent"],
    )
}
