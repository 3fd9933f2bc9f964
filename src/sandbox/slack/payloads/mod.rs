//! What the app is told, made from what is stored: <https://docs.slack.dev/reference/interaction-payloads>.

use serde_json::{Value, json};

use super::{Place, Posting, View, Workspace};

mod elements;

pub use elements::elements;
pub(super) use elements::{Values, action, find, state_after, values};

/// Slack's own account.
pub(super) const SLACKBOT: &str = "USLACKBOT";

const TOKEN: &str = "not-for-verification";
const DOMAIN: &str = "acme";

impl Workspace {
    /// How somebody is called in payloads.
    pub(super) fn handle(&self, user: &str) -> String {
        let name = self.users.get(user).map(|member| &*member.real_name);
        let name = name.filter(|name| !name.is_empty()).unwrap_or(user);
        name.to_lowercase().replace(' ', ".")
    }

    fn person(&self, user: &str) -> Value {
        let (handle, team) = (self.handle(user), self.users.get(user));
        let team = team.map_or(&*self.team, |member| &*member.team);
        json!({ "id": user, "username": handle, "name": handle, "team_id": team })
    }

    /// What all interactions say.
    pub(super) fn interaction(&self, kind: &str, user: &str) -> Value {
        let mut team = json!({ "id": self.team, "domain": DOMAIN });
        let mut enterprise = Value::Null;
        if let Some(id) = &self.enterprise {
            enterprise = json!({ "id": id, "name": "Acme" });
            team["enterprise_id"] = id.as_str().into();
            team["enterprise_name"] = "Acme".into();
        }
        json!({
            "type": kind, "user": self.person(user), "api_app_id": self.app.id, "token": TOKEN, "team": team,
            "enterprise": enterprise, "is_enterprise_install": false,
        })
    }

    /// The fields of a slash command. `line`: as it was typed.
    pub(super) fn typed(&mut self, user: &str, channel: &str, line: &str, reply_to: &str) -> Value {
        let (command, text) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let text = text
            .trim()
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let mut payload = json!({
            "token": TOKEN, "team_id": self.team, "team_domain": DOMAIN, "channel_id": channel,
            "channel_name": self.channel_name(channel), "user_id": user, "user_name": self.handle(user),
            "command": command, "text": text, "api_app_id": self.app.id, "is_enterprise_install": "false",
            "response_url": reply_to, "trigger_id": self.trigger(user),
        });
        if let Some(id) = &self.enterprise {
            payload["enterprise_id"] = id.as_str().into();
            payload["enterprise_name"] = "Acme".into();
        }
        payload
    }

    fn channel_name(&self, channel: &str) -> &str {
        match self.channels.get(channel) {
            _ if channel.starts_with('D') => "directmessage",
            Some(channel) if channel.is_private => "privategroup",
            Some(channel) => &channel.name,
            None => "",
        }
    }

    /// `channel`, `container` and `message` of what was done with a message. `block`: the used one's id.
    pub(super) fn about_message(
        &self,
        payload: &mut Value,
        channel: &str,
        message: &Posting,
        block: &Value,
    ) {
        payload["channel"] = json!({ "id": channel, "name": self.channel_name(channel) });
        payload["container"] = json!({
            "type": "message", "message_ts": message.ts, "channel_id": channel,
            "is_ephemeral": message.only_for.is_some(),
        });
        if let Some(attachment) = message.now().attachment_of(block) {
            payload["container"]["type"] = "message_attachment".into();
            payload["container"]["attachment_id"] = attachment.clone();
            payload["container"]["is_app_unfurl"] = false.into();
        }
        if let Some(thread) = &message.thread {
            payload["container"]["thread_ts"] = thread.as_str().into();
        }
        // Slack doesn't keep ephemeral messages.
        if message.only_for.is_none() {
            payload["message"] = self.shown(message, true);
        }
    }

    /// The message as it was in that version, counted from 0; None: as it is now.
    pub(super) fn posting(
        &self,
        channel: &str,
        ts: &str,
        version: Option<usize>,
    ) -> Option<Posting> {
        let all = &self.channels.get(channel)?.messages;
        let mut found = all.iter().find(|message| message.ts == ts)?.clone();
        if let Some(version) = version {
            found.versions.truncate(version + 1);
        }
        Some(found)
    }

    /// A modal or an App Home.
    pub(super) fn view_of(&self, id: &str) -> Option<&View> {
        let mut all = self.views.iter().chain(self.homes.values());
        all.find(|view| view.id == id)
    }

    /// The view with what is in its fields.
    pub(super) fn view_with(&self, view: &View, values: Values) -> Value {
        let mut shown = view.now().clone();
        let defaults = [
            ("private_metadata", json!("")),
            ("callback_id", json!("")),
            ("title", Value::Null),
            ("close", Value::Null),
            ("submit", Value::Null),
            ("clear_on_close", json!(false)),
            ("notify_on_close", json!(false)),
            ("external_id", json!("")),
        ];
        for (name, value) in defaults {
            if shown[name].is_null() {
                shown[name] = value;
            }
        }
        shown["id"] = view.id.as_str().into();
        shown["team_id"] = self.team.as_str().into();
        shown["app_installed_team_id"] = self.team.as_str().into();
        shown["app_id"] = self.app.id.as_str().into();
        shown["bot_id"] = self.app.bot_id.as_str().into();
        shown["hash"] = view.hash.as_str().into();
        shown["previous_view_id"] = view.previous.clone().into();
        shown["root_view_id"] = self.root(view).into();
        shown["state"] = json!({ "values": values });
        shown
    }

    /// The lowest view of the stack.
    pub(super) fn root(&self, view: &View) -> String {
        let mut lowest = view;
        while let Some(below) = lowest.previous.as_ref().and_then(|id| self.view_of(id)) {
            lowest = below;
        }
        lowest.id.clone()
    }

    /// What is in the fields there: what this user chose, else what they began with.
    pub(super) fn values_at(&self, user: &str, place: &Place, blocks: &[Value]) -> Values {
        let chosen = self.delivery.chosen.get(&(user.to_owned(), place.clone()));
        values(blocks, chosen.unwrap_or(&Value::Null))
    }
}
