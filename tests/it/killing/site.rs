//! A company with its Slack and its Sentry, both in this process, and the processes that serve it.

use std::{collections::BTreeMap, net::SocketAddr, sync::Mutex, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::{
    dealings::{Dealings, TICKETED},
    node::{Launch, Node},
    options::Dice,
    requests::{Place, Request},
    tables::Tables,
    upstream::{Faults, Faulty},
};
use crate::world::{
    database::{administer, random},
    ports::free_address,
    sentry::{self, Issue, Sentry, broken_cart, issue},
    slack::web_api::{self, Channel, Member, Posting, Slack, TEAM, Workspace},
};

/// Issues that many decide about.
pub(super) const CONTESTED: std::ops::Range<u64> = 4501..4511;

/// Issues that one person decides about, and another takes that back.
pub(super) const OWN: std::ops::Range<u64> = 5000..5150;

pub(super) const CHANNELS: usize = 8;

/// People of a company; each asks for one thing.
const PEOPLE: usize = 2500;

/// How long messages and effects may take that are not worked off at once, before time passes.
const CALM: Duration = Duration::from_secs(4);

const LONGEST: Duration = Duration::from_secs(45);

const TRIES: usize = 6;

pub(super) struct Site {
    pub(super) slack: Slack,
    pub(super) sentry: Sentry,
    pub(super) to_slack: Faulty,
    pub(super) to_sentry: Faulty,
    pub(super) tables: Tables,
    pub(super) nodes: Vec<Node>,
    pub(super) folder: TempDir,
    /// What stays wrong with Slack while all comes to rest.
    pub(super) calm: Faults,
    /// Its tickets and its payments, if it has any.
    pub(super) dealings: Option<Dealings>,
    server: Option<String>,
    schema: String,
    people: Mutex<usize>,
    pub(super) asked: Mutex<Vec<Request>>,
}

fn issues() -> Vec<Issue> {
    let contested = CONTESTED.map(|id| Issue {
        id,
        ..broken_cart()
    });
    // Low findings have no row in a message, so that nobody else decides about them.
    let own = OWN.map(|id| Issue {
        level: "warning",
        ..issue(id, "slow query")
    });
    let ticketed = TICKETED.map(|id| Issue {
        level: "warning",
        ..issue(id, "slow page")
    });
    contested.chain(own).chain(ticketed).collect()
}

fn workspace() -> Workspace {
    let mut workspace = web_api::workspace();
    for number in 0..PEOPLE {
        let member = Member {
            team: TEAM.to_owned(),
            ..Member::default()
        };
        workspace.users.insert(person(number), member);
    }
    for number in 0..CHANNELS {
        let channel = Channel {
            has_bot: true,
            ..Channel::default()
        };
        workspace.channels.insert(channel_id(number), channel);
    }
    workspace
}

fn person(number: usize) -> String {
    format!("U0P{number:05}")
}

pub(super) fn channel_id(number: usize) -> String {
    format!("C0K{number:03}")
}

impl Site {
    /// With one process on SQLite, or two on the PostgreSQL server.
    pub(super) async fn open(
        launch: &Launch,
        server: Option<&str>,
        seed: u64,
        dealings: Option<Dealings>,
    ) -> Self {
        let slack = workspace().open().await.expect("it opens");
        let sentry = sentry::with(issues()).open().await.expect("it opens");
        let to_slack = Faulty::before(slack.address, seed ^ 1, |line| {
            ["chat.", "history", "response", "views."]
                .iter()
                .any(|part| line.contains(part))
        });
        let to_sentry = Faulty::before(sentry.address, seed ^ 2, |line| {
            line.contains("/issues/") && !line.contains("/issues/?")
        });
        let (to_slack, to_sentry) = (to_slack.await, to_sentry.await);
        let folder = TempDir::new().expect("a folder can be made");
        let schema = format!("killing_{}", hex::encode(random()));
        let url = match server {
            Some(server) => {
                administer(server, format!("CREATE SCHEMA {schema}")).await;
                let separator = if server.contains('?') { '&' } else { '?' };
                format!("{server}{separator}options[search_path]={schema}")
            }
            None => format!("sqlite:{}/ops.db", folder.path().display()),
        };
        let mut site = Self {
            slack,
            sentry,
            to_slack,
            to_sentry,
            tables: Tables { url },
            nodes: Vec::new(),
            folder,
            calm: Faults::default(),
            dealings,
            server: server.map(str::to_owned),
            schema,
            people: Mutex::new(0),
            asked: Mutex::default(),
        };
        for number in 0..if server.is_some() { 2 } else { 1 } {
            site.add_node(number, launch);
        }
        site
    }

    fn add_node(&mut self, number: usize, launch: &Launch) {
        let name = format!("node-{number}");
        let to = free_address();
        let listen = match launch {
            // In front of what listens here, it listens for itself.
            Launch::Role("ack-first") => free_address(),
            _ => to,
        };
        let text = self.configuration(&name, listen);
        let node = Node::new(self.folder.path(), &name, launch.clone(), to, &text);
        self.nodes.push(node);
    }

    fn configuration(&self, name: &str, listen: SocketAddr) -> String {
        let people: Vec<String> = (0..PEOPLE)
            .map(|number| format!("{:?}", person(number)))
            .collect();
        let people = people.join(", ");
        let dealings = self.dealings.as_ref();
        format!(
            "[database]\nurl = {:?}\n[ops_log]\npath = \"{}/{name}.md\"\n\
             [slack]\ntransport = \"http\"\nchannel = \"C0OPS\"\napi_url = \"http://{}/api\"\n\
             [server]\nlisten = \"{listen}\"\nadmin_listen = \"{}\"\n[permissions]\ntriage = [{people}]\nmoney = [{people}]\n\
             [people]\nU0ANNA = \"anna@example.com\"\n\
             [checks.errors]\nurl = \"http://{}\"\norganization = \"acme\"\nprojects = [\"web\"]\n{}",
            self.tables.url,
            self.folder.path().display(),
            self.to_slack.address,
            free_address(),
            self.to_sentry.address,
            dealings.map(Dealings::configuration).unwrap_or_default(),
        )
    }

    /// Somebody who has asked for nothing yet; nobody, once all have.
    pub(super) fn somebody(&self) -> Option<String> {
        let mut next = self.people.lock().expect("no test panicked");
        *next += 1;
        (*next <= PEOPLE).then(|| person(*next - 1))
    }

    /// Where somebody alone is answered.
    pub(super) fn reply_to(&self) -> String {
        let address = self.slack.response_url("U0ANNA", web_api::OPS, None);
        address.replace(
            &self.slack.address.to_string(),
            &self.to_slack.address.to_string(),
        )
    }

    /// A button of a message that stands in Slack, and the key of the issue that it stands beside.
    pub(super) fn button(&self, dice: &mut Dice) -> Option<(Place, Value, String)> {
        let world = self.slack.world();
        let channel = channel_id(usize::try_from(dice.below(CHANNELS as u64)).unwrap_or(0));
        let messages = world.messages(&channel);
        let message = *messages.get(
            messages
                .len()
                .checked_sub(1 + usize::try_from(dice.below(2)).unwrap_or(0))?,
        )?;
        let mut buttons: Vec<(&Value, String)> = Vec::new();
        let mut row = String::new();
        for block in &message.now().blocks {
            if block["type"] != "actions" {
                row.push_str(&block.to_string());
                continue;
            }
            // Other checks' findings may have gone by the time that somebody clicks.
            if let Some(key) = key_in(&std::mem::take(&mut row)) {
                let elements = block["elements"].as_array().into_iter().flatten();
                buttons.extend(elements.map(|element| (element, key.clone())));
            }
        }
        if buttons.is_empty() {
            return None;
        }
        let place = Place {
            channel,
            ts: message.ts.clone(),
        };
        let (element, key) = dice.one_of(&buttons);
        Some((place, (*element).clone(), key.clone()))
    }

    pub(super) fn start(&mut self) {
        self.nodes.iter_mut().for_each(Node::start);
    }

    pub(super) fn kill(&mut self) {
        self.nodes.iter_mut().for_each(Node::kill);
    }

    pub(super) fn spoil(&self, slack: Faults, sentry: Faults) {
        self.to_slack.set(slack);
        self.to_sentry.set(sentry);
    }

    /// Ends every process, lets all leases and pauses run out, and starts them again.
    pub(super) async fn begin_anew(&mut self) {
        self.kill();
        self.to_slack.is_idle().await;
        self.to_sentry.is_idle().await;
        if let Some(dealings) = &self.dealings {
            dealings.is_idle().await;
        }
        self.tables.let_time_pass().await;
        self.start();
    }

    /// Lets it run, with nothing in its way, until nothing is left to be done. Gives what is left all the same.
    pub(super) async fn come_to_rest(&mut self) -> Vec<String> {
        self.spoil(self.calm, Faults::default());
        if let Some(dealings) = &self.dealings {
            dealings.calm();
        }
        let mut open = Vec::new();
        for _ in 0..TRIES {
            self.begin_anew().await;
            let since = Instant::now();
            let mut busy = since;
            // Requests and rounds are worked off; the rest may wait for a time that is better passed than waited for.
            while busy.elapsed() < CALM && since.elapsed() < LONGEST {
                sleep(Duration::from_millis(150)).await;
                open = self.tables.open().await;
                if open.is_empty() {
                    return open;
                }
                if open.iter().any(|what| what.starts_with('r')) {
                    busy = Instant::now();
                }
            }
        }
        open
    }

    /// What Slack shows, by the message's id: each of its postings, oldest first.
    pub(super) fn shown(&self) -> BTreeMap<String, Vec<Posting>> {
        let world = self.slack.world();
        let mut shown: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for channel in world.channels.values() {
            let for_all = channel.messages.iter();
            for posting in for_all.filter(|posting| posting.only_for.is_none()) {
                let marker = posting.versions[0].metadata["event_payload"]["message"].as_str();
                let id = marker.unwrap_or("without a marker").to_owned();
                shown.entry(id).or_default().push(posting.clone());
            }
        }
        shown
    }

    /// The last lines of what the processes said.
    pub(super) fn said(&self) -> String {
        let all = self.nodes.iter().map(|node| {
            let text = std::fs::read_to_string(&node.output).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(40)..].join("\n")
        });
        all.collect::<Vec<_>>().join("\n=====\n")
    }

    pub(super) async fn close(mut self) {
        self.kill();
        if let Some(server) = &self.server {
            administer(server, format!("DROP SCHEMA {} CASCADE", self.schema)).await;
        }
    }
}

/// The last key of an issue that many decide about.
fn key_in(text: &str) -> Option<String> {
    let keys = CONTESTED.map(|id| format!("errors:{id}"));
    keys.filter(|key| text.contains(key.as_str()))
        .max_by_key(|key| text.rfind(key.as_str()))
}
