//! The admin listener's three answers.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
};
use daily_ops::serve::{
    admin::{Ready, Unready, router},
    metrics,
};
use serde_json::{Value, json};
use tower_service::Service;

/// What stands in the way; None: it never says.
#[derive(Default)]
struct Parts(Mutex<Option<Vec<Unready>>>);

impl Ready for Parts {
    fn unready(&self) -> Pin<Box<dyn Future<Output = Vec<Unready>> + Send + '_>> {
        let now = self.0.lock().unwrap().clone();
        Box::pin(async move {
            match now {
                Some(reasons) => reasons,
                None => std::future::pending().await,
            }
        })
    }
}

async fn ask(parts: &Arc<Parts>, method: Method, path: &str) -> (StatusCode, String) {
    let ready: Arc<dyn Ready> = Arc::clone(parts) as _;
    let mut router = router(ready, metrics::install().unwrap());
    let request = Request::builder().method(method).uri(path);
    let answer = router
        .call(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn parts(reasons: &[Unready]) -> Arc<Parts> {
    Arc::new(Parts(Mutex::new(Some(reasons.to_vec()))))
}

#[tokio::test]
async fn a_process_that_lives_is_healthy_even_if_it_is_not_ready() {
    let parts = parts(&[Unready::new("database", "it does not answer")]);
    assert_eq!(ask(&parts, Method::GET, "/healthz").await.0, StatusCode::OK);
    let (status, body) = ask(&parts, Method::GET, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        json!({ "ready": false, "reasons": [{ "part": "database", "reason": "it does not answer" }] })
    );
}

#[tokio::test]
async fn nothing_in_the_way_is_ready() {
    let (status, body) = ask(&parts(&[]), Method::GET, "/readyz").await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::OK, r#"{"ready":true,"reasons":[]}"#)
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_say_is_not_ready() {
    let (status, body) = ask(&Arc::default(), Method::GET, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("no answer within 2s"), "{body}");
}

#[tokio::test]
async fn metrics_are_shown_in_prometheus_own_form() {
    let parts = parts(&[]);
    ask(&parts, Method::GET, "/metrics").await;
    ::metrics::counter!("daily_ops_upstream_errors_total", "service" => "slack", "class" => "timeout").increment(1);
    let (status, body) = ask(&parts, Method::GET, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        body.contains("# TYPE daily_ops_upstream_errors_total counter"),
        "{body}"
    );
    assert!(
        body.contains(r#"daily_ops_upstream_errors_total{service="slack",class="timeout"}"#),
        "{body}"
    );
}

#[tokio::test]
async fn nothing_else_is_there_and_nothing_can_be_written() {
    let parts = parts(&[]);
    for path in ["/", "/metrics/", "/slack/commands", "/debug/pprof"] {
        assert_eq!(
            ask(&parts, Method::GET, path).await.0,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        for path in ["/healthz", "/readyz", "/metrics"] {
            let (status, _) = ask(&parts, method.clone(), path).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
}
