//! Forms that people fill in, and what the app's acks make of them.

use daily_ops::sandbox::slack::{ANNA, BEN, Place};
use serde_json::{Value, json};

use super::{Answer, calls, has_all_of, people::GRID, workspace};

const SUBMISSION: &str = include_str!("../world/slack/samples/view_submission.json");

fn form(more: Value) -> Value {
    let label = json!({ "type": "plain_text", "text": "Say" });
    let mut view = json!({
        "type": "modal", "callback_id": "order", "private_metadata": "42", "title": label, "submit": label, "close": label,
        "blocks": [
            { "type": "input", "block_id": "what", "label": label, "element": { "type": "plain_text_input", "action_id": "what" } },
            { "type": "input", "block_id": "who", "label": label, "optional": true,
              "element": { "type": "multi_users_select", "action_id": "who" } },
            { "type": "input", "block_id": "when", "label": label, "optional": true,
              "element": { "type": "datepicker", "action_id": "when", "initial_date": "2026-11-23" } },
        ],
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        view[name] = value.clone();
    }
    view
}

/// Opens a form for Anna, and says its id.
async fn opens(slack: &super::Slack, more: Value) -> String {
    let trigger = slack.world().trigger(ANNA);
    let answer = calls(
        slack,
        "views.open",
        json!({ "trigger_id": trigger, "view": form(more) }),
    )
    .await;
    answer["view"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_submission_has_every_field_that_slack_sends_and_what_was_left_empty() {
    let (slack, app) = workspace().await;
    let view = opens(&slack, json!({})).await;
    let filled = json!({ "what": { "what": { "type": "plain_text_input", "value": "Soup" } } });
    slack.submit(ANNA, &view, filled).await;
    let said = app.last();
    let but = [
        &GRID[..],
        &[
            "view.state.values.hspI",
            "view.state.values.hspI.maBWU",
            "view.state.values.hspI.maBWU.type",
            "view.state.values.hspI.maBWU.value",
        ],
    ]
    .concat();
    has_all_of(&said, SUBMISSION, &but);
    assert_eq!(
        said["view"]["state"]["values"],
        json!({
            "what": { "what": { "type": "plain_text_input", "value": "Soup" } },
            "who": { "who": { "type": "multi_users_select", "selected_users": [] } },
            "when": { "when": { "type": "datepicker", "selected_date": "2026-11-23" } },
        })
    );
    assert_eq!(said["view"]["private_metadata"], "42");
    assert!(!slack.world().views[0].is_open, "it is closed");
}

#[tokio::test]
async fn the_answer_to_a_submission_is_obeyed() {
    let (slack, app) = workspace().await;
    let view = opens(&slack, json!({})).await;
    app.plan(Answer::Says(
        json!({ "response_action": "errors", "errors": { "what": "Too hot" } }),
    ));
    slack.submit(ANNA, &view, json!({})).await;
    assert_eq!(slack.world().delivery.refused[&view]["what"], "Too hot");
    assert!(slack.world().views[0].is_open);
    app.plan(Answer::Says(
        json!({ "response_action": "update", "view": form(json!({ "private_metadata": "43" })) }),
    ));
    slack.submit(ANNA, &view, json!({})).await;
    assert_eq!(slack.world().views[0].now()["private_metadata"], "43");
    assert!(!slack.world().delivery.refused.contains_key(&view));
    app.plan(Answer::Says(
        json!({ "response_action": "push", "view": form(json!({})) }),
    ));
    slack.submit(ANNA, &view, json!({})).await;
    let second = slack.world().views[1].clone();
    assert_eq!(second.previous.as_deref(), Some(&*view));
    app.plan(Answer::Says(json!({ "response_action": "clear" })));
    slack.submit(ANNA, &second.id, json!({})).await;
    assert_eq!(app.last()["view"]["root_view_id"], *view);
    assert!(slack.world().views.iter().all(|view| !view.is_open));
}

#[tokio::test]
async fn a_submission_that_fails_leaves_the_form_as_it_is() {
    let (slack, app) = workspace().await;
    let view = opens(&slack, json!({})).await;
    app.plan(Answer::Status(500));
    slack.submit(ANNA, &view, json!({})).await;
    assert!(slack.world().views[0].is_open);
    assert_eq!(slack.world().delivery.failures[0].place, Place::View(view));
}

#[tokio::test]
async fn closing_is_told_only_where_the_app_asked_for_it() {
    let (slack, app) = workspace().await;
    let view = opens(&slack, json!({})).await;
    slack.close(ANNA, &view).await;
    assert!(app.heard().is_empty());
    let view = opens(
        &slack,
        json!({ "notify_on_close": true, "clear_on_close": true }),
    )
    .await;
    slack.close(BEN, &view).await;
    assert!(app.heard().is_empty(), "it is not Ben's");
    slack.close(ANNA, &view).await;
    assert_eq!(app.last()["type"], "view_closed");
    assert_eq!(app.last()["is_cleared"], true);
}
