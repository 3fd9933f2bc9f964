//! A window of the browser, as a person uses it.

use std::path::PathBuf;

use fantoccini::{
    Client, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
};
use serde_json::Value;

use super::stage::PATIENCE;

/// What a person sees and does.
pub(crate) struct Window(pub(crate) Client);

impl Window {
    pub(crate) async fn open(&self, address: &str) {
        self.0.goto(address).await.expect("the page opens");
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self
            .0
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        found.unwrap_or_else(|error| panic!("there is no {css}: {error}"))
    }

    /// The button or the link with these words; the last one that is seen, as the newest message is below.
    pub(crate) async fn press(&self, words: &str) {
        let path = format!(
            "//*[self::button or self::a or self::summary][normalize-space()='{words}' or @aria-label='{words}' \
             or .//b[normalize-space()='{words}']]"
        );
        let begin = tokio::time::Instant::now();
        loop {
            for button in self
                .0
                .find_all(Locator::XPath(&path))
                .await
                .unwrap_or_default()
                .iter()
                .rev()
            {
                // One that is not seen, or that went meanwhile, can't be clicked.
                if button.click().await.is_ok() {
                    return;
                }
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "there is no `{words}` that can be clicked"
            );
        }
    }

    /// The first of them: of the uppermost finding.
    pub(crate) async fn press_first(&self, words: &str) {
        self.press_in("#messages", words).await;
    }

    pub(crate) async fn follow(&self, css: &str) {
        let link = self.find(css).await;
        link.click().await.expect("it can be clicked");
    }

    /// As [`Window::press`], within an element.
    pub(crate) async fn press_in(&self, css: &str, words: &str) {
        self.find(css).await;
        let script = "[...document.querySelector(arguments[0]).querySelectorAll('button, a')]
            .find(it => it.innerText.trim() === arguments[1]).click()";
        let pressed = self.0.execute(script, vec![css.into(), words.into()]).await;
        pressed.unwrap_or_else(|error| panic!("`{words}` in {css} can't be clicked: {error}"));
    }

    /// Writes into the message box, and sends it.
    pub(crate) async fn types(&self, line: &str) {
        let field = self.find("#composer").await;
        field
            .send_keys(&format!("{line}\u{e007}"))
            .await
            .expect("it can be typed");
    }

    /// Presses keys wherever the focus is.
    pub(crate) async fn keys(&self, keys: &str) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys.chars() {
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        self.0
            .perform_actions(actions)
            .await
            .expect("the keys can be pressed");
    }

    /// Presses a key while Shift is held.
    pub(crate) async fn shifted(&self, key: &str) {
        let shift = '\u{e008}';
        let mut actions =
            KeyActions::new("keyboard".to_owned()).then(KeyAction::Down { value: shift });
        for value in key.chars() {
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        let actions = actions.then(KeyAction::Up { value: shift });
        self.0
            .perform_actions(actions)
            .await
            .expect("the keys can be pressed");
    }

    /// Waits until these words stand there.
    pub(crate) async fn reads(&self, css: &str, words: &str) {
        let begin = tokio::time::Instant::now();
        loop {
            let text = self.text(css).await;
            if text.contains(words) {
                return;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "`{words}` does not stand in {css}: {text}"
            );
        }
    }

    /// Waits until they stand there no more.
    pub(crate) async fn reads_no_more(&self, css: &str, words: &str) {
        let begin = tokio::time::Instant::now();
        loop {
            let text = self.text(css).await;
            if !text.contains(words) {
                return;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "`{words}` still stands in {css}: {text}"
            );
        }
    }

    /// What stands in all that matches, as it is seen.
    pub(crate) async fn text(&self, css: &str) -> String {
        let found = self.0.find_all(Locator::Css(css)).await.unwrap_or_default();
        let mut texts = Vec::new();
        for element in found {
            // One that went meanwhile has none.
            texts.push(element.text().await.unwrap_or_default());
        }
        texts.join("\n")
    }

    pub(crate) async fn asks(&self, script: &str) -> Value {
        self.0
            .execute(script, Vec::new())
            .await
            .expect("the script runs")
    }

    /// Keeps a picture of it among those of CI.
    pub(crate) async fn picture(&self, name: &str) -> Vec<u8> {
        let Ok(png) = self.0.screenshot().await else {
            return Vec::new();
        };
        let folder = screenshots();
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::write(folder.join(format!("{name}.png")), &png).expect("it can be written");
        png
    }
}

fn screenshots() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
    let folder = std::env::var_os("SCREENSHOTS");
    folder.map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots"),
        PathBuf::from,
    )
}
