//! The sandbox put together: the company, its Slack, and the bot that serves both.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    sync::{Mutex, watch},
    task::JoinHandle,
};
use url::Url;

use super::{
    kept::{self, Kept},
    slack::{self, RequestUrls, Slack, SlashCommand, Workspace},
    time::Time,
    world::World,
};
use crate::{
    bot::{Bot, KEEP_ROUND},
    command::{Ops, Transport},
    serve::Service,
    slack::Lease,
};

mod folder;
mod once;
mod ports;
mod settings;

pub use once::once;

use folder::Folder;
use ports::Port;

/// What the sandbox is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its database and its ops log stay; None: they are gone with it.
    pub keep: Option<PathBuf>,
    pub transport: Transport,
    /// What has happened when it begins; None: what was kept, or [`World::FIRST`].
    pub scenario: Option<String>,
}

/// How far the time moves.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    By(TimeDelta),
    /// To when the next summary is due.
    NextMorning,
}

/// A company with its Slack and its bot, at work.
pub struct Office {
    pub time: Time,
    pub world: World,
    pub slack: Slack,
    /// The one that serves.
    pub bot: Arc<Bot>,
    /// `/healthz`, `/readyz`, `/metrics`.
    pub admin: SocketAddr,
    /// The app is somebody's own, and runs elsewhere: there is no company, and the bot does nothing.
    pub is_slack_only: bool,
    stop: watch::Sender<bool>,
    /// None: closed, or there never was one.
    service: Mutex<Option<JoinHandle<anyhow::Result<()>>>>,
    /// Counts the moves of the time.
    moves: watch::Sender<u64>,
    folder: Folder,
    /// One writes at a time.
    writing: Mutex<()>,
}

impl Office {
    pub async fn open(options: &Options) -> anyhow::Result<Self> {
        Self::open_at(options, once::a_monday(Time::real().now())?).await
    }

    /// `begins`: its time, unless one was kept.
    pub async fn open_at(options: &Options, begins: DateTime<Utc>) -> anyhow::Result<Self> {
        let folder = Folder::of(options.keep.as_deref())?;
        let kept = folder.kept().map(Kept::read).transpose()?.flatten();
        if kept.is_none() {
            folder.is_free()?;
        }
        let world = company(options.scenario.as_deref(), kept.as_ref(), begins).await?;
        let time = world.time.clone();
        let (door, admin) = (Port::any()?, Port::any()?);
        let mut workspace = Workspace::new(time.clone());
        let at = |path: &str| {
            let url = format!("http://{}/slack/{path}", door.address);
            url.parse().ok()
        };
        workspace.app.urls = RequestUrls {
            commands: at("commands"),
            interactivity: at("interactions"),
            events: at("events"),
        };
        workspace.app.commands = commands();
        if let Some(channel) = workspace.channels.get_mut(slack::OPS) {
            channel.topic = "The daily round, and what needs a person".to_owned();
        }
        if let Some(kept) = kept {
            kept.restore(&mut workspace);
        }
        let slack = workspace.open().await?;
        let text = settings::of_any(&world, &folder)
            + &settings::of_service(&slack, options.transport, door.address, admin.address);
        let mut config = settings::parse(&text, &world)?;
        let slack_settings = config.slack.take().context("the sandbox has a [slack]")?;
        let permissions = config.permissions.take();
        let server = config.server.clone();
        let bot = Arc::new(settings::bot(config, &time).await?);
        let service = Service {
            bot: Arc::clone(&bot),
            slack: slack_settings,
            server,
            permissions: permissions.context("the sandbox has [permissions]")?,
            lease: Lease::default(),
        };
        let (stop, shutdown) = watch::channel(false);
        let address = admin.address;
        drop((door, admin));
        let service = tokio::spawn(service.run(shutdown));
        tokio::spawn(outlive_rounds(world.changes(), time.clone()));
        let office = Self {
            time,
            world,
            slack,
            bot,
            admin: address,
            is_slack_only: false,
            stop,
            service: Mutex::new(Some(service)),
            moves: watch::channel(0).0,
            folder,
            writing: Mutex::default(),
        };
        // Known as a sandbox's folder from now on, however this one ends.
        office.write_kept().await?;
        Ok(office)
    }

