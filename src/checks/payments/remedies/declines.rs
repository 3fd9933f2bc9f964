//! Why a payment did not come about, in words that say what to do. Pure.

use serde_json::Value;

use crate::{checks::payments::read, text::Untrusted};

/// What Stripe itself never tries again with the same means of payment (docs.stripe.com/billing/revenue-recovery/smart-retries),
/// each with its reason.
const HARD: [(&str, &str); 9] = [
    (
        "authentication_required",
        "the bank wants the customer to confirm it",
    ),
    ("highest_risk_level", "Stripe holds it for fraud"),
    ("incorrect_number", "the card's number is wrong"),
    ("lost_card", "the card was reported lost"),
    ("pickup_card", "the card can't be used any more"),
    (
        "revocation_of_all_authorizations",
        "the customer has revoked every recurring payment",
    ),
    (
        "revocation_of_authorization",
        "the customer has revoked this recurring payment",
    ),
    ("stolen_card", "the card was reported stolen"),
    ("transaction_not_allowed", "the card can't pay for this"),
];

/// Answers 402 that want the customer, and no other card.
const WANTS_CUSTOMER: [&str; 4] = [
    "authentication_required",
    "invoice_payment_intent_requires_action",
    "payment_intent_action_required",
    "subscription_payment_intent_requires_action",
];

pub(super) const CUSTOMER_CONFIRMS: &str =
    "the customer has to confirm it: send them the invoice's page (in Stripe, on the invoice)";

/// Why the same means of payment is not to be tried again after that code, if that is so.
pub(in crate::checks::payments) fn hard(code: &str) -> Option<&'static str> {
    let known = HARD.iter().find(|(hard, _)| *hard == code);
    known.map(|(_, why)| *why)
}

/// Why a try failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decline {
    /// The issuer's reason, or else Stripe's own code: `insufficient_funds`, `card_declined`.
    pub code: Option<String>,
    pub message: Option<Untrusted>,
    /// The network says that no second try can help.
    pub is_final: bool,
}

impl Decline {
    /// Of an answer 402, or of `last_payment_error`.
    pub(super) fn of_error(error: &Value) -> Self {
        Self {
            code: [&error["decline_code"], &error["code"]]
                .into_iter()
                .find_map(read::word),
            message: read::line(&error["message"]),
            is_final: error["advice_code"] == "do_not_try_again",
        }
    }

    /// Of a charge that failed.
    pub(super) fn of_charge(charge: &Value) -> Self {
        let outcome = &charge["outcome"];
        Self {
            code: [&outcome["reason"], &charge["failure_code"]]
                .into_iter()
                .find_map(read::word),
            message: read::line(&charge["failure_message"]),
            is_final: outcome["advice_code"] == "do_not_try_again",
        }
    }

    /// Why the same means of payment is not to be tried again, if that is so.
    pub(super) fn hard(&self) -> Option<&'static str> {
        let by_advice = self
            .is_final
            .then_some("the card's network advises against it");
        self.code.as_deref().and_then(hard).or(by_advice)
    }

    pub(super) fn wants_customer(&self) -> bool {
        let code = self.code.as_deref();
        code.is_some_and(|code| WANTS_CUSTOMER.contains(&code))
    }

    /// `declined: insufficient_funds ("Your card has insufficient funds."), the invoice stays open; nothing was charged`.
    pub(super) fn said(&self) -> String {
        let code = self.code.as_deref().unwrap_or("Stripe doesn't say why");
        let message = match &self.message {
            Some(message) if !self.wants_customer() => format!(" (\"{}\")", message.as_str()),
            _ => String::new(),
        };
        let open = "the invoice stays open; nothing was charged";
        if self.wants_customer() {
            return format!("not paid: {CUSTOMER_CONFIRMS}; {code}, {open}");
        }
        match self.hard() {
            Some(why) => format!(
                "declined: {code}{message}, {open}; {why}: ask the customer for another means of payment"
            ),
            None => format!("declined: {code}{message}, {open}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_decline_is_said_in_the_banks_words_and_never_as_a_payment() {
        let said = |error: Value| Decline::of_error(&error).said();
        assert_eq!(
            said(
                json!({"code": "card_declined", "decline_code": "insufficient_funds", "message": "Your card has insufficient funds."})
            ),
            "declined: insufficient_funds (\"Your card has insufficient funds.\"), the invoice stays open; nothing was charged"
        );
        assert_eq!(
            said(json!({"code": "expired_card", "message": "Your card has expired."})),
            "declined: expired_card (\"Your card has expired.\"), the invoice stays open; nothing was charged"
        );
        assert!(
            said(json!({"decline_code": "stolen_card"})).contains("ask the customer for another")
        );
        assert!(
            said(json!({"code": "invoice_payment_intent_requires_action", "message": "x"}))
                .starts_with("not paid: the customer has to confirm it")
        );
        assert_eq!(
            said(Value::Null),
            "declined: Stripe doesn't say why, the invoice stays open; nothing was charged"
        );
    }

    #[test]
    fn only_what_stripe_calls_final_is_hard() {
        let of = |code: &str| {
            Decline::of_error(&json!({"decline_code": code}))
                .hard()
                .is_some()
        };
        for (code, _) in HARD {
            assert!(of(code), "{code}");
        }
        for code in [
            "insufficient_funds",
            "do_not_honor",
            "generic_decline",
            "processing_error",
        ] {
            assert!(!of(code), "{code}");
        }
        let advised = json!({"failure_code": "card_declined", "outcome": {"reason": "generic_decline", "advice_code": "do_not_try_again"}});
        assert!(Decline::of_charge(&advised).hard().is_some());
    }
}
