//! Socket Mode from the app's side.

use std::time::Duration;

use daily_ops::sandbox::slack::{ANNA, APP_TOKEN, Delivered, OPS, Slack};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{PATIENCE, client, eventful, told, until, workspace};

/// A connection of the app.
struct Line(WebSocketStream<MaybeTlsStream<TcpStream>>);

async fn address(slack: &Slack) -> String {
    let answer = client()
        .post(format!("{}/apps.connections.open", slack.url()))
        .bearer_auth(APP_TOKEN)
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["url"].as_str().unwrap().to_owned()
}

impl Line {
    async fn open(slack: &Slack) -> Self {
        let mut line = Self(connect_async(address(slack).await).await.unwrap().0);
        assert_eq!(line.hears().await.unwrap()["type"], "hello");
        line
    }

    /// The next thing that Slack says; None: it has ended.
    async fn hears(&mut self) -> Option<Value> {
        loop {
            match timeout(PATIENCE, self.0.next())
                .await
                .expect("something comes")
            {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(_) | Err(_)) | None => return None,
            }
        }
    }

    async fn acks(&mut self, envelope: &Value, payload: Value) {
        let ack = json!({ "envelope_id": envelope["envelope_id"], "payload": payload });
        self.0.send(Message::text(ack.to_string())).await.unwrap();
    }
}

#[tokio::test]
async fn a_ticket_is_good_for_one_connection() {
    let (slack, _) = workspace().await;
    let address = address(&slack).await;
    let (mut first, _) = connect_async(&address).await.unwrap();
    let hello = first.next().await.unwrap().unwrap().into_text().unwrap();
    let hello: Value = serde_json::from_str(&hello).unwrap();
    assert_eq!(hello["num_connections"], 1);
    assert!(hello["debug_info"]["approximate_connection_time"].is_number());
    assert!(connect_async(&address).await.is_err());
}

#[tokio::test]
async fn while_a_socket_is_open_nothing_goes_over_http_and_its_acks_are_obeyed() {
    let (slack, app) = workspace().await;
    let mut line = Line::open(&slack).await;
    let (delivered, ()) = tokio::join!(slack.command(ANNA, OPS, "/lunch"), async {
        let envelope = line.hears().await.unwrap();
        assert_eq!(envelope["type"], "slash_commands");
        assert_eq!(envelope["accepts_response_payload"], true);
        assert_eq!(envelope["payload"]["command"], "/lunch");
        line.acks(&envelope, json!({ "text": "Soup" })).await;
    });
    assert!(
        matches!(delivered, Delivered::Acked { .. }),
        "{delivered:?}"
    );
    assert_eq!(told(&slack, ANNA), ["Soup"]);
    assert!(app.heard().is_empty());
    assert!(slack.world().delivery.deliveries[0].by_socket);
}

#[tokio::test]
async fn what_breaks_off_before_its_ack_comes_over_another_connection() {
    let (slack, _) = workspace().await;
    let (mut one, mut other) = (Line::open(&slack).await, Line::open(&slack).await);
    let (delivered, ()) = tokio::join!(slack.command(ANNA, OPS, "/lunch"), async {
        let first = tokio::select! {
            _ = one.hears() => 1,
            _ = other.hears() => 2,
        };
        let mut left = if first == 1 {
            drop(one);
            other
        } else {
            drop(other);
            one
        };
        let again = left.hears().await.unwrap();
        assert_eq!(again["retry_attempt"], 1);
        assert_eq!(again["retry_reason"], "timeout");
        left.acks(&again, json!({})).await;
    });
    assert!(
        matches!(delivered, Delivered::Acked { .. }),
        "{delivered:?}"
    );
}

