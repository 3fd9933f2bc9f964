//! Holds a value against its shape.

use std::{collections::BTreeSet, fmt::Display};

use serde_json::Value;

use super::{
    Surface, Wrong,
    elements::ELEMENTS,
    length,
    shapes::{BLOCKS, Rule, Shape, UNCHECKED},
    tables,
};

const ID: usize = 255;

pub(super) struct Check {
    pub(super) surface: Surface,
    pub(super) wrong: Vec<Wrong>,
    /// Where it is: `/blocks/0/text`.
    path: String,
    /// The `action_id`s of the block.
    actions: BTreeSet<String>,
}

impl Check {
    pub(super) fn new(surface: Surface) -> Self {
        Self {
            surface,
            wrong: Vec::new(),
            path: String::new(),
            actions: BTreeSet::new(),
        }
    }

    pub(super) fn inside(&mut self, part: impl Display, look: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        self.path.push_str(&format!("/{part}"));
        look(self);
        self.path.truncate(before);
    }

    pub(super) fn say(&mut self, code: &'static str, what: impl Into<String>) {
        self.wrong.push(Wrong::new(code, what, self.path.clone()));
    }

    pub(super) fn block(&mut self, block: &Value) {
        self.actions.clear();
        if !block.is_object() {
            return self.say("invalid_type", "must provide an object");
        }
        let kind = block["type"].as_str().unwrap_or_default();
        self.short(block, "block_id");
        if let Some(shape) = BLOCKS.iter().find(|shape| shape.kind == kind) {
            self.shape(block, shape);
        } else if !UNCHECKED.contains(&kind) {
            self.unsupported(kind);
        }
    }

    fn unsupported(&mut self, kind: &str) {
        self.inside("type", |check| {
            check.say("unsupported_type", format!("unsupported type: {kind}"));
        });
    }

    fn short(&mut self, part: &Value, name: &str) {
        match &part[name] {
            Value::Null => {}
            id => self.inside(name, |check| check.words(id, ID, 0)),
        }
    }

    pub(super) fn shape(&mut self, value: &Value, shape: &Shape) {
        let Value::Object(given) = value else {
            return self.say("invalid_type", "must provide an object");
        };
        let there = |name: &str| given.get(name).is_some_and(|it| !it.is_null());
        for field in shape.fields {
            match given.get(field.name).filter(|it| !it.is_null()) {
                Some(it) => self.inside(field.name, |check| check.rule(it, field.rule)),
                None if field.is_required => {
                    let what = format!("missing required field: {}", field.name);
                    self.say("missing_field", what);
                }
                None => {}
            }
        }
        if !shape.either.is_empty() && !shape.either.iter().any(|name| there(name)) {
            let what = format!("missing required field: {}", shape.either.join(" or "));
            self.say("missing_field", what);
        }
        for name in given.keys() {
            let is_own = matches!(name.as_str(), "type" | "block_id" | "action_id");
            let is_known = is_own && !shape.kind.is_empty()
                || shape.fields.iter().any(|field| field.name == name);
            if !is_known && !matches!(shape.kind, "modal" | "home") {
                let what = format!("invalid additional property: {name}");
                self.say("additional_property", what);
            }
        }
        self.initial(value);
    }

    fn rule(&mut self, value: &Value, rule: Rule) {
        match rule {
            Rule::Words(most) => self.words(value, most, 1),
            Rule::Short(most) => self.words(value, most, 0),
            Rule::Bool if !value.is_boolean() => {
                self.say("invalid_type", "must provide a boolean");
            }
            Rule::Whole(least, most) => match value.as_i64() {
                Some(number) if (least..=most).contains(&number) => {}
                Some(_) => self.say(
                    "out_of_range",
                    format!("must be between {least} and {most}"),
                ),
                None => self.say("invalid_type", "must provide an integer"),
            },
            Rule::OneOf(words) if value.as_str().is_none_or(|it| !words.contains(&it)) => {
                let what = format!("must be a valid enum value: {}", words.join(", "));
                self.say("invalid_value", what);
            }
            Rule::Plain(most) => self.text(value, most, false),
            Rule::Text(most) => self.text(value, most, true),
            Rule::Texts(most, count) => {
                self.each(value, count, |check, it| check.text(it, most, true));
            }
            Rule::Object(shape) => self.shape(value, shape),
            Rule::Objects(shape, most) => {
                self.each(value, most, |check, it| check.shape(it, shape));
            }
            Rule::Element(kinds) => self.element(value, kinds),
            Rule::Elements(kinds, most) => {
                self.each(value, most, |check, it| check.element(it, kinds));
            }
            Rule::RichText => tables::rich_text(self, value),
            Rule::Rows => tables::rows(self, value),
            Rule::Bool | Rule::OneOf(_) | Rule::Free => {}
        }
    }

