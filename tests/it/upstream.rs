//! The HTTP layer against small servers that answer what a test says.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use daily_ops::{
    report::Cause,
    upstream::{
        Answer, Ask, Body, Credential, Failure, Service, Settings, Unwritten, Upstream, Write,
        epoch_seconds,
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{Instant, timeout},
};
use url::Url;

use crate::world::faults::closed_port;

const SERVICE: Service = Service {
    name: "Example",
    credential: "EXAMPLE_TOKEN",
    reset: |headers| epoch_seconds(headers, "x-example-reset"),
    should_retry: |headers| Some(headers.get("x-example-should-retry")? == "true"),
};
const SECRET: &str = "a-very-secret-token";
const ASK: Ask<'_> = Ask {
    path: &["api", "things", ""],
    query: &[("secret", "in-the-query")],
    limit: 1 << 20,
    needs: "the scope `read`",
    place: "`url`",
};

fn client(base: &Url) -> Upstream {
    try_client(base).unwrap()
}

fn try_client(base: &Url) -> Result<Upstream, Failure> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let settings = Settings {
        first_wait: Duration::from_millis(1),
        request: Duration::from_secs(5),
        ..Settings::default()
    };
    Upstream::new(SERVICE, base, Credential::Bearer(&SECRET.into()), &settings)
}

async fn get(base: &Url) -> Result<Answer<Value>, Failure> {
    client(base).get(&ASK, soon()).await
}

async fn put(base: &Url) -> Result<Answer<Value>, Unwritten> {
    client(base)
        .write(Method::PUT, &ASK, &json!({"a": 1}), soon())
        .await
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// Answers every request with what the closure makes of its number, from 1, and the request.
async fn serve<F>(answer: F) -> (Url, Arc<AtomicUsize>)
where
    F: Fn(usize, Request) -> Response + Send + Sync + 'static,
{
    let count = Arc::new(AtomicUsize::new(0));
    let (counter, answer) = (Arc::clone(&count), Arc::new(answer));
    let handler = move |request: Request| {
        let response = answer(counter.fetch_add(1, Ordering::SeqCst) + 1, request);
        async move { response }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(handler)).await });
    (url, count)
}

/// Sends these bytes to whoever asks, and then nothing.
async fn speak(bytes: &'static [u8], keep_open: bool) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.read_buf(&mut Vec::with_capacity(4096)).await.ok();
            stream.write_all(bytes).await.ok();
            if keep_open {
                open.push(stream);
            }
        }
    });
    url
}

fn ok() -> Response {
    axum::Json(json!({"ok": true})).into_response()
}

fn status(code: u16, headers: &[(&'static str, &str)]) -> Response {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<header::HeaderName>().unwrap(),
                value.parse().unwrap(),
            )
        })
        .collect();
    (
        StatusCode::from_u16(code).unwrap(),
        headers,
        axum::Json(json!({"detail": "because"})),
    )
        .into_response()
}

#[tokio::test]
async fn a_request_carries_its_token_its_name_and_a_clean_path() {
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let (url, _) = serve(move |_, request| {
        *keep.lock().unwrap() = Some((request.uri().to_string(), request.headers().clone()));
        ok()
    })
    .await;
    let base = format!("{url}below/here").parse().unwrap();
    let ask = Ask {
        path: &["api", "a/b?c", ""],
        query: &[("q", "x&y")],
        ..ASK
    };
    let answer: Answer<Value> = client(&base).get(&ask, soon()).await.unwrap();
    assert!(answer.skew().unwrap().num_seconds().abs() < 60);
    let (uri, headers) = seen.lock().unwrap().take().unwrap();
    assert_eq!(uri, "/below/here/api/a%2Fb%3Fc/?q=x%26y");
    assert_eq!(headers[header::AUTHORIZATION], format!("Bearer {SECRET}"));
    assert_eq!(
        headers[header::USER_AGENT],
        concat!("daily-ops/", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, visits) = serve(|_, _| ok()).await;
    let (url, asked) = serve(move |_, _| status(302, &[("location", elsewhere.as_str())])).await;
    let failure = get(&url).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Redirect);
    assert!(failure.to_string().ends_with("answered 302 (\"because\"), a redirect to 127.0.0.1, which is not followed; set `url` to the final address"), "{failure}");
    assert_eq!(
        (visits.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)),
        (0, 1)
    );
}

