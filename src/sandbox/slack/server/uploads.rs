//! Files on their way in and out.

use axum::{
    body::Body,
    http::{Method, Response, StatusCode, request::Parts},
};

use super::{super::Workspace, arguments, multipart, with_status};

/// A file as it comes, whole or as a part of a form.
pub(super) fn take(world: &mut Workspace, id: &str, head: &Parts, body: &[u8]) -> Response<Body> {
    if !matches!(head.method, Method::POST | Method::PUT) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    }
    let Some(upload) = world.files.get_mut(id).filter(|it| !it.is_complete) else {
        return plain(StatusCode::NOT_FOUND, "file_not_found");
    };
    let (kind, parameters) = arguments::content_type(head);
    let content = if kind == "multipart/form-data" {
        let parts = multipart::parts(&parameters, body);
        parts.first().map_or(&[][..], |part| part.content).to_vec()
    } else {
        body.to_vec()
    };
    upload.length = content.len();
    let said = format!("OK - {}", content.len());
    upload.content = Some(content);
    plain(StatusCode::OK, &said)
}

/// `F123/report.csv`
pub(super) fn give(world: &Workspace, path: &str) -> Response<Body> {
    let id = path.split('/').next().unwrap_or_default();
    let content = world.files.get(id).and_then(|file| file.content.clone());
    match content {
        Some(content) => {
            let mut answer = Response::new(Body::from(content));
            super::set(
                &mut answer,
                axum::http::header::CONTENT_TYPE,
                "application/octet-stream",
            );
            answer
        }
        None => plain(StatusCode::NOT_FOUND, "file_not_found"),
    }
}

fn plain(status: StatusCode, said: &str) -> Response<Body> {
    with_status(status, "text/plain; charset=utf-8", said.to_owned())
}
