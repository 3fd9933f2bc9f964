//! Who comes into a channel and leaves it, and what it is for.

use serde_json::{Value, json};

use super::{
    super::{Channel, Workspace},
    Answer, refuse, several, text,
};

impl Workspace {
    /// A channel that the app may change, being in it.
    fn managed(&mut self, args: &Value) -> Result<&mut Channel, Value> {
        let id = text(args, "channel");
        let (kind, has_bot) = {
            let channel = self.visible(id)?;
            (channel.kind(), channel.has_bot)
        };
        self.need(match kind {
            "channels" => "channels:manage",
            "groups" => "groups:write",
            _ => "im:write",
        })?;
        if kind == "im" {
            return refuse("method_not_supported_for_channel_type");
        }
        if !has_bot {
            return refuse("not_in_channel");
        }
        self.visible(id)
    }
}

fn done(world: &Workspace, args: &Value) -> Value {
    json!({ "ok": true, "channel": world.channel(text(args, "channel")) })
}

pub(super) fn join(world: &mut Workspace, args: &Value) -> Answer {
    let channel = world.visible(text(args, "channel"))?;
    if channel.is_private {
        return refuse("method_not_supported_for_channel_type");
    }
    if channel.is_archived {
        return refuse("is_archived");
    }
    let was_in = std::mem::replace(&mut channel.has_bot, true);
    let mut said = done(world, args);
    if was_in {
        said["warning"] = "already_in_channel".into();
        said["response_metadata"] = json!({ "warnings": ["already_in_channel"] });
    }
    Ok(said)
}

pub(super) fn leave(world: &mut Workspace, args: &Value) -> Answer {
    if !world.visible(text(args, "channel"))?.has_bot {
        return Ok(json!({ "ok": false, "not_in_channel": true }));
    }
    world.managed(args)?.has_bot = false;
    Ok(json!({ "ok": true }))
}

pub(super) fn invite(world: &mut Workspace, args: &Value) -> Answer {
    let there = world.people_in(text(args, "channel"));
    let users = several(args, "users");
    if users.is_empty() {
        return refuse("no_user");
    }
    for user in &users {
        match world.users.get(*user) {
            None => return refuse("user_not_found"),
            Some(_) if *user == world.app.user => return refuse("cant_invite_self"),
            Some(user) if user.deleted => return refuse("cant_invite"),
            Some(_) if there.iter().any(|member| member == user) => {
                return refuse("already_in_channel");
            }
            Some(_) => {}
        }
    }
    let users: Vec<String> = users.into_iter().map(str::to_owned).collect();
    let channel = world.managed(args)?;
    if channel.is_archived {
        return refuse("is_archived");
    }
    // Where everybody is, nobody is left to come.
    if let Some(members) = &mut channel.members {
        members.extend(users);
    }
    Ok(done(world, args))
}

pub(super) fn kick(world: &mut Workspace, args: &Value) -> Answer {
    let user = text(args, "user");
    let mut there = world.people_in(text(args, "channel"));
    if user == world.app.user {
        return refuse("cant_kick_self");
    }
    let before = there.len();
    there.retain(|member| member != user);
    if there.len() == before {
        return refuse("not_in_channel");
    }
    let bot = world.app.user.clone();
    there.retain(|member| *member != bot);
    world.managed(args)?.members = Some(there.into_iter().collect());
    Ok(json!({ "ok": true }))
}

pub(super) fn topic(world: &mut Workspace, args: &Value) -> Answer {
    world.managed(args)?.topic = short(args, "topic")?;
    Ok(done(world, args))
}

pub(super) fn purpose(world: &mut Workspace, args: &Value) -> Answer {
    world.managed(args)?.purpose = short(args, "purpose")?;
    Ok(json!({ "ok": true, "purpose": text(args, "purpose") }))
}

fn short(args: &Value, name: &str) -> Result<String, Value> {
    let said = text(args, name);
    if said.chars().count() > 250 {
        return refuse("too_long");
    }
    Ok(said.to_owned())
}

pub(super) fn archive(world: &mut Workspace, args: &Value) -> Answer {
    let channel = world.managed(args)?;
    if std::mem::replace(&mut channel.is_archived, true) {
        return refuse("already_archived");
    }
    Ok(json!({ "ok": true }))
}

pub(super) fn unarchive(world: &mut Workspace, args: &Value) -> Answer {
    let channel = world.managed(args)?;
    if !std::mem::replace(&mut channel.is_archived, false) {
        return refuse("not_archived");
    }
    Ok(json!({ "ok": true }))
}
