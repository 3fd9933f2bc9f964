//! The workspace on a socket.

use std::io;

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::{Call, Fault, Shared, Workspace, methods, refusal};

mod admit;
mod arguments;
mod multipart;
mod uploads;

pub use admit::admit;
use admit::{admit_call, admit_file};

/// Of a body; of a file as well.
const MOST: usize = 32 << 20;

/// Takes connections until it is dropped, and ends them with itself.
pub(super) async fn serve(listener: TcpListener, world: Shared, gate: watch::Receiver<usize>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    stream.set_nodelay(true).ok();
                    connections.spawn(attend(stream, world.clone(), gate.clone()));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn attend(stream: TcpStream, world: Shared, gate: watch::Receiver<usize>) {
    let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| {
        let (world, gate) = (world.clone(), gate.clone());
        async move { answer(request.map(Body::new), world, gate).await }
    });
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

/// An error ends the connection without an answer.
async fn answer(
    request: Request<Body>,
    world: Shared,
    gate: watch::Receiver<usize>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let gives_file = head.method == Method::GET && path.starts_with("/files/");
    let admitted = if gives_file {
        admit_file(&head.headers)
    } else {
        admit_call(&head.headers)
    };
    if let Err(why) = admitted {
        let why = why.to_owned();
        return Ok(with_status(StatusCode::FORBIDDEN, "text/plain", why));
    }
    let body = match whole(body).await? {
        Some(body) => body,
        None => return Ok(page(StatusCode::PAYLOAD_TOO_LARGE)),
    };
    if let Some(id) = path.strip_prefix("/upload/v1/") {
        return Ok(uploads::take(&mut world.enter(), id, &head, &body));
    }
    if let Some(rest) = path.strip_prefix("/files/")
        && gives_file
    {
        return Ok(uploads::give(&world.enter(), rest));
    }
    let name = path.trim_start_matches("/api/").trim_start_matches('/');
    let (call, warning) = arguments::read(name, &head, &body);
    let fault = {
        let mut world = world.enter();
        world.calls.push(call.clone());
        world.strike(&call)
    };
    let gone = || Err(io::ErrorKind::ConnectionReset.into());
    match fault {
        None => Ok(carry_out(&world, &call, warning)),
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
            carry_out(&world, &call, warning);
            Ok(page(StatusCode::BAD_GATEWAY))
        }
        Some(Fault::ResetBefore) => gone(),
        Some(Fault::ResetAfter) => {
            carry_out(&world, &call, warning);
            gone()
        }
        Some(Fault::Garbage) => {
            carry_out(&world, &call, warning);
            Ok(page(StatusCode::OK))
        }
        Some(Fault::Stall) => std::future::pending().await,
        Some(Fault::Late) => {
            hold(world, call, warning, gate);
            std::future::pending().await
        }
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            Ok(carry_out(&world, &call, warning))
        }
    }
}

/// None: it is too long. An error: it was cut off.
async fn whole(body: Body) -> io::Result<Option<Bytes>> {
    match Limited::new(body, MOST).collect().await {
        Ok(body) => Ok(Some(body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// What Slack remarks about how it was asked: `missing_charset`.
type Warning = Option<&'static str>;

/// Carries a call out on a task of its own, which outlives the connection.
fn hold(world: Shared, call: Call, warning: Warning, mut gate: watch::Receiver<usize>) {
    world.enter().held += 1;
    gate.mark_unchanged();
    tokio::spawn(async move {
        gate.changed().await.ok();
        carry_out(&world, &call, warning);
        world.enter().held -= 1;
    });
}

fn carry_out(world: &Shared, call: &Call, warning: Warning) -> Response<Body> {
    let mut world = world.enter();
    let mut answer = match call.method.strip_prefix("response/") {
        Some(id) => respond(&mut world, id, call),
        None => {
            let mut body = methods::call(&mut world, call).unwrap_or_else(|refused| refused);
            if let Some(warning) = warning {
                warn(&mut body, warning);
            }
            said(StatusCode::OK, &body)
        }
    };
    if call.token.as_deref() == Some(world.app.token.as_str()) {
        let scopes: Vec<&str> = world.app.scopes.iter().copied().collect();
        let name = HeaderName::from_static("x-oauth-scopes");
        set(&mut answer, name, &scopes.join(","));
        if let Some(method) = methods::find(&call.method) {
            let name = HeaderName::from_static("x-accepted-oauth-scopes");
            set(&mut answer, name, &method.scopes.join(","));
        }
    }
    let id = format!("{:032x}", world.count());
    set(&mut answer, HeaderName::from_static("x-slack-req-id"), &id);
    let date = world.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    set(&mut answer, header::DATE, &date);
    answer
}

fn respond(world: &mut Workspace, id: &str, call: &Call) -> Response<Body> {
    if call.flaw.is_some() {
        return with_status(
            StatusCode::BAD_REQUEST,
            "text/html",
            "invalid_payload".to_owned(),
        );
    }
    match methods::respond(world, id, &call.args) {
        methods::Response::Json(body) => said(StatusCode::OK, &body),
        methods::Response::Word => with_status(StatusCode::OK, "text/html", "ok".to_owned()),
        methods::Response::Gone(why) => {
            with_status(StatusCode::NOT_FOUND, "text/plain", why.to_owned())
        }
    }
}

fn warn(body: &mut Value, warning: &str) {
    if body["warning"].is_null() {
        body["warning"] = warning.into();
    }
    match &mut body["response_metadata"]["warnings"] {
        Value::Array(warnings) => warnings.push(warning.into()),
        none => *none = json!([warning]),
    }
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
