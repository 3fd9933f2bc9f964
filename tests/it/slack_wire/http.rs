//! What is posted to us.

use std::sync::Arc;

use daily_ops::{
    command::{Form, Press, What},
    serve::listener::{Limits, serve_within},
    slack::http::{Door, router},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{clock, now};
use crate::world::slack::{
    driver::{Click, Command, Slack, Submission, sign},
    kept::Kept,
};

pub(super) const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const OLD_SECRET: &str = "the-one-before";
const ITEM: &str = "00000000000000aa.3.0";

/// A bot that listens.
pub(super) struct Bot {
    pub(super) slack: Slack,
    pub(super) kept: Arc<Kept>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) task: JoinHandle<()>,
}

pub(super) async fn bot_with(limits: Limits) -> Bot {
    let kept = Kept::new();
    let door = Door {
        secrets: vec![OLD_SECRET.into(), SECRET.into()],
        inbox: Arc::clone(&kept) as _,
        clock: clock(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let (stop, shutdown) = watch::channel(false);
    let task = tokio::spawn(serve_within(limits, listener, router(door), shutdown));
    let slack = Slack {
        to,
        secret: SECRET,
        now: now(),
        headers: Vec::new(),
    };
    Bot {
        slack,
        kept,
        stop,
        task,
    }
}

async fn bot() -> Bot {
    bot_with(Limits::default()).await
}

fn click() -> Click {
    Click::on("acknowledge", ITEM, "1700000100.000001")
}

#[tokio::test]
async fn a_command_is_kept_and_answered_with_nothing() {
    let bot = bot().await;
    let answer = bot.slack.command(&Command::new("daily now", "1.2.a")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let all = bot.kept.all();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].key, "cmd:T0HOME:1.2.a");
    assert_eq!(all[0].what, What::Command("daily now".to_owned()));
    assert_eq!(all[0].by.user, "U012ANNA");
}

#[tokio::test]
async fn a_click_is_kept_with_its_place() {
    let bot = bot().await;
    assert_eq!(bot.slack.click(&click()).await.status, 200);
    let asked = bot.kept.all().remove(0);
    assert_eq!(
        asked.key,
        "act:T0HOME:C0OPS:1700000000.000100:U012ANNA:acknowledge:b7Q:1700000100.000001"
    );
    assert_eq!(asked.channel.as_deref(), Some("C0OPS"));
    assert_eq!(asked.message.as_deref(), Some("1700000000.000100"));
    assert!(
        matches!(asked.what, What::Press { press: Press::Acknowledge, item } if item.finding == Some(3))
    );
}

#[tokio::test]
async fn a_form_is_kept_or_says_what_is_wrong_under_its_input() {
    let bot = bot().await;
    let empty = Submission::of(
        "open.note",
        json!({ "type": "plain_text_input", "value": " " }),
    );
    let answer = bot.slack.submit(&empty).await;
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        body,
        json!({ "response_action": "errors", "errors": { "answer": "Write what is to be noted." } })
    );
    assert_eq!(bot.kept.deliveries(), 0);
    let filled = Submission::of(
        "open.note",
        json!({ "type": "plain_text_input", "value": "seen" }),
    );
    assert_eq!(bot.slack.submit(&filled).await.body, "");
    let note = Form::Note {
        text: "seen".to_owned(),
    };
    assert!(matches!(&bot.kept.all()[0].what, What::Submit { form, .. } if *form == note));
}

#[tokio::test]
async fn a_retry_and_a_replay_are_the_same_request() {
    let bot = bot().await;
    for slack in [bot.slack.clone(), bot.slack.retry(1), bot.slack.retry(2)] {
        assert_eq!(slack.click(&click()).await.status, 200);
    }
    assert_eq!((bot.kept.deliveries(), bot.kept.all().len()), (3, 1));
    let again = Click::on("acknowledge", ITEM, "1700000100.000002");
    bot.slack.click(&again).await;
    assert_eq!(bot.kept.all().len(), 2);
}

#[tokio::test]
async fn what_is_not_kept_is_not_acked() {
    let bot = bot().await;
    bot.kept.fill_the_disk(true);
    assert_eq!(bot.slack.click(&click()).await.status, 503);
    bot.kept.fill_the_disk(false);
    assert_eq!(bot.slack.click(&click()).await.status, 200);
    assert_eq!(bot.kept.all().len(), 1);
}

