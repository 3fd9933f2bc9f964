//! Invoices that failed or got stuck: the worst as findings of their own, the others counted. Pure.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use chrono::{DateTime, Utc};

use super::{
    At, lines, stamp,
    unpaid::{self, Kind, Sent, Trouble},
};
use crate::{
    checks::payments::{Invoice, Why, money::Sums, remedies},
    report::{Finding, FindingKey, Severity},
    text::count,
};

/// Ids of invoices that a finding of many shows.
const MOST_NAMED: usize = 10;

/// Invoices without a finding of their own that are named as still there.
const MOST_COUNTED: usize = 200;

pub(super) fn find(at: &At<'_>) -> Vec<Finding> {
    let mut troubles = troubles(at);
    let most = at.section.limits.invoices;
    let rest = troubles.split_off(most.min(troubles.len()));
    let own = troubles
        .into_iter()
        .map(|(invoice, trouble)| one(at, invoice, trouble));
    own.chain(together(at, rest)).collect()
}

/// Those that are only counted: one that was a finding of its own is not gone for that. The nearest to the limit, as
/// only these may have been one lately.
pub(super) fn counted(at: &At<'_>) -> Vec<FindingKey> {
    let troubles = troubles(at);
    let rest = troubles.iter().skip(at.section.limits.invoices);
    rest.take(MOST_COUNTED)
        .map(|(invoice, _)| at.key("invoice", &invoice.id))
        .collect()
}

/// The worst first; among those, the longest.
pub(super) fn troubles<'a>(at: &At<'a>) -> Vec<(&'a Invoice, Trouble)> {
    let sent = sent(at);
    let mut met = BTreeSet::new();
    let mut troubles: Vec<_> = at
        .seen
        .invoices
        .all()
        .filter(|invoice| met.insert(&invoice.id))
        .filter_map(|invoice| Some((invoice, unpaid::judge(invoice, &sent, at.now)?)))
        .map(|(invoice, trouble)| (invoice, weighed(at, invoice, trouble)))
        .collect();
    troubles.sort_by_key(|(invoice, trouble)| {
        let severity = Reverse(trouble.severity);
        (severity, trouble.kind, invoice.created, invoice.id.clone())
    });
    troubles
}

/// What was read of invoices sent; where not all was read, nothing can be missed.
fn sent<'a>(at: &At<'a>) -> Sent<'a> {
    let invoices = &at.seen.invoices;
    Sent {
        ids: invoices
            .sent
            .iter()
            .flat_map(|walk| &walk.items)
            .filter_map(|event| event.object.as_deref())
            .collect(),
        known_since: invoices.sent_known_since(),
    }
}

pub(super) fn weighed(at: &At<'_>, invoice: &Invoice, mut trouble: Trouble) -> Trouble {
    let large = invoice.owed().and_then(|owed| {
        let limit = at.section.limits.large(owed.currency)?;
        (owed.minor >= limit.minor).then_some((owed, limit))
    });
    if let Some((owed, limit)) = large {
        trouble.severity = unpaid::worse(trouble.severity);
        trouble.rule = format!(
            "{}; a step worse as {owed} is at least {limit}",
            trouble.rule
        );
    }
    trouble
}

pub(super) fn one(at: &At<'_>, invoice: &Invoice, trouble: Trouble) -> Finding {
    let amount = invoice
        .owed()
        .map_or_else(|| "an unknown amount".to_owned(), |owed| owed.to_string());
    let name = invoice
        .number
        .as_ref()
        .map_or(invoice.id.as_str(), |number| number.as_str());
    let why = why(at, invoice);
    let declined = why
        .as_ref()
        .filter(|_| matches!(trouble.kind, Kind::NoRetry | Kind::Retrying));
    let rule = match declined.and_then(|why| Some((why, remedies::hard(&why.code)?))) {
        Some((why, reason)) if !why.waits_for_customer() => format!(
            "{}; {reason}: ask the customer for another means of payment",
            trouble.rule
        ),
        _ => trouble.rule,
    };
    let declined = declined.map_or_else(String::new, |why| format!(": {}", why.in_short()));
    let title = format!(
        "{}: {amount} of invoice {name} {}{declined}",
        invoice.payer().as_str(),
        trouble.state
    );
    Finding {
        magnitude: invoice.attempt_count.max(1),
        // Lists are asked by it, so that it tells whether one reaches far enough back.
        began_at: invoice.created,
        last_at: latest(at, invoice),
        link: at.link(&format!("invoices/{}", invoice.id)),
        evidence: lines(evidence(invoice, why.as_ref())),
        remedies: remedies::for_invoice(invoice, why.as_ref()),
        ..Finding::new(
            at.key("invoice", &invoice.id),
            trouble.severity,
            rule,
            title,
        )
    }
}

