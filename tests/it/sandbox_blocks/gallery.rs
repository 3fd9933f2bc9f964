//! One of everything, and all that the product itself says.

use std::{collections::BTreeMap, fs, path::PathBuf};

use daily_ops::sandbox::page::blocks;
use serde_json::{Value, json};

use super::page::{seen, tokens};

const CSS: &str = include_str!("../../../src/sandbox/page/blocks.css");

pub(super) fn messages() -> Vec<(&'static str, Vec<Value>)> {
    let all: Value =
        serde_json::from_str(include_str!("gallery.json")).expect("the gallery is JSON");
    let names = ["text", "elements", "rich", "tables", "cards"];
    names
        .map(|name| (name, all[name].as_array().expect("blocks").clone()))
        .into()
}

pub(super) fn view() -> Value {
    let all: Value =
        serde_json::from_str(include_str!("gallery.json")).expect("the gallery is JSON");
    json!({ "type": "modal", "blocks": all["inputs"] })
}

fn golden() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/slack");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is readable")
        .map(|it| it.expect("an entry").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("it is readable");
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        (name, serde_json::from_str(&text).expect("it is JSON"))
    };
    paths.into_iter().map(read).collect()
}

fn drawn(golden: &Value) -> String {
    let blocks = golden["blocks"].as_array().expect("blocks");
    let attachments = golden["attachments"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if golden["type"] == "modal" {
        return seen(|scene| blocks::view_body(scene, golden, &BTreeMap::new()));
    }
    seen(|scene| {
        blocks::message(
            scene,
            golden["text"].as_str().unwrap_or_default(),
            blocks,
            &attachments,
        )
    })
}

/// All of it on one page: `gallery.html` in the tests' folder for files, to be looked at.
#[test]
fn everything_that_is_known_is_drawn() {
    let mut page = format!(
        "<!doctype html><meta charset=utf-8><title>Blocks</title><style>{CSS}\nbody{{margin:24px auto;padding:0 16px;max-width:720px;background:var(--surface);color:var(--text);font-family:Lato,\"Helvetica Neue\",\"Liberation Sans\",Arial,sans-serif}}h2{{font-size:13px;color:var(--muted);border-top:1px solid var(--line)}}</style>"
    );
    let mut add = |name: &str, html: &str| page.push_str(&format!("<h2>{name}</h2>{html}"));
    for (name, blocks) in messages() {
        let html = seen(|scene| blocks::message(scene, "", &blocks, &[]));
        assert!(!html.contains("b-unknown"), "{name}: {html}");
        add(name, &html);
    }
    let errors = BTreeMap::from([("reason".to_owned(), "Say at least three words".to_owned())]);
    let html = seen(|scene| blocks::view_body(scene, &view(), &errors));
    assert!(!html.contains("b-unknown"), "{html}");
    add("inputs", &html);
    let all: Value =
        serde_json::from_str(include_str!("gallery.json")).expect("the gallery is JSON");
    let attachments = all["attachments"].as_array().expect("attachments");
    add(
        "attachments",
        &seen(|scene| blocks::message(scene, "Two *attachments*", &[], attachments)),
    );
    for (name, golden) in golden() {
        add(&name, &drawn(&golden));
    }
    fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/gallery.html"), page)
        .expect("the page is written");
}

#[test]
fn all_that_the_product_says_is_drawn() {
    for (name, golden) in golden() {
        let html = drawn(&golden);
        assert!(!html.contains("b-unknown"), "{name}: {html}");
        tokens(&html).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}
