//! The arguments of a call, in each of the ways in which Slack takes them.

use axum::http::{header, request::Parts};
use serde_json::{Map, Value};

use super::{super::Call, Warning, methods, multipart};

/// Arguments that are lists or objects, and may be written as JSON in a field.
const NESTED: [&str; 10] = [
    "attachments",
    "blocks",
    "files",
    "highlights",
    "message",
    "metadata",
    "profile",
    "unfurls",
    "user_auth_blocks",
    "view",
];

/// The call, and what Slack remarks about how it was made.
pub(super) fn read(method: &str, head: &Parts, body: &[u8]) -> (Call, Warning) {
    let mut args = Map::new();
    add(&mut args, head.uri.query().unwrap_or_default().as_bytes());
    let (kind, parameters) = content_type(head);
    let reads_json = methods::find(method).is_none_or(|method| method.reads_json);
    let (mut flaw, mut warning) = (None, None);
    let has_charset = parameters.contains("charset=");
    match kind.as_str() {
        "application/x-www-form-urlencoded" => add(&mut args, body),
        "multipart/form-data" => {
            for part in multipart::parts(&parameters, body) {
                let value = String::from_utf8_lossy(part.content).into_owned();
                args.insert(part.name, value.into());
            }
        }
        "application/json" => {
            warning = (!has_charset && !body.is_empty()).then_some("missing_charset");
            if reads_json && !body.trim_ascii().is_empty() {
                match serde_json::from_slice(body) {
                    Ok(Value::Object(said)) => args.extend(said),
                    Ok(_) => flaw = Some("json_not_object"),
                    Err(_) => flaw = Some("invalid_json"),
                }
            }
        }
        "" | "text/plain" => {}
        _ => flaw = (!body.is_empty()).then_some("invalid_post_type"),
    }
    for name in NESTED {
        if let Some(Value::String(text)) = args.get(name)
            && let Ok(json @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text)
        {
            args.insert(name.to_owned(), json);
        }
    }
    // In a body of JSON no token counts, as Slack documents it.
    let written = args.remove("token");
    let token = bearer(head).or_else(|| {
        let written = written.filter(|_| kind != "application/json");
        written.and_then(|token| token.as_str().map(str::to_owned))
    });
    let call = Call {
        method: method.to_owned(),
        args: Value::Object(args),
        token: token.filter(|token| !token.is_empty()),
        flaw,
    };
    (call, warning)
}

fn add(args: &mut Map<String, Value>, pairs: &[u8]) {
    for (name, value) in url::form_urlencoded::parse(pairs) {
        args.insert(name.into_owned(), value.into_owned().into());
    }
}

/// The type in lower case, and what follows it as it is.
pub(super) fn content_type(head: &Parts) -> (String, String) {
    let given = head.headers.get(header::CONTENT_TYPE);
    let given = given
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let (kind, parameters) = given.split_once(';').unwrap_or((given, ""));
    (kind.trim().to_lowercase(), parameters.trim().to_owned())
}

fn bearer(head: &Parts) -> Option<String> {
    let value = head.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}
