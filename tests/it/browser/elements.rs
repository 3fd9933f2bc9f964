//! Elements that need more than a form: addresses, menus that the app fills, keys in a window.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::post};
use daily_ops::sandbox::slack::{ANNA, BOT, OPS, Posting, Version, View};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time::timeout};
use url::form_urlencoded;

use super::stage::{LAPTOP, PATIENCE, Stage, play};

/// What an app heard of, oldest first.
type Heard = Arc<watch::Sender<Vec<Value>>>;

async fn hear(State(heard): State<Heard>, body: String) -> Json<Value> {
    let payload: Value = form_urlencoded::parse(body.as_bytes())
        .find(|(name, _)| name == "payload")
        .and_then(|(_, text)| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let typed = payload["value"].as_str().unwrap_or_default();
    let text = json!({ "type": "plain_text", "text": format!("Release {typed}") });
    let options = json!({ "options": [{ "text": text, "value": typed }] });
    let is_asked = payload["type"] == "block_suggestion";
    heard.send_modify(|all| all.push(payload.clone()));
    Json(if is_asked { options } else { json!({}) })
}

/// Another app hears of what is done, in the place of the bot.
async fn app(stage: &Stage) -> watch::Receiver<Vec<Value>> {
    let heard = Heard::default();
    let told = heard.subscribe();
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let routes = Router::new().route("/", post(hear)).with_state(heard);
    tokio::spawn(async { axum::serve(listener, routes).await });
    let address = format!("http://{address}/").parse();
    let mut world = stage.office.slack.world();
    world.app.urls.interactivity = Some(address.expect("it is an address"));
    told
}

fn post_as_app(stage: &Stage, message: Posting) {
    let mut world = stage.office.slack.world();
    let channel = world.channels.get_mut(OPS);
    channel.expect("it is there").messages.push(message);
}

async fn action(heard: &mut watch::Receiver<Vec<Value>>, id: &str) -> Value {
    let has = |it: &&Value| it["actions"][0]["action_id"] == id;
    let all = timeout(
        PATIENCE,
        heard.wait_for(|all| all.iter().any(|it| has(&it))),
    )
    .await;
    let all = all.unwrap_or_else(|_| panic!("`{id}` is not heard of"));
    let all = all.expect("the app listens");
    all.iter().find(has).expect("it was heard")["actions"][0].clone()
}

fn words(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_attachments_and_menus_that_the_app_fills_reach_it() {
    play("quiet", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "ok").await;
        let mut heard = app(&stage).await;
        let actions = |id: &str, elements: Value| json!({ "type": "actions", "block_id": id, "elements": elements });
        let link = json!({ "type": "button", "action_id": "runbook", "text": words("Runbook"), "value": "7",
            "url": stage.address });
        let menu = json!({ "type": "external_select", "action_id": "release", "min_query_length": 2,
            "placeholder": words("Find a release") });
        let attached = json!({ "type": "button", "action_id": "old", "text": words("Old button"), "value": "1" });
        let version = Version {
            blocks: vec![actions("first", json!([link, menu]))],
            attachments: vec![json!({ "blocks": [actions("second", json!([attached]))] })],
            ..Version::of("An app")
        };
        let message = Posting {
            ts: format!("{}.000000", stage.office.time.now().timestamp()),
            user: BOT.to_owned(),
            versions: vec![version],
            ..Posting::default()
        };
        post_as_app(&stage, message);

        window.press("Old button").await;
        assert_eq!(action(&mut heard, "old").await["value"], "1");

        window.find("[data-suggest]").await.send_keys("2.4").await.expect("it can be typed");
        window.reads("#messages select", "Release 2.4").await;
        window.picture("suggested").await;
        let menu = window.find("#messages select").await;
        menu.select_by_label("Release 2.4").await.expect("it is offered");
        let chosen = action(&mut heard, "release").await;
        assert_eq!(chosen["selected_option"]["value"], "2.4", "{chosen}");
        let shown = window.asks("return document.querySelector('#messages select').selectedOptions[0].text").await;
        assert_eq!(shown, "Release 2.4");
        window.press("Runbook").await;
        assert_eq!(action(&mut heard, "runbook").await["value"], "7");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enter_in_a_field_of_a_window_submits_it() {
    play("quiet", LAPTOP, |stage| async move {
        let window = &stage.window;
        let mut heard = app(&stage).await;
        let button = json!({ "type": "button", "action_id": "first", "text": words("Not this"), "value": "1" });
        let field = json!({ "type": "plain_text_input", "action_id": "why" });
        let shown = json!({
            "type": "modal", "callback_id": "asked", "title": words("Why"), "submit": words("Tell"),
            "blocks": [
                { "type": "actions", "block_id": "buttons", "elements": [button] },
                { "type": "input", "block_id": "reason", "label": words("Reason"), "element": field },
            ],
        });
        let view = View {
            id: "V0WHY".to_owned(),
            user: ANNA.to_owned(),
            is_open: true,
            previous: None,
            hash: "1".to_owned(),
            versions: vec![shown],
        };
        stage.office.slack.world().views.push(view);
        let field = window.find("dialog .b-entry").await;
        field.send_keys("Because\u{e007}").await.expect("it can be typed");
        let all = timeout(PATIENCE, heard.wait_for(|all| !all.is_empty())).await;
        let all = all.expect("something is heard of");
        let first = all.expect("the app listens")[0].clone();
        assert_eq!(first["type"], "view_submission");
        assert_eq!(first["view"]["state"]["values"]["reason"]["why"]["value"], "Because");
    })
    .await;
}
