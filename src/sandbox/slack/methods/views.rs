//! Modals and App Homes.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    super::{View, Workspace, limits, refusal},
    Answer, refuse, refuse_arguments, text,
};

/// How many modals lie upon each other.
const STACK: usize = 3;
const VIEW: usize = 250_000;

impl Workspace {
    /// A view as Slack keeps it.
    pub(in super::super) fn view(&mut self, given: &Value, kind: &str) -> Answer {
        if !given.is_object() {
            return refuse_arguments("must provide an object [json-pointer:/view]");
        }
        if given.to_string().len() > VIEW {
            return refuse("view_too_large");
        }
        let mut wrong = limits::view(given);
        if given["type"] != kind {
            let what = format!("must be a valid enum value: {kind}");
            wrong.insert(0, limits::Wrong::new("invalid_value", what, "/view/type"));
        }
        if !wrong.is_empty() {
            let messages: Vec<String> = wrong.iter().map(|it| format!("[ERROR] {it}")).collect();
            return Err(json!({
                "ok": false, "error": "invalid_arguments", "response_metadata": { "messages": messages },
            }));
        }
        let mut kept = given.clone();
        let blocks = given["blocks"].as_array().cloned().unwrap_or_default();
        kept["blocks"] = self.settled(blocks).into();
        for name in ["title", "submit", "close"] {
            if kept[name].is_object() && kept[name]["emoji"].is_null() {
                kept[name]["emoji"] = true.into();
            }
        }
        Ok(kept)
    }

    /// Opens a modal for somebody, above another one or as the first.
    pub(in super::super) fn show_view(
        &mut self,
        user: &str,
        kept: Value,
        previous: Option<String>,
    ) -> Value {
        let view = View {
            id: format!("V{}", self.count()),
            user: user.to_owned(),
            is_open: true,
            previous,
            hash: self.hash(),
            versions: vec![kept],
        };
        let shown = self.view_json(&view);
        self.views.push(view);
        shown
    }

    /// The next state of an open view; nothing, if it isn't there.
    pub(in super::super) fn change_view(&mut self, id: &str, kept: Value) -> Option<Value> {
        let hash = self.hash();
        let view = self.views.iter_mut().find(|view| view.id == id)?;
        view.hash = hash;
        view.versions.push(kept);
        let view = view.clone();
        Some(self.view_json(&view))
    }

    fn hash(&mut self) -> String {
        format!("{}.{}{}", self.now().timestamp(), self.id(), self.id())
    }

    /// Whose `trigger_id` it is, if it is good.
    fn owner(&self, args: &Value) -> Result<String, Value> {
        let id = trigger(args);
        if id.is_empty() {
            return refuse_arguments("missing required field: trigger_id");
        }
        let now = self.now();
        let trigger = self
            .triggers
            .get(id)
            .ok_or_else(|| refusal("invalid_trigger_id"))?;
        if trigger.used {
            return refuse("exchanged_trigger_id");
        }
        if now - trigger.at > TimeDelta::seconds(3) {
            return refuse("expired_trigger_id");
        }
        Ok(trigger.user.clone())
    }

    /// Opens a modal, which uses the `trigger_id` up; what was refused before can be mended and tried again.
    fn exchange(&mut self, args: &Value, kept: Value, below: Option<String>) -> Answer {
        if self.is_taken(&kept, "") {
            return refuse("duplicate_external_id");
        }
        let user = self.owner(args)?;
        if let Some(trigger) = self.triggers.get_mut(trigger(args)) {
            trigger.used = true;
        }
        Ok(json!({ "ok": true, "view": self.show_view(&user, kept, below) }))
    }

    /// `external_id` belongs to one view.
    fn is_taken(&self, kept: &Value, by_another_than: &str) -> bool {
        let id = text(kept, "external_id");
        let all = self.views.iter().chain(self.homes.values());
        !id.is_empty()
            && all
                .filter(|view| view.is_open && view.id != by_another_than)
                .any(|view| view.now()["external_id"] == id)
    }

    /// The highest open modal of somebody.
    fn top(&self, user: &str) -> Option<&View> {
        let mut views = self.views.iter().rev();
        views.find(|view| view.is_open && view.user == user)
    }
}

fn trigger(args: &Value) -> &str {
    match text(args, "trigger_id") {
        "" => text(args, "interactivity_pointer"),
        id => id,
    }
}

pub(super) fn open(world: &mut Workspace, args: &Value) -> Answer {
    world.owner(args)?;
    let kept = world.view(&args["view"], "modal")?;
    world.exchange(args, kept, None)
}

pub(super) fn push(world: &mut Workspace, args: &Value) -> Answer {
    let user = world.owner(args)?;
    let kept = world.view(&args["view"], "modal")?;
    let top = world.top(&user).ok_or_else(|| refusal("not_found"))?;
    let (top, root) = (top.id.clone(), world.root(top));
    let stack = world.views.iter();
    let stack = stack.filter(|it| it.is_open && world.root(it) == root);
    if stack.count() >= STACK {
        return refuse("push_limit_reached");
    }
    world.exchange(args, kept, Some(top))
}

pub(super) fn update(world: &mut Workspace, args: &Value) -> Answer {
    let (id, external) = (text(args, "view_id"), text(args, "external_id"));
    if id.is_empty() && external.is_empty() {
        return refuse_arguments("missing required field: view_id");
    }
    let kept = world.view(&args["view"], "modal")?;
    let found = world.views.iter().rev().find(|view| {
        view.is_open && (view.id == id || id.is_empty() && view.now()["external_id"] == external)
    });
    let view = found.ok_or_else(|| refusal("not_found"))?;
    let hash = text(args, "hash");
    if !hash.is_empty() && hash != view.hash {
        return refuse("hash_conflict");
    }
    let id = view.id.clone();
    if world.is_taken(&kept, &id) {
        return refuse("duplicate_external_id");
    }
    Ok(json!({ "ok": true, "view": world.change_view(&id, kept) }))
}

pub(super) fn publish(world: &mut Workspace, args: &Value) -> Answer {
    let user = text(args, "user_id");
    if !world.users.contains_key(user) {
        return refuse_arguments("invalid `user_id`");
    }
    let kept = world.view(&args["view"], "home")?;
    let asked = text(args, "hash");
    let hash = world.hash();
    let home = world.homes.get(user);
    if !asked.is_empty() && home.is_none_or(|home| home.hash != asked) {
        return refuse("hash_conflict");
    }
    let mut view = match home {
        Some(home) => home.clone(),
        None => View {
            id: format!("V{}", world.count()),
            user: user.to_owned(),
            is_open: true,
            previous: None,
            hash: String::new(),
            versions: Vec::new(),
        },
    };
    view.hash = hash;
    view.versions.push(kept);
    world.homes.insert(user.to_owned(), view.clone());
    Ok(json!({ "ok": true, "view": world.view_json(&view) }))
}