/// When something last went wrong with it, as far as Stripe tells.
fn latest(at: &At<'_>, invoice: &Invoice) -> Option<DateTime<Utc>> {
    let failures = at.seen.failures.walk.items.iter();
    let events = failures.chain(&at.seen.news.events.items).filter(|event| {
        let of_fault = event.fault.as_ref().and_then(|it| it.invoice.as_deref());
        [event.object.as_deref(), of_fault].contains(&Some(invoice.id.as_str()))
    });
    let due = invoice.due_date.filter(|due| *due <= at.now);
    events
        .filter_map(|event| event.created)
        .chain(invoice.finalized_at)
        .chain(invoice.marked_uncollectible_at)
        .chain(due)
        .max()
}

/// Why a card did not pay it, as far as that is known.
fn why(at: &At<'_>, invoice: &Invoice) -> Option<Why> {
    let seen = at.seen;
    let failures = seen.failures.walk.items.iter();
    let events = failures.chain(&seen.failures.earlier);
    let by_events = Why::by_events(events.chain(&seen.news.events.items), invoice);
    by_events.or_else(|| seen.invoices.why.get(&invoice.id).cloned())
}

fn evidence(invoice: &Invoice, why: Option<&Why>) -> Vec<String> {
    let mut lines = Vec::new();
    let customer = invoice.customer.as_deref().unwrap_or("unknown");
    lines.push(match &invoice.customer_name {
        Some(name) => format!("customer: {} ({customer})", name.as_str()),
        None => format!("customer: {customer}"),
    });
    let amount = |money: Option<_>| {
        money.map_or_else(
            || "unknown".to_owned(),
            |money: crate::checks::payments::money::Money| money.to_string(),
        )
    };
    lines.push(format!(
        "amount: {} due, {} remaining",
        amount(invoice.due),
        amount(invoice.remaining)
    ));
    if !invoice.is_sent_by_mail() {
        let next = invoice
            .next_payment_attempt
            .map_or_else(|| "none planned".to_owned(), stamp);
        lines.push(format!("attempts: {}, next: {next}", invoice.attempt_count));
    }
    lines.extend(invoice.due_date.map(|due| format!("due: {}", stamp(due))));
    let times = [
        ("created", invoice.created),
        ("finalised", invoice.finalized_at),
    ];
    lines.extend(
        times
            .into_iter()
            .filter_map(|(what, time)| Some(format!("{what}: {}", stamp(time?)))),
    );
    let kind = [
        Some(invoice.id.as_str()),
        Some(invoice.status.as_str()),
        invoice.collection_method.as_deref(),
        invoice.billing_reason.as_deref(),
        invoice.subscription.as_deref(),
    ];
    let kind: Vec<&str> = kind.into_iter().flatten().collect();
    lines.push(format!("invoice: {}", kind.join(", ")));
    lines.extend(why.map(|why| {
        if why.waits_for_customer() {
            "the customer has to confirm the payment at the bank (3D Secure): send the invoice's own page"
                .to_owned()
        } else {
            format!("declined last: {}", why.in_full())
        }
    }));
    lines
}

/// Those beyond the limit, a finding for each kind, with the money.
fn together(at: &At<'_>, rest: Vec<(&Invoice, Trouble)>) -> Vec<Finding> {
    let mut kinds: BTreeMap<Kind, Vec<(&Invoice, Trouble)>> = BTreeMap::new();
    for (invoice, trouble) in rest {
        kinds
            .entry(trouble.kind)
            .or_default()
            .push((invoice, trouble));
    }
    kinds
        .into_iter()
        .map(|(kind, members)| many(at, kind, &members))
        .collect()
}

fn many(at: &At<'_>, kind: Kind, members: &[(&Invoice, Trouble)]) -> Finding {
    let owed: Sums = members
        .iter()
        .filter_map(|(invoice, _)| invoice.owed())
        .collect();
    let severity = members
        .iter()
        .map(|(_, trouble)| trouble.severity)
        .max()
        .unwrap_or(Severity::Medium);
    let named: Vec<&str> = members
        .iter()
        .take(MOST_NAMED)
        .map(|(invoice, _)| invoice.id.as_str())
        .collect();
    let began = members
        .iter()
        .filter_map(|(invoice, _)| invoice.created)
        .min();
    let page = match kind {
        Kind::NotFinalised | Kind::StuckDraft => "invoices?status=draft",
        Kind::WrittenOff => "invoices?status=uncollectible",
        _ => "invoices?status=open",
    };
    Finding {
        magnitude: members.len() as u64,
        began_at: began,
        link: at.link(page),
        evidence: lines(vec![
            format!("owed: {owed}"),
            format!("the first {}: {}", named.len(), named.join(", ")),
        ]),
        ..Finding::new(
            at.key("invoices", kind.as_str()),
            severity,
            format!(
                "the worst of {}; only {} invoices are findings of their own (`limits.invoices`)",
                members.len(),
                at.section.limits.invoices
            ),
            format!(
                "{} besides {}: {owed}",
                count(members.len(), "invoice"),
                kind.of_many()
            ),
        )
    }
}
