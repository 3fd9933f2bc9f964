//! What Slack refuses is known before it is asked.

use daily_ops::render::slack::{
    Message,
    limits::{Violation, validate, validate_view},
};
use serde_json::{Value, json};
use slack_morphism::prelude::{SlackBlock, SlackView};

fn message(blocks: Value) -> Message {
    Message {
        text: "Daily ops 23 Nov: 1 ok".to_owned(),
        blocks: serde_json::from_value::<Vec<SlackBlock>>(blocks).expect("these are blocks"),
    }
}

fn refused(blocks: Value) -> Vec<Violation> {
    validate(&message(blocks)).expect_err("Slack refuses it")
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn button(id: &str) -> Value {
    json!({"type": "button", "action_id": id, "value": "1", "text": plain("Acknowledge")})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn menu(options: usize) -> Value {
    let options: Vec<Value> = (0..options)
        .map(|i| json!({"text": plain("Details"), "value": i.to_string()}))
        .collect();
    json!({"type": "overflow", "action_id": "more", "options": options})
}

fn with(mut value: Value, field: &str, to: Value) -> Value {
    value[field] = to;
    value
}

#[test]
fn each_limit_of_a_message_is_known() {
    let long = |length: usize| "x".repeat(length);
    let cases = [
        ("/blocks", json!([])),
        ("/blocks", json!(vec![section("x"); 51])),
        ("/blocks", json!(vec![section(&long(2_600)); 4])),
        (
            "/blocks/0/text/text",
            json!([{"type": "header", "text": plain(&long(151))}]),
        ),
        (
            "/blocks/0/text/text",
            json!([{"type": "header", "text": plain("")}]),
        ),
        ("/blocks/0/text/text", json!([section(&long(3_001))])),
        ("/blocks/0/text/text", json!([section(" ")])),
        ("/blocks/0/text", json!([section("a < b")])),
        ("/blocks/0/text", json!([section("a & b")])),
        ("/blocks/0/text", json!([section("<!channel> wake up")])),
        ("/blocks/0", json!([{"type": "section"}])),
        (
            "/blocks/0/fields",
            json!([{"type": "section", "fields": vec![plain("x"); 11]}]),
        ),
        (
            "/blocks/0/fields/0/text",
            json!([{"type": "section", "fields": [plain(&long(2_001))]}]),
        ),
        (
            "/blocks/0/elements",
            json!([{"type": "context", "elements": vec![plain("x"); 11]}]),
        ),
        (
            "/blocks/0/elements",
            json!([{"type": "actions", "elements": []}]),
        ),
        (
            "/blocks/0/elements",
            json!([{"type": "actions", "elements":
            (0..26).map(|i| button(&i.to_string())).collect::<Vec<_>>()}]),
        ),
        (
            "/blocks/0",
            json!([{"type": "actions", "elements": [button("a"), button("a")]}]),
        ),
        (
            "/blocks/0/elements/0/text/text",
            json!([{"type": "actions", "elements":
            [with(button("a"), "text", plain(&long(76)))]}]),
        ),
        (
            "/blocks/0/elements/0/value",
            json!([{"type": "actions", "elements":
            [with(button("a"), "value", json!(long(2_001)))]}]),
        ),
        (
            "/blocks/0/elements/0/accessibility_label",
            json!([{"type": "actions", "elements":
            [with(button("a"), "accessibility_label", json!(long(76)))]}]),
        ),
        (
            "/blocks/0/elements/0/action_id",
            json!([{"type": "actions", "elements": [button(&long(256))]}]),
        ),
        (
            "/blocks/0/elements/0/options",
            json!([{"type": "actions", "elements": [menu(6)]}]),
        ),
        (
            "/blocks/0/elements/0/options",
            json!([{"type": "actions", "elements": [menu(0)]}]),
        ),
        (
            "/blocks/1",
            json!([
                with(section("x"), "block_id", json!("a")),
                with(section("x"), "block_id", json!("a"))
            ]),
        ),
        (
            "/blocks/0/block_id",
            json!([with(section("x"), "block_id", json!(long(256)))]),
        ),
        (
            "/blocks/0",
            json!([{"type": "input", "label": plain("x"), "element":
            {"type": "plain_text_input", "action_id": "a"}}]),
        ),
        (
            "/blocks/0/elements/0/elements/0",
            json!([{"type": "rich_text", "elements":
            [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}]}]),
        ),
        (
            "/blocks/0/elements/0/elements/0",
            json!([{"type": "rich_text", "elements":
            [{"type": "rich_text_section", "elements": [{"type": "link", "url": "javascript:x", "text": "x"}]}]}]),
        ),
        (
            "/blocks/0/elements/0/elements/0",
            json!([{"type": "rich_text", "elements":
            [{"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]}]}]),
        ),
    ];
    for (pointer, blocks) in cases {
        let found = refused(blocks.clone());
        assert!(
            found.iter().any(|violation| violation.pointer == pointer),
            "{pointer} of {blocks}: {found:?}"
        );
    }
}

#[test]
fn what_is_just_within_the_limits_is_taken() {
    let blocks = json!([
        {"type": "header", "text": plain(&"x".repeat(150))},
        section(&"x".repeat(3_000)),
        section("a &lt; b &amp; <https://example.com/?a=1&amp;b=2|link> <@U012ABCDEF> <!date^1^{time}|x>"),
        {"type": "actions", "elements": [button("a"), button("b"), menu(5)]},
    ]);
    assert_eq!(validate(&message(blocks)), Ok(()));
}

#[test]
fn the_text_beside_the_blocks_is_never_missing_and_never_too_long() {
    for text in [String::new(), " ".to_owned(), "x".repeat(4_001)] {
        let message = Message {
            text,
            ..message(json!([section("x")]))
        };
        let found = validate(&message).expect_err("Slack refuses it");
        assert_eq!(found[0].pointer, "/text");
    }
}

#[test]
fn each_limit_of_a_view_is_known() {
    let input = json!({"type": "input", "label": plain("Note"), "element":
        {"type": "plain_text_input", "action_id": "answer", "max_length": 300}});
    let good = json!({"type": "modal", "callback_id": "open.note", "title": plain("Add a note"),
        "submit": plain("Add"), "blocks": [input]});
    let view = |view: Value| serde_json::from_value::<SlackView>(view).expect("it is a view");
    assert_eq!(validate_view(&view(good.clone())), Ok(()));
    let cases = [
        (
            "/title/text",
            with(good.clone(), "title", plain(&"x".repeat(25))),
        ),
        (
            "/submit/text",
            with(good.clone(), "submit", plain(&"x".repeat(25))),
        ),
        ("/submit", with(good.clone(), "submit", Value::Null)),
        (
            "/private_metadata",
            with(good.clone(), "private_metadata", json!("x".repeat(3_001))),
        ),
        (
            "/callback_id",
            with(good.clone(), "callback_id", json!("x".repeat(256))),
        ),
        (
            "/blocks",
            with(good.clone(), "blocks", json!(vec![section("x"); 101])),
        ),
        (
            "",
            with(
                good.clone(),
                "blocks",
                json!(vec![section(&"x".repeat(2_900)); 99]),
            ),
        ),
        (
            "/blocks/0/label/text",
            with(
                good,
                "blocks",
                json!([with(input.clone(), "label", plain(&"x".repeat(2_001)))]),
            ),
        ),
    ];
    for (pointer, bad) in cases {
        let found = validate_view(&view(bad)).expect_err("Slack refuses it");
        assert!(
            found.iter().any(|violation| violation.pointer == pointer),
            "{pointer}: {found:?}"
        );
    }
}
