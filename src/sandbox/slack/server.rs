//! The workspace on a socket.

use std::io;

use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request::Parts,
    },
};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::watch};

use super::{Call, Fault, Shared, methods, refusal};

pub(super) async fn serve(listener: TcpListener, world: Shared, gate: watch::Receiver<usize>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        stream.set_nodelay(true).ok();
        let (world, gate) = (world.clone(), gate.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| {
                let (world, gate) = (world.clone(), gate.clone());
                async move { answer(request.map(Body::new), world, gate).await }
            });
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await
                .ok();
        });
    }
}

/// An error ends the connection without an answer.
async fn answer(
    request: Request<Body>,
    world: Shared,
    gate: watch::Receiver<usize>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let call = Call {
        method: head
            .uri
            .path()
            .trim_start_matches("/api/")
            .trim_start_matches('/')
            .to_owned(),
        args: args(&head, &body),
        token: token(&head.headers),
    };
    let fault = {
        let mut world = world.enter();
        world.calls.push(call.clone());
        world.strike(&call.method)
    };
    let gone = || Err(io::ErrorKind::ConnectionReset.into());
    match fault {
        None => Ok(carry_out(&world, &call)),
        Some(Fault::RateLimited(seconds)) => {
            let mut answer = said(StatusCode::TOO_MANY_REQUESTS, &refusal("ratelimited"));
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
            Ok(answer)
        }
        Some(Fault::Refused(code)) => Ok(said(StatusCode::OK, &refusal(code))),
        Some(Fault::ServerError) => Ok(page(StatusCode::SERVICE_UNAVAILABLE)),
        Some(Fault::ServerErrorAfter) => {
            carry_out(&world, &call);
            Ok(page(StatusCode::BAD_GATEWAY))
        }
        Some(Fault::ResetBefore) => gone(),
        Some(Fault::ResetAfter) => {
            carry_out(&world, &call);
            gone()
        }
        Some(Fault::Garbage) => {
            carry_out(&world, &call);
            Ok(page(StatusCode::OK))
        }
        Some(Fault::Stall) => std::future::pending().await,
        Some(Fault::Late) => {
            hold(world, call, gate);
            std::future::pending().await
        }
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            Ok(carry_out(&world, &call))
        }
    }
}

/// Carries a call out on a task of its own, which outlives the connection.
fn hold(world: Shared, call: Call, mut gate: watch::Receiver<usize>) {
    world.enter().held += 1;
    gate.mark_unchanged();
    tokio::spawn(async move {
        gate.changed().await.ok();
        carry_out(&world, &call);
        world.enter().held -= 1;
    });
}

fn carry_out(world: &Shared, call: &Call) -> Response<Body> {
    let mut world = world.enter();
    let mut answer = if let Some(id) = call.method.strip_prefix("response/") {
        match methods::respond(&mut world, id, &call.args) {
            Ok(()) => said(StatusCode::OK, &json!({ "ok": true })),
            Err(why) => {
                let mut answer = Response::new(Body::from(why));
                *answer.status_mut() = StatusCode::NOT_FOUND;
                answer
            }
        }
    } else {
        let said_ = methods::call(&mut world, call).unwrap_or_else(|refused| refused);
        said(StatusCode::OK, &said_)
    };
    let scopes: Vec<&str> = world.app.scopes.iter().copied().collect();
    if call.token.as_deref() == Some(world.app.token.as_str()) {
        let name = HeaderName::from_static("x-oauth-scopes");
        set(&mut answer, name, &scopes.join(","));
    }
    let date = world.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    set(&mut answer, header::DATE, &date);
    answer
}

fn set(answer: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn with_status(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, kind);
    answer
}

fn said(status: StatusCode, body: &Value) -> Response<Body> {
    with_status(status, "application/json; charset=utf-8", body.to_string())
}

fn page(status: StatusCode) -> Response<Body> {
    with_status(status, "text/html", "<html>nginx</html>".to_owned())
}

/// The token of the header; one among the arguments serves as well, but nobody of ours sends it there.
fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}

/// The methods that ignore a body of JSON, as their pages say.
const FORM_ONLY: [&str; 3] = ["users.info", "usergroups.users.list", "conversations.info"];

/// The arguments of the query and the body, which may be JSON or a form with JSON in its fields.
fn args(head: &Parts, body: &[u8]) -> Value {
    let mut args = Map::new();
    let mut add = |pairs: &[u8]| {
        for (name, value) in url::form_urlencoded::parse(pairs) {
            let nested = matches!(&*name, "blocks" | "view" | "metadata");
            let value = match serde_json::from_str(&value) {
                Ok(json) if nested => json,
                _ => Value::from(value.into_owned()),
            };
            args.insert(name.into_owned(), value);
        }
    };
    add(head.uri.query().unwrap_or_default().as_bytes());
    let kind = head.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        add(body);
    } else if kind.starts_with("application/json")
        && !FORM_ONLY
            .iter()
            .any(|method| head.uri.path().ends_with(method))
        && let Ok(Value::Object(said)) = serde_json::from_slice(body)
    {
        args.extend(said);
    }
    Value::Object(args)
}
