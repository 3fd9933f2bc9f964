//! The objects in elements: options, confirmations, and the fields that many elements share.

use super::shapes::{
    Field,
    Rule::{Bool, Free, Object, Objects, Plain, Text, Whole, Words},
    STYLES, Shape, may, need, shape,
};

type Names = &'static [&'static str];

pub(super) static OPTION: Shape = shape(
    "",
    &[
        need("text", Plain(75)),
        need("value", Words(150)),
        may("description", Plain(75)),
    ],
);

/// Of an overflow menu.
pub(super) static LINKED_OPTION: Shape = shape(
    "",
    &[
        need("text", Plain(75)),
        need("value", Words(150)),
        may("description", Plain(75)),
        may("url", Words(3000)),
    ],
);

/// Of checkboxes and radio buttons.
pub(super) static RICH_OPTION: Shape = shape(
    "",
    &[
        need("text", Text(75)),
        need("value", Words(150)),
        may("description", Text(75)),
    ],
);

pub(super) static GROUP: Shape = shape(
    "",
    &[
        need("label", Plain(75)),
        need("options", Objects(&OPTION, 100)),
    ],
);

pub(super) static CONFIRM: Shape = shape(
    "",
    &[
        need("title", Plain(100)),
        need("text", Text(300)),
        need("confirm", Plain(30)),
        need("deny", Plain(30)),
        may("style", STYLES),
    ],
);

pub(super) const PLACEHOLDER: Field = may("placeholder", Plain(150));
pub(super) const CONFIRMED: Field = may("confirm", Object(&CONFIRM));
pub(super) const FOCUS: Field = may("focus_on_load", Bool);
pub(super) const MOST: Field = may("max_selected_items", Whole(1, i64::MAX));
pub(super) const DISPATCH: Field = may("dispatch_action_config", Free);
pub(super) const OPTIONS: Field = may("options", Objects(&OPTION, 100));
pub(super) const GROUPS: Field = may("option_groups", Objects(&GROUP, 100));
pub(super) const CHOICES: Names = &["options", "option_groups"];