    /// Only a Slack, for an app that runs elsewhere: no company is opened, and no bot serves.
    /// `requests`: where the app hears of everything; None: over Socket Mode alone. `port`: of the Web API.
    pub async fn slack_only(requests: Option<&Url>, port: u16) -> anyhow::Result<Self> {
        let time = Time::real();
        let world = World::empty(time.clone());
        let mut workspace = Workspace::new(time.clone());
        let app = &mut workspace.app;
        app.name = "Your app".to_owned();
        app.scopes = slack::SCOPES.iter().copied().collect();
        app.events = slack::ALL_EVENTS.into();
        app.urls = RequestUrls {
            commands: requests.cloned(),
            interactivity: requests.cloned(),
            events: requests.cloned(),
        };
        let slack = workspace.open_at(port).await?;
        let folder = Folder::of(None)?;
        let config = settings::parse(&settings::of_any(&world, &folder), &world)?;
        Ok(Self {
            bot: Arc::new(settings::bot(config, &time).await?),
            time,
            world,
            slack,
            admin: (Ipv4Addr::LOCALHOST, 0).into(),
            is_slack_only: true,
            stop: watch::channel(false).0,
            service: Mutex::new(None),
            moves: watch::channel(0).0,
            folder,
            writing: Mutex::default(),
        })
    }

    /// Moves the time; whoever waits for it looks at once.
    pub async fn advance(&self, step: Step) -> anyhow::Result<()> {
        let now = self.time.now();
        match step {
            Step::By(by) => self.time.advance(by),
            Step::NextMorning => {
                let next = self.bot.schedule.next(now);
                self.time
                    .advance_to(next.context("the schedule has no next summary")?);
            }
        }
        self.moves.send_modify(|moves| *moves += 1);
        if self.is_slack_only {
            return Ok(());
        }
        self.bot.ask_for_summary(slack::OPS).await?;
        let wake = &self.bot.wake;
        for waiting in [&wake.rounds, &wake.effects, &wake.messages, &wake.log] {
            waiting.notify_one();
        }
        Ok(())
    }

    /// Writes what is to be kept whenever it changes, until the office closes.
    pub async fn keep(self: Arc<Self>) {
        if self.folder.kept().is_none() {
            return;
        }
        let stop = self.stop.subscribe();
        let changes = [
            self.slack.changes(),
            self.world.changes(),
            self.moves.subscribe(),
        ];
        kept::after_changes(changes, stop, || self.write_kept()).await;
    }

    /// Returns, with the reason, if the bot ends before it is told to.
    pub async fn ended(&self) -> anyhow::Error {
        let mut service = self.service.lock().await;
        let Some(running) = service.as_mut() else {
            return std::future::pending().await;
        };
        let ended = running.await;
        *service = None;
        match ended.context("this is a defect").flatten() {
            Ok(()) => anyhow::anyhow!("the sandbox's bot ended by itself: this is a defect"),
            Err(error) => error.context("the sandbox's bot can't go on"),
        }
    }

    async fn write_kept(&self) -> anyhow::Result<()> {
        let Some(folder) = self.folder.kept().map(ToOwned::to_owned) else {
            return Ok(());
        };
        let _alone = self.writing.lock().await;
        let kept = Kept::of(&self.slack.world(), &self.world);
        let written = tokio::task::spawn_blocking(move || kept.write(&folder));
        written.await.context("this is a defect")?
    }

    /// Stops the bot as a signal does.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        if let Some(service) = self.service.lock().await.take() {
            service.await.context("this is a defect")??;
        }
        self.write_kept().await
    }
}

/// What the company is after what was kept; the scenario that is asked for begins now.
async fn company(
    asked: Option<&str>,
    kept: Option<&Kept>,
    begins: DateTime<Utc>,
) -> anyhow::Result<World> {
    let Some(kept) = kept else {
        let world = World::open(Time::running(begins)).await?;
        world.play(asked.unwrap_or(World::FIRST))?;
        return Ok(world);
    };
    match asked {
        Some(scenario) => {
            let world = World::open(Time::running(kept.begin())).await?;
            world.play(scenario)?;
            Ok(world)
        }
        None => kept.company().await,
    }
}

/// Whoever changes the world wants to see what comes of it, so that a round from before it is not repeated as the newest.
async fn outlive_rounds(mut changes: watch::Receiver<u64>, time: Time) {
    while changes.changed().await.is_ok() {
        time.advance(KEEP_ROUND + TimeDelta::seconds(1));
    }
}

/// What the message box offers: the grammar of `/ops`, what everybody needs first.
fn commands() -> Vec<SlashCommand> {
    let mut phrases = Ops::phrases();
    phrases.sort_by_key(|phrase| phrase.words != "daily");
    phrases
        .into_iter()
        .map(|phrase| SlashCommand {
            name: format!("/ops {}", phrase.words),
            description: phrase.about,
            usage_hint: phrase.usage,
        })
        .collect()
}
