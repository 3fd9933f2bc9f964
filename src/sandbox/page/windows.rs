//! The windows that the app opened for a person, and its Home.

use std::collections::BTreeMap;

use askama::Template;

use super::{blocks, piece::Piece, sight::Sight};
use crate::sandbox::slack::{SlashCommand, View};

#[derive(Template)]
#[template(path = "sandbox/window.html")]
struct Window<'a> {
    id: String,
    title: &'a str,
    body: String,
    close: &'a str,
    close_at: String,
    submit: Option<&'a str>,
    submit_at: String,
    form: String,
}

#[derive(Template)]
#[template(path = "sandbox/home.html")]
struct Home<'a> {
    app: &'a str,
    commands: &'a [SlashCommand],
    /// Back to it.
    channel: String,
    at: Option<String>,
    body: Option<String>,
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
    Window {
        id: format!("window-{}", view.id),
        title: said("title").unwrap_or_default(),
        body: body(sight, view),
        form: format!("form-{}", view.id),
        close: said("close").unwrap_or("Cancel"),
        submit: said("submit"),
        close_at: address("/close"),
        submit_at: address("/submit"),
    }
    .render()
}

fn body(sight: &Sight<'_>, view: &View) -> String {
    let action = format!("{}&view={}", sight.look.at("/act"), view.id);
    let scene = sight.scene(&action, &[]);
    let refused = sight.world.delivery.refused.get(&view.id);
    blocks::view_body(&scene, view.now(), refused.unwrap_or(&BTreeMap::new()))
}

/// The app's Home, or what it is where it has none.
pub(super) fn home(sight: &Sight<'_>) -> askama::Result<Vec<Piece>> {
    if !sight.look.home {
        return Ok(Vec::new());
    }
    let view = sight.world.homes.get(&sight.look.me);
    let home = Home {
        app: &sight.world.app.name,
        commands: &sight.world.app.commands,
        channel: sight.look.in_channel(&sight.look.channel).at("/"),
        at: view.map(|view| format!("{}&view={}", sight.look.at("/act"), view.id)),
        body: view.map(|view| body(sight, view)),
    };
    Ok(vec![Piece {
        region: "home",
        id: "home-view".to_owned(),
        html: home.render()?,
    }])
}
