//! The shape of each element.

use super::{
    objects::{
        CHOICES, CONFIRMED, DISPATCH, FOCUS, GROUPS, LINKED_OPTION, MOST, OPTION, OPTIONS,
        PLACEHOLDER, RICH_OPTION,
    },
    shapes::{
        Rule::{Bool, Free, Object, Objects, Plain, Short, Whole, Words},
        STYLES, Shape, either, may, need, shape,
    },
};

pub(super) static ELEMENTS: [Shape; 25] = [
    shape(
        "button",
        &[
            need("text", Plain(75)),
            may("value", Short(2000)),
            may("url", Words(3000)),
            may("style", STYLES),
            may("accessibility_label", Words(75)),
            CONFIRMED,
        ],
    ),
    shape(
        "overflow",
        &[need("options", Objects(&LINKED_OPTION, 5)), CONFIRMED],
    ),
    either(
        "static_select",
        CHOICES,
        &[
            PLACEHOLDER,
            OPTIONS,
            GROUPS,
            may("initial_option", Object(&OPTION)),
            CONFIRMED,
            FOCUS,
        ],
    ),
    either(
        "multi_static_select",
        CHOICES,
        &[
            PLACEHOLDER,
            OPTIONS,
            GROUPS,
            may("initial_options", Objects(&OPTION, 100)),
            CONFIRMED,
            FOCUS,
            MOST,
        ],
    ),
    shape(
        "external_select",
        &[
            PLACEHOLDER,
            may("initial_option", Object(&OPTION)),
            may("min_query_length", Whole(0, 1000)),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "multi_external_select",
        &[
            PLACEHOLDER,
            may("initial_options", Objects(&OPTION, 100)),
            may("min_query_length", Whole(0, 1000)),
            CONFIRMED,
            FOCUS,
            MOST,
        ],
    ),
    shape(
        "users_select",
        &[
            PLACEHOLDER,
            may("initial_user", Words(100)),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "multi_users_select",
        &[
            PLACEHOLDER,
            may("initial_users", Free),
            CONFIRMED,
            FOCUS,
            MOST,
        ],
    ),
    shape(
        "channels_select",
        &[
            PLACEHOLDER,
            may("initial_channel", Words(100)),
            may("response_url_enabled", Bool),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "multi_channels_select",
        &[
            PLACEHOLDER,
            may("initial_channels", Free),
            CONFIRMED,
            FOCUS,
            MOST,
        ],
    ),
    shape(
        "conversations_select",
        &[
            PLACEHOLDER,
            may("initial_conversation", Words(100)),
            may("default_to_current_conversation", Bool),
            may("response_url_enabled", Bool),
            may("filter", Free),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "multi_conversations_select",
        &[
            PLACEHOLDER,
            may("initial_conversations", Free),
            may("default_to_current_conversation", Bool),
            may("filter", Free),
            CONFIRMED,
            FOCUS,
            MOST,
        ],
    ),
    shape(
        "datepicker",
        &[
            PLACEHOLDER,
            may("initial_date", Words(10)),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "timepicker",
        &[
            PLACEHOLDER,
            may("initial_time", Words(5)),
            may("timezone", Words(100)),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "datetimepicker",
        &[
            may("initial_date_time", Whole(1_000_000_000, 9_999_999_999)),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "checkboxes",
        &[
            need("options", Objects(&RICH_OPTION, 10)),
            may("initial_options", Objects(&RICH_OPTION, 10)),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "radio_buttons",
        &[
            need("options", Objects(&RICH_OPTION, 10)),
            may("initial_option", Object(&RICH_OPTION)),
            CONFIRMED,
            FOCUS,
        ],
    ),
    shape(
        "plain_text_input",
        &[
            PLACEHOLDER,
            may("multiline", Bool),
            may("min_length", Whole(0, 3000)),
            may("max_length", Whole(1, 3000)),
            may("initial_value", Short(3000)),
            DISPATCH,
            FOCUS,
        ],
    ),
    shape(
        "email_text_input",
        &[
            PLACEHOLDER,
            may("initial_value", Short(3000)),
            DISPATCH,
            FOCUS,
        ],
    ),
    shape(
        "url_text_input",
        &[
            PLACEHOLDER,
            may("initial_value", Short(3000)),
            DISPATCH,
            FOCUS,
        ],
    ),
    shape(
        "number_input",
        &[
            PLACEHOLDER,
            need("is_decimal_allowed", Bool),
            may("initial_value", Free),
            may("min_value", Free),
            may("max_value", Free),
            DISPATCH,
            FOCUS,
        ],
    ),
    shape(
        "rich_text_input",
        &[PLACEHOLDER, may("initial_value", Free), DISPATCH, FOCUS],
    ),
    shape(
        "file_input",
        &[may("filetypes", Free), may("max_files", Whole(1, 10))],
    ),
    shape(
        "workflow_button",
        &[
            need("text", Plain(75)),
            need("workflow", Free),
            may("style", STYLES),
            may("accessibility_label", Words(75)),
        ],
    ),
    either(
        "image",
        &["image_url", "slack_file"],
        &[
            may("image_url", Words(3000)),
            may("slack_file", Free),
            need("alt_text", Short(2000)),
            may("fallback", Free),
            may("image_width", Free),
            may("image_height", Free),
            may("image_bytes", Free),
        ],
    ),
];
