//! What people do in Slack: they type, click and fill in, and the app is told.

use serde_json::{Value, json};

use super::{
    Delivered, Failure, Kind, Slack, Version, Workspace,
    delivery::Packet,
    methods,
    payloads::{self, SLACKBOT},
};

mod modals;
mod saying;

/// Where an element is that somebody uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Message {
        channel: String,
        ts: String,
    },
    /// A modal or an App Home, by its id.
    View(String),
}

/// What somebody does with an element: Slack's own fields of the action, such as `{"selected_option": ...}` for a menu.
/// What the element says of itself (`type`, `text`, `value`) needs not be repeated.
pub type Chosen = Value;

const NOBODY: Delivered = Delivered::Failed("dispatch_failed");

impl Slack {
    /// Somebody sends a line that begins with a slash.
    pub async fn command(&self, user: &str, channel: &str, line: &str) -> Delivered {
        let reply_to = self.response_url(user, channel, None);
        let payload = self.world().typed(user, channel, line.trim(), &reply_to);
        let name = payload["command"].as_str().unwrap_or_default().to_owned();
        let packet = Packet {
            kind: Kind::Command,
            name: name.clone(),
            payload,
        };
        let delivered = self.shared.deliver(&packet).await;
        let mut world = self.world();
        match &delivered {
            Delivered::Failed(why) => {
                let said = format!("{name} failed with the error \"{why}\"");
                world.add_for(channel, SLACKBOT, user, Version::of(said));
            }
            Delivered::Acked { body, .. } => world.answer(user, channel, body),
        }
        delivered
    }

    /// Somebody uses an element. `block` may be empty where `action` says enough.
    pub async fn act(
        &self,
        user: &str,
        place: &Place,
        block: &str,
        action: &str,
        chosen: Chosen,
    ) -> Delivered {
        self.act_on(user, place, None, block, action, chosen).await
    }

    /// As `act`, on what a message was before its edits: the version of that number, from 0.
    pub async fn act_on(
        &self,
        user: &str,
        place: &Place,
        version: Option<usize>,
        block: &str,
        action: &str,
        chosen: Chosen,
    ) -> Delivered {
        let payload = {
            let mut world = self.world();
            let Some(blocks) = world.blocks_at(user, place, version) else {
                return NOBODY;
            };
            let Some((block, element)) = payloads::find(&blocks, block, action) else {
                return NOBODY;
            };
            let at = world.ts();
            let action = payloads::action(block, element, &chosen, &at);
            if let Some(state) = payloads::state_after(element, &action) {
                world.choose(user, place, &action, state);
            }
            let mut payload = world.interaction("block_actions", user);
            payload["trigger_id"] = world.trigger(user).into();
            world.about(
                &mut payload,
                user,
                place,
                version,
                (&blocks, &block["block_id"]),
            );
            payload["actions"] = json!([action]);
            payload
        };
        let payload = self.with_reply_to(payload, user, place);
        let delivered = self.interact("block_actions", payload).await;
        self.world().remember(user, place, action, &delivered);
        delivered
    }

    /// Somebody types into a menu whose options the app knows: its options, or its `option_groups`.
    pub async fn suggest(
        &self,
        user: &str,
        place: &Place,
        block: &str,
        action: &str,
        typed: &str,
    ) -> Vec<Value> {
        let payload = {
            let world = self.world();
            let Some(blocks) = world.blocks_at(user, place, None) else {
                return Vec::new();
            };
            let Some((block, element)) = payloads::find(&blocks, block, action) else {
                return Vec::new();
            };
            let mut payload = world.interaction("block_suggestion", user);
            payload["action_id"] = element["action_id"].clone();
            payload["block_id"] = block["block_id"].clone();
            payload["value"] = typed.into();
            world.about(
                &mut payload,
                user,
                place,
                None,
                (&blocks, &block["block_id"]),
            );
            payload
        };
        let delivered = self.interact("block_suggestion", payload).await;
        let Delivered::Acked { body, .. } = delivered else {
            return Vec::new();
        };
        let options = [&body["options"], &body["option_groups"]];
        let options = options.into_iter().find_map(Value::as_array);
        options.cloned().unwrap_or_default()
    }

    /// Somebody chooses a global shortcut.
    pub async fn shortcut(&self, user: &str, callback: &str) -> Delivered {
        let payload = {
            let mut world = self.world();
            world.shortcut("shortcut", user, callback)
        };
        self.interact("shortcut", payload).await
    }

