//! What is said at answering addresses, and what goes wrong on purpose.

use chrono::TimeDelta;
use daily_ops::sandbox::slack::{ANNA, Fault, OPS, TOKEN};
use serde_json::json;

use super::{App, FORM};

#[tokio::test]
async fn an_answering_address_takes_five_answers_in_thirty_minutes() {
    let app = App::new().await;
    let url = app.slack.response_url(ANNA, OPS, None);
    assert_eq!(
        app.respond(&url, json!({ "text": "only you" })).await,
        (200, "ok".to_owned())
    );
    let replaced = json!({ "text": "still only you", "replace_original": true });
    app.respond(&url, replaced).await;
    app.respond(
        &url,
        json!({ "text": "all", "response_type": "in_channel" }),
    )
    .await;
    {
        let world = app.slack.world();
        let all = &world.channels[OPS].messages;
        let shown: Vec<_> = all
            .iter()
            .map(|it| (it.now().text.as_str(), it.only_for.as_deref()))
            .collect();
        assert_eq!(shown, [("still only you", Some(ANNA)), ("all", None)]);
    }
    app.respond(&url, json!({ "delete_original": true })).await;
    assert!(app.slack.world().channels[OPS].messages[0].deleted);
    assert_eq!(app.respond(&url, json!({})).await.0, 200);
    assert_eq!(
        app.respond(&url, json!({ "text": "x" })).await,
        (404, "used_url".to_owned())
    );
    let old = app.slack.response_url(ANNA, OPS, None);
    app.slack.world().clock = TimeDelta::minutes(31);
    assert_eq!(
        app.respond(&old, json!({ "text": "x" })).await,
        (404, "expired_url".to_owned())
    );
}

#[tokio::test]
async fn the_clicked_message_is_replaced_where_it_stands() {
    let app = App::new().await;
    let ts = app.post("before").await;
    let url = app.slack.response_url(ANNA, OPS, Some(&ts));
    let said = json!({ "text": "after", "replace_original": true });
    assert_eq!(
        app.respond(&url, said).await,
        (200, r#"{"ok":true}"#.to_owned())
    );
    let world = app.slack.world();
    assert_eq!(world.messages(OPS)[0].now().text, "after");
    assert_eq!(world.messages(OPS).len(), 1);
}

#[tokio::test]
async fn rate_limits_hold_when_they_are_switched_on_and_faults_can_be_healed() {
    let app = App::new().await;
    app.slack.world().is_rate_limited = true;
    for _ in 0..20 {
        assert_eq!(app.form("users.list", &[]).await["ok"], true);
    }
    let answer = app.send("users.list", FORM, TOKEN, String::new()).await;
    assert_eq!(answer.status().as_u16(), 429);
    let wait: u64 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .expect("it is a number");
    assert!((1..=60).contains(&wait), "{wait}");
    app.slack.world().is_rate_limited = false;
    app.slack
        .world()
        .spoil("*", Fault::Refused("fatal_error"), usize::MAX);
    for _ in 0..3 {
        assert_eq!(app.form("auth.test", &[]).await["error"], "fatal_error");
    }
    app.slack.world().heal(None);
    assert_eq!(app.form("auth.test", &[]).await["ok"], true);
}
