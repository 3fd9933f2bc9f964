//! Elements can be used wherever they stand.

use daily_ops::sandbox::slack::{ANNA, Delivered, OPS, Place};
use serde_json::{Value, json};

use super::{calls, posts, workspace};

fn button(action: &str) -> Value {
    let text = json!({ "type": "plain_text", "text": action });
    json!({ "type": "button", "action_id": action, "text": text, "value": "1" })
}

fn card(action: &str) -> Value {
    let title = json!({ "type": "mrkdwn", "text": "A card" });
    json!({ "type": "card", "title": title, "actions": [button(action)] })
}

#[tokio::test]
async fn a_button_works_in_cards_and_in_blocks_within_blocks() {
    let (slack, app) = workspace().await;
    let within = json!([{ "type": "actions", "elements": [button("in_container")] }]);
    let blocks = json!([
        card("in_card"),
        { "type": "carousel", "elements": [card("in_carousel")] },
        { "type": "container", "child_blocks": within },
    ]);
    let place = posts(&slack, blocks).await;
    for action in ["in_card", "in_carousel", "in_container"] {
        let done = slack.act(ANNA, &place, "", action, json!({})).await;
        assert!(matches!(done, Delivered::Acked { .. }), "{action}");
        let said = &app.last()["actions"][0];
        assert_eq!(said["action_id"], action);
        assert!(said["block_id"].is_string(), "{said}");
    }
}

#[tokio::test]
async fn a_button_in_an_attachment_says_which_attachment_it_is_in() {
    let (slack, app) = workspace().await;
    let blocks = json!([{ "type": "actions", "block_id": "more", "elements": [button("below")] }]);
    let args = json!({
        "channel": OPS, "text": "hello", "blocks": [{ "type": "actions", "elements": [button("above")] }],
        "attachments": [{ "text": "first" }, { "blocks": blocks }],
    });
    let posted = calls(&slack, "chat.postMessage", args).await;
    let place = Place::Message {
        channel: OPS.to_owned(),
        ts: posted["ts"].as_str().unwrap().to_owned(),
    };
    slack.act(ANNA, &place, "more", "below", json!({})).await;
    assert_eq!(app.last()["actions"][0]["action_id"], "below");
    assert_eq!(app.last()["container"]["type"], "message_attachment");
    assert_eq!(app.last()["container"]["attachment_id"], 2);
    slack.act(ANNA, &place, "", "above", json!({})).await;
    assert_eq!(app.last()["container"]["type"], "message");
}
