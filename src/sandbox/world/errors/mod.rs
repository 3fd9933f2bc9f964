//! A described Sentry: an organization with projects, issues and their histories, members, teams, a token with
//! scopes. Every answer derives from the description.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::sandbox::time::Time;

mod answers;

pub const TOKEN: &str = "sntryu_0123456789abcdef0123456789abcdef";

/// An issue whose id is left out of answers.
pub const NAMELESS: u64 = 0;

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

#[derive(Clone)]
pub struct Issue {
    pub id: u64,
    pub project: String,
    pub title: Value,
    pub culprit: Value,
    pub level: &'static str,
    pub priority: Option<&'static str>,
    pub status: &'static str,
    pub substatus: &'static str,
    pub unhandled: bool,
    /// `user:1` or `team:2`.
    pub assignee: Option<String>,
    pub age: TimeDelta,
    /// Users in 24 h.
    pub users: u64,
    /// The last one is the hour that is not over.
    pub hourly: Vec<u64>,
    /// Before the day that is not over.
    pub earlier_days: Vec<u64>,
    /// Left out of a page after it was cut, as Sentry does with what it has just resolved by itself.
    pub filtered: bool,
    pub merged_into: Option<u64>,
}

/// An error that was seen now and then.
pub fn issue(id: u64, title: &str) -> Issue {
    Issue {
        id,
        project: "web".to_owned(),
        title: json!(title),
        culprit: json!("pay in checkout"),
        level: "error",
        priority: Some("medium"),
        status: "unresolved",
        substatus: "ongoing",
        unhandled: false,
        assignee: None,
        age: TimeDelta::days(60),
        users: 1,
        hourly: (0..24).map(|hour| u64::from(hour % 8 == 0)).collect(),
        earlier_days: vec![3; 13],
        filtered: false,
        merged_into: None,
    }
}

/// One that needs somebody.
pub fn broken_cart() -> Issue {
    Issue {
        users: 212,
        ..issue(4501, "TypeError: cart is undefined")
    }
}

impl Issue {
    /// One more event, right now.
    fn stir(&mut self) {
        if let Some(hour) = self.hourly.last_mut() {
            *hour += 1;
        }
    }

    fn today(&self) -> u64 {
        self.hourly.iter().sum()
    }

    fn ever(&self) -> u64 {
        self.today() + self.earlier_days.iter().sum::<u64>()
    }

    fn last_seen(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let hours = self.hourly.iter().rev().position(|events| *events > 0);
        let days = self
            .earlier_days
            .iter()
            .rev()
            .position(|events| *events > 0);
        match (hours, days) {
            (Some(hours), _) => now - TimeDelta::hours(hours as i64),
            (None, Some(days)) => now - TimeDelta::days(days as i64 + 2),
            (None, None) => now - self.age,
        }
    }
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
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = axum::Router::new()
            .fallback(answers::answer)
            .with_state(Arc::clone(&world));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Sentry {
            address,
            world,
            server: server.abort_handle(),
        })
    }
}

/// An organization that can be asked; it closes when it is dropped.
pub struct Sentry {
    pub address: SocketAddr,
    world: Arc<Mutex<Organization>>,
    server: tokio::task::AbortHandle,
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

impl Drop for Sentry {
    fn drop(&mut self) {
        self.server.abort();
    }
}
