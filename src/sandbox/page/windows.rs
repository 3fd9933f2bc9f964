//! The windows that the app opened for a person, and its Home.

use askama::Template;
use serde_json::Value;

use super::{draw::Sight, piece::Piece};
use crate::sandbox::slack::View;

#[derive(Template)]
#[template(path = "sandbox/window.html")]
struct Window<'a> {
    id: String,
    title: &'a str,
    body: String,
    close: &'a str,
    close_at: String,
    submit: Option<&'a str>,
    form: String,
}

/// The uppermost one is shown, as in Slack.
pub(super) fn pieces(sight: &Sight<'_>) -> askama::Result<Vec<Piece>> {
    let me = &sight.look.me;
    let mut views = sight.world.views.iter();
    let open = views.rfind(|view| view.is_open && view.user == *me);
    let mut pieces = Vec::new();
    if let Some(view) = open {
        pieces.push(Piece {
            region: "windows",
            id: format!("window-{}", view.id),
            html: window(sight, view)?,
        });
    }
    Ok(pieces)
}

fn window(sight: &Sight<'_>, view: &View) -> askama::Result<String> {
    let shown = view.now();
    let said = |field: &str| shown[field]["text"].as_str();
    let address = |path: &str| format!("{}&view={}", sight.look.at(path), view.id);
    let form = format!("form-{}", view.id);
    Window {
        id: format!("window-{}", view.id),
        title: said("title").unwrap_or_default(),
        body: body(sight, view, shown, &address("/submit"), &form),
        close: said("close").unwrap_or("Cancel"),
        close_at: address("/close"),
        submit: said("submit"),
        form,
    }
    .render()
}

fn body(_: &Sight<'_>, _: &View, shown: &Value, _: &str, _: &str) -> String {
    format!("{}", shown["blocks"])
}
