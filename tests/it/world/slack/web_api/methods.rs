//! What each method does and refuses. The codes are those of Slack's method pages.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{BOT, Call, Channel, Fault, Posting, Version, View, Workspace, block_rules, refusal};

/// An answer, or a refusal.
type Answer = Result<Value, Value>;

fn refuse<T>(code: &str) -> Result<T, Value> {
    Err(refusal(code))
}

fn text<'a>(args: &'a Value, name: &str) -> &'a str {
    args[name].as_str().unwrap_or_default()
}

/// True in JSON, or as a form writes it.
fn is_set(args: &Value, name: &str) -> bool {
    args[name] == true || matches!(args[name].as_str(), Some("true" | "1"))
}

impl Workspace {
    /// The fault that this call meets, if any is left for its method.
    pub(super) fn strike(&mut self, method: &str) -> Option<Fault> {
        let method = method.split('/').next().unwrap_or(method);
        let (_, fault, left) = self
            .faults
            .iter_mut()
            .find(|(spoilt, _, left)| spoilt == method && *left > 0)?;
        *left -= 1;
        Some(*fault)
    }

    fn permit(&self, call: &Call) -> Result<(), Value> {
        let app = call.method == "apps.connections.open";
        let right = if app { &self.app_token } else { &self.token };
        match &call.token {
            None => refuse("not_authed"),
            Some(token) if token != right => refuse("invalid_auth"),
            Some(_) if !app && self.dead.is_some() => refuse(self.dead.unwrap_or_default()),
            Some(_) => Ok(()),
        }
    }

    fn need(&self, scope: &str) -> Result<(), Value> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        let provided: Vec<&str> = self.scopes.iter().copied().collect();
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

    fn message(&mut self, args: &Value) -> Result<&mut Posting, Value> {
        let channel = self.visible(text(args, "channel"))?;
        channel
            .messages
            .iter_mut()
            .find(|message| message.ts == text(args, "ts") && !message.deleted)
            .ok_or_else(|| refusal("message_not_found"))
    }

    /// The new state of a message, or why it is refused.
    fn version(&self, args: &Value) -> Result<Version, Value> {
        let blocks = args["blocks"].as_array().cloned().unwrap_or_default();
        let said = text(args, "text");
        if blocks.is_empty() && said.is_empty() {
            return refuse("no_text");
        }
        let wrong = if self.refuses_blocks && !blocks.is_empty() {
            Some("no longer understood [json-pointer:/blocks/0]".to_owned())
        } else {
            block_rules::broken(&blocks, 50)
        };
        if let Some(wrong) = wrong {
            return Err(json!({
                "ok": false, "error": "invalid_blocks", "errors": [&wrong],
                "response_metadata": { "messages": [format!("[ERROR] {wrong}")] },
            }));
        }
        let metadata = &args["metadata"];
        if metadata.is_object() && metadata["event_type"].as_str().is_none_or(str::is_empty) {
            return refuse("invalid_metadata_format");
        }
        Ok(Version {
            text: said.chars().take(40_000).collect(),
            blocks,
            metadata: metadata.clone(),
        })
    }

    /// The message as Slack shows it: with block ids of its own where none were given.
    fn shown(&self, message: &Posting, with_metadata: bool) -> Value {
        let now = message.now();
        let blocks: Vec<Value> = now
            .blocks
            .iter()
            .enumerate()
            .map(|(place, block)| {
                let mut block = block.clone();
                if block["block_id"].is_null() {
                    block["block_id"] = format!("b{place:03}").into();
                }
                block
            })
            .collect();
        let mut shown = json!({
            "type": "message", "user": message.user, "text": now.text, "ts": message.ts, "team": self.team,
        });
        if message.user == BOT {
            shown["bot_id"] = "B0BOT".into();
            shown["app_id"] = "A0DAILYOPS".into();
        }
        if !blocks.is_empty() {
            shown["blocks"] = blocks.into();
        } else if message.versions.len() > 1 {
            shown["edited"] = json!({ "user": message.user, "ts": message.ts });
        }
        if with_metadata && now.metadata.is_object() {
            shown["metadata"] = now.metadata.clone();
        }
        shown
    }
}

pub(super) fn call(world: &mut Workspace, call: &Call) -> Answer {
    world.permit(call)?;
    let args = &call.args;
    match call.method.as_str() {
        "auth.test" => Ok(auth_test(world)),
        "apps.connections.open" => Ok(connect(world)),
        "chat.postMessage" => post(world, args),
        "chat.update" => update(world, args),
        "chat.delete" => delete(world, args),
        "chat.postEphemeral" => post_ephemeral(world, args),
        "conversations.history" => history(world, args),
        "conversations.join" => join(world, args),
        "conversations.info" => info(world, args),
        "views.open" => open_view(world, args),
        "views.update" => update_view(world, args),
        "users.info" => user(world, args),
        "usergroups.users.list" => group(world, args),
        _ => refuse("unknown_method"),
    }
}

