//! Who asks, where, and whether blocks would be taken.

use serde_json::{Value, json};

use super::{
    super::{
        Workspace,
        limits::{self, Surface, Wrong},
    },
    Answer, refuse, refuse_arguments, shown, text,
};

/// Says again what it was told.
pub(super) fn api_test(_: &mut Workspace, args: &Value) -> Answer {
    let mut said = json!({ "ok": true });
    if args.as_object().is_some_and(|args| !args.is_empty()) {
        said["args"] = args.clone();
    }
    if let Some(error) = args["error"].as_str() {
        said["ok"] = false.into();
        said["error"] = error.into();
        return Err(said);
    }
    Ok(said)
}

pub(super) fn auth_test(world: &mut Workspace, _: &Value) -> Answer {
    let mut said = json!({
        "ok": true, "url": "https://acme.slack.com/", "team": "Acme", "user": world.app.handle(),
        "team_id": world.team, "user_id": world.app.user, "bot_id": world.app.bot_id,
        "is_enterprise_install": false,
    });
    if let Some(enterprise) = &world.enterprise {
        said["enterprise_id"] = enterprise.as_str().into();
    }
    Ok(said)
}

pub(super) fn connect(world: &mut Workspace, _: &Value) -> Answer {
    if world.transport.refuse {
        return refuse("internal_error");
    }
    let ticket = world.ticket();
    let base = world
        .socket
        .as_ref()
        .map_or("wss://wss-primary.slack.com/link/", |socket| {
            socket.as_str()
        });
    Ok(json!({ "ok": true, "url": format!("{base}?ticket={ticket}&app_id={}", world.app.id) }))
}

pub(super) fn info(world: &mut Workspace, args: &Value) -> Answer {
    let asked = text(args, "team");
    if !asked.is_empty() && asked != world.team {
        return refuse("team_not_found");
    }
    let mut team = json!({
        "id": world.team, "name": "Acme", "url": "https://acme.slack.com/", "domain": "acme",
        "email_domain": "example.com", "icon": { "image_default": true }, "avatar_base_url": "https://ca.slack-edge.com/",
        "is_verified": false,
    });
    if let Some(enterprise) = &world.enterprise {
        team["enterprise_id"] = enterprise.as_str().into();
        team["enterprise_name"] = "Acme".into();
    }
    Ok(json!({ "ok": true, "team": team }))
}

pub(super) fn bot(world: &mut Workspace, args: &Value) -> Answer {
    let app = &world.app;
    match text(args, "bot") {
        id if id.is_empty() || id == app.bot_id => Ok(json!({ "ok": true, "bot": {
            "id": app.bot_id, "deleted": false, "name": app.name, "updated": 1_700_000_000,
            "app_id": app.id, "user_id": app.user, "icons": shown::icons(),
        } })),
        _ => refuse("bot_not_found"),
    }
}

pub(super) fn emoji(world: &mut Workspace, _: &Value) -> Answer {
    let at = world.now().timestamp().to_string();
    Ok(json!({ "ok": true, "emoji": {}, "cache_ts": at }))
}

/// Whether blocks, a message or a view would be taken.
pub(super) fn validate(_: &mut Workspace, args: &Value) -> Answer {
    let given: Vec<&str> = ["blocks", "view", "message"]
        .into_iter()
        .filter(|name| !args[*name].is_null())
        .collect();
    let [name] = given.as_slice() else {
        return refuse_arguments("exactly one of blocks, view and message is needed");
    };
    let given = &args[*name];
    let (wrong, code) = match (*name, given) {
        ("blocks", Value::Array(blocks)) => {
            (limits::blocks(blocks, Surface::Message), "invalid_blocks")
        }
        ("message", Value::Object(message)) => {
            let blocks = message.get("blocks").and_then(Value::as_array);
            let wrong = blocks.map(|blocks| limits::blocks(blocks, Surface::Message));
            (wrong.unwrap_or_default(), "invalid_message")
        }
        ("view", Value::Object(_)) => (limits::view(given), "invalid_view"),
        _ => return refuse_arguments(&format!("must be valid JSON [json-pointer:/{name}]")),
    };
    if wrong.is_empty() {
        return Ok(json!({ "ok": true }));
    }
    let errors: Vec<Value> = wrong.iter().map(Wrong::as_json).collect();
    Err(json!({ "ok": false, "error": code, "errors": errors }))
}