    pub(super) fn words(&mut self, value: &Value, most: usize, least: usize) {
        if !value.is_string() {
            return self.say("invalid_type", "must provide a string");
        }
        let length = length(value);
        if length < least {
            self.say("too_short", "must be more than 0 characters");
        } else if length > most {
            let what = format!("must be less than {} characters", most + 1);
            self.say("too_long", what);
        }
    }

    fn text(&mut self, value: &Value, most: usize, takes_mrkdwn: bool) {
        let Value::Object(fields) = value else {
            return self.say("invalid_type", "must provide an object");
        };
        let kind = value["type"].as_str().unwrap_or_default();
        if kind != "plain_text" && !(takes_mrkdwn && kind == "mrkdwn") {
            return self.unsupported(kind);
        }
        self.inside("text", |check| check.words(&value["text"], most, 1));
        for (name, given) in fields {
            match (name.as_str(), kind) {
                ("type" | "text", _) => {}
                ("emoji", "plain_text") | ("verbatim", "mrkdwn") => {
                    self.inside(name, |check| check.rule(given, Rule::Bool));
                }
                _ => {
                    let what = format!("invalid additional property: {name}");
                    self.say("additional_property", what);
                }
            }
        }
    }

    pub(super) fn each(
        &mut self,
        value: &Value,
        most: usize,
        mut look: impl FnMut(&mut Self, &Value),
    ) {
        let Value::Array(items) = value else {
            return self.say("invalid_type", "must provide an array");
        };
        if items.is_empty() {
            return self.say("too_few_items", "must have at least 1 item");
        }
        if items.len() > most {
            self.say(
                "too_many_items",
                format!("no more than {most} items allowed"),
            );
        }
        for (place, item) in items.iter().enumerate() {
            self.inside(place, |check| look(check, item));
        }
    }

    fn element(&mut self, value: &Value, kinds: &[&str]) {
        let kind = value["type"].as_str().unwrap_or_default();
        if !kinds.contains(&kind) || kind == "file_input" && self.surface != Surface::Modal {
            return self.unsupported(kind);
        }
        if matches!(kind, "plain_text" | "mrkdwn") {
            return self.text(value, 3000, true);
        }
        if let Some(shape) = ELEMENTS.iter().find(|shape| shape.kind == kind) {
            self.shape(value, shape);
        }
        self.short(value, "action_id");
        let id = value["action_id"].as_str().filter(|id| !id.is_empty());
        if let Some(id) = id.filter(|id| !self.actions.insert((*id).to_owned())) {
            self.inside("action_id", |check| {
                let what = format!("`action_id` {id:?} already exists for another element");
                check.say("duplicate_id", what);
            });
        }
    }

    /// What is chosen from the beginning is among what can be chosen.
    fn initial(&mut self, value: &Value) {
        let list = |name: &str| value[name].as_array().into_iter().flatten();
        let grouped = list("option_groups")
            .filter_map(|group| group["options"].as_array())
            .flatten();
        let offered: BTreeSet<&str> = list("options")
            .chain(grouped)
            .filter_map(|option| option["value"].as_str())
            .collect();
        let chosen = list("initial_options").chain(std::iter::once(&value["initial_option"]));
        let is_strange = chosen
            .filter_map(|option| option["value"].as_str())
            .any(|value| !offered.contains(value));
        if is_strange && !offered.is_empty() {
            self.say(
                "invalid_value",
                "the initial option must be one of the options",
            );
        }
    }
}
