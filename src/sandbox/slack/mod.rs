//! A local Slack: a described workspace behind Slack's Web API. Every answer derives from the description and from what
//! was said.

use std::{
    net::SocketAddr,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinSet,
};
use url::Url;

mod delivery;
mod events;
mod faults;
mod limits;
mod methods;
mod payloads;
mod people;
mod server;
mod workspace;

pub use delivery::{Delivered, Delivery, Failure, Kind, Ledger};
pub use events::ALL as ALL_EVENTS;
pub use faults::{Fault, Spoiled, TransportFaults};
pub use methods::SCOPES;
pub use payloads::elements;
pub use people::{Chosen, Place};
pub use server::admit;
pub use workspace::{
    App, Call, Channel, Member, Posting, RequestUrls, SlashCommand, Upload, Version, View,
    Workspace,
};

pub const TOKEN: &str = "xoxb-12345678901-abcdefghijklmnopqrstuvwx";
pub const APP_TOKEN: &str = "xapp-1-A0DAILYOPS-123-0123456789abcdef";
pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub const TEAM: &str = "T0HOME";
/// The bot's own user.
pub const BOT: &str = "U0BOT";
/// A public channel with the bot.
pub const OPS: &str = "C0OPS";
/// A public channel without it.
pub const GENERAL: &str = "C0GENERAL";
/// A private channel with the bot, and one without.
pub const BOARD: &str = "G0BOARD";
pub const SECRET: &str = "G0SECRET";
/// Archived, with the bot.
pub const OLD: &str = "C0OLD";
/// Full members.
pub const ANNA: &str = "U0ANNA";
pub const BEN: &str = "U0BEN";
pub const GUEST: &str = "U0GUEST";
pub const OTHER_BOT: &str = "U0OTHERBOT";
pub const LEFT: &str = "U0LEFT";
/// Of another workspace, in a shared channel.
pub const STRANGER: &str = "U0STRANGER";
/// A user group: Anna and Ben.
pub const ON_CALL: &str = "S0ONCALL";

impl Workspace {
    /// Puts the workspace on a loopback address.
    pub async fn open(self) -> anyhow::Result<Slack> {
        self.open_at(0).await
    }

    /// `port`: of the Web API; 0 for any that is free.
    pub async fn open_at(mut self, port: u16) -> anyhow::Result<Slack> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("can't listen on port {port} of 127.0.0.1"))?;
        let address = listener.local_addr()?;
        self.origin = format!("http://{address}");
        let sockets = TcpListener::bind("127.0.0.1:0").await?;
        self.listen_at(sockets.local_addr()?);
        let (happened, happening) = mpsc::unbounded_channel();
        let seen = events::Seen::of(&self);
        let shared = Shared {
            world: Arc::new(Mutex::new(self)),
            changed: watch::channel(0).0,
            wire: Arc::new(delivery::Wire::new(happened)),
        };
        let (release, gate) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(listener, shared.clone(), gate));
        tasks.spawn(delivery::serve(sockets, shared.clone()));
        tasks.spawn(events::report(shared.clone(), seen, happening));
        Ok(Slack {
            address,
            shared,
            release,
            _tasks: tasks,
        })
    }
}

/// A workspace that can be asked; it closes when it is dropped.
pub struct Slack {
    pub address: SocketAddr,
    shared: Shared,
    /// Counts the releases.
    release: watch::Sender<usize>,
    _tasks: JoinSet<()>,
}

impl Slack {
    /// For `api_url`.
    pub fn url(&self) -> Url {
        format!("http://{}/api", self.address)
            .parse()
            .expect("it is an address")
    }

    pub fn world(&self) -> Entered<'_> {
        self.shared.enter()
    }

    /// Hears of every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// An answering address for that user, good for 30 minutes and 5 uses. `message`: the `ts` of what was clicked.
    pub fn response_url(&self, user: &str, channel: &str, message: Option<&str>) -> String {
        let id = self.world().address(user, channel, message);
        format!("http://{}/response/{id}", self.address)
    }

    /// Lets the calls that [`Fault::Late`] holds be carried out, and waits until they are.
    pub async fn release(&self) {
        self.release.send_modify(|releases| *releases += 1);
        while self.world().held > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[derive(Clone)]
struct Shared {
    world: Arc<Mutex<Workspace>>,
    /// Counts the changes.
    changed: watch::Sender<u64>,
    wire: Arc<delivery::Wire>,
}

impl Shared {
    fn enter(&self) -> Entered<'_> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let is_changed = world.post_what_is_due();
        Entered {
            world,
            changed: &self.changed,
            is_changed,
        }
    }
}

/// The workspace while nobody else is in it. Whoever changes it wakes those who watch.
pub struct Entered<'a> {
    world: MutexGuard<'a, Workspace>,
    changed: &'a watch::Sender<u64>,
    is_changed: bool,
}

impl Deref for Entered<'_> {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.world
    }
}

impl DerefMut for Entered<'_> {
    fn deref_mut(&mut self) -> &mut Workspace {
        self.is_changed = true;
        &mut self.world
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.is_changed {
            self.changed.send_modify(|changes| *changes += 1);
        }
    }
}

/// What Slack would refuse in a message's blocks, each with its place.
pub fn wrong_blocks(blocks: &[Value]) -> Vec<String> {
    let wrong = limits::blocks(blocks, limits::Surface::Message);
    let mut wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    if limits::is_too_long(blocks) {
        wrong.push("msg_blocks_too_long".to_owned());
    }
    wrong
}

/// What Slack would refuse in a modal or an App Home, each with its place.
pub fn wrong_view(view: &Value) -> Vec<String> {
    limits::view(view).iter().map(ToString::to_string).collect()
}

/// A refusal as Slack words it.
fn refusal(code: &str) -> Value {
    json!({ "ok": false, "error": code })
}
