//! The calls to Slack, against a described workspace.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    render::slack::Message,
    slack::api::{Api, ApiError, Class, Limits},
};
use serde_json::json;

use crate::world::{
    faults::closed_port,
    slack::web_api::{
        APP_TOKEN, BOT, Fault, GENERAL, OLD, OPS, SECRET, Slack, TEAM, TOKEN, Workspace,
    },
};

const MARKER: &str = "0123456789abcdef";

fn api(slack: &Slack) -> Api {
    limited(slack, Duration::from_secs(10))
}

fn limited(slack: &Slack, call: Duration) -> Api {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let limits = Limits {
        call,
        ..Limits::default()
    };
    Api::new(&slack.url(), &TOKEN.into(), limits).unwrap()
}

fn message(text: &str) -> Message {
    let block = json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    Message {
        text: text.to_owned(),
        blocks: vec![serde_json::from_value(block).unwrap()],
    }
}

fn long_ago(slack: &Slack) -> DateTime<Utc> {
    slack.world().now() - TimeDelta::hours(1)
}

#[tokio::test]
async fn a_message_is_posted_with_its_text_its_marker_and_nothing_unfurled() {
    let slack = Workspace::new().open().await;
    let ts = api(&slack)
        .post(OPS, &message("All well"), MARKER)
        .await
        .unwrap();
    let world = slack.world();
    let posted = world.messages(OPS)[0];
    assert_eq!(
        (posted.ts.as_str(), posted.user.as_str()),
        (ts.as_str(), BOT)
    );
    assert_eq!(posted.now().text, "All well");
    assert_eq!(posted.now().blocks.len(), 1);
    assert_eq!(
        posted.now().metadata,
        json!({ "event_type": "daily_ops", "event_payload": { "message": MARKER } })
    );
    let sent = &world.calls[0].args;
    assert_eq!(
        [
            &sent["unfurl_links"],
            &sent["unfurl_media"],
            &sent["link_names"],
            &sent["parse"]
        ],
        [&json!(false), &json!(false), &json!(false), &json!("none")]
    );
}
