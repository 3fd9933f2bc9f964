//! What can be done about a finding, and what a person has to read before. Pure.

use super::{endpoint::Target, group::MOST, pay};
use crate::{
    checks::payments::{Endpoint, Event, Invoice, Payments, Why},
    report::{Remedy, Verb},
    text::{Untrusted, count},
};

/// To be paid again if a card pays for it, to be sent again if it is paid by a link.
pub(in crate::checks::payments) fn for_invoice(
    invoice: &Invoice,
    why: Option<&Why>,
) -> Vec<Remedy> {
    let owed = invoice.owed().filter(|owed| owed.minor > 0);
    let Some(owed) = owed.filter(|_| invoice.status == "open") else {
        return Vec::new();
    };
    let whom = match (&invoice.customer_name, &invoice.customer) {
        (Some(name), Some(id)) => format!("customer: {} ({id})", name.as_str()),
        _ => format!("customer: {}", invoice.payer().as_str()),
    };
    let name = invoice
        .number
        .as_ref()
        .map_or(invoice.id.as_str(), Untrusted::as_str);
    let amount = format!("amount: {owed}, open of invoice {name}");
    let remedy = if invoice.is_sent_by_mail() {
        let lines = vec![
            whom,
            amount,
            "the customer gets the e-mail with the link once more".to_owned(),
        ];
        Remedy::confirmed(Verb::Send, said(lines))
    } else {
        let tries = usize::try_from(invoice.attempt_count).unwrap_or(usize::MAX);
        let mut lines = vec![
            whom,
            amount,
            format!("attempts so far: {tries}, as Stripe counts them"),
        ];
        lines.extend(why.map(|why| format!("declined last: {}", why.in_full())));
        lines.push(
            "the customer's means of payment is charged at once, and that can't be undone from here"
                .to_owned(),
        );
        Remedy::confirmed(Verb::Pay, said(lines)).with(pay::argument(owed))
    };
    vec![remedy]
}

/// As far as the configuration allows: to be resent by Stripe, to be replayed by us. None: Stripe doesn't say which
/// endpoint missed them. The events are ordered, the oldest first.
pub(in crate::checks::payments) fn for_webhooks(
    section: &Payments,
    endpoint: Option<&Endpoint>,
    events: &[&Event],
) -> Vec<Remedy> {
    let resend = endpoint
        .filter(|endpoint| section.allow_event_retry && endpoint.is_enabled())
        .map(|endpoint| resend(endpoint, events.len()));
    // So that the order reaches as far back as what was confirmed.
    let oldest = events.first().and_then(|event| event.created);
    let reaching = |remedy: Remedy| match oldest {
        Some(oldest) => remedy.with(oldest.timestamp().to_string()),
        None => remedy,
    };
    let target = section
        .replay
        .target(endpoint.map(|endpoint| endpoint.id.as_str()));
    let replay = target.map(|target| replay(target, events.len()));
    resend.into_iter().chain(replay).map(reaching).collect()
}

fn resend(endpoint: &Endpoint, number: usize) -> Remedy {
    let lines = vec![
        format!("{}, to {}", taken(number), endpoint.url.as_str()),
        "Stripe documents no such request: it is the one that its command line sends".to_owned(),
        "done is only what Stripe shows as delivered afterwards".to_owned(),
    ];
    Remedy::confirmed(Verb::Resend, said(lines))
}

fn replay(target: &Target, number: usize) -> Remedy {
    let lines = vec![
        format!("{}, to {}", taken(number), target.url),
        "read from Stripe, signed by us and delivered by us, oldest first".to_owned(),
        "our handler may get one that it got before, and has to bear that".to_owned(),
    ];
    Remedy::confirmed(Verb::Replay, said(lines))
}

fn taken(number: usize) -> String {
    if number > MOST {
        format!("the newest {MOST} of {}", count(number, "event"))
    } else {
        count(number, "event")
    }
}

