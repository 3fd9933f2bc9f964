//! The check's requests against Stripe's own description of its API, served by a mock server;
//! tests/contract/stripe.sh starts it. Prism lets unknown names pass, and whatever is under a name with brackets; so
//! names and values are held against the document here.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use daily_ops::{
    checks::{Check, Looking, NotApplied, Order, Progress, payments::Payments},
    triage::Person,
};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::{
    sentry_contract::{Seen, relay},
    world::skipped::needs,
};

/// The queries that the look, the audit and the news must have made, by the route and what is in them.
const ASKED: [(&str, &[&str]); 13] = [
    ("/v1/balance", &[]),
    ("/v1/events", &["delivery_success=false"]),
    ("/v1/events", &["delivery_success=true"]),
    ("/v1/events", &["types[]=charge.failed", "created[gte]="]),
    ("/v1/events", &["type=invoice.sent"]),
    ("/v1/webhook_endpoints", &["limit=100"]),
    ("/v1/invoices", &["status=open"]),
    ("/v1/invoices", &["status=uncollectible"]),
    ("/v1/invoices", &["status=draft"]),
    ("/v1/invoices", &["created[lt]="]),
    ("/v1/disputes", &["created[lte]="]),
    ("/v1/payouts", &["status=failed"]),
    ("/v1/charges", &["payment_intent=pi_"]),
];

const PAID_BY_CARD: &str = "in_1NnmX4GPxmnHQRkJyyhHiHYa";

const SENT_BY_MAIL: &str = "in_1NnmX4GPxmnHQRkJmailed";

/// The morning after the document's examples were created.
fn morning() -> DateTime<Utc> {
    "2009-02-14T09:00:00Z".parse().unwrap()
}

fn looking() -> Looking {
    let key = ("STRIPE_API_KEY".to_owned(), "sk_test_any".to_owned().into());
    Looking {
        deadline: Instant::now() + Duration::from_secs(120),
        clock: Arc::new(morning),
        progress: Progress::default(),
        baselines: Arc::default(),
        since: None,
        earlier: Arc::default(),
        secrets: Arc::new([key].into_iter().collect()),
    }
}

#[tokio::test]
async fn stripes_own_document_accepts_the_requests() {
    let Some(mock) = needs(
        "STRIPE_CONTRACT_URL",
        "the check `payments` against Stripe's description of its API",
    ) else {
        return;
    };
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let seen = Seen::default();
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("invoices.csv");
    std::fs::write(&records, "id,amount,currency,status\n").unwrap();
    let url = relay(mock, Arc::clone(&seen), None).await;
    let mut section = super::section(&format!(
        "mode = 'test'\nurl = 'http://{url}'\naudit = {{ csv = {records:?}, days = 1 }}"
    ));
    section.settings.request = Duration::from_secs(60);

    looks(&section).await;
    changes(&section, "pay", PAID_BY_CARD, Some("1000 usd")).await;
    changes(&section, "send", SENT_BY_MAIL, None).await;

    let document = document();
    let seen: Vec<(String, u16, String)> = seen.lock().unwrap().clone();
    for (request, status, objections) in &seen {
        assert!(
            (200..300).contains(status) && objections.is_empty(),
            "{request}: {status} {objections}"
        );
        assert_eq!(unknown_parameters(&document, request), [""; 0], "{request}");
    }
    let asked: Vec<(String, String)> = seen.iter().map(|(request, ..)| read(request)).collect();
    for (route, words) in ASKED {
        let of = |(target, query): &(String, String)| {
            *target == format!("GET {route}") && words.iter().all(|word| query.contains(word))
        };
        assert!(asked.iter().any(of), "GET {route} {words:?}: {asked:#?}");
    }
    for change in [
        format!("POST /v1/invoices/{PAID_BY_CARD}/pay"),
        format!("POST /v1/invoices/{SENT_BY_MAIL}/send"),
    ] {
        let times = asked.iter().filter(|(target, _)| *target == change);
        assert_eq!(times.count(), 1, "{change}: {asked:#?}");
    }
}

