//! Modals: sent off, closed, and what the app says to that.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{Call, Delivered, Slack, View, Workspace, methods},
    NOBODY, Place,
};

impl Slack {
    /// Somebody sends a modal off. `state`: Slack's `values`, as far as something was filled in.
    pub async fn submit(&self, user: &str, view: &str, state: Value) -> Delivered {
        let place = Place::View(view.to_owned());
        let payload = {
            let mut world = self.world();
            let Some(open) = world.open_view(user, view) else {
                return NOBODY;
            };
            for (block, actions) in state.as_object().into_iter().flatten() {
                for (action, value) in actions.as_object().into_iter().flatten() {
                    let ids = json!({ "block_id": block, "action_id": action });
                    world.choose(user, &place, &ids, value.clone());
                }
            }
            let blocks = open.now()["blocks"].as_array().cloned().unwrap_or_default();
            let values = world.values_at(user, &place, &blocks);
            let mut payload = world.interaction("view_submission", user);
            payload["trigger_id"] = world.trigger(user).into();
            payload["view"] = world.view_with(&open, values);
            payload["response_urls"] = json!([]);
            payload
        };
        let delivered = self.interact("view_submission", payload).await;
        let mut world = self.world();
        world.remember(user, &place, "submit", &delivered);
        if let Delivered::Acked { body, .. } = &delivered {
            world.obey(user, view, body);
        }
        delivered
    }

    /// Somebody closes a modal.
    pub async fn close(&self, user: &str, view: &str) {
        let payload = {
            let mut world = self.world();
            let Some(open) = world.open_view(user, view) else {
                return;
            };
            let clears = open.now()["clear_on_close"] == true;
            let place = Place::View(view.to_owned());
            let blocks = open.now()["blocks"].as_array().cloned().unwrap_or_default();
            let values = world.values_at(user, &place, &blocks);
            let mut payload = world.interaction("view_closed", user);
            payload["view"] = world.view_with(&open, values);
            payload["is_cleared"] = clears.into();
            payload["response_urls"] = json!([]);
            if clears {
                world.close_all(user);
            } else {
                world.close_view(user, view);
            }
            payload
        };
        if payload["view"]["notify_on_close"] == true {
            self.interact("view_closed", payload).await;
        }
    }
}

impl Workspace {
    fn open_view(&self, user: &str, id: &str) -> Option<View> {
        let mut views = self.views.iter();
        let open = views.find(|view| view.id == id && view.user == user && view.is_open);
        open.cloned()
    }

    fn close_view(&mut self, user: &str, id: &str) {
        let place = Place::View(id.to_owned());
        self.delivery.chosen.remove(&(user.to_owned(), place));
        self.delivery.refused.remove(id);
        if let Some(view) = self.views.iter_mut().find(|view| view.id == id) {
            view.is_open = false;
        }
    }

    fn close_all(&mut self, user: &str) {
        let open = self
            .views
            .iter()
            .filter(|view| view.user == user && view.is_open);
        let ids: Vec<String> = open.map(|view| view.id.clone()).collect();
        for id in ids {
            self.close_view(user, &id);
        }
    }

    /// Does what the ack of a submission says: <https://docs.slack.dev/surfaces/modals#response_actions>.
    fn obey(&mut self, user: &str, id: &str, said: &Value) {
        self.delivery.refused.remove(id);
        match said["response_action"].as_str() {
            Some("errors") => {
                let errors = said["errors"].as_object().into_iter().flatten();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let errors: BTreeMap<_, _> = errors
                    .map(|(block, why)| (block.clone(), text(why)))
                    .collect();
                self.delivery.refused.insert(id.to_owned(), errors);
            }
            Some("clear") => self.close_all(user),
            Some("update") => {
                self.ask_itself(
                    "views.update",
                    json!({ "view_id": id, "view": said["view"] }),
                );
            }
            Some("push") => {
                let trigger = self.trigger(user);
                self.ask_itself(
                    "views.push",
                    json!({ "trigger_id": trigger, "view": said["view"] }),
                );
            }
            _ => self.close_view(user, id),
        }
    }

    /// What the app asks for in an ack is done, and checked, as if it had called the method.
    fn ask_itself(&mut self, method: &str, args: Value) {
        let call = Call {
            method: method.to_owned(),
            args,
            token: Some(self.app.token.clone()),
            flaw: None,
        };
        if let Err(refused) = methods::call(self, &call) {
            tracing::warn!(method, %refused, "the app's answer to a submission is not obeyed");
        }
    }
}
