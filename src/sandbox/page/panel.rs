//! What is not Slack: the world's switches, the time, and the ops log.

use askama::Template;
use chrono::DateTime;

use super::{look::name_of, piece::Piece, sight::Sight, switches};
use crate::{
    ops_log::Piece as Word,
    ops_log::{Entry, Sentence},
    sandbox::{slack::Workspace, world::World},
    triage::Person,
};

#[derive(Template)]
#[template(path = "sandbox/panel.html")]
struct Story {
    play_at: String,
    scenarios: Vec<Told>,
}

struct Told {
    name: &'static str,
    title: &'static str,
    story: &'static str,
    is_playing: bool,
}

#[derive(Template)]
#[template(path = "sandbox/time.html")]
struct Clock {
    at: String,
    datetime: String,
    now: String,
    is_slack_only: bool,
}

#[derive(Template)]
#[template(path = "sandbox/log.html")]
struct Log<'a> {
    error: Option<&'a str>,
    entries: Vec<Line>,
}

struct Line {
    seq: i64,
    datetime: String,
    time: String,
    kind: &'static str,
    text: String,
    by: String,
    hash: String,
}

#[derive(Template)]
#[template(path = "sandbox/foot.html")]
struct Foot {
    slack: String,
    /// None: the bot does not serve.
    admin: Option<String>,
}

pub(super) fn pieces(sight: &Sight<'_>) -> askama::Result<Vec<Piece>> {
    let office = &sight.front.office;
    let playing = office.world.playing().name;
    let story = Story {
        play_at: sight.look.at("/play"),
        scenarios: World::scenarios()
            .iter()
            .map(|scenario| Told {
                name: scenario.name,
                title: scenario.title,
                story: scenario.story,
                is_playing: scenario.name == playing,
            })
            .collect(),
    };
    let local = sight.now.with_timezone(&sight.zone);
    let clock = Clock {
        at: sight.look.at("/time"),
        datetime: local.format("%Y-%m-%dT%H:%M%:z").to_string(),
        now: local.format("%a %-d %b, %H:%M").to_string(),
        is_slack_only: office.is_slack_only,
    };
    let entries = sight.log.as_deref().unwrap_or_default();
    let log = Log {
        error: sight.log.as_ref().err().map(String::as_str),
        entries: entries.iter().map(|entry| line(sight, entry)).collect(),
    };
    let foot = Foot {
        slack: office.slack.url().to_string(),
        admin: (!office.is_slack_only).then(|| format!("http://{}/", office.admin)),
    };
    let piece = |id: &str, html| Piece {
        region: if id == "log" { "logbook" } else { "panel" },
        id: id.to_owned(),
        html,
    };
    if office.is_slack_only {
        return Ok(vec![
            piece("time", clock.render()?),
            switches::piece(sight)?,
            piece("foot", foot.render()?),
        ]);
    }
    Ok(vec![
        piece("time", clock.render()?),
        piece("story", story.render()?),
        switches::piece(sight)?,
        piece("foot", foot.render()?),
        piece("log", log.render()?),
    ])
}

fn line(sight: &Sight<'_>, entry: &Entry) -> Line {
    let local = entry.at.with_timezone(&sight.zone);
    let is_today =
        local.date_naive() == DateTime::date_naive(&sight.now.with_timezone(&sight.zone));
    let (text, by) = match &entry.body {
        None => ("erased".to_owned(), String::new()),
        Some(body) => (
            words(sight.world, &body.text),
            person(sight.world, &body.by),
        ),
    };
    Line {
        seq: entry.seq,
        datetime: local.to_rfc3339(),
        time: local
            .format(if is_today { "%H:%M:%S" } else { "%a %H:%M" })
            .to_string(),
        kind: entry.kind.as_str(),
        text,
        by,
        hash: entry.hash.short().to_string(),
    }
}

fn words(world: &Workspace, sentence: &Sentence) -> String {
    let pieces = sentence.0.iter();
    pieces
        .map(|piece| match piece {
            Word::Named(it) => person(world, it),
            other => other.text().to_owned(),
        })
        .collect()
}

fn person(world: &Workspace, person: &Person) -> String {
    match person.id().strip_prefix("slack:") {
        Some(id) => name_of(world, id),
        None => person.name().to_owned(),
    }
}