#[tokio::test]
async fn envelopes_are_spread_over_the_connections_and_the_eleventh_is_sent_away() {
    let (slack, _) = workspace().await;
    let mut lines = Vec::new();
    for _ in 0..10 {
        lines.push(Line::open(&slack).await);
    }
    assert_eq!(slack.sockets(), 10);
    let address = address(&slack).await;
    let mut eleventh = Line(connect_async(address).await.unwrap().0);
    assert_eq!(
        eleventh.hears().await.unwrap()["reason"],
        "too_many_websockets"
    );
    assert_eq!(eleventh.hears().await, None);
    let serving = lines.into_iter().map(|mut line| {
        tokio::spawn(async move {
            let envelope = line.hears().await.unwrap();
            line.acks(&envelope, json!({})).await;
            line
        })
    });
    let serving: Vec<_> = serving.collect();
    for _ in 0..10 {
        let delivered = slack.command(ANNA, OPS, "/lunch").await;
        assert!(
            matches!(delivered, Delivered::Acked { .. }),
            "{delivered:?}"
        );
    }
    for line in serving {
        timeout(PATIENCE, line)
            .await
            .expect("each hears of one")
            .unwrap();
    }
}

#[tokio::test]
async fn sockets_are_renewed_and_broken_as_it_is_switched() {
    let (slack, _) = workspace().await;
    let mut line = Line::open(&slack).await;
    slack.refresh_sockets("warning");
    assert_eq!(line.hears().await.unwrap()["reason"], "warning");
    slack.refresh_sockets("refresh_requested");
    assert_eq!(line.hears().await.unwrap()["reason"], "refresh_requested");
    let mut next = Line::open(&slack).await;
    let (_, envelope) = tokio::join!(slack.shortcut(ANNA, "order"), async {
        let envelope = next.hears().await.unwrap();
        next.acks(&envelope, json!({})).await;
        envelope
    });
    assert_eq!(
        envelope["payload"]["callback_id"], "order",
        "the one that leaves gets nothing new"
    );
    slack.drop_sockets();
    assert_eq!(next.hears().await, None);
    until(&slack, "they are gone", || slack.sockets() == 0).await;
    slack.world().transport.drop_sockets = true;
    let gone = connect_async(address(&slack).await).await.unwrap();
    let mut gone = Line(gone.0);
    while gone.hears().await.is_some() {}
}

#[tokio::test]
async fn a_stalled_socket_says_and_hears_nothing_until_it_flows() {
    let (slack, _) = workspace().await;
    let mut line = Line::open(&slack).await;
    slack.world().transport.stall_sockets = true;
    let delivered = slack.command(ANNA, OPS, "/lunch").await;
    assert!(
        matches!(delivered, Delivered::Failed("operation_timeout")),
        "{delivered:?}"
    );
    slack.world().transport.stall_sockets = false;
    let late = timeout(Duration::from_secs(5), line.hears())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(late["payload"]["command"], "/lunch");
}

#[tokio::test]
async fn an_unacked_event_comes_again_over_the_socket() {
    let (slack, _) = eventful().await;
    let mut line = Line::open(&slack).await;
    slack.say(ANNA, OPS, "hi", None);
    let first = line.hears().await.unwrap();
    assert_eq!(first["retry_attempt"], 0);
    let second = line.hears().await.unwrap();
    assert_eq!(
        (&second["retry_attempt"], &second["retry_reason"]),
        (&json!(1), &json!("timeout"))
    );
    assert_eq!(second["payload"]["event_id"], first["payload"]["event_id"]);
}

#[tokio::test]
async fn what_is_delivered_twice_is_the_same_twice() {
    let (slack, app) = workspace().await;
    slack.world().transport.duplicate = true;
    slack.command(ANNA, OPS, "/lunch").await;
    let [first, second] = &app.heard()[..] else {
        panic!("{:?}", app.heard())
    };
    assert_eq!(first.body, second.body);
    slack.world().transport.duplicate = false;
    slack.world().transport.refuse = true;
    let delivered = slack.command(ANNA, OPS, "/lunch").await;
    assert!(matches!(delivered, Delivered::Failed("dispatch_failed")));
    assert_eq!(app.heard().len(), 2);
}