#[tokio::test]
async fn both_secrets_open_while_one_is_rotated_and_no_other_does() {
    let bot = bot().await;
    let command = Command::new("", "1");
    for (secret, status) in [
        (SECRET, 200),
        (OLD_SECRET, 200),
        ("neither", 401),
        ("", 401),
    ] {
        let answer = bot.slack.with_secret(secret).command(&command).await;
        assert_eq!(answer.status, status, "{secret}");
        assert_eq!(answer.body, "", "{secret}");
    }
}

#[tokio::test]
async fn only_five_minutes_are_right_to_either_side() {
    let bot = bot().await;
    let command = Command::new("", "1");
    for (seconds, status) in [(300, 200), (301, 401), (-300, 200), (-301, 401)] {
        let answer = bot.slack.late_by(seconds).command(&command).await;
        assert_eq!(answer.status, status, "{seconds}");
    }
    assert_eq!(bot.kept.deliveries(), 2);
}

#[tokio::test]
async fn a_second_signature_in_the_same_request_spoils_it() {
    let mut bot = bot().await;
    let timestamp = now().timestamp().to_string();
    let form = Command::new("", "1").form();
    let signature = sign(SECRET, &timestamp, form.as_bytes());
    bot.slack.headers.push(("X-Slack-Signature", signature));
    let answer = bot.slack.command(&Command::new("", "1")).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn slack_may_look_at_our_certificate_unsigned_but_not_wrongly_signed() {
    let bot = bot().await;
    let look = b"ssl_check=1&token=x";
    assert_eq!(bot.slack.post("/slack/commands", look).await.status, 200);
    let forged = bot.slack.with_secret("wrong");
    assert_eq!(forged.post("/slack/commands", look).await.status, 401);
    for (path, body, status) in [
        ("/slack/commands", "ssl_check=1&token=x", 200),
        ("/slack/interactions", "ssl_check=1&token=x", 200),
        ("/slack/events", "ssl_check=1&token=x", 401),
        ("/slack/commands", "ssl_check=0&command=%2Fops", 401),
        (
            "/slack/commands",
            "command=%2Fops&trigger_id=1&user_id=U1",
            401,
        ),
    ] {
        assert_eq!(
            unsigned(&bot, "POST", path, body).await,
            status,
            "{path} {body}"
        );
    }
    assert_eq!(bot.kept.deliveries(), 0);
}

async fn unsigned(bot: &Bot, method: &str, path: &str, body: &str) -> u16 {
    use tokio::{io::AsyncWriteExt, net::TcpStream};
    let mut stream = TcpStream::connect(bot.slack.to).await.unwrap();
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: bot\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    crate::world::slack::driver::answer(&mut stream)
        .await
        .unwrap()
        .status
}

/// What is answered to a request whose body never comes.
async fn bodiless(bot: &Bot, path: &str, headers: &str) -> u16 {
    use tokio::{io::AsyncWriteExt, net::TcpStream};
    let mut stream = TcpStream::connect(bot.slack.to).await.unwrap();
    let request =
        format!("POST {path} HTTP/1.1\r\nhost: bot\r\ncontent-length: 60000\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    crate::world::slack::driver::answer(&mut stream)
        .await
        .unwrap()
        .status
}

#[tokio::test]
async fn what_no_body_could_make_right_is_refused_before_its_body() {
    let bot = bot().await;
    let fresh = now().timestamp();
    let code = "a".repeat(64);
    for (path, headers) in [
        ("/slack/events", String::new()),
        (
            "/slack/commands",
            format!(
                "x-slack-request-timestamp: {}\r\nx-slack-signature: v0={code}\r\n",
                fresh - 301
            ),
        ),
        (
            "/slack/interactions",
            format!("x-slack-request-timestamp: now\r\nx-slack-signature: v0={code}\r\n"),
        ),
        (
            "/slack/interactions",
            format!("x-slack-request-timestamp: {fresh}\r\nx-slack-signature: v1={code}\r\n"),
        ),
        (
            "/slack/events",
            format!("x-slack-request-timestamp: {fresh}\r\n"),
        ),
        ("/slack/commands", String::new()),
    ] {
        assert_eq!(
            bodiless(&bot, path, &headers).await,
            401,
            "{path} {headers}"
        );
    }
    assert_eq!(bot.kept.deliveries(), 0);
}

#[tokio::test]
async fn a_challenge_is_sent_back() {
    let bot = bot().await;
    let challenge = json!({ "type": "url_verification", "token": "x", "challenge": "3eZbrw1aB" });
    let answer = bot.slack.event(&challenge).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "3eZbrw1aB"));
    let forged = bot.slack.with_secret("wrong").event(&challenge).await;
    assert_eq!((forged.status, forged.body.as_str()), (401, ""));
}

