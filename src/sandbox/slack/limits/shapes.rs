//! The shape of each block: which fields it has, and what may stand in them.

use super::places::{ACCESSORIES, ACTIONS, CONTEXT, INPUTS};
use Rule::{
    Bool, Element, Elements, Free, OneOf, Plain, RichText, Rows, Short, Text, Texts, Words,
};

/// What may stand in a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// A string of so many characters at most, and one at least.
    Words(usize),
    /// The same, which may be empty.
    Short(usize),
    Bool,
    /// Between these.
    Whole(i64, i64),
    OneOf(&'static [&'static str]),
    /// `plain_text`.
    Plain(usize),
    /// `plain_text` or `mrkdwn`.
    Text(usize),
    /// So many of those at most, and one at least.
    Texts(usize, usize),
    /// An object of that shape.
    Object(&'static Shape),
    /// So many of them at most, and one at least.
    Objects(&'static Shape, usize),
    /// One element of these types.
    Element(&'static [&'static str]),
    /// So many of them at most, and one at least.
    Elements(&'static [&'static str], usize),
    RichText,
    Rows,
    /// It is checked elsewhere, or not at all.
    Free,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) rule: Rule,
    pub(super) is_required: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Empty: the object has no `type`.
    pub(super) kind: &'static str,
    pub(super) fields: &'static [Field],
    /// One of these has to be there.
    pub(super) either: &'static [&'static str],
}

pub(super) const fn need(name: &'static str, rule: Rule) -> Field {
    Field {
        name,
        rule,
        is_required: true,
    }
}

pub(super) const fn may(name: &'static str, rule: Rule) -> Field {
    Field {
        name,
        rule,
        is_required: false,
    }
}

pub(super) const fn shape(kind: &'static str, fields: &'static [Field]) -> Shape {
    Shape {
        kind,
        fields,
        either: &[],
    }
}

pub(super) const fn either(
    kind: &'static str,
    names: &'static [&'static str],
    fields: &'static [Field],
) -> Shape {
    Shape {
        kind,
        fields,
        either: names,
    }
}

pub(super) static BLOCKS: [Shape; 11] = [
    either(
        "section",
        &["text", "fields"],
        &[
            may("text", Text(3000)),
            may("fields", Texts(2000, 10)),
            may("accessory", Element(ACCESSORIES)),
            may("expand", Bool),
        ],
    ),
    shape("header", &[need("text", Plain(150)), may("level", Free)]),
    shape("divider", &[]),
    either(
        "image",
        &["image_url", "slack_file"],
        &[
            may("image_url", Words(3000)),
            may("slack_file", Free),
            need("alt_text", Short(2000)),
            may("title", Plain(2000)),
            may("fallback", Free),
            may("image_width", Free),
            may("image_height", Free),
            may("image_bytes", Free),
            may("is_animated", Free),
            may("rotation", Free),
        ],
    ),
    shape("actions", &[need("elements", Elements(ACTIONS, 25))]),
    shape("context", &[need("elements", Elements(CONTEXT, 10))]),
    shape(
        "input",
        &[
            need("label", Plain(2000)),
            need("element", Element(INPUTS)),
            may("hint", Plain(2000)),
            may("optional", Bool),
            may("dispatch_action", Bool),
        ],
    ),
    shape(
        "video",
        &[
            need("alt_text", Words(2000)),
            need("title", Plain(200)),
            need("thumbnail_url", Words(3000)),
            need("video_url", Words(3000)),
            may("title_url", Words(3000)),
            may("author_name", Words(50)),
            may("description", Plain(200)),
            may("provider_icon_url", Words(3000)),
            may("provider_name", Words(50)),
        ],
    ),
    shape("markdown", &[need("text", Words(12_000))]),
    shape("rich_text", &[need("elements", RichText)]),
    shape("table", &[need("rows", Rows), may("column_settings", Free)]),
];

/// Newer ones and rarer ones, which are taken as they are.
pub(super) const UNCHECKED: [&str; 17] = [
    "alert",
    "call",
    "card",
    "carousel",
    "contact_card",
    "container",
    "context_actions",
    "data_table",
    "data_visualization",
    "event",
    "file",
    "plan",
    "sender_card",
    "share_shortcut",
    "table_of_contents",
    "task_card",
    "timeline",
];

pub(super) static MODAL: Shape = shape(
    "modal",
    &[
        need("title", Plain(24)),
        need("blocks", Free),
        may("submit", Plain(24)),
        may("close", Plain(24)),
        may("private_metadata", Short(3000)),
        may("callback_id", Short(255)),
        may("external_id", Short(255)),
        may("clear_on_close", Bool),
        may("notify_on_close", Bool),
        may("submit_disabled", Bool),
    ],
);

pub(super) static HOME: Shape = shape(
    "home",
    &[
        need("blocks", Free),
        may("title", Free),
        may("submit", Free),
        may("close", Free),
        may("private_metadata", Short(3000)),
        may("callback_id", Short(255)),
        may("external_id", Short(255)),
        may("clear_on_close", Free),
        may("notify_on_close", Free),
    ],
);

pub(super) const STYLES: Rule = OneOf(&["primary", "danger"]);
