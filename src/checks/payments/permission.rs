//! What a restricted key may do, in the words of Stripe's dashboard. Pure.

use crate::upstream::Failure;

/// A permission by the name that the API gives it, and the dashboard's word for what it is about.
const WORDS: [(&str, &str); 15] = [
    ("event", "Events"),
    ("webhook", "Webhook Endpoints"),
    ("invoice", "Invoices"),
    ("payment_intent", "PaymentIntents"),
    ("payment_method", "PaymentMethods"),
    ("charge", "Charges and Refunds"),
    ("customer", "Customers"),
    ("subscription", "Subscriptions"),
    ("dispute", "Disputes"),
    ("payout", "Payouts"),
    ("balance", "Balance"),
    ("balance_transaction_source", "Balance Transaction Sources"),
    ("connected_account", "Connected Accounts"),
    ("plan", "Prices"),
    ("product", "Products"),
];

pub(super) const EVENTS: &str = "rak_event_read";
pub(super) const WEBHOOKS: &str = "rak_webhook_read";
pub(super) const INVOICES: &str = "rak_invoice_read";
pub(super) const PAYMENTS: &str = "rak_payment_intent_read";
pub(super) const CHARGES: &str = "rak_charge_read";
pub(super) const CUSTOMERS: &str = "rak_customer_read";
pub(super) const INVOICES_CHANGE: &str = "rak_invoice_write";
pub(super) const EVENTS_CHANGE: &str = "rak_event_write";
pub(super) const DISPUTES: &str = "rak_dispute_read";
pub(super) const PAYOUTS: &str = "rak_payout_read";
pub(super) const BALANCE: &str = "rak_balance_read";

/// `rak_invoice_read` as the dashboard shows it: "Invoices: read".
pub(super) fn in_words(name: &str) -> String {
    let bare = name.strip_prefix("rak_").unwrap_or(name);
    let (subject, right) = bare.rsplit_once('_').unwrap_or((bare, "read"));
    let known = WORDS.iter().find(|(known, _)| *known == subject);
    let subject = known.map_or_else(|| subject.replace('_', " "), |(_, word)| (*word).to_owned());
    format!("{subject}: {right}")
}

/// The permissions that a refusal names in quotes, each once: `rak_invoice_read`, and `invoice_read` in newer words.
fn named(message: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for quoted in message.split('\'').skip(1).step_by(2) {
        let is_name = quoted.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            && (quoted.ends_with("_read") || quoted.ends_with("_write"));
        if is_name && !names.contains(&quoted) {
            names.push(quoted);
        }
    }
    names
}

/// What to do about a refusal for want of a right; the permission that it names goes before the one we knew of.
pub(super) fn advice(failure: &Failure, needs: &str, account: Option<&str>) -> Option<String> {
    if failure.status() != Some(403) {
        return None;
    }
    let names = named(message(failure));
    if let Some(account) = account.filter(|_| is_no_access(failure)) {
        return Some(format!(
            "see whether {account} in `accounts` of [checks.payments] is still connected to the key's account"
        ));
    }
    let wanted: Vec<String> = if names.is_empty() {
        vec![in_words(needs)]
    } else {
        names.into_iter().map(in_words).collect()
    };
    Some(format!(
        "give the restricted key in STRIPE_API_KEY the permission `{}` (Stripe's dashboard, Developers, API keys)",
        wanted.join("` and `")
    ))
}

/// Whether the key may not look into a connected account at all.
pub(super) fn is_no_access(failure: &Failure) -> bool {
    failure.status() == Some(403) && message(failure).contains("does not have access to account")
}

fn message(failure: &Failure) -> &str {
    failure
        .refusal
        .as_ref()
        .and_then(|refusal| refusal["error"]["message"].as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_named_as_the_dashboard_names_it() {
        assert_eq!(in_words(INVOICES), "Invoices: read");
        assert_eq!(in_words("rak_invoice_write"), "Invoices: write");
        assert_eq!(in_words(WEBHOOKS), "Webhook Endpoints: read");
        assert_eq!(in_words("rak_credit_note_read"), "credit note: read");
        assert_eq!(in_words("odd"), "odd: read");
    }

    #[test]
    fn the_permissions_are_found_in_stripes_own_words() {
        let said = "The provided key 'rk_live_***' does not have the required permissions for this endpoint on account 'acct_1'. Having the 'rak_invoice_read' permission would allow this request to continue.";
        assert_eq!(named(said), ["rak_invoice_read"]);
        let said = "The provided key 'rk_live_***' does not have the required permissions for this endpoint on account 'acct_1'. Enabling Invoices Read ('invoice_read') permissions on this key would allow this request to continue.";
        assert_eq!(named(said), ["invoice_read"]);
        assert_eq!(in_words("invoice_read"), "Invoices: read");
        assert_eq!(
            named("Having more permissions would allow this request"),
            [""; 0]
        );
    }
}
