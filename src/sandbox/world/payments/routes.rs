//! Which requests there are, what they need, and which parameters they know.

use super::{
    Account, changes,
    keys::Permission,
    lists::PAGING,
    reads,
    refusal::{Answered, Refusal},
    request::Request,
};

/// A request that may be answered: of whose books, and about which object.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    pub request: &'a Request,
    /// The account whose books are asked; None: the key's own.
    pub connected: Option<String>,
    pub is_live: bool,
    /// What the address names.
    pub id: String,
}

pub(super) struct Route {
    pub method: &'static str,
    /// Below `/v1`; `*` is an id.
    path: &'static [&'static str],
    pub needs: Permission,
    /// Beside those of paging, if it is a list.
    params: &'static [&'static str],
    is_list: bool,
    pub does: fn(&mut Account, &Call<'_>) -> Answered,
}

macro_rules! route {
    ($method:literal [$($path:literal),*] $needs:ident [$($param:literal),*] $does:path) => {
        Route {
            method: $method,
            path: &[$($path),*],
            needs: Permission::$needs,
            params: &[$($param),*],
            is_list: false,
            does: $does,
        }
    };
}

macro_rules! list {
    ([$path:literal] $needs:ident [$($param:literal),*] $does:path) => {
        Route {
            is_list: true,
            ..route!("GET" [$path] $needs [$($param),*] $does)
        }
    };
}

const ROUTES: &[Route] = &[
    list!(["events"] EventRead ["created", "delivery_success", "type", "types"] reads::events),
    route!("GET" ["events", "*"] EventRead ["expand"] reads::event),
    route!("POST" ["events", "*", "retry"] EventWrite ["webhook_endpoint", "account", "for_stripecli", "expand"] changes::retry),
    list!(["webhook_endpoints"] WebhookRead [] reads::endpoints),
    route!("GET" ["webhook_endpoints", "*"] WebhookRead ["expand"] reads::endpoint),
    list!(["invoices"] InvoiceRead ["collection_method", "created", "customer", "customer_account", "due_date", "status", "subscription"] reads::invoices),
    route!("GET" ["invoices", "*"] InvoiceRead ["expand"] reads::invoice),
    route!("POST" ["invoices", "*", "pay"] InvoiceWrite ["expand", "forgive", "mandate", "off_session", "paid_out_of_band", "payment_method", "source"] changes::pay),
    route!("POST" ["invoices", "*", "send"] InvoiceWrite ["expand"] changes::send),
    list!(["invoice_payments"] InvoiceRead ["created", "invoice", "status"] reads::invoice_payments),
    list!(["payment_intents"] PaymentIntentRead ["created", "customer", "customer_account"] reads::payment_intents),
    route!("GET" ["payment_intents", "*"] PaymentIntentRead ["client_secret", "expand"] reads::payment_intent),
    list!(["charges"] ChargeRead ["created", "customer", "payment_intent", "transfer_group"] reads::charges),
    route!("GET" ["charges", "*"] ChargeRead ["expand"] reads::charge),
    list!(["customers"] CustomerRead ["created", "email"] reads::customers),
    route!("GET" ["customers", "*"] CustomerRead ["expand"] reads::customer),
    list!(["disputes"] DisputeRead ["charge", "created", "payment_intent"] reads::disputes),
    route!("GET" ["disputes", "*"] DisputeRead ["expand"] reads::dispute),
    list!(["payouts"] PayoutRead ["arrival_date", "created", "destination", "status"] reads::payouts),
    route!("GET" ["payouts", "*"] PayoutRead ["expand"] reads::payout),
    route!("GET" ["balance"] BalanceRead ["expand"] reads::balance),
];

impl Route {
    /// With the id that the address names.
    pub(super) fn of(request: &Request) -> Result<(&'static Self, String), Refusal> {
        let unrecognized = || Refusal::unrecognized(&request.method, &request.path);
        let below = request.path.strip_prefix("/v1/").ok_or_else(unrecognized)?;
        let asked: Vec<&str> = below.split('/').collect();
        let fits = |route: &&Route| {
            let mut pairs = route.path.iter().zip(&asked);
            let is_alike =
                pairs.all(|(own, asked)| own == asked || *own == "*" && !asked.is_empty());
            is_alike && route.path.len() == asked.len() && route.method == request.method
        };
        let route = ROUTES.iter().find(fits).ok_or_else(unrecognized)?;
        let id = asked.get(1).copied().unwrap_or_default();
        Ok((route, id.to_owned()))
    }

    pub(super) fn check(&self, request: &Request) -> Result<(), Refusal> {
        let mut known = self.params.to_vec();
        if self.is_list {
            known.extend(PAGING);
        }
        request.only(&known)
    }
}
