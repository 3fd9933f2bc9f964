//! The check's requests against Sentry's own API document, served by a mock server; tests/contract/sentry.sh starts it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use daily_ops::checks::{Check, NotApplied, Order};

use crate::{
    errors::{check, looking},
    world::skipped::needs,
};

/// Method, target, status, and what the mock server objected to.
pub(crate) type Seen = Arc<Mutex<Vec<(String, u16, String)>>>;

#[tokio::test]
async fn sentrys_own_document_accepts_the_requests() {
    let Some(mock) = needs(
        "SENTRY_CONTRACT_URL",
        "the check `errors` against Sentry's API document",
    ) else {
        return;
    };
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let seen = Seen::default();
    let mut errors = check(
        &format!(
            "http://{}",
            relay(mock, Arc::clone(&seen), Some(LINK)).await
        )
        .parse()
        .unwrap(),
    );
    // The project of the document's example.
    errors.projects = vec!["prime-mover".to_owned()];
    errors.settings.request = Duration::from_secs(60);
    let observed = errors.observe(&looking(Duration::from_secs(120))).await;
    let observed = observed.expect("the examples of the document can be read");
    assert_eq!(observed.gaps, [], "{:#?}", seen.lock().unwrap());
    assert_eq!(observed.issues.len(), 1);
    errors.projects = vec!["pump-station".to_owned()];
    for (verb, argument) in [
        ("resolve", None),
        ("archive", None),
        ("assign", Some("sirpenguin@antarcticarocks.com")),
        ("assign", Some("#ancient-gabelers")),
    ] {
        let order = Order {
            argument: argument.map(str::to_owned),
            ..Order::new(
                &"errors:1".parse().unwrap(),
                verb,
                &"terminal:anna".to_owned().into(),
            )
        };
        let result = errors
            .apply(&order, &looking(Duration::from_secs(120)))
            .await;
        assert!(
            matches!(result, Ok(_) | Err(NotApplied::OutcomeUnknown(_))),
            "{verb} {argument:?}: {result:?}"
        );
    }
    let seen = seen.lock().unwrap();
    for (request, status, objections) in seen.iter() {
        assert!(
            (200..300).contains(status) && objections.is_empty(),
            "{request}: {status} {objections}"
        );
    }
    assert!(
        seen.iter()
            .filter(|(request, ..)| request.starts_with("PUT"))
            .count()
            >= 4
    );
}

/// What Sentry says at the end of a list; its document doesn't describe it.
const LINK: &str = r#"<https://sentry.io/>; rel="next"; results="false"; cursor="0:100:0""#;

/// Hands requests on, and adds a `Link` header to the answers.
pub(crate) async fn relay(
    mock: String,
    seen: Seen,
    link: Option<&'static str>,
) -> std::net::SocketAddr {
    #[expect(
        clippy::disallowed_methods,
        reason = "a relay in a test needs none of `upstream`'s limits"
    )]
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let router = axum::Router::new()
        .fallback(hand_on)
        .with_state((mock, seen, http, link));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn hand_on(
    State((mock, seen, http, link)): State<(String, Seen, reqwest::Client, Option<&'static str>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut request = http
        .request(
            method.clone(),
            format!("{}{uri}", mock.trim_end_matches('/')),
        )
        .body(body);
    for name in [header::ACCEPT, header::AUTHORIZATION, header::CONTENT_TYPE] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let objections = answer
        .headers()
        .get("sl-violations")
        .map_or(String::new(), |said| {
            String::from_utf8_lossy(said.as_bytes()).into_owned()
        });
    seen.lock()
        .unwrap()
        .push((format!("{method} {uri}"), status.as_u16(), objections));
    let body = answer.bytes().await.unwrap();
    let mut answer = (StatusCode::from_u16(status.as_u16()).unwrap(), body).into_response();
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.extend(link.map(|link| (header::LINK, HeaderValue::from_static(link))));
    answer
}
