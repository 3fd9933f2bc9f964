//! Slow and huge clients are cut off, and keep nobody out.

use std::time::Duration;

use daily_ops::serve::listener::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{JoinHandle, yield_now},
    time::{Instant, timeout},
};

use super::http::{Bot, bot_with};
use crate::world::slack::driver::{Answer, Command, answer};

const AGE: Duration = Duration::from_secs(60);

fn short() -> Limits {
    Limits {
        headers: Duration::from_millis(150),
        body: Duration::from_millis(300),
        ..Limits::default()
    }
}

async fn begin(bot: &Bot, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(bot.slack.to).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// A whole request, after which the connection stays open.
fn request(bot: &Bot) -> Vec<u8> {
    let form = Command::new("", "1").form();
    let head = bot.slack.head("/slack/commands", form.as_bytes(), false);
    [head.as_bytes(), form.as_bytes()].concat()
}

/// A command that is being kept.
async fn slow_command(bot: &Bot) -> JoinHandle<Answer> {
    bot.kept.commit_slowly("slow");
    let slack = bot.slack.clone();
    let slow = tokio::spawn(async move { slack.command(&Command::new("slow", "1")).await });
    while bot.kept.deliveries() == 0 {
        yield_now().await;
    }
    slow
}

/// How long until the other side has closed it.
async fn closed(mut stream: TcpStream) -> Duration {
    let since = Instant::now();
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
    read.await.expect("it is cut off").ok();
    since.elapsed()
}

#[tokio::test]
async fn slow_headers_and_slow_bodies_are_cut_off() {
    let bot = bot_with(short()).await;
    for start in [
        "",
        "POST /sl",
        "POST /slack/commands HTTP/1.1\r\nhost: b\r\nx: ",
    ] {
        let took = closed(begin(&bot, start.as_bytes()).await).await;
        assert!(took >= Duration::from_millis(140), "{start}: {took:?}");
        assert!(took < Duration::from_secs(5), "{start}: {took:?}");
    }
    let start = "POST /slack/commands HTTP/1.1\r\nhost: b\r\ncontent-length: 10\r\n\r\nabc";
    let took = closed(begin(&bot, start.as_bytes()).await).await;
    assert!(took >= Duration::from_millis(290), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_trickle_is_cut_off_as_well() {
    let bot = bot_with(short()).await;
    let mut stream = begin(&bot, b"POST /slack/commands HTTP/1.1\r\n").await;
    let since = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while since.elapsed() < Duration::from_secs(10) && stream.write_all(b"x: y\r\n").await.is_ok() {
        tick.tick().await;
    }
    assert!(since.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn between_two_requests_there_is_more_time() {
    let bot = bot_with(short()).await;
    let mut stream = begin(&bot, &request(&bot)).await;
    assert_eq!(answer(&mut stream).await.unwrap().status, 200);
    let quiet = timeout(Duration::from_millis(500), stream.read_u8()).await;
    assert!(quiet.is_err(), "it is still open");
    stream.write_all(&request(&bot)).await.unwrap();
    assert_eq!(answer(&mut stream).await.unwrap().status, 200);
    stream.write_all(b"POST").await.unwrap();
    assert!(closed(stream).await < Duration::from_secs(5));
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_the_end() {
    let limits = Limits {
        idle: Duration::from_millis(100),
        ..Limits::default()
    };
    let bot = bot_with(limits).await;
    let mut stream = begin(&bot, &request(&bot)).await;
    assert_eq!(answer(&mut stream).await.unwrap().status, 200);
    assert!(closed(stream).await < Duration::from_secs(5));
}

#[tokio::test]
async fn many_slow_ones_keep_no_click_out() {
    let limits = Limits {
        connections: 64,
        headers: AGE,
        body: AGE,
        ..Limits::default()
    };
    let bot = bot_with(limits).await;
    let mut crowd = Vec::new();
    for number in 0..200 {
        let start = if number % 2 == 0 {
            "POST /slack/com"
        } else {
            "POST /slack/commands HTTP/1.1\r\nhost: b\r\ncontent-length: 10\r\n\r\nabc"
        };
        crowd.push(begin(&bot, start.as_bytes()).await);
        if number % 20 == 0 {
            let command = Command::new("", &number.to_string());
            let answer = timeout(Duration::from_secs(5), bot.slack.command(&command)).await;
            assert_eq!(answer.expect("it is answered soon").status, 200);
        }
    }
    assert_eq!(bot.kept.all().len(), 10);
    let oldest = closed(crowd.remove(0)).await;
    assert!(oldest < Duration::from_secs(5), "the oldest made room");
    let newest = timeout(
        Duration::from_millis(200),
        crowd.last_mut().unwrap().read_u8(),
    )
    .await;
    assert!(newest.is_err(), "the newest is still there");
}

#[tokio::test]
async fn whoever_is_being_answered_makes_no_room() {
    let limits = Limits {
        connections: 2,
        headers: AGE,
        ..Limits::default()
    };
    let bot = bot_with(limits).await;
    let slow = slow_command(&bot).await;
    for number in 0..10 {
        begin(&bot, b"POST").await;
        let quick = Command::new("quick", &number.to_string());
        assert_eq!(bot.slack.command(&quick).await.status, 200);
    }
    bot.kept.release();
    assert_eq!(slow.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_huge_body_is_refused_without_being_read() {
    let bot = bot_with(Limits::default()).await;
    let head = "POST /slack/interactions HTTP/1.1\r\nhost: b\r\n";
    let announced = format!("{head}content-length: 209715200\r\n\r\n");
    let mut stream = begin(&bot, announced.as_bytes()).await;
    assert_eq!(answer(&mut stream).await.unwrap().status, 413);
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let mut stream = begin(&bot, chunked.as_bytes()).await;
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let mut sent = 0;
    while sent < 200 << 20 && stream.write_all(&chunk).await.is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 20 << 20, "{sent} bytes were taken");
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let bot = bot_with(Limits::default()).await;
    let header = "x".repeat(40 << 10);
    let head = format!("POST /slack/commands HTTP/1.1\r\nhost: b\r\nx: {header}");
    let mut stream = TcpStream::connect(bot.slack.to).await.unwrap();
    stream.write_all(head.as_bytes()).await.ok();
    let status = answer(&mut stream).await.map(|answer| answer.status);
    assert!(matches!(status, None | Some(431)), "{status:?}");
    assert!(closed(stream).await < Duration::from_secs(4));
}

#[tokio::test]
async fn a_shutdown_finishes_what_has_begun_and_lets_nobody_in() {
    let bot = bot_with(short()).await;
    let slow = slow_command(&bot).await;
    bot.stop.send(true).unwrap();
    while TcpStream::connect(bot.slack.to).await.is_ok() {
        yield_now().await;
    }
    bot.kept.release();
    assert_eq!(slow.await.unwrap().status, 200);
    let ended = timeout(Duration::from_secs(5), bot.task).await;
    ended.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let limits = Limits {
        shutdown: Duration::from_millis(100),
        headers: AGE,
        ..Limits::default()
    };
    let bot = bot_with(limits).await;
    let _slow = slow_command(&bot).await;
    bot.stop.send(true).unwrap();
    let ended = timeout(Duration::from_secs(5), bot.task).await;
    ended.expect("it ends").unwrap();
}
