//! What the app answers at a `response_url`.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    super::{Version, Workspace, workspace::remembered},
    Answer, is_set, text,
};

/// What a use of an answering address comes to.
pub(in super::super) enum Response {
    /// As the Web API answers: after a click.
    Json(Value),
    /// The bare word `ok`: after a slash command.
    Word,
    /// It is used up, too old, or there never was one.
    Gone(&'static str),
}

/// A use of an answering address.
pub(in super::super) fn respond(world: &mut Workspace, id: &str, said: &Value) -> Response {
    let now = world.now();
    let Some(address) = world.addresses.get_mut(id) else {
        return Response::Gone("invalid_url");
    };
    if now - address.at > TimeDelta::minutes(30) {
        return Response::Gone("expired_url");
    }
    if address.uses >= 5 {
        return Response::Gone("used_url");
    }
    address.uses += 1;
    let is_click = address.is_click;
    let reply = (id.to_owned(), said.clone());
    remembered::push(&mut world.replies, reply, remembered::MOST);
    match answer(world, id, said) {
        Ok(_) if !is_click => Response::Word,
        Ok(done) => Response::Json(done),
        Err(refused) => Response::Json(refused),
    }
}

fn answer(world: &mut Workspace, id: &str, said: &Value) -> Answer {
    let done = Ok(json!({ "ok": true }));
    let Some(address) = world.addresses.get(id).cloned() else {
        return done;
    };
    if is_set(said, "delete_original") {
        if let Some(message) = world.original(id) {
            message.deleted = true;
        }
        return done;
    }
    let version = world.version(said, false)?;
    if is_set(said, "replace_original")
        && let Some(message) = world.original(id)
    {
        let metadata = message.now().metadata.clone();
        message.versions.push(Version {
            metadata,
            ..version
        });
        return done;
    }
    let ts = world.post_as_app(&address.channel, said, version)?;
    let is_alone = text(said, "response_type") != "in_channel";
    if let Some(channel) = world.channels.get_mut(&address.channel)
        && let Some(message) = channel.message_mut(&ts)
    {
        message.only_for = is_alone.then_some(address.user);
    }
    if let Some(address) = world.addresses.get_mut(id) {
        address.message.get_or_insert(ts);
    }
    done
}

impl Workspace {
    /// The message that was clicked, or the first answer to a command.
    fn original(&mut self, id: &str) -> Option<&mut super::super::Posting> {
        let address = self.addresses.get(id)?;
        let channel = self.channels.get_mut(&address.channel)?;
        channel.message_mut(address.message.as_deref()?)
    }
}
