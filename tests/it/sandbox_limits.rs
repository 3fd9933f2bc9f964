//! What the local Slack refuses in blocks and views.

use daily_ops::sandbox::slack::{wrong_blocks, wrong_view};
use serde_json::{Value, json};

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text })
}

fn section() -> Value {
    json!({ "type": "section", "text": mrkdwn("All *well*") })
}

fn button(id: &str) -> Value {
    json!({ "type": "button", "action_id": id, "text": plain("Acknowledge"), "value": "1" })
}

fn option(value: usize) -> Value {
    json!({ "text": plain("Snooze"), "value": value.to_string() })
}

fn options(count: usize) -> Vec<Value> {
    (0..count).map(option).collect()
}

/// One of each.
fn message() -> Vec<Value> {
    let select =
        json!({ "type": "static_select", "placeholder": plain("Who?"), "options": options(3) });
    let overflow = json!({ "type": "overflow", "action_id": "more", "options": options(5) });
    vec![
        json!({ "type": "header", "text": plain("Daily ops") }),
        section(),
        json!({ "type": "section", "fields": [mrkdwn("a"), plain("b")], "accessory": overflow }),
        json!({ "type": "divider" }),
        json!({ "type": "actions", "elements": [button("a"), button("b"), select] }),
        json!({ "type": "context", "elements": [mrkdwn("run 1"), {
            "type": "image", "image_url": "https://example.com/a.png", "alt_text": "a cat",
        }] }),
        json!({ "type": "image", "image_url": "https://example.com/a.png", "alt_text": "a cat", "title": plain("A cat") }),
        json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
            { "type": "text", "text": "hello", "style": { "bold": true } }, { "type": "user", "user_id": "U1" },
        ] }] }),
        json!({ "type": "table", "rows": [[{ "type": "raw_text", "text": "a" }, { "type": "raw_text", "text": "b" }]] }),
        json!({ "type": "markdown", "text": "**hello**" }),
        json!({ "type": "input", "label": plain("Why?"), "element": { "type": "plain_text_input", "action_id": "why" } }),
        json!({ "type": "alert", "level": "warning", "text": plain("newer than this list") }),
    ]
}

#[test]
fn one_of_each_block_is_taken() {
    assert_eq!(wrong_blocks(&message()), Vec::<String>::new());
}

/// The message with something put at that place.
fn changed(pointer: &str, value: Value) -> Vec<String> {
    let mut message = Value::Array(message());
    let (parent, name) = pointer.rsplit_once('/').expect("it is a pointer");
    message.pointer_mut(parent).expect("it is there")[name] = value;
    wrong_blocks(message.as_array().expect("it is a list"))
}

