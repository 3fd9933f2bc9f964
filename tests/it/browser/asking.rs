//! Somebody asks for a round, and reads what it says.

use chrono::TimeDelta;

use super::stage::{LAPTOP, play};

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_of_the_morning_is_there_and_another_round_can_be_asked_for() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        // Later than what counts as the same round.
        stage.office.time.advance(TimeDelta::minutes(3));
        window.types("/ops daily").await;
        window
            .reads("#messages > .message:nth-of-type(3)", "need")
            .await;
        window.reads("#log", "Anna").await;
        let said = window.text("#composer").await;
        assert_eq!(said, "", "the box is empty again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_box_completes_commands() {
    play("quiet", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "ok").await;
        window
            .find("#composer")
            .await
            .click()
            .await
            .expect("it is there");
        window.keys("/op").await;
        window.reads("#commands", "/ops daily").await;
        window.reads("#commands", "/ops triage acknowledge").await;
        window.keys("s lo\u{e015}").await;
        window
            .reads("#commands [aria-selected=true]", "/ops log")
            .await;
        window.reads_no_more("#commands", "/ops daily").await;
        // Enter takes what is chosen, and a second one sends it.
        window.keys("\u{e007}\u{e007}").await;
        window.reads("#messages .only", "Only visible to you").await;
        window.picture("only-for-you").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_command_is_said_in_the_channel() {
    play("quiet", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.types("Good <b>morning</b> *everybody*").await;
        window.reads("#messages", "Good <b>morning</b>").await;
        window.reads("#messages", "everybody").await;
        window.reads("#messages", "Anna Berg").await;
    })
    .await;
}