fn auth_test(world: &Workspace) -> Value {
    let mut said = json!({
        "ok": true, "url": "https://acme.slack.com/", "team": "Acme", "user": "daily_ops", "team_id": world.team,
        "user_id": BOT, "bot_id": "B0BOT", "is_enterprise_install": false,
    });
    if let Some(enterprise) = &world.enterprise {
        said["enterprise_id"] = enterprise.as_str().into();
    }
    said
}

fn connect(world: &mut Workspace) -> Value {
    let ticket = world.count();
    let base = world
        .socket
        .as_ref()
        .map_or("wss://wss-primary.slack.com/link/", |socket| {
            socket.as_str()
        });
    json!({ "ok": true, "url": format!("{base}?ticket={ticket}&app_id=A0DAILYOPS") })
}

fn post(world: &mut Workspace, args: &Value) -> Answer {
    world.need("chat:write")?;
    let id = text(args, "channel");
    let everywhere = world.scopes.contains("chat:write.public");
    let channel = world.visible(id)?;
    if channel.is_archived {
        return refuse("is_archived");
    }
    if !channel.has_bot && !everywhere {
        return refuse("not_in_channel");
    }
    if let Some(restricted) = channel.restricted {
        return refuse(restricted);
    }
    let version = world.version(args)?;
    let ts = world.add(id, BOT, version);
    let posted = world.channels[id].messages.last();
    let shown = posted.map(|message| world.shown(message, true));
    Ok(json!({ "ok": true, "channel": id, "ts": ts, "message": shown }))
}

fn update(world: &mut Workspace, args: &Value) -> Answer {
    world.need("chat:write")?;
    let before = world.message(args)?.clone();
    if before.user != BOT {
        return refuse("cant_update_message");
    }
    if text(args, "text").chars().count() > 4000 {
        return refuse("msg_too_long");
    }
    let mut version = world.version(args)?;
    if version.metadata.is_null() {
        version.metadata = before.now().metadata.clone();
    }
    let message = world.message(args)?;
    message.versions.push(version);
    let message = message.clone();
    Ok(json!({
        "ok": true, "channel": args["channel"], "ts": message.ts, "text": message.now().text,
        "message": world.shown(&message, true),
    }))
}

fn delete(world: &mut Workspace, args: &Value) -> Answer {
    world.need("chat:write")?;
    let message = world.message(args)?;
    if message.user != BOT {
        return refuse("cant_delete_message");
    }
    message.deleted = true;
    Ok(json!({ "ok": true, "channel": args["channel"], "ts": args["ts"] }))
}

fn post_ephemeral(world: &mut Workspace, args: &Value) -> Answer {
    world.need("chat:write")?;
    let (id, user) = (text(args, "channel"), text(args, "user"));
    if !world.visible(id)?.has_bot {
        return refuse("not_in_channel");
    }
    if !world.users.contains_key(user) {
        return refuse("user_not_in_channel");
    }
    world.version(args)?;
    let said = (id.to_owned(), user.to_owned(), args.clone());
    world.ephemerals.push(said);
    Ok(json!({ "ok": true, "message_ts": world.ts() }))
}

/// Newest first, as Slack pages it.
fn history(world: &mut Workspace, args: &Value) -> Answer {
    let id = text(args, "channel");
    let channel = world.visible(id)?.clone();
    world.need(if channel.is_private {
        "groups:history"
    } else {
        "channels:history"
    })?;
    if !channel.has_bot {
        return refuse("not_in_channel");
    }
    let seconds = |ts: &str| ts.parse::<f64>().ok();
    let oldest = match text(args, "oldest") {
        "" => 0.0,
        oldest => seconds(oldest).ok_or_else(|| refusal("invalid_ts_oldest"))?,
    };
    let start: usize = match text(args, "cursor") {
        "" => 0,
        cursor => cursor.parse().map_err(|_| refusal("invalid_cursor"))?,
    };
    let matching: Vec<&Posting> = channel
        .messages
        .iter()
        .rev()
        .filter(|message| !message.deleted && seconds(&message.ts).is_some_and(|at| at >= oldest))
        .collect();
    let page: Vec<Value> = matching
        .iter()
        .skip(start)
        .take(world.page)
        .map(|message| world.shown(message, is_set(args, "include_all_metadata")))
        .collect();
    let next = start + page.len();
    let more = next < matching.len();
    let cursor = if more {
        next.to_string()
    } else {
        String::new()
    };
    Ok(json!({
        "ok": true, "messages": page, "has_more": more, "response_metadata": { "next_cursor": cursor },
    }))
}

