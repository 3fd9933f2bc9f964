//! Who may do what, as they see it.

use daily_ops::sandbox::slack::{ANNA, GUEST, STRANGER};

use super::stage::{LAPTOP, play};

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_refused_and_only_they_see_it() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.follow("a[href*='as=U0GUEST']").await;
        window.reads("#header", "Gil Moreau").await;
        window.press("Acknowledge").await;
        window.reads("#messages .only", "nothing was changed").await;
        window.reads("#log", "denied").await;
        window.picture("refused").await;

        window.follow("a[href*='as=U0ANNA']").await;
        window.reads("#header", "Anna Berg").await;
        window.reads("#messages", "cart is undefined").await;
        assert_eq!(window.text("#messages .only").await, "");
        window.reads("#messages", "Acknowledge").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_tells_one_person_stands_among_their_direct_messages() {
    play("quiet", LAPTOP, |stage| async move {
        let window = &stage.window;
        {
            let mut world = stage.office.slack.world();
            let channel = world.begin_direct(ANNA);
            let bot = world.app.user.clone();
            world.say(&channel, &bot, "Only between us");
        }
        window.reads("#channels", "Direct messages").await;
        window.follow("#channels a[href*='in=D0ANNA']").await;
        window.reads("#header h1", "Daily Ops").await;
        window.reads("#messages", "Only between us").await;
        window
            .open(&format!("{}&in=D0ANNA", stage.as_person(GUEST)))
            .await;
        window.reads("#header h1", "ops").await;
        assert!(!window.text("#channels").await.contains("Direct messages"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_and_sees_one_channel() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.open(&stage.as_person(STRANGER)).await;
        window.reads("#header", "Sam Reyes").await;
        assert_eq!(
            window.text("#channels ul:first-of-type").await.trim(),
            "#\nops"
        );
        window.types("/ops daily").await;
        window.reads("#messages .only", "workspace").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_none_and_a_channel_that_is_not_theirs_are_not_shown() {
    play("quiet", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.open(&stage.as_person("U0NOBODY")).await;
        window.reads("#header", "Anna Berg").await;
        window
            .open(&format!("{}&in=G0BOARD", stage.as_person(GUEST)))
            .await;
        window.reads("#header", "ops").await;
    })
    .await;
}
