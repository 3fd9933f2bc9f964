//! A described Sentry: an organization with its projects, issues, members and teams, and a token with scopes.
//!
//! Every answer derives from the description.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::Door;
use crate::sandbox::time::Time;

mod answers;
mod background;
mod changes;
mod course;
mod issue;
mod issues;
mod part;
pub(super) mod scenarios;

pub use course::{Course, Surge};
pub use issue::{Issue, NAMELESS, broken_cart, issue};
pub use part::Trouble;

pub(in crate::sandbox) use background::in_slack;
pub(super) use part::PART;

pub const TOKEN: &str = "sntryu_0123456789abcdef0123456789abcdef";

/// The description. A test changes it at any time.
pub struct Organization {
    pub time: Time,
    pub token: String,
    pub scopes: BTreeSet<&'static str>,
    pub projects: Vec<Project>,
    pub issues: Vec<Issue>,
    pub members: Vec<Member>,
    /// Id and slug.
    pub teams: Vec<(u64, String)>,
    /// Rows of a page, whatever the caller asks for.
    pub page: usize,
    pub max_hits: usize,
    /// Events by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Issue and text.
    pub notes: Vec<(u64, String)>,
    /// A proxy in between takes the `Link` header away.
    pub loses_link: bool,
    /// Answers as to a token that may see no project, though it is told of them.
    pub shows_no_issues: bool,
    /// The next cursor is the one that was just used.
    pub turns_in_circles: bool,
    /// Its issues come without the counts of the hours and days before.
    pub keeps_no_history: bool,
    /// What it suffers from as a whole.
    pub trouble: Trouble,
    /// Turns every request away.
    pub maintenance: bool,
    /// Seconds after which it wants to be asked again.
    pub asks_to_wait: Option<u64>,
    /// All but this many requests are turned away for a second.
    pub allowance: Option<usize>,
    /// The headers that say when to come again.
    pub tells_reset: bool,
    /// Each of these has an event right after the first page of the day's list was read, and moves to the front.
    pub stirs: Vec<u64>,
    /// Its routes are switched off for a while.
    pub brown_out: bool,
    /// How far its clock is ahead.
    pub clock: TimeDelta,
    pub deprecation: Option<String>,
    /// Accepts changes and does not make them.
    pub forgets_changes: bool,
    /// Method and target of each request.
    pub asked: Vec<String>,
}

pub struct Project {
    pub id: u64,
    pub slug: String,
    pub accessible: bool,
}

pub struct Member {
    pub user: Option<u64>,
    pub email: String,
    pub name: String,
}

impl Organization {
    pub fn new(time: Time) -> Self {
        Self {
            time,
            token: TOKEN.to_owned(),
            scopes: [
                "event:read",
                "event:write",
                "org:read",
                "project:read",
                "member:read",
                "team:read",
            ]
            .into(),
            projects: vec![Project {
                id: 11,
                slug: "web".to_owned(),
                accessible: true,
            }],
            issues: Vec::new(),
            members: vec![
                Member {
                    user: Some(1),
                    email: "john@example.com".to_owned(),
                    name: "John Doe".to_owned(),
                },
                Member {
                    user: Some(2),
                    email: "anna@example.com".to_owned(),
                    name: "Anna".to_owned(),
                },
                Member {
                    user: None,
                    email: "invited@example.com".to_owned(),
                    name: "Ines".to_owned(),
                },
            ],
            teams: vec![(8, "platform".to_owned()), (9, "payments".to_owned())],
            page: 100,
            max_hits: 1000,
            outcomes: BTreeMap::from([("accepted".to_owned(), 5000)]),
            notes: Vec::new(),
            loses_link: false,
            shows_no_issues: false,
            turns_in_circles: false,
            trouble: Trouble::None,
            maintenance: false,
            asks_to_wait: None,
            keeps_no_history: false,
            allowance: None,
            tells_reset: true,
            stirs: Vec::new(),
            brown_out: false,
            clock: TimeDelta::zero(),
            deprecation: None,
            forgets_changes: false,
            asked: Vec::new(),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.time.now()
    }

    /// As its answers say: clients compare it with the real clock of their machine.
    fn date(&self) -> DateTime<Utc> {
        Time::real().now() + self.clock
    }

    pub fn issue(&mut self, id: u64) -> &mut Issue {
        self.issues
            .iter_mut()
            .find(|issue| issue.id == id)
            .expect("the issue is described")
    }

    /// Puts it on a loopback address.
    pub async fn open(self) -> anyhow::Result<Sentry> {
        let world = Arc::new(Mutex::new(self));
        let routes = axum::Router::new()
            .fallback(answers::answer)
            .with_state(Arc::clone(&world));
        let door = Door::open(routes).await?;
        let address = door.address;
        Ok(Sentry {
            address,
            world,
            door,
        })
    }
}

/// An organization that can be asked; it closes when it is dropped.
pub struct Sentry {
    pub address: SocketAddr,
    world: Arc<Mutex<Organization>>,
    door: Door,
}

impl Sentry {
    pub fn url(&self) -> Url {
        format!("http://{}", self.address)
            .parse()
            .expect("it is an address")
    }

    pub fn world(&self) -> MutexGuard<'_, Organization> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
