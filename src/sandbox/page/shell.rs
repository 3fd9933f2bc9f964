//! The page around its pieces.

use askama::Template;

use super::{
    front::Front,
    look::{Look, title},
    piece::{Piece, region},
};
use crate::sandbox::slack::SlashCommand;

#[derive(Template)]
#[template(path = "sandbox/shell.html")]
struct Shell<'a> {
    title: String,
    workspace: &'a str,
    is_slack_only: bool,
    app: String,
    /// `#ops`, or whom one talks to.
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
    let is_direct = world.channels.get(&look.channel);
    let is_direct = is_direct.is_some_and(|channel| channel.person.is_some());
    let sign = if is_direct { "" } else { "#" };
    let channel = format!("{sign}{}", title(&world, &look.channel));
    let app = world.app.name.clone();
    let commands = world.app.commands.clone();
    drop(world);
    let place = if look.home {
        app.clone()
    } else {
        channel.clone()
    };
    let part = |name| region(pieces, name);
    Shell {
        title: format!("{place} · Acme · sandbox"),
        workspace: "Acme",
        is_slack_only: front.office.is_slack_only,
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
