//! Everybody can use it: with the keyboard alone, without a script, on a phone.

use super::stage::{LAPTOP, PHONE, Shape, play};

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_acknowledges_a_finding() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        let focused = || window.asks("return document.activeElement.innerText || ''");
        // From the message box backwards to the finding's button.
        for _ in 0..60 {
            if focused().await == "Acknowledge" {
                break;
            }
            window.shifted("\u{e004}").await;
        }
        assert_eq!(focused().await, "Acknowledge");
        window.keys(" ").await;
        window.reads("#messages", "Acknowledged by").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_button_link_and_field_has_a_name() {
    play("broken-cart", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        let nameless = window
            .asks(
                "return [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea, summary')]
                   .filter(it => !it.hidden && !(it.innerText || it.textContent).trim() && !it.ariaLabel && !it.labels?.length)
                   .map(it => it.outerHTML)",
            )
            .await;
        assert_eq!(nameless, serde_json::json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_script_the_forms_alone_do_it() {
    let plain = Shape {
        runs_scripts: false,
        ..LAPTOP
    };
    play("broken-cart", plain, |stage| async move {
        let window = &stage.window;
        while !window.text("#messages").await.contains("cart is undefined") {
            window.press("Look again").await;
        }
        window.press("Acknowledge").await;
        window.reads("#messages", "Acknowledged by").await;
        let field = window.find("#composer").await;
        field
            .send_keys("/ops status")
            .await
            .expect("it can be typed");
        window.press("Send").await;
        window.reads("#messages .only", "Only visible to you").await;
        window.press("Next morning").await;
        window.reads("#time", "Tue 24 Nov").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_it_in_one_column() {
    play("broken-cart", PHONE, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        let fits = "return document.documentElement.scrollWidth <= innerWidth && innerWidth === 390
            && [...document.querySelectorAll('.scroll, #panel, .side')].every(it => it.scrollWidth <= it.clientWidth)";
        assert_eq!(window.asks(fits).await, true, "nothing is wider than the phone");
        window.picture("phone").await;
        for (tab, part) in [("side", ".side"), ("panel", ".panel"), ("chat", ".chat")] {
            window.find(&format!("label:has([value={tab}])")).await.click().await.expect("it is there");
            let shown = format!("return document.querySelector('{part}').getBoundingClientRect().height > 300");
            assert_eq!(window.asks(&shown).await, true, "{tab}");
            assert_eq!(window.asks(fits).await, true, "{tab}");
            window.picture(&format!("phone-{tab}")).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_titles_stay_text() {
    play("hostile-titles", LAPTOP, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "<").await;
        window.types("<img src=x onerror=document.title=1><script>document.title=1</script>").await;
        window.reads("#messages .message:last-child", "<script>").await;
        let foreign = "return document.querySelectorAll('main script, main img:not([src=\"/icon.svg\"]), main iframe, \
            main [onerror]').length";
        assert_eq!(window.asks(foreign).await, 0);
        assert!(window.asks("return document.title").await.as_str().is_some_and(|it| it.contains("ops")));
        window.picture("hostile").await;
    })
    .await;
}
