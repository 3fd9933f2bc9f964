//! What each method does and refuses. The codes are those of Slack's method pages.

use serde_json::{Value, json};

use super::{Call, Channel, Workspace, refusal};

mod chat;
mod composing;
mod conversations;
mod echo;
mod files;
mod membership;
mod reactions;
mod reading;
mod respond;
mod schedule;
mod shown;
mod table;
mod team;
mod users;
mod views;

pub(super) use respond::{Response, respond};
pub use table::SCOPES;
pub(super) use table::{Method, find};

/// An answer, or a refusal.
type Answer = Result<Value, Value>;

fn refuse<T>(code: &str) -> Result<T, Value> {
    Err(refusal(code))
}

/// A refusal of the arguments, with what is wrong about them.
fn refuse_arguments<T>(wrong: &str) -> Result<T, Value> {
    Err(json!({
        "ok": false, "error": "invalid_arguments",
        "response_metadata": { "messages": [format!("[ERROR] {wrong}")] },
    }))
}

fn text<'a>(args: &'a Value, name: &str) -> &'a str {
    args[name].as_str().unwrap_or_default()
}

/// True in JSON, or as a form writes it.
fn is_set(args: &Value, name: &str) -> bool {
    args[name] == true || matches!(args[name].as_str(), Some("true" | "1"))
}

/// A number in JSON, or as a form writes it.
fn number(args: &Value, name: &str) -> Option<i64> {
    let given = &args[name];
    given
        .as_i64()
        .or_else(|| given.as_str().and_then(|text| text.parse().ok()))
}

/// A list in JSON, or with commas.
fn several<'a>(args: &'a Value, name: &str) -> Vec<&'a str> {
    match &args[name] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        given => given
            .as_str()
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect(),
    }
}

/// A page of a list, and the cursor of the next one.
fn page<T>(all: Vec<T>, args: &Value, most: usize) -> Result<(Vec<T>, String), Value> {
    let start: usize = match text(args, "cursor") {
        "" => 0,
        cursor => cursor.parse().map_err(|_| refusal("invalid_cursor"))?,
    };
    let asked = number(args, "limit").unwrap_or(0);
    if asked < 0 {
        return refuse("invalid_limit");
    }
    let limit = match usize::try_from(asked).unwrap_or(most) {
        0 => most,
        asked => asked.min(most),
    };
    let end = start.saturating_add(limit);
    let next = (end < all.len()).then(|| end.to_string());
    let page = all.into_iter().skip(start).take(limit).collect();
    Ok((page, next.unwrap_or_default()))
}

impl Workspace {
    fn permit(&self, method: &Method, call: &Call) -> Result<(), Value> {
        let right = match method.name {
            "api.test" | "blocks.validate" => return Ok(()),
            "apps.connections.open" => &self.app.app_token,
            _ => &self.app.token,
        };
        match &call.token {
            None => refuse("not_authed"),
            Some(token) if *token == self.app.app_token && token != right => {
                refuse("not_allowed_token_type")
            }
            Some(token) if token != right => refuse("invalid_auth"),
            Some(token) if *token == self.app.token => self.app.dead.map_or(Ok(()), refuse),
            Some(_) => Ok(()),
        }
    }

    fn need(&self, scope: &str) -> Result<(), Value> {
        if self.app.scopes.contains(scope) {
            return Ok(());
        }
        let provided: Vec<&str> = self.app.scopes.iter().copied().collect();
        Err(json!({
            "ok": false, "error": "missing_scope", "needed": scope, "provided": provided.join(","),
        }))
    }

    /// A channel that the bot can see: what is private and without it isn't there.
    fn visible(&mut self, id: &str) -> Result<&mut Channel, Value> {
        self.channels
            .get_mut(id)
            .filter(|channel| channel.has_bot || !channel.is_private)
            .ok_or_else(|| refusal("channel_not_found"))
    }

    /// The same, if the app has the scope for its kind: `channels:read`, `im:history`.
    fn readable(&mut self, args: &Value, right: &str) -> Result<&mut Channel, Value> {
        let id = text(args, "channel");
        let kind = self.visible(id)?.kind();
        self.need(&format!("{kind}:{right}"))?;
        self.visible(id)
    }
}

pub(super) fn call(world: &mut Workspace, call: &Call) -> Answer {
    let Some(method) = find(&call.method) else {
        return Err(json!({ "ok": false, "error": "unknown_method", "req_method": call.method }));
    };
    world.permit(method, call)?;
    if let [scope] = method.scopes {
        world.need(scope)?;
    }
    if let Some(flaw) = call.flaw {
        return refuse(flaw);
    }
    for name in method.needs {
        if matches!(&call.args[*name], Value::Null) || call.args[*name] == "" {
            return refuse_arguments(&format!("missing required field: {name}"));
        }
    }
    (method.run)(world, &call.args)
}