fn said(lines: Vec<String>) -> Vec<Untrusted> {
    lines.into_iter().map(Untrusted::from).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn invoice(more: Value) -> Invoice {
        let mut whole = json!({
            "id": "in_1", "number": "7FE-1", "status": "open", "collection_method": "charge_automatically",
            "customer": "cus_1", "customer_name": "Beta GmbH", "amount_due": 490_000, "amount_remaining": 490_000,
            "currency": "eur", "attempt_count": 3
        });
        if let (Value::Object(whole), Value::Object(more)) = (&mut whole, more) {
            whole.extend(more);
        }
        Invoice::read(&whole).unwrap()
    }

    fn lines(remedy: &Remedy) -> Vec<&str> {
        remedy.confirm.iter().map(Untrusted::as_str).collect()
    }

    #[test]
    fn whoever_confirms_reads_customer_amount_and_attempts() {
        let remedies = for_invoice(&invoice(json!({})), None);
        assert_eq!(remedies.len(), 1);
        assert_eq!(remedies[0].argument.as_deref(), Some("490000 eur"));
        assert_eq!(
            lines(&remedies[0]),
            [
                "customer: Beta GmbH (cus_1)",
                "amount: €4,900.00, open of invoice 7FE-1",
                "attempts so far: 3, as Stripe counts them",
                "the customer's means of payment is charged at once, and that can't be undone from here"
            ]
        );
    }

    #[test]
    fn amounts_have_their_currencys_own_decimals() {
        for (currency, minor, said) in [
            ("jpy", 4_900, "amount: ¥4,900, open"),
            ("krw", 12_000, "amount: KRW 12,000, open"),
            ("kwd", 1_250, "amount: KWD 1.250, open"),
            ("usd", 5, "amount: $0.05, open"),
        ] {
            let of = json!({"currency": currency, "amount_remaining": minor});
            let remedies = for_invoice(&invoice(of), None);
            let line = lines(&remedies[0])[1];
            assert!(line.starts_with(said), "{line}");
            assert_eq!(remedies[0].argument, Some(format!("{minor} {currency}")));
        }
    }

    #[test]
    fn only_what_applies_is_offered() {
        let verbs = |more: Value| -> Vec<String> {
            let remedies = for_invoice(&invoice(more), None);
            remedies.into_iter().map(|remedy| remedy.verb).collect()
        };
        assert_eq!(verbs(json!({})), ["pay"]);
        assert_eq!(
            verbs(json!({"collection_method": "send_invoice"})),
            ["send"]
        );
        for status in ["draft", "paid", "void", "uncollectible", "new_word"] {
            assert_eq!(verbs(json!({"status": status})), [""; 0], "{status}");
        }
        assert_eq!(verbs(json!({"amount_remaining": 0})), [""; 0]);
        assert_eq!(verbs(json!({"currency": null})), [""; 0]);
    }

    #[test]
    fn resending_and_replaying_are_offered_as_configured() {
        let endpoint =
            Endpoint::read(&json!({"id": "we_1", "url": "https://a.example", "status": "enabled"}))
                .unwrap();
        let off = Endpoint {
            status: "disabled".to_owned(),
            ..endpoint.clone()
        };
        let verbs = |toml: &str, endpoint: Option<&Endpoint>| -> Vec<String> {
            let section: Payments = toml::from_str(toml).unwrap();
            let remedies = for_webhooks(&section, endpoint, &[]);
            remedies.into_iter().map(|remedy| remedy.verb).collect()
        };
        let replay = "replay.endpoints = [{ id = 'we_1', url = 'https://b.example/hooks' }]";
        let other = "replay.endpoints = [{ id = 'we_2', url = 'https://b.example/hooks' }]";
        assert_eq!(verbs("", Some(&endpoint)), [""; 0]);
        assert_eq!(
            verbs("allow_event_retry = true", Some(&endpoint)),
            ["resend"]
        );
        assert_eq!(verbs("allow_event_retry = true", Some(&off)), [""; 0]);
        assert_eq!(verbs("allow_event_retry = true", None), [""; 0]);
        assert_eq!(verbs(replay, Some(&endpoint)), ["replay"]);
        assert_eq!(verbs(replay, None), ["replay"]);
        assert_eq!(verbs(other, Some(&endpoint)), [""; 0]);
    }
}
