//! What an HTML form sends becomes what Slack tells an app.

use std::collections::BTreeMap;

use chrono_tz::Europe::Berlin;
use daily_ops::sandbox::page::blocks::{field, message, press, state, used, view_body};
use serde_json::{Value, json};

use super::{
    gallery::{messages, view},
    page::{fields, presses, seen},
};

fn elements() -> Vec<Value> {
    let all = messages()
        .into_iter()
        .filter(|(name, _)| matches!(*name, "elements" | "cards"));
    all.flat_map(|(_, blocks)| blocks).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn sent(block: &str, action: &str, value: &str) -> Vec<(String, String)> {
    vec![pair(&field(block, action), value)]
}

#[test]
fn a_form_that_nobody_touched_holds_the_initial_values() {
    let view = view();
    let form = fields(&seen(|scene| view_body(scene, &view, &BTreeMap::new())));
    let blocks = view["blocks"].as_array().expect("blocks");
    let state = state(Berlin, blocks, &form);
    for block in blocks.iter().filter(|it| it["type"] == "input") {
        let element = &block["element"];
        let (id, action) = (
            block["block_id"].as_str().expect("an id"),
            element["action_id"].as_str().expect("an id"),
        );
        let told = &state[id][action];
        assert_eq!(told["type"], element["type"]);
        let (name, value) = told
            .as_object()
            .expect("an object")
            .iter()
            .find(|(name, _)| *name != "type")
            .expect("a value");
        let initial = match name.as_str() {
            "value" => "initial_value".to_owned(),
            name => name.replace("selected", "initial"),
        };
        match name.as_str() {
            "files" => assert_eq!(*value, json!([])),
            _ => assert_eq!(*value, element[initial.as_str()], "{id}: {state}"),
        }
    }
    assert_eq!(
        state.as_object().expect("an object").len(),
        blocks.len() - 2,
        "a button has no state"
    );
}

#[test]
fn what_is_left_empty_is_null() {
    let view = view();
    let blocks = view["blocks"].as_array().expect("blocks");
    let state = state(Berlin, blocks, &[]);
    assert_eq!(
        state["reason"]["text"],
        json!({ "type": "plain_text_input", "value": null })
    );
    assert_eq!(
        state["long"]["it"],
        json!({ "type": "static_select", "selected_option": null })
    );
    assert_eq!(
        state["boxes"]["it"],
        json!({ "type": "checkboxes", "selected_options": [] })
    );
    assert_eq!(
        state["who"]["it"],
        json!({ "type": "users_select", "selected_user": null })
    );
    assert_eq!(
        state["team"]["it"],
        json!({ "type": "multi_users_select", "selected_users": [] })
    );
    assert_eq!(
        state["moment"]["it"],
        json!({ "type": "datetimepicker", "selected_date_time": null })
    );
}

#[test]
fn every_button_that_is_shown_can_be_used() {
    let blocks = elements();
    let html = seen(|scene| message(scene, "", &blocks, &[]));
    let form = fields(&html);
    let presses = presses(&html);
    assert_eq!(presses.len(), 16, "{presses:?}");
    for press in presses {
        let mut form = form.clone();
        form.push(press.clone());
        assert!(used(Berlin, &blocks, &form).is_some(), "{press:?}");
    }
}

#[test]
fn a_button_tells_its_text_and_value() {
    let used = used(Berlin, &elements(), &[pair(&press("a1", "ack"), "1")]).expect("it is there");
    assert_eq!((used.block.as_str(), used.action.as_str()), ("a1", "ack"));
    let text = json!({ "type": "plain_text", "text": "Acknowledge" });
    assert_eq!(
        used.chosen,
        json!({ "type": "button", "text": text, "value": "1", "style": "primary" })
    );
}

#[test]
fn a_menu_tells_the_option() {
    let used = used(
        Berlin,
        &elements(),
        &[pair(&press("a1", "more"), "details")],
    )
    .expect("it is there");
    let option = json!({ "text": { "type": "plain_text", "text": "Details" }, "value": "details" });
    assert_eq!(
        used.chosen,
        json!({ "type": "overflow", "selected_option": option })
    );
}

#[test]
fn a_changed_input_tells_its_new_value() {
    let mut form = sent("s1", "who", "U0GIL");
    form.push(pair(&press("s1", "who"), ""));
    let used = used(Berlin, &elements(), &form).expect("it is there");
    assert_eq!(used.chosen["selected_user"], "U0GIL");
    assert_eq!(used.chosen["initial_user"], "U0BEN");
    assert_eq!(used.chosen["placeholder"]["text"], "Somebody");
    let state = state(Berlin, &elements(), &form);
    assert_eq!(
        state["s1"]["who"],
        json!({ "type": "users_select", "selected_user": "U0GIL" })
    );
}

#[test]
fn what_is_no_longer_there_is_not_used() {
    assert_eq!(
        used(Berlin, &elements(), &[pair(&press("gone", "ack"), "1")]),
        None
    );
    assert_eq!(
        used(
            Berlin,
            &elements(),
            &[pair(&press("a1", "ack"), "another value")]
        ),
        None
    );
    assert_eq!(
        used(
            Berlin,
            &elements(),
            &[pair(&press("a1", "more"), "another option")]
        ),
        None
    );
}

#[test]
fn an_option_that_is_not_offered_is_not_chosen() {
    let state = state(Berlin, &elements(), &sent("s2", "long", "forever"));
    assert_eq!(state["s2"]["long"]["selected_option"], Value::Null);
}

#[test]
fn a_local_time_is_told_in_unix_seconds() {
    let view = view();
    let blocks = view["blocks"].as_array().expect("blocks");
    let at = |written: &str| {
        state(Berlin, blocks, &sent("moment", "it", written))["moment"]["it"]["selected_date_time"]
            .clone()
    };
    assert_eq!(at("2026-11-23T09:00"), 1_795_420_800);
    assert_eq!(
        at("2026-03-29T02:30"),
        Value::Null,
        "a time that the clocks jump over"
    );
    assert_eq!(at("soon"), Value::Null);
}

#[test]
fn ids_with_slashes_are_told_apart() {
    assert_ne!(field("a/b", "c"), field("a", "b/c"));
    assert_ne!(field("a%2Fb", "c"), field("a/b", "c"));
}

#[test]
fn a_message_that_cannot_be_used_has_its_elements_disabled() {
    let blocks = elements();
    let html = seen(|scene| {
        let scene = daily_ops::sandbox::page::blocks::Scene {
            enabled: false,
            ..*scene
        };
        message(&scene, "", &blocks, &[])
    });
    assert!(
        html.contains("<fieldset class=\"b-blocks\" disabled>"),
        "{html}"
    );
}