#[test]
fn each_rule_is_refused_at_its_place_and_in_words() {
    let long = |length: usize| Value::from("x".repeat(length));
    let at = |place: usize, rest: &str| format!("/{place}{rest}");
    for (place, value, said) in [
        (
            at(0, "/text/text"),
            long(151),
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            at(0, "/text/type"),
            "mrkdwn".into(),
            "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
        ),
        (
            at(1, "/text/text"),
            long(3001),
            "must be less than 3001 characters [json-pointer:/blocks/1/text/text]",
        ),
        (
            at(1, "/text/text"),
            "".into(),
            "must be more than 0 characters [json-pointer:/blocks/1/text/text]",
        ),
        (
            at(1, "/text/emoji"),
            true.into(),
            "invalid additional property: emoji [json-pointer:/blocks/1/text]",
        ),
        (
            at(1, "/text"),
            Value::Null,
            "missing required field: text or fields [json-pointer:/blocks/1]",
        ),
        (
            at(1, "/text"),
            "bare".into(),
            "must provide an object [json-pointer:/blocks/1/text]",
        ),
        (
            at(1, "/type"),
            "sektion".into(),
            "unsupported type: sektion [json-pointer:/blocks/1/type]",
        ),
        (
            at(1, "/block_id"),
            long(256),
            "must be less than 256 characters [json-pointer:/blocks/1/block_id]",
        ),
        (
            at(1, "/colour"),
            "red".into(),
            "invalid additional property: colour [json-pointer:/blocks/1]",
        ),
        (
            at(2, "/fields"),
            vec![mrkdwn("a"); 11].into(),
            "no more than 10 items allowed [json-pointer:/blocks/2/fields]",
        ),
        (
            at(2, "/accessory/options"),
            options(6).into(),
            "no more than 5 items allowed [json-pointer:/blocks/2/accessory/options]",
        ),
        (
            at(2, "/accessory/options"),
            json!([]),
            "must have at least 1 item [json-pointer:/blocks/2/accessory/options]",
        ),
        (
            at(2, "/accessory/type"),
            "plain_text_input".into(),
            "unsupported type: plain_text_input [json-pointer:/blocks/2/accessory/type]",
        ),
        (
            at(4, "/elements"),
            json!([]),
            "must have at least 1 item [json-pointer:/blocks/4/elements]",
        ),
        (
            at(4, "/elements"),
            (0..26).map(|id| button(&id.to_string())).collect(),
            "no more than 25 items allowed [json-pointer:/blocks/4/elements]",
        ),
        (
            at(4, "/elements/0/text/text"),
            long(76),
            "must be less than 76 characters [json-pointer:/blocks/4/elements/0/text/text]",
        ),
        (
            at(4, "/elements/0/value"),
            long(2001),
            "must be less than 2001 characters [json-pointer:/blocks/4/elements/0/value]",
        ),
        (
            at(4, "/elements/0/style"),
            "loud".into(),
            "must be a valid enum value: primary, danger [json-pointer:/blocks/4/elements/0/style]",
        ),
        (
            at(4, "/elements/1/action_id"),
            "a".into(),
            "`action_id` \"a\" already exists for another element [json-pointer:/blocks/4/elements/1/action_id]",
        ),
        (
            at(4, "/elements/2/options"),
            options(101).into(),
            "no more than 100 items allowed [json-pointer:/blocks/4/elements/2/options]",
        ),
        (
            at(4, "/elements/2/initial_option"),
            option(7),
            "the initial option must be one of the options [json-pointer:/blocks/4/elements/2]",
        ),
        (
            at(4, "/elements/0/confirm"),
            json!({}),
            "missing required field: title [json-pointer:/blocks/4/elements/0/confirm]",
        ),
        (
            at(5, "/elements"),
            vec![mrkdwn("a"); 11].into(),
            "no more than 10 items allowed [json-pointer:/blocks/5/elements]",
        ),
        (
            at(6, "/alt_text"),
            Value::Null,
            "missing required field: alt_text [json-pointer:/blocks/6]",
        ),
        (
            at(7, "/elements/0/elements/1/user_id"),
            Value::Null,
            "missing required field: user_id [json-pointer:/blocks/7/elements/0/elements/1]",
        ),
        (
            at(8, "/rows"),
            vec![json!([{ "type": "raw_text", "text": "a" }]); 101].into(),
            "no more than 100 items allowed [json-pointer:/blocks/8/rows]",
        ),
        (
            at(9, "/text"),
            long(12_001),
            "must be less than 12001 characters [json-pointer:/blocks/9/text]",
        ),
        (
            at(10, "/label"),
            Value::Null,
            "missing required field: label [json-pointer:/blocks/10]",
        ),
    ] {
        let wrong = changed(&place, value);
        assert!(
            wrong.iter().any(|it| it == said),
            "{place}: {said}\n{wrong:#?}"
        );
    }
}

#[test]
fn a_message_as_a_whole_has_limits_too() {
    let wrong = wrong_blocks(&vec![section(); 51]);
    assert_eq!(
        wrong,
        ["no more than 50 items allowed [json-pointer:/blocks]"]
    );
    let mut named = section();
    named["block_id"] = "x".into();
    let wrong = wrong_blocks(&[named.clone(), named]);
    assert_eq!(
        wrong,
        ["`block_id` \"x\" already exists for another block [json-pointer:/blocks/1/block_id]"]
    );
    let wrong = wrong_blocks(&[message()[8].clone(), message()[8].clone()]);
    assert_eq!(wrong, ["only one table is allowed [json-pointer:/blocks]"]);
    let long = json!({ "type": "section", "text": mrkdwn(&"x".repeat(2900)) });
    assert_eq!(wrong_blocks(&vec![long.clone(); 3]), Vec::<String>::new());
    assert_eq!(wrong_blocks(&vec![long; 4]), ["msg_blocks_too_long"]);
}

#[test]
fn a_modal_has_a_short_title_and_a_way_to_send_its_inputs() {
    let input = json!({ "type": "input", "label": plain("Why?"), "element": { "type": "plain_text_input" } });
    let modal = |title: &str| json!({ "type": "modal", "title": plain(title), "blocks": [input] });
    let mut good = modal("Note");
    good["submit"] = plain("Send");
    assert_eq!(wrong_view(&good), Vec::<String>::new());
    good["private_metadata"] = "x".repeat(3001).into();
    assert_eq!(
        wrong_view(&good),
        ["must be less than 3001 characters [json-pointer:/view/private_metadata]"]
    );
    let wrong = wrong_view(&modal(&"x".repeat(25)));
    assert!(
        wrong[0].ends_with("[json-pointer:/view/title/text]"),
        "{wrong:?}"
    );
    assert!(wrong[1].contains("submit"), "{wrong:?}");
    let strange = json!({ "type": "sidebar", "blocks": [] });
    assert!(wrong_view(&strange)[0].ends_with("[json-pointer:/view/type]"));
    let home = json!({ "type": "home", "blocks": vec![section(); 100] });
    assert_eq!(wrong_view(&home), Vec::<String>::new());
}
