//! Who is let in, how much is read, and when it ends.

use std::time::Duration;

use daily_ops::sandbox::slack::{Fault, OPS, TOKEN};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{App, FORM};

const SAID: &str = "channel=C0OPS&text=forged";

#[tokio::test]
async fn other_pages_in_a_browser_of_this_machine_can_not_ask() {
    let app = App::new().await;
    let url = format!("{}/chat.postMessage", app.slack.url());
    for (name, value) in [
        ("origin", "https://example.com"),
        ("origin", "null"),
        ("host", "rebound.example.com"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let request = app.http.post(&url).header("content-type", FORM);
        let request = request.header(name, value).bearer_auth(TOKEN).body(SAID);
        let answer = request.send().await.expect("it answers");
        assert_eq!(answer.status(), 403, "{name}: {value}");
    }
    assert!(app.slack.world().messages(OPS).is_empty());
}

/// What comes back to bytes as they are sent, until the connection ends.
async fn sent(app: &App, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(app.slack.address)
        .await
        .expect("it is open");
    let request = format!(
        "POST /api/chat.postMessage HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: {FORM}\r\nconnection: close\r\n{head}\r\n\r\n{body}"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is sent");
    stream.shutdown().await.expect("no more is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok();
    answer
}

#[tokio::test]
async fn a_body_that_is_cut_off_or_too_long_is_not_carried_out() {
    let app = App::new().await;
    assert_eq!(sent(&app, "content-length: 9999", SAID).await, "");
    let long = sent(&app, "content-length: 99999999", SAID).await;
    assert!(
        long.is_empty() || long.starts_with("HTTP/1.1 413"),
        "{long}"
    );
    let large = "x".repeat(33 << 20);
    let answer = app.send("chat.postMessage", FORM, TOKEN, large).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(app.slack.world().called("chat.postMessage"), 0);
}

#[tokio::test]
async fn what_is_still_asked_ends_with_the_workspace() {
    let app = App::new().await;
    app.slack.world().spoil("*", Fault::Stall, usize::MAX);
    let url = format!("{}/auth.test", app.slack.url());
    let asking = tokio::spawn(app.http.post(url).send());
    let mut changes = app.slack.changes();
    while app.slack.world().called("auth.test") == 0 {
        changes.changed().await.expect("it is open");
    }
    drop(app.slack);
    let ended = timeout(Duration::from_secs(20), asking).await;
    let answer = ended.expect("it ends").expect("it is not broken off");
    assert!(answer.is_err(), "nobody is there to answer");
}
