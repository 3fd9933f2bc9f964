//! What a chat sends, and who is in its workspace.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use daily_ops::{
    command::{Asked, Form, Item, Press, What},
    permissions::{Asker, Directory, Home, Member},
    report::{Cause, Unknown},
    store::{Receipt, RoundOrder, Store},
    triage::Person,
};

use super::records::at;

pub(crate) const CHANNEL: &str = "C0OPS";
pub(crate) const TEAM: &str = "T0HOME";

/// Somebody of the workspace who types something after `/ops` in the channel.
pub(crate) fn typed(key: &str, user: &str, words: &str) -> Asked {
    Asked {
        key: key.to_owned(),
        at: at(0),
        by: Asker {
            user: user.to_owned(),
            team: Some(TEAM.to_owned()),
            enterprise: None,
        },
        channel: Some(CHANNEL.to_owned()),
        message: None,
        reply_to: Some("https://hooks.slack.com/commands/1/2".to_owned()),
        trigger: Some("1.2".to_owned()),
        what: What::Command(words.to_owned()),
    }
}

/// Somebody who clicks on a button of the message that is at that `ts` of the channel.
pub(crate) fn clicked(key: &str, user: &str, ts: &str, press: Press, item: Item) -> Asked {
    Asked {
        message: Some(ts.to_owned()),
        what: What::Press { press, item },
        ..typed(key, user, "")
    }
}

pub(crate) fn filled_in(key: &str, user: &str, ts: &str, form: Form, item: Item) -> Asked {
    Asked {
        what: What::Submit { form, item },
        ..clicked(key, user, ts, Press::Undo, item_of("0000000000000000"))
    }
}

pub(crate) fn item_of(message: &str) -> Item {
    Item {
        message: message.to_owned(),
        finding: None,
        seen: 0,
    }
}

/// Keeps a request for a minute, from that minute on.
pub(crate) async fn accept(store: &Store, asked: &Asked, minute: i64) -> Option<Receipt> {
    store
        .accept(asked, at(minute), chrono::TimeDelta::minutes(1))
        .await
        .expect("the request is kept")
}

/// A whole round, as anna asks for it.
pub(crate) fn order(minute: i64) -> RoundOrder {
    RoundOrder {
        by: Some(Person::from("slack:U0ANNA".to_owned())),
        at: at(minute),
        only: None,
        due_at: None,
        missed: Vec::new(),
        reply_to: None,
    }
}

/// Who is in the workspace, as its directory tells it; and who asked it what.
#[derive(Clone, Default)]
pub(crate) struct Workspace(Arc<Mutex<Described>>);

#[derive(Default)]
pub(crate) struct Described {
    pub(crate) members: BTreeMap<String, Member>,
    pub(crate) groups: BTreeMap<String, BTreeSet<String>>,
    pub(crate) down: bool,
    pub(crate) asked: Vec<String>,
}

pub(crate) fn home() -> Home {
    Home {
        team: TEAM.to_owned(),
        enterprise: None,
    }
}

pub(crate) fn a_member() -> Member {
    Member {
        team: TEAM.to_owned(),
        enterprise: None,
        is_bot: false,
        is_guest: false,
        is_stranger: false,
        is_deactivated: false,
        email: None,
    }
}

impl Workspace {
    pub(crate) fn with(members: impl IntoIterator<Item = (&'static str, Member)>) -> Self {
        let workspace = Self::default();
        let members = members
            .into_iter()
            .map(|(user, member)| (user.to_owned(), member));
        workspace.look().members.extend(members);
        workspace
    }

    pub(crate) fn look(&self) -> MutexGuard<'_, Described> {
        self.0.lock().expect("no test panicked")
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unknown>> + Send + 'a>>;

impl Directory for Workspace {
    fn member<'a>(&'a self, user: &'a str) -> Answer<'a, Member> {
        Box::pin(async move {
            let mut described = self.look();
            described.asked.push(user.to_owned());
            if described.down {
                return Err(Unknown::new(
                    Cause::Timeout,
                    "the directory does not answer",
                ));
            }
            described
                .members
                .get(user)
                .cloned()
                .ok_or_else(|| Unknown::new(Cause::NotFound, "the directory knows no such user"))
        })
    }

    fn group<'a>(&'a self, group: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            let mut described = self.look();
            described.asked.push(group.to_owned());
            if described.down {
                return Err(Unknown::new(
                    Cause::Timeout,
                    "the directory does not answer",
                ));
            }
            let members = described.groups.get(group).into_iter().flatten().cloned();
            Ok(members.collect())
        })
    }
}