#[tokio::test]
async fn what_does_not_concern_us_is_acked() {
    let bot = bot().await;
    for payload in [
        json!({ "type": "block_actions", "actions": [{ "action_id": "somebody.elses", "value": "1" }] }),
        json!({ "type": "view_closed", "view": {} }),
        json!({ "type": "something_new_in_2027", "team": [] }),
        json!({ "type": "view_submission", "view": { "callback_id": "view" } }),
    ] {
        assert_eq!(bot.slack.interact(&payload).await.status, 200, "{payload}");
    }
    for event in [
        json!({ "type": "event_callback", "event": { "type": "app_uninstalled" } }),
        json!({ "type": "event_callback", "event": 7 }),
        json!({ "type": "app_rate_limited" }),
    ] {
        assert_eq!(bot.slack.event(&event).await.status, 200, "{event}");
    }
    assert_eq!(bot.kept.deliveries(), 0);
}

#[tokio::test]
async fn what_can_not_be_read_is_said_to_be_wrong() {
    let bot = bot().await;
    for (path, body) in [
        ("/slack/commands", ""),
        ("/slack/commands", "command=%2Fops&user_id=U1"),
        ("/slack/interactions", "payload=%7B"),
        ("/slack/interactions", "payload"),
        ("/slack/events", "[[[["),
    ] {
        assert_eq!(
            bot.slack.post(path, body.as_bytes()).await.status,
            400,
            "{path} {body}"
        );
    }
}

#[tokio::test]
async fn there_is_nothing_else_at_this_address() {
    let bot = bot().await;
    for (method, path, status) in [
        ("GET", "/slack/commands", 405),
        ("PUT", "/slack/interactions", 405),
        ("DELETE", "/slack/events", 405),
        ("POST", "/slack/commands/", 404),
        ("POST", "/", 404),
        ("GET", "/metrics", 404),
        ("POST", "/slack/../slack/commands", 404),
    ] {
        assert_eq!(
            unsigned(&bot, method, path, "").await,
            status,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let bot = bot().await;
    let fields = Command::new("", "1").form();
    for (path, length, status) in [
        ("/slack/commands", 64 << 10, 200),
        ("/slack/commands", (64 << 10) + 1, 413),
        ("/slack/events", (64 << 10) + 1, 413),
        ("/slack/interactions", 1 << 20, 400),
        ("/slack/interactions", (1 << 20) + 1, 413),
    ] {
        let body = format!("{fields}&pad={}", "x".repeat(length - fields.len() - 5));
        let answer = bot.slack.post(path, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{path} {length}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_kind_and_outcome_and_by_nothing_that_they_say() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let bot = bot().await;
    bot.slack.click(&click()).await;
    bot.slack.with_secret("wrong").click(&click()).await;
    bot.slack.post("/slack/events", b"[").await;
    let canary = json!({ "type": "canary", "event": { "type": "canary" } });
    bot.slack.interact(&canary).await;
    bot.slack.event(&canary).await;
    bot.kept.fill_the_disk(true);
    bot.slack.command(&Command::new("canary", "1")).await;
    let counted = recorder.handle().render();
    for (kind, outcome, count) in [
        ("block_actions", "accepted", 1),
        ("interactive", "forged", 1),
        ("event_callback", "unreadable", 1),
        ("unknown", "ignored", 2),
        ("command", "not_kept", 1),
    ] {
        let line = format!(
            "daily_ops_slack_requests_total{{transport=\"http\",kind=\"{kind}\",outcome=\"{outcome}\"}} {count}"
        );
        assert!(counted.contains(&line), "{line} is not in\n{counted}");
    }
    let acks = "daily_ops_ack_seconds_count{transport=\"http\",kind=\"block_actions\"} 1";
    assert!(counted.contains(acks), "{counted}");
    assert!(!counted.contains("canary"), "{counted}");
}