fn join(world: &mut Workspace, args: &Value) -> Answer {
    world.need("channels:join")?;
    let channel = world.visible(text(args, "channel"))?;
    if channel.is_private {
        return refuse("method_not_supported_for_channel_type");
    }
    if channel.is_archived {
        return refuse("is_archived");
    }
    channel.has_bot = true;
    Ok(json!({ "ok": true, "channel": { "id": args["channel"], "is_member": true } }))
}

fn info(world: &mut Workspace, args: &Value) -> Answer {
    let channel = world.visible(text(args, "channel"))?.clone();
    world.need(if channel.is_private {
        "groups:read"
    } else {
        "channels:read"
    })?;
    Ok(json!({ "ok": true, "channel": {
        "id": args["channel"], "is_channel": !channel.is_private, "is_private": channel.is_private,
        "is_archived": channel.is_archived, "is_member": channel.has_bot,
    } }))
}

fn open_view(world: &mut Workspace, args: &Value) -> Answer {
    let now = world.now();
    match world.triggers.get_mut(text(args, "trigger_id")) {
        None => return refuse("invalid_trigger_id"),
        Some((_, true)) => return refuse("exchanged_trigger_id"),
        Some((at, _)) if now - *at > TimeDelta::seconds(3) => return refuse("expired_trigger_id"),
        Some((_, used)) => *used = true,
    }
    check_view(&args["view"])?;
    let id = format!("V{}", world.count());
    world.views.push(View {
        id: id.clone(),
        versions: vec![args["view"].clone()],
    });
    Ok(json!({ "ok": true, "view": { "id": id, "type": "modal", "hash": "1.1" } }))
}

fn update_view(world: &mut Workspace, args: &Value) -> Answer {
    check_view(&args["view"])?;
    let view = world
        .views
        .iter_mut()
        .find(|view| view.id == text(args, "view_id"))
        .ok_or_else(|| refusal("not_found"))?;
    view.versions.push(args["view"].clone());
    Ok(json!({ "ok": true, "view": { "id": view.id, "type": "modal", "hash": "1.2" } }))
}

fn check_view(view: &Value) -> Result<(), Value> {
    match block_rules::broken_view(view) {
        None => Ok(()),
        Some(wrong) => Err(json!({
            "ok": false, "error": "invalid_arguments",
            "response_metadata": { "messages": [format!("[ERROR] {wrong}")] },
        })),
    }
}

fn user(world: &mut Workspace, args: &Value) -> Answer {
    world.need("users:read")?;
    let id = text(args, "user");
    let Some(user) = world.users.get(id) else {
        return refuse("user_not_found");
    };
    let mut said = json!({
        "id": id, "team_id": user.team, "name": id.to_lowercase(), "deleted": user.deleted, "is_bot": user.is_bot,
        "is_restricted": user.is_restricted, "is_ultra_restricted": user.is_ultra_restricted, "is_app_user": false,
        "profile": { "real_name": id, "team": user.team },
    });
    if user.is_stranger {
        said["is_stranger"] = true.into();
    }
    if let Some(enterprise) = &user.enterprise {
        said["enterprise_user"] = json!({ "id": id, "enterprise_id": enterprise });
    }
    if let Some(email) = user
        .email
        .as_ref()
        .filter(|_| world.scopes.contains("users:read.email"))
    {
        said["profile"]["email"] = email.as_str().into();
    }
    Ok(json!({ "ok": true, "user": said }))
}

fn group(world: &mut Workspace, args: &Value) -> Answer {
    world.need("usergroups:read")?;
    match world.groups.get(text(args, "usergroup")) {
        Some(users) => Ok(json!({ "ok": true, "users": users })),
        None => refuse("no_such_subteam"),
    }
}

/// A use of an answering address, or the 404 that it has become.
pub(super) fn respond(world: &mut Workspace, id: &str, said: &Value) -> Result<(), &'static str> {
    let now = world.now();
    let Some((given, uses)) = world.addresses.get_mut(id) else {
        return Err("invalid_url");
    };
    if now - *given > TimeDelta::minutes(30) {
        return Err("expired_url");
    }
    if *uses >= 5 {
        return Err("used_url");
    }
    *uses += 1;
    world.replies.push((id.to_owned(), said.clone()));
    Ok(())
}
