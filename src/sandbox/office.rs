//! The sandbox put together: the company, its Slack, and the bot that serves both.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use secrecy::ExposeSecret;
use tempfile::TempDir;
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
    bot::{Bot, Projection, Round, Wake},
    checks::registry,
    command::{Ops, Transport},
    config::Config,
    serve::Service,
    slack::Lease,
    store::{Access, Store},
    triage::Person,
};

/// Where the company is.
const ZONE: Tz = Tz::Europe__Berlin;

/// What the sandbox is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its database and its ops log stay; None: they are gone with it.
    pub keep: Option<PathBuf>,
    pub transport: Transport,
    /// What has happened when it begins; [`World::FIRST`] if nothing is asked for.
    pub scenario: Option<String>,
}

/// One daily round in the world of this scenario, without a Slack.
pub async fn once(scenario: &str) -> anyhow::Result<(Round, Tz)> {
    let time = Time::running(a_monday(Time::real().now())?);
    let world = World::open(time.clone()).await?;
    world.play(scenario)?;
    let folder = TempDir::new().context("no folder can be made for the sandbox")?;
    let text = format!(
        "[database]\nurl = \"sqlite::memory:\"\n[ops_log]\npath = {:?}\n[schedule]\ntime_zone = \"{ZONE}\"\n{}",
        folder.path().join("ops-log.md").display().to_string(),
        world.configuration(),
    );
    let config = Config::parse(&text, &registry(), &|name| secret(&world, name))?;
    let bot = bot(config, &time).await?;
    let progress = bot.checklist.progress(None);
    let by = Person::program();
    let round = bot.round(None, &progress, &by, None, |_| {}).await;
    bot.store.close().await;
    Ok((round?, ZONE))
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
    /// The app is somebody's own, and runs elsewhere.
    pub is_slack_only: bool,
    stop: watch::Sender<bool>,
    /// None: closed.
    service: Mutex<Option<JoinHandle<anyhow::Result<()>>>>,
    folder: Folder,
}

enum Folder {
    Kept(PathBuf),
    Gone(TempDir),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Gone(folder) => folder.path(),
        }
    }
}

impl Office {
    pub async fn open(options: &Options) -> anyhow::Result<Self> {
        Self::open_at(options, a_monday(Time::real().now())?).await
    }

    /// `begins`: its time, unless it is kept.
    pub async fn open_at(options: &Options, begins: DateTime<Utc>) -> anyhow::Result<Self> {
        let folder = folder(options)?;
        let kept = Kept::read(folder.path())?;
        let time = kept::time(kept.as_ref(), begins);
        let world = World::open(time.clone()).await?;
        let told = kept.as_ref().map(|kept| kept.scenario.as_str());
        world.play(options.scenario.as_deref().or(told).unwrap_or(World::FIRST))?;
        let (door, admin) = (free()?, free()?);
        let mut workspace = Workspace::new(time.clone());
        let at = |path: &str| format!("http://{door}/slack/{path}").parse().ok();
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
        let text = configuration(&world, &slack, options, &folder, door, admin);
        let mut config = Config::parse(&text, &registry(), &|name| secret(&world, name))?;
        let slack_settings = config.slack.take().context("the sandbox has a [slack]")?;
        let permissions = config.permissions.take();
        let server = config.server.clone();
        let bot = Arc::new(bot(config, &time).await?);
        let service = Service {
            bot: Arc::clone(&bot),
            slack: slack_settings,
            server,
            permissions: permissions.context("the sandbox has [permissions]")?,
            lease: Lease::default(),
        };
        let (stop, shutdown) = watch::channel(false);
        Ok(Self {
            time,
            world,
            slack,
            bot,
            admin,
            is_slack_only: false,
            stop,
            service: Mutex::new(Some(tokio::spawn(service.run(shutdown)))),
            folder,
        })
    }

