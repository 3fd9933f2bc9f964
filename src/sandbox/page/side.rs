//! The channels, and the people whom one can be.

use askama::Template;

use super::{
    look::{channels, direct, name_of, people, title},
    piece::Piece,
    sight::Sight,
};
use crate::sandbox::slack::Channel;

#[derive(Template)]
#[template(path = "sandbox/side.html")]
struct Side {
    channels: Vec<Item>,
    direct: Vec<Item>,
    app: String,
    home: String,
    is_home: bool,
    people: Vec<One>,
}

struct Item {
    name: String,
    href: String,
    is_here: bool,
    is_private: bool,
}

struct One {
    name: String,
    title: String,
    href: String,
    is_me: bool,
    avatar: String,
}

#[derive(Template)]
#[template(path = "sandbox/head.html")]
struct Head {
    name: String,
    is_home: bool,
    is_direct: bool,
    is_private: bool,
    topic: String,
    avatar: String,
    me: String,
}

pub(super) fn pieces(sight: &Sight<'_>) -> askama::Result<Vec<Piece>> {
    let (world, look) = (sight.world, sight.look);
    let channels = channels(world, &look.me);
    let side = Side {
        channels: channels
            .iter()
            .map(|(id, channel)| Item {
                name: channel.name.clone(),
                href: look.in_channel(id).at("/"),
                is_here: !look.home && *id == look.channel,
                is_private: channel.is_private,
            })
            .collect(),
        direct: direct(world, &look.me)
            .iter()
            .map(|id| Item {
                name: title(world, id),
                href: look.in_channel(id).at("/"),
                is_here: !look.home && *id == look.channel,
                is_private: true,
            })
            .collect(),
        app: world.app.name.clone(),
        home: look.at_home().at("/"),
        is_home: look.home,
        people: people(world)
            .into_iter()
            .map(|(id, member)| One {
                name: name_of(world, id),
                title: member.title.clone(),
                href: look.as_person(id).at("/"),
                is_me: id == look.me,
                avatar: avatar(id, &name_of(world, id)),
            })
            .collect(),
    };
    let channel = world.channels.get(&look.channel);
    let head = Head {
        name: if look.home {
            world.app.name.clone()
        } else {
            title(world, &look.channel)
        },
        is_home: look.home,
        is_direct: channel.is_some_and(|channel| channel.person.is_some()),
        is_private: channel.is_some_and(|channel| channel.is_private),
        topic: channel.map_or_else(String::new, |it| topic(it, &world.app.name)),
        avatar: avatar(&look.me, &name_of(world, &look.me)),
        me: name_of(world, &look.me),
    };
    Ok(vec![
        Piece {
            region: "side",
            id: "channels".to_owned(),
            html: side.render()?,
        },
        Piece {
            region: "head",
            id: "header".to_owned(),
            html: head.render()?,
        },
    ])
}

/// Its topic; where it has none, what surprises there.
fn topic(channel: &Channel, app: &str) -> String {
    if !channel.topic.is_empty() {
        channel.topic.clone()
    } else if channel.person.is_some() {
        String::new()
    } else if !channel.has_bot {
        format!("{app} is not in this channel")
    } else if channel.is_private {
        format!("Private, with {app}")
    } else {
        String::new()
    }
}

const COLOURS: [&str; 6] = [
    "#4f6bed", "#c4532d", "#2f8f5b", "#8a4fbd", "#b0791a", "#2b7f9e",
];

/// The initials of a name on a colour of its own.
pub(super) fn avatar(id: &str, name: &str) -> String {
    #[derive(Template)]
    #[template(path = "sandbox/avatar.html")]
    struct Avatar {
        colour: &'static str,
        initials: String,
    }
    let sum = id
        .bytes()
        .fold(0_usize, |sum, byte| sum * 31 % 9973 + usize::from(byte));
    let initials = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    Avatar {
        colour: COLOURS[sum % COLOURS.len()],
        initials: initials.take(2).collect(),
    }
    .render()
    .unwrap_or_default()
}

/// The app's own picture.
pub(super) fn app_avatar() -> String {
    r#"<img class="avatar" src="/icon.svg" alt="" width="36" height="36">"#.to_owned()
}
