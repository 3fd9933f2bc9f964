//! The pictures in README, made by the page itself. What they show is kept beside them as text, and compared: a picture
//! whose words are no longer the page's is to be made anew, with `UPDATE_PICTURES=1 cargo test --test it pictures`.

use std::{fs, path::PathBuf};

use super::stage::{LAPTOP, Shape, Stage, play};

/// Longer pictures load slowly where README is read.
const BYTES: usize = 200 * 1024;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/pictures")
}

fn updates() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
    std::env::var_os("UPDATE_PICTURES").is_some()
}

/// Words that are others each time: times taken, ports, hashes, ids of runs, moving figures.
fn steady(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let words = line.split_whitespace().map(|word| {
            let is_moving = word.chars().filter(char::is_ascii_digit).count() > 0
                || (word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
            if is_moving { "#" } else { word }
        });
        let line: Vec<&str> = words.collect();
        if !line.is_empty() {
            lines += &line.join(" ");
            lines.push('\n');
        }
    }
    lines
}

/// Compares the words with those of the picture, or makes both anew.
async fn keep(stage: &Stage, name: &str, css: &str, png: Vec<u8>) {
    let words = steady(&stage.window.text(css).await);
    let (picture, text) = (
        folder().join(format!("{name}.png")),
        folder().join(format!("{name}.txt")),
    );
    if updates() {
        fs::create_dir_all(folder()).expect("the folder can be made");
        fs::write(&picture, png).expect("it can be written");
        fs::write(&text, &words).expect("it can be written");
    }
    let kept = fs::read_to_string(&text).unwrap_or_default();
    assert_eq!(
        words, kept,
        "{name}.png is old: UPDATE_PICTURES=1 makes it anew"
    );
    let bytes = fs::metadata(&picture).expect("the picture is there").len();
    assert!(bytes < BYTES as u64, "{name}.png has {bytes} bytes");
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.expect("it is there");
    assert!(
        readme.contains(&format!("docs/pictures/{name}.png")),
        "README shows {name}.png"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pictures_in_readme_show_what_the_page_shows() {
    let shape = Shape {
        size: (1240, 760),
        ..LAPTOP
    };
    play("broken-cart", shape, |stage| async move {
        let window = &stage.window;
        window.reads("#messages", "cart is undefined").await;
        window.reads("#log", "need").await;
        let message = window.find("#messages .message").await;
        window
            .asks("document.querySelector('#messages .message').style.padding = '16px'")
            .await;
        let png = message.screenshot().await.expect("it can be taken");
        keep(&stage, "message", "#messages .message .said", png).await;

        window.press_first("Acknowledge").await;
        window.reads("#messages", "Acknowledged by").await;
        window.reads("#log", "acknowledged").await;
        let png = window.picture("sandbox").await;
        keep(&stage, "sandbox", "#channels, #messages, #log", png).await;
    })
    .await;
}
