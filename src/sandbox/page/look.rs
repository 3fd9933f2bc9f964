//! What a window looks at: its address says it.

use url::form_urlencoded;

use crate::sandbox::slack::{ANNA, Channel, Member, OPS, Workspace};

/// `/?as=U0ANNA&in=C0OPS&thread=1795424400.000100`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Who one is.
    pub(super) me: String,
    pub(super) channel: String,
    /// The `ts` of the message whose replies are shown beside.
    pub(super) thread: Option<String>,
    /// The app's Home instead of the channel.
    pub(super) home: bool,
}

impl Look {
    /// What isn't there, or isn't for that person, becomes what is.
    pub(super) fn read(query: &str, world: &Workspace) -> Self {
        let field = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let me = field("as").filter(|id| people(world).iter().any(|(it, _)| *it == id));
        let me = me.unwrap_or_else(|| ANNA.to_owned());
        let channel = field("in").filter(|id| {
            channels(world, &me).iter().any(|(it, _)| *it == id)
                || direct(world, &me).iter().any(|it| *it == id)
        });
        let channel = channel.unwrap_or_else(|| OPS.to_owned());
        let is_there = |ts: &String| {
            let message = world.channels.get(&channel).and_then(|it| it.message(ts));
            message.is_some_and(|it| it.only_for.is_none() && it.thread.is_none())
        };
        Self {
            thread: field("thread").filter(is_there),
            channel,
            home: field("home").is_some(),
            me,
        }
    }

    /// The address of `path` for this look.
    pub(super) fn at(&self, path: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("as", &self.me);
        query.append_pair("in", &self.channel);
        if let Some(thread) = &self.thread {
            query.append_pair("thread", thread);
        }
        if self.home {
            query.append_pair("home", "1");
        }
        format!("{path}?{}", query.finish())
    }

    pub(super) fn as_person(&self, me: &str) -> Self {
        Self {
            me: me.to_owned(),
            ..self.clone()
        }
    }

    pub(super) fn in_channel(&self, channel: &str) -> Self {
        Self {
            me: self.me.clone(),
            channel: channel.to_owned(),
            thread: None,
            home: false,
        }
    }

    pub(super) fn at_home(&self) -> Self {
        Self {
            home: true,
            ..self.in_channel(&self.channel)
        }
    }

    pub(super) fn in_thread(&self, thread: Option<&str>) -> Self {
        Self {
            thread: thread.map(str::to_owned),
            ..self.clone()
        }
    }
}

/// Those whom one can be.
pub(super) fn people(world: &Workspace) -> Vec<(&str, &Member)> {
    let people = world.users.iter();
    people
        .filter(|(_, member)| !member.is_bot && !member.deleted)
        .map(|(id, member)| (id.as_str(), member))
        .collect()
}

/// The direct messages of that person with the app.
pub(super) fn direct<'a>(world: &'a Workspace, me: &str) -> Vec<&'a str> {
    let all = world.channels.iter();
    all.filter(|(_, channel)| channel.person.as_deref() == Some(me))
        .map(|(id, _)| id.as_str())
        .collect()
}

/// The channels in which that person is.
pub(super) fn channels<'a>(world: &'a Workspace, me: &str) -> Vec<(&'a str, &'a Channel)> {
    let Some(member) = world.users.get(me) else {
        return Vec::new();
    };
    let is_outsider = member.is_restricted || member.is_ultra_restricted || member.is_stranger;
    let mut seen: Vec<(&str, &Channel)> = world
        .channels
        .iter()
        .filter(|(id, channel)| {
            !channel.is_archived
                && channel.person.is_none()
                && (id.as_str() == OPS
                    || (!is_outsider && world.people_in(id).iter().any(|it| it == me)))
        })
        .map(|(id, channel)| (id.as_str(), channel))
        .collect();
    seen.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    seen
}

/// What stands above it: a direct message is called as the one whom one talks to.
pub(super) fn title(world: &Workspace, channel: &str) -> String {
    match world.channels.get(channel) {
        Some(channel) if channel.person.is_none() => channel.name.clone(),
        _ => world.app.name.clone(),
    }
}

/// What others call them.
pub(super) fn name_of(world: &Workspace, user: &str) -> String {
    if user == world.app.user {
        return world.app.name.clone();
    }
    if user == "USLACKBOT" {
        return "Slackbot".to_owned();
    }
    match world.users.get(user) {
        Some(member) if !member.real_name.is_empty() => member.real_name.clone(),
        _ => user.to_owned(),
    }
}
