//! What comes over Socket Mode.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use daily_ops::slack::socket::{Health, Limits, NotOpened, Socket};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::{JoinHandle, yield_now},
    time::{Instant, timeout},
};

use super::clock;
use crate::world::slack::{
    driver::{Click, Command, Submission},
    kept::Kept,
    socket_server::{Line, Opening, SocketMode},
};

const SOON: Duration = Duration::from_secs(10);
const AGE: Duration = Duration::from_secs(3600);
const ITEM: &str = "00000000000000aa.3.0";

/// Everything is quick, and there is one connection, so that a test knows where to look.
fn alone() -> Limits {
    let millis = Duration::from_millis;
    Limits {
        apart: AGE,
        open: millis(300),
        handshake: millis(300),
        hello: millis(300),
        linger: millis(100),
        steady: millis(200),
        first_pause: millis(5),
        longest_pause: millis(20),
        refused: AGE,
        ..Limits::default()
    }
}

struct Bot {
    slack: SocketMode,
    kept: Arc<Kept>,
    health: Arc<Health>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Bot {
    async fn with(limits: Limits, openings: Vec<Opening>) -> Self {
        let slack = SocketMode::start().await;
        slack.opens(openings);
        let (kept, health) = (Kept::new(), Arc::<Health>::default());
        let socket = Socket {
            open: slack.opener(),
            inbox: Arc::clone(&kept) as _,
            clock: clock(),
            health: Arc::clone(&health),
            limits,
        };
        let (stop, shutdown) = watch::channel(false);
        let task = tokio::spawn(socket.run(shutdown));
        Self {
            slack,
            kept,
            health,
            stop,
            task,
        }
    }

    async fn line(&mut self) -> Line {
        let line = self.slack.line_within(SOON).await;
        line.expect("it connects")
    }

    async fn has_nobody_connect_for(&mut self, limit: Duration) -> bool {
        self.slack.line_within(limit).await.is_none()
    }

    async fn until_ready(&self, ready: bool) {
        until(|| self.health.ready() == ready).await;
    }

    async fn until_error_with(&self, word: &str) {
        until(|| self.error().contains(word)).await;
    }

    fn error(&self) -> String {
        self.health.last_error().unwrap_or_default()
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < SOON, "it is not so");
        yield_now().await;
    }
}

async fn said(line: &mut Line) -> Option<Value> {
    timeout(SOON, line.said()).await.expect("something is said")
}

async fn is_acked(line: &mut Line, id: &str) {
    assert_eq!(said(line).await, Some(json!({ "envelope_id": id })));
}

fn click(line: &Line, at: &str) {
    let click = Click::on("acknowledge", ITEM, at);
    line.deliver("interactive", at, &click.payload(), 0);
}

fn command(line: &Line, text: &str) {
    let command = Command::new(text, text);
    line.deliver("slash_commands", text, &command.payload(), 0);
}

#[tokio::test]
async fn an_envelope_is_acked_when_it_is_kept() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let mut line = bot.line().await;
    command(&line, "daily");
    is_acked(&mut line, "daily").await;
    assert_eq!(bot.kept.all()[0].key, "cmd:T0HOME:daily");
    click(&line, "7.1");
    is_acked(&mut line, "7.1").await;
    assert_eq!(bot.kept.all().len(), 2);
}

#[tokio::test]
async fn a_form_that_can_not_be_taken_is_told_in_the_ack() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let mut line = bot.line().await;
    let empty = Submission::of("open.assign", json!({}));
    line.deliver("interactive", "e1", &empty.payload(), 0);
    let payload =
        json!({ "response_action": "errors", "errors": { "answer": "Choose who takes it." } });
    let ack = json!({ "envelope_id": "e1", "payload": payload });
    assert_eq!(said(&mut line).await, Some(ack));
}

