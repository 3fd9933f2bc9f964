//! What each method does and refuses. The codes are those of Slack's method pages.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{BOT, Call, Channel, Fault, Posting, Version, View, Workspace, block_rules, refusal};

mod messages;

use messages::{delete, history, post, post_ephemeral, update};

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
        let right = if app {
            &self.app.app_token
        } else {
            &self.app.token
        };
        match &call.token {
            None => refuse("not_authed"),
            Some(token) if token != right => refuse("invalid_auth"),
            Some(_) if !app && self.app.dead.is_some() => refuse(self.app.dead.unwrap_or_default()),
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

    fn message(&mut self, args: &Value) -> Result<&mut Posting, Value> {
        let channel = self.visible(text(args, "channel"))?;
        channel
            .messages
            .iter_mut()
            .find(|message| message.ts == text(args, "ts") && !message.deleted)
            .ok_or_else(|| refusal("message_not_found"))
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
    let ticket = world.ticket();
    let base = world
        .socket
        .as_ref()
        .map_or("wss://wss-primary.slack.com/link/", |socket| {
            socket.as_str()
        });
    json!({ "ok": true, "url": format!("{base}?ticket={ticket}&app_id=A0DAILYOPS") })
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
        Some(trigger) if trigger.used => return refuse("exchanged_trigger_id"),
        Some(trigger) if now - trigger.at > TimeDelta::seconds(3) => {
            return refuse("expired_trigger_id");
        }
        Some(trigger) => trigger.used = true,
    }
    let user = world.triggers[text(args, "trigger_id")].user.clone();
    check_view(&args["view"])?;
    let id = format!("V{}", world.count());
    let hash = format!("{}.1", world.count());
    world.views.push(View {
        id: id.clone(),
        user,
        is_open: true,
        previous: None,
        hash: hash.clone(),
        versions: vec![args["view"].clone()],
    });
    Ok(json!({ "ok": true, "view": { "id": id, "type": "modal", "hash": hash } }))
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
        .filter(|_| world.app.scopes.contains("users:read.email"))
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
    let Some(address) = world.addresses.get_mut(id) else {
        return Err("invalid_url");
    };
    if now - address.at > TimeDelta::minutes(30) {
        return Err("expired_url");
    }
    if address.uses >= 5 {
        return Err("used_url");
    }
    address.uses += 1;
    let address = address.clone();
    world.replies.push((id.to_owned(), said.clone()));
    let version = Version {
        text: text(said, "text").to_owned(),
        blocks: said["blocks"].as_array().cloned().unwrap_or_default(),
        ..Version::default()
    };
    let user = world.app.user.clone();
    world.add_for(&address.channel, &user, &address.user, version);
    Ok(())
}