    /// Only a Slack, for an app that runs elsewhere: the bot does not serve, and nothing happens in the company.
    /// `requests`: where the app hears of everything; None: over Socket Mode alone. `port`: of the Web API.
    pub async fn slack_only(requests: Option<&Url>, port: u16) -> anyhow::Result<Self> {
        let time = Time::real();
        let world = World::open(time.clone()).await?;
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
        let folder = Folder::Gone(TempDir::new().context("no folder can be made for the sandbox")?);
        let options = Options {
            keep: None,
            transport: Transport::Http,
            scenario: None,
        };
        let (door, admin) = (free()?, free()?);
        let text = configuration(&world, &slack, &options, &folder, door, admin);
        let config = Config::parse(&text, &registry(), &|name| secret(&world, name))?;
        let bot = Arc::new(bot(config, &time).await?);
        Ok(Self {
            time,
            world,
            slack,
            bot,
            admin,
            is_slack_only: true,
            stop: watch::channel(false).0,
            service: Mutex::new(None),
            folder,
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
        self.bot.ask_for_summary(slack::OPS).await?;
        let wake = &self.bot.wake;
        for waiting in [&wake.rounds, &wake.effects, &wake.messages, &wake.log] {
            waiting.notify_one();
        }
        Ok(())
    }

    /// Writes what is to be kept whenever it changes, until the office closes.
    pub async fn keep(self: Arc<Self>) {
        let stop = self.stop.subscribe();
        kept::after_changes(self.slack.changes(), stop, || self.write_kept()).await;
    }

    fn write_kept(&self) -> anyhow::Result<()> {
        let Folder::Kept(folder) = &self.folder else {
            return Ok(());
        };
        let kept = Kept::of(&self.slack.world(), self.world.playing().name);
        kept.write(folder)
    }

    /// Stops the bot as a signal does.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        if let Some(service) = self.service.lock().await.take() {
            service.await.context("this is a defect")??;
        }
        self.write_kept()
    }
}

fn folder(options: &Options) -> anyhow::Result<Folder> {
    let Some(path) = &options.keep else {
        let folder = TempDir::new().context("no folder can be made for the sandbox")?;
        return Ok(Folder::Gone(folder));
    };
    std::fs::create_dir_all(path).with_context(|| format!("{} can't be made", path.display()))?;
    Ok(Folder::Kept(path.clone()))
}

async fn bot(config: Config, time: &Time) -> anyhow::Result<Bot> {
    Ok(Bot {
        store: Store::open(config.database_url.expose_secret(), Access::ReadWrite).await?,
        checklist: config.checklist,
        schedule: config.schedule,
        log_path: config.ops_log.path,
        clock: time.clock(),
        people: config.people,
        wake: Wake::default(),
        projection: Projection::default(),
    })
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

/// The Monday of this week, at the time of the daily summary.
fn a_monday(now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let today = now.with_timezone(&ZONE).date_naive();
    let monday = today - TimeDelta::days(today.weekday().num_days_from_monday().into());
    let nine = monday
        .and_hms_opt(9, 0, 0)
        .context("a day has nine o'clock")?;
    let nine = ZONE.from_local_datetime(&nine).earliest();
    Ok(nine.context("Berlin has nine o'clock every day")?.to_utc())
}

/// A port that nobody listened on a moment ago.
fn free() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port of this machine is free")?;
    Ok(listener.local_addr()?)
}

fn configuration(
    world: &World,
    slack: &Slack,
    options: &Options,
    folder: &Folder,
    door: SocketAddr,
    admin: SocketAddr,
) -> String {
    let transport = match options.transport {
        Transport::Http => "http",
        Transport::Socket => "socket",
    };
    let database = match folder {
        Folder::Kept(path) => format!("sqlite:{}/daily-ops.db", path.display()),
        Folder::Gone(_) => "sqlite::memory:".to_owned(),
    };
    format!(
        "[database]\nurl = {:?}\n[ops_log]\npath = {:?}\n[schedule]\ndaily = \"09:00\"\ntime_zone = \"{ZONE}\"\n\
         [slack]\ntransport = \"{transport}\"\nchannel = \"{}\"\napi_url = \"{}\"\n\
         [server]\nlisten = \"{door}\"\nadmin_listen = \"{admin}\"\n\
         [permissions]\ntriage = [\"{}\", \"{}\"]\n{}",
        database,
        folder.path().join("ops-log.md").display().to_string(),
        slack::OPS,
        slack.url(),
        slack::ANNA,
        slack::BEN,
        world.configuration(),
    )
}

fn secret(world: &World, name: &str) -> Option<String> {
    match name {
        "SLACK_BOT_TOKEN" => Some(slack::TOKEN.to_owned()),
        "SLACK_APP_TOKEN" => Some(slack::APP_TOKEN.to_owned()),
        "SLACK_SIGNING_SECRET" => Some(slack::SIGNING_SECRET.to_owned()),
        name => world.secret(name),
    }
}