#[tokio::test]
async fn what_is_not_kept_is_not_acked_and_comes_again() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let mut line = bot.line().await;
    let payload = Click::on("acknowledge", ITEM, "7.1").payload();
    bot.kept.fill_the_disk(true);
    line.deliver("interactive", "e1", &payload, 0);
    until(|| bot.kept.deliveries() == 1).await;
    bot.kept.fill_the_disk(false);
    line.deliver("interactive", "e1", &payload, 1);
    is_acked(&mut line, "e1").await;
    line.ping();
    assert_eq!(said(&mut line).await, Some(json!("pong")));
    assert!(line.is_silent(), "the first delivery was never acked");
    assert_eq!((bot.kept.deliveries(), bot.kept.all().len()), (2, 1));
}

#[tokio::test]
async fn an_envelope_does_not_wait_for_anothers_commit() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let mut line = bot.line().await;
    bot.kept.commit_slowly("slow");
    command(&line, "slow");
    command(&line, "quick");
    is_acked(&mut line, "quick").await;
    line.ping();
    assert_eq!(said(&mut line).await, Some(json!("pong")));
    bot.kept.release();
    is_acked(&mut line, "slow").await;
}

#[tokio::test]
async fn a_commit_that_takes_too_long_is_not_acked() {
    let limits = Limits {
        commit: Duration::from_millis(50),
        ..alone()
    };
    let mut bot = Bot::with(limits, vec![]).await;
    let mut line = bot.line().await;
    bot.kept.commit_slowly("slow");
    command(&line, "slow");
    let nothing = timeout(Duration::from_millis(300), line.said()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    command(&line, "quick");
    is_acked(&mut line, "quick").await;
}

#[tokio::test]
async fn what_does_not_concern_us_or_can_not_be_read_is_acked_too() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let mut line = bot.line().await;
    line.send("not even JSON");
    line.send(r#"{"type":"new_in_2027"}"#);
    let event = json!({ "type": "event_callback", "event": { "type": "message" } });
    for (kind, payload) in [
        ("interactive", json!({ "type": "shortcut" })),
        ("interactive", json!(["?"])),
        ("slash_commands", json!({})),
        ("events_api", event),
        ("new_in_2027", json!(null)),
    ] {
        line.deliver(kind, "e", &payload, 0);
        is_acked(&mut line, "e").await;
    }
    assert_eq!(bot.kept.deliveries(), 0);
}

#[tokio::test]
async fn two_connections_are_kept_up_and_either_takes_requests() {
    let limits = Limits {
        apart: Duration::from_millis(20),
        ..alone()
    };
    let mut bot = Bot::with(limits, vec![]).await;
    let mut first = bot.line().await;
    let mut second = bot.line().await;
    for (line, at) in [(&mut first, "7.1"), (&mut second, "7.2")] {
        click(line, at);
        is_acked(line, at).await;
    }
    assert_eq!(bot.health.ages().len(), 2);
    first.break_off();
    let mut third = bot.line().await;
    assert!(bot.health.ready(), "the second is still there");
    click(&third, "7.3");
    is_acked(&mut third, "7.3").await;
}

#[tokio::test]
async fn a_click_during_a_refresh_is_not_lost() {
    for reason in ["warning", "refresh_requested", "too_many_websockets"] {
        let mut bot = Bot::with(alone(), vec![]).await;
        let mut old = bot.line().await;
        bot.until_ready(true).await;
        old.disconnect(reason);
        let mut new = bot.line().await;
        click(&old, "7.1");
        is_acked(&mut old, "7.1").await;
        click(&new, "7.2");
        is_acked(&mut new, "7.2").await;
        assert_eq!(said(&mut old).await, None, "the old one is closed");
        assert_eq!(bot.kept.all().len(), 2);
        assert!(bot.health.ready());
    }
}

#[tokio::test]
async fn the_old_connection_stays_while_no_new_one_says_hello() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let mut old = bot.line().await;
    bot.until_ready(true).await;
    bot.slack.greet(false);
    old.disconnect("warning");
    let _mute = bot.line().await;
    let _mute_too = bot.line().await;
    click(&old, "7.1");
    is_acked(&mut old, "7.1").await;
    bot.slack.greet(true);
    assert_eq!(said(&mut old).await, None, "the old one is closed");
    assert!(bot.health.ready());
}

