//! The page around its pieces.

use askama::Template;

use super::{
    front::Front,
    look::Look,
    piece::{Piece, region},
};
use crate::sandbox::slack::SlashCommand;

#[derive(Template)]
#[template(path = "sandbox/shell.html")]
struct Shell<'a> {
    title: String,
    workspace: &'a str,
    app: String,
    channel: String,
    look: &'a Look,
    live: String,
    side: String,
    head: String,
    home: String,
    messages: String,
    replies: String,
    windows: String,
    panel: String,
    logbook: String,
    commands: Vec<SlashCommand>,
}

pub(super) fn shell(front: &Front, look: &Look, pieces: &[Piece]) -> askama::Result<String> {
    let world = front.office.slack.world();
    let channel = world.channels.get(&look.channel);
    let channel = channel.map_or_else(String::new, |channel| channel.name.clone());
    let app = world.app.name.clone();
    let commands = world.app.commands.clone();
    drop(world);
    let place = if look.home {
        app.clone()
    } else {
        format!("#{channel}")
    };
    let part = |name| region(pieces, name);
    Shell {
        title: format!("{place} · Acme · sandbox"),
        workspace: "Acme",
        app,
        channel,
        look,
        live: look.at("/live"),
        side: part("side"),
        head: part("head"),
        home: part("home"),
        messages: part("messages"),
        replies: part("thread"),
        windows: part("windows"),
        panel: part("panel"),
        logbook: part("logbook"),
        commands,
    }
    .render()
}
