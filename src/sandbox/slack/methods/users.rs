//! People and groups of people.

use serde_json::{Value, json};

use super::{
    super::{Member, Workspace, refusal},
    Answer, is_set, page, refuse, text,
};

impl Workspace {
    fn user(&self, id: &str, user: &Member) -> Value {
        let handle = self.handle(id);
        let mut said = json!({
            "id": id, "team_id": user.team, "name": handle, "deleted": user.deleted, "color": "9f69e7",
            "real_name": user.name(id), "tz": "Europe/Berlin", "tz_label": "Central European Time",
            "tz_offset": 3600, "profile": self.profile_of(id, user), "is_admin": false, "is_owner": false,
            "is_primary_owner": false, "is_restricted": user.is_restricted,
            "is_ultra_restricted": user.is_ultra_restricted, "is_bot": user.is_bot, "updated": 1_700_000_000,
            "is_app_user": false, "is_email_confirmed": true, "who_can_share_contact_card": "EVERYONE",
            "has_2fa": false,
        });
        if user.is_stranger {
            said["is_stranger"] = true.into();
        }
        if let Some(enterprise) = &user.enterprise {
            said["enterprise_user"] = json!({ "id": id, "enterprise_id": enterprise });
        }
        said
    }

    fn profile_of(&self, id: &str, user: &Member) -> Value {
        let name = user.name(id);
        let avatar = |size: u16| format!("https://a.slack-edge.com/avatars/{size}.png");
        let mut profile = json!({
            "title": user.title, "phone": "", "skype": "", "avatar_hash": "g0000000000", "status_text": "",
            "status_emoji": "", "real_name": name, "display_name": name, "real_name_normalized": name,
            "display_name_normalized": name, "image_24": avatar(24), "image_32": avatar(32),
            "image_48": avatar(48), "image_72": avatar(72), "image_192": avatar(192),
            "image_512": avatar(512), "image_original": avatar(1024), "team": user.team,
        });
        if id == self.app.user {
            profile["bot_id"] = self.app.bot_id.as_str().into();
            profile["api_app_id"] = self.app.id.as_str().into();
        }
        let shown = self.app.scopes.contains("users:read.email");
        if let Some(email) = user.email.as_ref().filter(|_| shown) {
            profile["email"] = email.as_str().into();
        }
        profile
    }
}

pub(super) fn info(world: &mut Workspace, args: &Value) -> Answer {
    let id = text(args, "user");
    let user = world
        .users
        .get(id)
        .ok_or_else(|| refusal("user_not_found"))?;
    Ok(json!({ "ok": true, "user": world.user(id, user) }))
}

pub(super) fn list(world: &mut Workspace, args: &Value) -> Answer {
    let members = world.users.iter().map(|(id, user)| world.user(id, user));
    let (members, next) = page(members.collect(), args, 1000)?;
    Ok(json!({
        "ok": true, "members": members, "cache_ts": world.now().timestamp(),
        "response_metadata": { "next_cursor": next },
    }))
}

pub(super) fn by_email(world: &mut Workspace, args: &Value) -> Answer {
    let email = text(args, "email");
    let mut users = world.users.iter();
    let (id, user) = users
        .find(|(_, user)| !user.deleted && user.email.as_deref() == Some(email))
        .ok_or_else(|| refusal("users_not_found"))?;
    Ok(json!({ "ok": true, "user": world.user(id, user) }))
}

pub(super) fn profile(world: &mut Workspace, args: &Value) -> Answer {
    let id = match text(args, "user") {
        "" => world.app.user.as_str(),
        id => id,
    };
    let user = world
        .users
        .get(id)
        .ok_or_else(|| refusal("user_not_found"))?;
    Ok(json!({ "ok": true, "profile": world.profile_of(id, user) }))
}

pub(super) fn groups(world: &mut Workspace, args: &Value) -> Answer {
    let groups = world.groups.iter().map(|(id, users)| {
        let mut group = json!({
            "id": id, "team_id": world.team, "is_usergroup": true, "name": "On call", "handle": "on-call",
            "description": "", "is_external": false, "date_create": 1_700_000_000,
            "date_update": 1_700_000_000, "date_delete": 0, "auto_type": null, "created_by": "USLACKBOT",
            "updated_by": "USLACKBOT", "deleted_by": null, "prefs": { "channels": [], "groups": [] },
        });
        if is_set(args, "include_users") {
            group["users"] = users.clone().into();
        }
        if is_set(args, "include_count") {
            group["user_count"] = users.len().to_string().into();
        }
        group
    });
    Ok(json!({ "ok": true, "usergroups": groups.collect::<Vec<_>>() }))
}

pub(super) fn group(world: &mut Workspace, args: &Value) -> Answer {
    match world.groups.get(text(args, "usergroup")) {
        Some(users) => Ok(json!({ "ok": true, "users": users })),
        None => refuse("no_such_subteam"),
    }
}