#[tokio::test]
async fn a_failure_names_path_status_and_advice_but_no_query_and_no_token() {
    let (url, _) = serve(|_, _| status(403, &[])).await;
    let said = get(&url).await.unwrap_err().to_string();
    assert_eq!(
        said,
        "Example GET /api/things/: answered 403 (\"because\"); give the token in EXAMPLE_TOKEN the scope `read`"
    );
}

#[tokio::test]
async fn a_login_page_garbage_and_another_shape_are_no_answer() {
    let (html, _) = serve(|_, _| {
        (
            [(header::CONTENT_TYPE, "text/html")],
            "<form>password</form>",
        )
            .into_response()
    })
    .await;
    let (text, _) = serve(|_, _| {
        (
            [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
            "{\"a\":",
        )
            .into_response()
    })
    .await;
    for (url, said) in [
        (html, "an HTML page, perhaps a login, not JSON"),
        (text, "JSON that ends too early"),
        (speak(b"SSH-2.0-OpenSSH_9.2\r\n", true).await, "no HTTP"),
    ] {
        let failure = get(&url).await.unwrap_err();
        assert_eq!(failure.cause, Cause::Decode, "{failure}");
        assert!(
            failure.to_string().contains(said) && !failure.to_string().contains("password"),
            "{failure}"
        );
    }
    let (url, _) = serve(|_, _| ok()).await;
    let shape: Result<Answer<Vec<u64>>, _> = client(&url).get(&ASK, soon()).await;
    assert_eq!(shape.unwrap_err().cause, Cause::Decode);
}

#[tokio::test]
async fn an_endless_body_is_read_to_the_limit_and_not_further() {
    let (url, _) = serve(|_, _| {
        (
            [(header::CONTENT_TYPE, "application/json")],
            vec![b' '; 3 << 20],
        )
            .into_response()
    })
    .await;
    let failure = get(&url).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Truncated);
    assert!(
        failure.to_string().contains("longer than 1 MiB"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_read_is_tried_three_times() {
    let (url, asked) = serve(|number, _| if number < 3 { status(503, &[]) } else { ok() }).await;
    assert!(get(&url).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let (url, asked) = serve(|_, _| status(503, &[])).await;
    assert_eq!(get(&url).await.unwrap_err().cause, Cause::Upstream);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_if_it_is_short() {
    for header in [("retry-after", "1"), ("x-example-reset", "1")] {
        let (url, asked) = serve(move |number, _| {
            if number == 1 {
                status(429, &[header])
            } else {
                ok()
            }
        })
        .await;
        let began = Instant::now();
        assert!(get(&url).await.is_ok(), "{header:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        // A reset that has passed is no wait.
        assert_eq!(
            began.elapsed() >= Duration::from_secs(1),
            header.0 == "retry-after"
        );
    }
}

#[tokio::test]
async fn a_rate_limit_that_is_too_long_is_unknown_at_once() {
    let (url, asked) = serve(|_, _| status(429, &[("retry-after", "3600")])).await;
    let failure = get(&url).await.unwrap_err();
    assert_eq!(
        (failure.cause, asked.load(Ordering::SeqCst)),
        (Cause::RateLimited, 1)
    );
    assert!(
        failure.to_string().contains("asking to wait 3600 s"),
        "{failure}"
    );
    let (url, _) = serve(|_, _| status(429, &[("retry-after", "5")])).await;
    let began = Instant::now();
    let failed: Result<Answer<Value>, _> =
        client(&url).get(&ASK, began + Duration::from_secs(2)).await;
    assert_eq!(failed.unwrap_err().cause, Cause::RateLimited);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn nothing_lasts_longer_than_the_deadline() {
    let url = speak(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
        true,
    )
    .await;
    let deadline = Instant::now() + Duration::from_millis(300);
    let late: Result<Answer<Value>, _> =
        timeout(Duration::from_secs(3), client(&url).get(&ASK, deadline))
            .await
            .unwrap();
    assert_eq!(late.unwrap_err().cause, Cause::Timeout);
    let past: Result<Answer<Value>, _> = client(&url).get(&ASK, Instant::now()).await;
    assert!(past.unwrap_err().to_string().contains("no time was left"));
}

#[tokio::test]
async fn a_write_is_never_repeated_and_says_what_is_known() {
    for (code, expected) in [
        (400, "refused"),
        (403, "refused"),
        (302, "refused"),
        (429, "not sent"),
        (408, "unknown"),
        (500, "unknown"),
        (503, "unknown"),
    ] {
        let (url, asked) = serve(move |_, _| status(code, &[])).await;
        assert_eq!(
            (outcome(put(&url).await), asked.load(Ordering::SeqCst)),
            (expected, 1),
            "{code}"
        );
    }
    let (url, _) = serve(|_, _| "<html>".into_response()).await;
    assert_eq!(outcome(put(&url).await), "unknown");
    assert_eq!(outcome(put(&closed_port().await).await), "not sent");
    assert_eq!(outcome(put(&speak(b"", false).await).await), "unknown");
    let silent = speak(b"", true).await;
    let late: Result<Answer<Value>, _> = client(&silent)
        .write(
            Method::PUT,
            &ASK,
            &json!({}),
            Instant::now() + Duration::from_millis(200),
        )
        .await;
    assert_eq!(outcome(late), "unknown");
}

fn outcome(result: Result<Answer<Value>, Unwritten>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(Unwritten::Refused(_)) => "refused",
        Err(Unwritten::NotSent(_)) => "not sent",
        Err(Unwritten::OutcomeUnknown(_)) => "unknown",
    }
}

#[tokio::test]
async fn a_token_stays_off_plain_http_to_public_addresses_and_metadata_services() {
    for base in [
        "http://1.1.1.1/",
        "https://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "https://metadata.google.internal/",
        "https://user:pass@example.com/",
    ] {
        assert_eq!(
            try_client(&base.parse().unwrap()).err().unwrap().cause,
            Cause::Refused,
            "{base}"
        );
    }
    let (url, _) = serve(|_, _| ok()).await;
    let by_name = format!("http://localhost:{}", url.port().unwrap())
        .parse()
        .unwrap();
    assert!(get(&by_name).await.is_ok());
}

#[test]
fn a_token_that_no_header_can_carry_is_said_without_showing_it() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let token = "two\nlines".into();
    let base = "https://example.com".parse().unwrap();
    let failure = Upstream::new(
        SERVICE,
        &base,
        Credential::Bearer(&token),
        &Settings::default(),
    )
    .err()
    .unwrap();
    assert_eq!(failure.cause, Cause::NotConfigured);
    assert!(failure.to_string().contains("EXAMPLE_TOKEN") && !failure.to_string().contains("two"));
}

#[tokio::test]
async fn whether_a_second_try_can_help_is_the_other_sides_word() {
    for (code, word, tries) in [(503, "false", 1), (409, "true", 3)] {
        let (url, asked) =
            serve(move |_, _| status(code, &[("x-example-should-retry", word)])).await;
        assert!(get(&url).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), tries, "{code} {word}");
    }
}

#[tokio::test]
async fn a_form_is_sent_with_its_own_headers() {
    let (url, _) = serve(|_, request| {
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        axum::Json(json!([
            header("content-type"),
            header("idempotency-key"),
            header("stripe-version"),
            header("authorization"),
        ]))
        .into_response()
    })
    .await;
    let secret = SECRET.into();
    let credential = Credential::Basic {
        user: "anna@example.com",
        password: &secret,
    };
    let client = Upstream::new(SERVICE, &url, credential, &Settings::default())
        .and_then(|client| client.with_header("stripe-version", "2026"))
        .expect("it can be made");
    let write = Write {
        method: Method::POST,
        ask: ASK,
        body: Body::form([("types[]", "a b"), ("types[]", "c")]),
        headers: &[("idempotency-key", "one")],
    };
    assert!(matches!(&write.body, Body::Form(form) if form == "types%5B%5D=a+b&types%5B%5D=c"));
    let sent: Answer<Value> = client.send(&write, soon()).await.expect("it answers");
    assert_eq!(
        sent.body,
        json!([
            "application/x-www-form-urlencoded",
            "one",
            "2026",
            "Basic YW5uYUBleGFtcGxlLmNvbTphLXZlcnktc2VjcmV0LXRva2Vu",
        ])
    );
}
