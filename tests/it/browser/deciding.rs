//! Somebody decides about findings.

use daily_ops::sandbox::slack::BEN;

use super::stage::{LAPTOP, play};

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_gets_a_note_from_a_window_and_is_acknowledged_and_undone() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        window.press("More actions").await;
        window.press("Add a note…").await;
        window.reads("dialog", "Note").await;
        window.picture("window").await;
        // The focus is in its first field.
        window.keys("the release is being rolled back").await;
        window.press_in("dialog footer", "Add").await;
        window
            .reads("#messages", "the release is being rolled back")
            .await;
        window.reads_no_more("#windows", "Note").await;
        window.press("Acknowledge").await;
        window.reads("#log", "acknowledged").await;
        window.reads("#log", "Anna Berg").await;
        window.picture("acknowledged").await;

        window.press("More actions").await;
        window.press("Undo").await;
        window.reads("#log", "undone").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_becomes_a_ticket_that_is_closed_in_the_message() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        window.press("More actions").await;
        window.press("Open a ticket…").await;
        window.reads("dialog", "Labels").await;
        let filled_in = window
            .asks("return [...document.querySelectorAll('dialog input[type=text], dialog textarea, dialog select')].map(it => it.value).join('|')")
            .await;
        let filled_in = filled_in.as_str().unwrap_or_default().to_owned();
        for words in ["through Daily Ops.", "|medium|", "daily-ops, errors"] {
            assert!(filled_in.contains(words), "{words}: {filled_in}");
        }
        window.picture("ticket").await;
        window.press_in("dialog footer", "Open ticket").await;
        window.reads("#messages", "ticket T-1 here: open").await;
        window.reads("#log", "ticket opened here").await;
        window.press("More actions").await;
        window.press("Close T-1").await;
        window.reads("#messages", "ticket T-1 here: done").await;
        window.picture("ticket-done").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_closed_by_escape_and_the_focus_goes_back_to_where_it_was() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.press("More actions").await;
        window.press("Snooze…").await;
        window.reads("dialog", "Snooze").await;
        window.keys("\u{e00c}").await;
        window.reads_no_more("#windows", "Snooze").await;
        let focused = window
            .asks("return document.activeElement.getAttribute('aria-label')")
            .await;
        assert_eq!(focused, "More actions");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_snoozed() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        window.press("More actions").await;
        window.press("Snooze…").await;
        window.reads("dialog", "Snooze").await;
        window.press_in("dialog footer", "Snooze").await;
        window.reads("#log", "snoozed").await;
        window.reads("#messages", "Snoozed").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_see_the_same_thing() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        let anna = window.0.window().await.expect("there is one");
        let second = window.0.new_window(true).await.expect("it opens");
        window
            .0
            .switch_to_window(second.handle.clone())
            .await
            .expect("it is there");
        window.open(&stage.as_person(BEN)).await;
        window.reads("#messages", "cart is undefined").await;

        window.0.switch_to_window(anna).await.expect("it is there");
        window.press("Acknowledge").await;
        window.reads("#messages", "Acknowledged by").await;

        window
            .0
            .switch_to_window(second.handle)
            .await
            .expect("it is there");
        window.reads("#header", "Ben Okafor").await;
        window.reads("#messages", "Acknowledged by").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_half_typed_outlives_a_message_that_changes() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window
            .find("#composer")
            .await
            .send_keys("half a sen")
            .await
            .expect("it can be typed");
        stage
            .office
            .slack
            .world()
            .say("C0OPS", BEN, "What about the cart?");
        window.reads("#messages", "What about the cart?").await;
        window.keys("tence").await;
        let typed = window.asks("return document.activeElement.value").await;
        assert_eq!(typed, "half a sentence");
    })
    .await;
}