    /// Somebody chooses a shortcut of a message.
    pub async fn message_shortcut(
        &self,
        user: &str,
        channel: &str,
        ts: &str,
        callback: &str,
    ) -> Delivered {
        let reply_to = self.response_url(user, channel, Some(ts));
        let payload = {
            let mut world = self.world();
            let Some(message) = world.posting(channel, ts, None) else {
                return NOBODY;
            };
            let mut payload = world.shortcut("message_action", user, callback);
            world.about_message(&mut payload, channel, &message, &Value::Null);
            payload["message"] = world.shown(&message, true);
            payload["message_ts"] = ts.into();
            payload["response_url"] = reply_to.into();
            if let Some(fields) = payload.as_object_mut() {
                fields.remove("container");
            }
            payload
        };
        self.interact("message_action", payload).await
    }

    async fn interact(&self, name: &str, payload: Value) -> Delivered {
        let packet = Packet {
            kind: Kind::Interaction,
            name: name.to_owned(),
            payload,
        };
        self.shared.deliver(&packet).await
    }

    /// What was done with a message can be answered at an address.
    fn with_reply_to(&self, mut payload: Value, user: &str, place: &Place) -> Value {
        if let Place::Message { channel, ts } = place {
            payload["response_url"] = self.response_url(user, channel, Some(ts)).into();
        }
        payload
    }

    /// Tells open sockets to be renewed, as Slack does every few hours: `warning`, `refresh_requested`, `link_disabled`.
    pub fn refresh_sockets(&self, reason: &'static str) {
        self.shared.wire.sockets.leave(reason);
    }

    /// Open sockets break without a word; new ones don't.
    pub fn drop_sockets(&self) {
        self.shared.wire.sockets.break_off();
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.shared.wire.sockets.count()
    }

    /// Some sockets are open, and all that were told to go are gone.
    pub fn has_settled_sockets(&self) -> bool {
        self.shared.wire.sockets.are_settled()
    }
}

impl Workspace {
    fn shortcut(&mut self, kind: &str, user: &str, callback: &str) -> Value {
        let mut payload = self.interaction(kind, user);
        payload["callback_id"] = callback.into();
        payload["action_ts"] = self.ts().into();
        payload["trigger_id"] = self.trigger(user).into();
        payload
    }

    /// The blocks that this user sees there, with their ids.
    fn blocks_at(&self, user: &str, place: &Place, version: Option<usize>) -> Option<Vec<Value>> {
        match place {
            Place::Message { channel, ts } => {
                let message = self.posting(channel, ts, version)?;
                let is_seen = message.only_for.as_ref().is_none_or(|only| only == user);
                is_seen.then(|| message.now().all_blocks())
            }
            Place::View(id) => {
                let view = self.view_of(id).filter(|view| view.user == user)?;
                view.now()["blocks"].as_array().cloned()
            }
        }
    }

    /// Where it was done, and what is in the fields there.
    fn about(
        &self,
        payload: &mut Value,
        user: &str,
        place: &Place,
        version: Option<usize>,
        (blocks, block): (&[Value], &Value),
    ) {
        let values = self.values_at(user, place, blocks);
        match place {
            Place::Message { channel, ts } => {
                if let Some(message) = self.posting(channel, ts, version) {
                    self.about_message(payload, channel, &message, block);
                }
                payload["state"] = json!({ "values": values });
            }
            Place::View(id) => {
                payload["container"] = json!({ "type": "view", "view_id": id });
                if let Some(view) = self.view_of(id) {
                    payload["view"] = self.view_with(view, values);
                }
            }
        }
    }

    fn choose(&mut self, user: &str, place: &Place, action: &Value, state: Value) {
        let key = (user.to_owned(), place.clone());
        let all = self.delivery.chosen.entry(key).or_insert_with(|| json!({}));
        let id = |name: &str| action[name].as_str().unwrap_or_default().to_owned();
        if !all[&id("block_id")].is_object() {
            all[&id("block_id")] = json!({});
        }
        all[&id("block_id")][&id("action_id")] = state;
    }

    /// Keeps a warning where the app did not ack, and takes it away where it did.
    fn remember(&mut self, user: &str, place: &Place, action: &str, delivered: &Delivered) {
        let failures = &mut self.delivery.failures;
        failures.retain(|failure| failure.user != user || failure.place != *place);
        if let Delivered::Failed(why) = delivered {
            failures.push(Failure {
                user: user.to_owned(),
                place: place.clone(),
                action: action.to_owned(),
                why,
            });
        }
    }

    /// What an ack says: a text, or a message as at an answering address.
    fn answer(&mut self, user: &str, channel: &str, said: &Value) {
        let said = match said {
            Value::String(text) => json!({ "text": text }),
            Value::Object(fields) if !fields.is_empty() => said.clone(),
            _ => return,
        };
        let address = self.address(user, channel, None);
        methods::respond(self, &address, &said);
    }
}
