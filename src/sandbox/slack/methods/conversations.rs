//! Channels and direct messages: which there are, and who is in them.

use serde_json::{Value, json};

use super::{
    super::{Channel, Workspace},
    Answer, is_set, page, refuse, refuse_arguments, several, text,
};

/// The kinds of channels that are asked for, if the app has the scopes for them.
fn kinds(world: &Workspace, args: &Value) -> Result<Vec<&'static str>, Value> {
    let asked = several(args, "types");
    let asked = if asked.is_empty() {
        vec!["public_channel"]
    } else {
        asked
    };
    let mut kinds = Vec::new();
    for kind in asked {
        let kind = match kind {
            "public_channel" => "channels",
            "private_channel" => "groups",
            "im" => "im",
            "mpim" => "mpim",
            _ => return refuse("invalid_types"),
        };
        world.need(&format!("{kind}:read"))?;
        kinds.push(kind);
    }
    Ok(kinds)
}

fn listed(world: &Workspace, args: &Value, is_there: impl Fn(&str, &Channel) -> bool) -> Answer {
    let kinds = kinds(world, args)?;
    let excludes_archived = is_set(args, "exclude_archived");
    let found = world.channels.iter().filter(|(id, channel)| {
        kinds.contains(&channel.kind())
            && (channel.has_bot || !channel.is_private)
            && !(excludes_archived && channel.is_archived)
            && is_there(id, channel)
    });
    let channels = found.map(|(id, _)| {
        let mut channel = world.channel(id);
        if channel["is_im"] != true {
            channel["num_members"] = world.people_in(id).len().into();
        }
        channel
    });
    let (channels, next) = page(channels.collect(), args, 1000)?;
    Ok(json!({ "ok": true, "channels": channels, "response_metadata": { "next_cursor": next } }))
}

pub(super) fn list(world: &mut Workspace, args: &Value) -> Answer {
    listed(world, args, |_, _| true)
}

pub(super) fn of_user(world: &mut Workspace, args: &Value) -> Answer {
    let user = match text(args, "user") {
        "" => world.app.user.clone(),
        user if world.users.contains_key(user) => user.to_owned(),
        _ => return refuse("user_not_found"),
    };
    listed(world, args, |id, _| world.people_in(id).contains(&user))
}

pub(super) fn info(world: &mut Workspace, args: &Value) -> Answer {
    world.readable(args, "read")?;
    let id = text(args, "channel");
    let mut channel = world.channel(id);
    if is_set(args, "include_num_members") {
        channel["num_members"] = world.people_in(id).len().into();
    }
    Ok(json!({ "ok": true, "channel": channel }))
}

pub(super) fn members(world: &mut Workspace, args: &Value) -> Answer {
    world.readable(args, "read")?;
    let people = world.people_in(text(args, "channel"));
    let (members, next) = page(people, args, 1000)?;
    Ok(json!({ "ok": true, "members": members, "response_metadata": { "next_cursor": next } }))
}

pub(super) fn open(world: &mut Workspace, args: &Value) -> Answer {
    let given = text(args, "channel");
    if !given.is_empty() {
        let id = given.to_owned();
        return match world.channels.get(&id) {
            Some(channel) if channel.person.is_some() => Ok(opened(world, args, &id, true)),
            Some(_) => refuse("method_not_supported_for_channel_type"),
            None => refuse("channel_not_found"),
        };
    }
    let users = several(args, "users");
    let user = match users.as_slice() {
        [] => return refuse("users_list_not_supplied"),
        [user] => (*user).to_owned(),
        _ => return refuse_arguments("the sandbox has no group messages: name one user"),
    };
    world.need("im:write")?;
    match world.users.get(&user) {
        None => refuse("user_not_found"),
        Some(it) if it.deleted => refuse("user_disabled"),
        Some(it) if it.is_bot => refuse("cannot_dm_bot"),
        Some(_) => {
            let before = world.channels.len();
            let id = world.begin_direct(&user);
            let is_old = world.channels.len() == before;
            Ok(opened(world, args, &id, is_old))
        }
    }
}

fn opened(world: &Workspace, args: &Value, id: &str, is_old: bool) -> Value {
    let channel = if is_set(args, "return_im") {
        world.channel(id)
    } else {
        json!({ "id": id })
    };
    let mut said = json!({ "ok": true, "channel": channel });
    if is_old {
        said["no_op"] = true.into();
        said["already_open"] = true.into();
    }
    said
}

pub(super) fn create(world: &mut Workspace, args: &Value) -> Answer {
    let name = text(args, "name");
    let is_private = is_set(args, "is_private");
    world.need(if is_private {
        "groups:write"
    } else {
        "channels:manage"
    })?;
    if name.chars().count() > 80 {
        return refuse("invalid_name_maxlength");
    }
    let is_plain = |c: char| c.is_alphanumeric() && !c.is_uppercase() || "-_".contains(c);
    if !name.chars().all(is_plain) {
        return refuse("invalid_name_specials");
    }
    if world.channels.values().any(|channel| channel.name == name) {
        return refuse("name_taken");
    }
    let id = format!("C0{}", world.count());
    let channel = Channel {
        name: name.to_owned(),
        is_private,
        has_bot: true,
        members: Some(std::collections::BTreeSet::new()),
        ..Channel::default()
    };
    world.channels.insert(id.clone(), channel);
    Ok(json!({ "ok": true, "channel": world.channel(&id) }))
}
