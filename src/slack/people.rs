//! Users and user groups, looked up at Slack and remembered for minutes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::api::{Api, ApiError, Class, User};
use crate::{
    permissions::{Answer, Directory, Member},
    report::Unknown,
    schedule::Clock,
};

/// How long a user's account is believed.
const MEMBER: TimeDelta = TimeDelta::minutes(10);
/// How long a group's list is believed.
const GROUP: TimeDelta = TimeDelta::minutes(5);
/// Entries of a cache; past them the stale ones go, and then all.
const ENTRIES: usize = 10_000;

/// The workspace's directory. What it could not find out it doesn't remember.
pub struct People {
    api: Arc<Api>,
    clock: Clock,
    members: Cache<Member>,
    groups: Cache<Vec<String>>,
}

impl People {
    pub fn new(api: Arc<Api>, clock: Clock) -> Self {
        Self {
            api,
            clock,
            members: Cache::lasting(MEMBER),
            groups: Cache::lasting(GROUP),
        }
    }
}

impl Directory for People {
    fn member<'a>(&'a self, user: &'a str) -> Answer<'a, Member> {
        Box::pin(async move {
            if let Some(member) = self.members.get(user, (self.clock)()) {
                return Ok(member);
            }
            let asked_at = (self.clock)();
            let found = self.api.member(user).await.map_err(unknown)?;
            let member = member(found);
            self.members.keep(user, member.clone(), asked_at);
            Ok(member)
        })
    }

    fn group<'a>(&'a self, group: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            if let Some(users) = self.groups.get(group, (self.clock)()) {
                return Ok(users);
            }
            let asked_at = (self.clock)();
            let users = self.api.group_members(group).await.map_err(unknown)?;
            self.groups.keep(group, users.clone(), asked_at);
            Ok(users)
        })
    }
}

/// Says what to do where the manifest itself has to change.
fn unknown(error: ApiError) -> Unknown {
    let groups = matches!(&error.class, Class::MissingScope { .. })
        && error.method == "usergroups.users.list";
    let passes = error.outcome_unknown() || error.class == Class::NotSent;
    let said = format!(
        "Slack could not say who you are ({}: {}); try again in a minute",
        error.method,
        error.code.as_str()
    );
    let mut unknown = Unknown::from(error);
    if passes {
        unknown.reason = said.into();
    }
    if groups {
        let advice = "; `daily-ops manifest --user-groups` prints the manifest with it";
        unknown.reason = (unknown.reason.as_str().to_owned() + advice).into();
    }
    unknown
}

fn member(user: User) -> Member {
    Member {
        // Slackbot is no bot by its own account.
        is_bot: user.is_bot || user.is_workflow_bot || user.id == "USLACKBOT",
        is_guest: user.is_restricted || user.is_ultra_restricted,
        is_stranger: user.is_stranger,
        is_deactivated: user.deleted,
        // An account of no workspace is nobody's colleague.
        team: user.team_id.unwrap_or_default(),
        enterprise: user.enterprise_user.and_then(|user| user.enterprise_id),
        email: user.profile.email.filter(|email| !email.is_empty()),
    }
}

struct Cache<T> {
    lasts: TimeDelta,
    kept: Mutex<HashMap<String, (DateTime<Utc>, T)>>,
}

impl<T: Clone> Cache<T> {
    fn lasting(lasts: TimeDelta) -> Self {
        Self {
            lasts,
            kept: Mutex::default(),
        }
    }

    /// A clock that went backwards makes an entry stale as well.
    fn is_fresh(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..self.lasts).contains(&(now - at))
    }

    fn get(&self, id: &str, now: DateTime<Utc>) -> Option<T> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = kept.get(id)?;
        self.is_fresh(*at, now).then(|| value.clone())
    }

    fn keep(&self, id: &str, value: T, now: DateTime<Utc>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= ENTRIES {
            kept.retain(|_, (at, _)| self.is_fresh(*at, now));
        }
        if kept.len() >= ENTRIES {
            kept.clear();
        }
        kept.insert(id.to_owned(), (now, value));
    }
}