#[tokio::test]
async fn a_deaf_connection_is_built_anew() {
    let limits = Limits {
        ping: Duration::from_millis(50),
        silence: Duration::from_millis(200),
        ..alone()
    };
    let mut bot = Bot::with(limits, vec![]).await;
    let first = bot.line().await;
    bot.until_ready(true).await;
    first.stall();
    let mut second = bot.line().await;
    click(&second, "7.1");
    is_acked(&mut second, "7.1").await;
}

#[tokio::test]
async fn a_quiet_connection_is_not_deaf() {
    let limits = Limits {
        ping: Duration::from_millis(30),
        silence: Duration::from_millis(400),
        ..alone()
    };
    let mut bot = Bot::with(limits, vec![]).await;
    let _first = bot.line().await;
    let second = Duration::from_secs(1);
    assert!(
        bot.has_nobody_connect_for(second).await,
        "our pings were answered"
    );
    assert!(bot.health.ready());
}

#[tokio::test]
async fn without_hello_nothing_is_ready_and_it_is_tried_again() {
    let openings = vec![Opening::Never, Opening::AtADeafAddress];
    let mut bot = Bot::with(alone(), openings).await;
    bot.slack.greet(false);
    bot.until_error_with("apps.connections.open took longer")
        .await;
    bot.until_error_with("handshake").await;
    let _mute = bot.line().await;
    bot.until_error_with("hello").await;
    assert!(!bot.health.ready());
    bot.slack.greet(true);
    bot.until_ready(true).await;
    assert_eq!(bot.health.last_error(), None);
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_sign_of_health() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let first = bot.line().await;
    bot.until_ready(true).await;
    bot.slack.greet(false);
    first.break_off();
    bot.until_ready(false).await;
    bot.until_error_with("slack").await;
    assert!(!bot.error().contains("secret-ticket"), "{}", bot.error());
}

#[tokio::test]
async fn a_refused_token_is_not_asked_about_again_for_long() {
    let refused = || Opening::Fails(anyhow!(NotOpened::Credential("invalid_auth".to_owned())));
    let mut bot = Bot::with(alone(), vec![refused(), refused()]).await;
    bot.until_error_with("invalid_auth").await;
    assert!(bot.error().contains("SLACK_APP_TOKEN"), "{}", bot.error());
    assert!(bot.has_nobody_connect_for(Duration::from_millis(300)).await);
    assert_eq!(bot.slack.opened(), 1);
}

#[tokio::test]
async fn socket_mode_that_is_switched_off_is_left_alone() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let line = bot.line().await;
    line.disconnect("link_disabled");
    bot.until_error_with("switched off").await;
    assert!(bot.has_nobody_connect_for(Duration::from_millis(300)).await);
    assert_eq!(bot.slack.opened(), 1);
}

#[tokio::test]
async fn slacks_own_waiting_time_is_kept() {
    let wait = Duration::from_millis(400);
    let limited = Err::<(), _>(NotOpened::RetryAfter(wait))
        .context("apps.connections.open was answered with 429")
        .unwrap_err();
    let since = Instant::now();
    let mut bot = Bot::with(alone(), vec![Opening::Fails(limited)]).await;
    let _line = bot.line().await;
    assert!(since.elapsed() >= wait);
}

#[tokio::test]
async fn a_connection_that_never_lasts_is_not_built_over_and_over() {
    let limits = Limits {
        first_pause: Duration::from_millis(100),
        longest_pause: Duration::from_secs(10),
        ..alone()
    };
    let mut bot = Bot::with(limits, vec![]).await;
    let since = Instant::now();
    for _ in 0..4 {
        let line = bot.line().await;
        line.disconnect("too_many_websockets");
    }
    let least = Duration::from_millis(100 + 200 + 400);
    assert!(since.elapsed() >= least, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_shutdown_acks_what_is_being_kept() {
    let mut bot = Bot::with(alone(), vec![]).await;
    let mut line = bot.line().await;
    bot.kept.commit_slowly("slow");
    command(&line, "slow");
    until(|| bot.kept.deliveries() == 1).await;
    bot.stop.send(true).unwrap();
    bot.kept.release();
    is_acked(&mut line, "slow").await;
    assert_eq!(said(&mut line).await, None);
    timeout(SOON, bot.task).await.unwrap().unwrap();
    assert!(!bot.health.ready());
}
