//! The world is changed, and the time is moved.

use super::stage::{LAPTOP, play};

#[tokio::test(flavor = "multi_thread")]
async fn the_next_morning_says_what_is_different() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        window.press("Monday morning, all quiet").await;
        window.press("Next morning").await;
        window.reads("#time", "Tue 24 Nov, 09:00").await;
        window
            .reads("#messages .message:last-child", "ince yesterday")
            .await;
        window.reads("#messages .day", "Today").await;
        window.picture("next-morning").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentry_that_refuses_makes_the_errors_unknown() {
    play("quiet", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "ok").await;
        window.press("Sentry answers 403").await;
        window.reads("#switches", "broken").await;
        window.press("+ 1 h").await;
        window.types("/ops daily").await;
        window
            .reads("#messages .message:last-child", "unknown")
            .await;
        window.picture("unknown").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slack_that_delivers_nothing_says_so_to_the_person() {
    play("quiet", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "ok").await;
        stage.office.slack.world().app.urls.commands = "http://127.0.0.1:9/".parse().ok();
        window.types("/ops status").await;
        window.reads("#messages .only", "failed").await;
    })
    .await;
}