/// Looks at all of it, and then at what is new.
async fn looks(section: &Payments) {
    let observed = section.observe(&looking()).await.unwrap();
    let judged = section.evaluate(&observed, morning());
    assert_eq!(judged.unknown, [], "the examples can be read");
    let news = Looking {
        since: Some(morning() - Duration::from_secs(3600)),
        ..looking()
    };
    let observed = section.observe(&news).await.unwrap();
    assert_eq!(observed.accounts[0].news.events.gaps, []);
}

/// Orders a change. As the examples stand still, Stripe can't be seen to have made it.
async fn changes(section: &Payments, verb: &str, invoice: &str, argument: Option<&str>) {
    let key = format!("payments:invoice/{invoice}").parse().unwrap();
    let mut order = Order {
        argument: argument.map(str::to_owned),
        at: morning(),
        idempotency_key: format!("daily-ops-{verb}"),
        ..Order::new(&key, verb, &Person::at_terminal("anna"))
    };
    order.before = section.before(&order, &looking()).await.unwrap();
    let result = section.apply(&order, &looking()).await;
    assert!(
        matches!(result, Err(NotApplied::OutcomeUnknown(_))),
        "{verb}: {result:?}"
    );
}

fn document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/stripe.openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Method with path, and the decoded query, of `GET /v1/events?limit=100`.
fn read(request: &str) -> (String, String) {
    let (method, target) = request.split_once(' ').unwrap();
    let url = Url::parse("http://stripe").unwrap().join(target).unwrap();
    let pairs = url
        .query_pairs()
        .map(|(name, value)| format!("{name}={value}"));
    let query: Vec<String> = pairs.collect();
    (format!("{method} {}", url.path()), query.join("&"))
}

/// The names in a request's query that the document doesn't have for its route, or not with such a value.
fn unknown_parameters(document: &Value, request: &str) -> Vec<String> {
    let (target, query) = read(request);
    let (method, path) = target.split_once(' ').unwrap();
    let routes = document["paths"].as_object().unwrap();
    let route = routes
        .get(path)
        .or_else(|| routes.iter().find(|it| fits(it.0, path)).map(|it| it.1));
    let parameters = route.and_then(|it| it[method.to_lowercase()]["parameters"].as_array());
    let known: Vec<&Value> = parameters
        .into_iter()
        .flatten()
        .map(|it| match it["$ref"].as_str() {
            Some(place) => document.pointer(place.trim_start_matches('#')).unwrap(),
            None => it,
        })
        .filter(|it| it["in"] == "query")
        .collect();
    let is_known = |name: &str, value: &str| {
        let mut same = known.iter().filter(|it| it["name"] == *name);
        same.any(|it| takes(&it["schema"], value))
    };
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, value)| !is_known(name, value))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn takes(schema: &Value, value: &str) -> bool {
    match schema["type"].as_str() {
        Some("integer") => value.parse::<i64>().is_ok(),
        Some("boolean") => matches!(value, "true" | "false"),
        Some("array") => takes(&schema["items"], value),
        _ => schema["enum"]
            .as_array()
            .is_none_or(|words| words.iter().any(|word| *word == *value)),
    }
}

/// Whether a path is of a route such as `/v1/invoices/{invoice}`.
fn fits(route: &str, path: &str) -> bool {
    let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (route, path) = (parts(route), parts(path));
    route.len() == path.len()
        && route
            .iter()
            .zip(&path)
            .all(|(of, part)| of == part || of.starts_with('{'))
}

#[test]
fn a_parameter_that_the_document_lacks_is_noticed() {
    let document = document();
    for (request, unknown) in [
        (
            "GET /v1/events?created%5Bgte%5D=1&types%5B%5D=a&types%5B%5D=b&limit=100",
            &[][..],
        ),
        (
            "GET /v1/events?created%5Bfrom%5D=1&delivered=false",
            &["created[from]", "delivered"],
        ),
        ("GET /v1/invoices/in_1?expand%5B%5D=customer", &[]),
        ("GET /v1/invoices/in_1?expand%5B%5D=nobody", &["expand[]"]),
        ("GET /v1/payouts?created%5Bgte%5D=soon", &["created[gte]"]),
        ("GET /v1/balance?limit=1", &["limit"]),
        ("GET /v1/no_such_list?limit=1", &["limit"]),
    ] {
        assert_eq!(unknown_parameters(&document, request), unknown, "{request}");
    }
}
