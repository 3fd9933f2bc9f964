//! The terminal: results on standard output, everything else on standard error, and an exit code.

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use chrono::{TimeDelta, Utc};
use clap::CommandFactory;
use secrecy::ExposeSecret;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    bot::{Bot, LOG_CHECK, Round, Said, check_names},
    checks::{Registry, registry},
    command::{Cli, Command, Config as ConfigCommand, Format, Shown},
    config::Config,
    ops_log::Sentence,
    permissions::Permit,
    render::{self, terminal::Look},
    report::CheckReport,
    schedule::Clock,
    serve::Service,
    slack::{Lease, manifest::manifest},
    store::{self, Access, Store},
    triage::{Person, Verdict},
};

pub mod doctor;
mod log;
mod post;
mod progress;
#[cfg(feature = "sandbox")]
mod sandbox;

/// Reads a variable of the environment.
pub type Environment = fn(&str) -> Option<String>;

/// What a command leaves behind; its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Well = 0,
    /// Something needs a person; or a command was refused, or the log doesn't verify.
    NeedsYou = 1,
    /// Something could not be seen; or what was decided is not done yet, as far as is known.
    Unknown = 2,
    CouldNotRun = 3,
}

/// The real clock, which everything else is handed.
#[expect(clippy::disallowed_methods, reason = "the terminal is an edge")]
fn clock() -> Clock {
    Arc::new(Utc::now)
}

/// What can be typed, and its help.
pub fn grammar() -> clap::Command {
    let grammar = Cli::command();
    #[cfg(feature = "sandbox")]
    let grammar = sandbox::with_scenarios(grammar);
    grammar
}

/// Runs one command. `env` reads the environment.
pub async fn run(cli: Cli, env: Environment) -> anyhow::Result<Exit> {
    let config = |registry: &Registry| Config::read(&cli.config, registry, &env);
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut grammar(), "daily-ops", &mut script);
            print(&String::from_utf8_lossy(&script)).map(|()| Exit::Well)
        }
        Command::Manifest(asked) => {
            let text = manifest(asked.transport, asked.url.as_ref(), asked.user_groups)?;
            print(&text).map(|()| Exit::Well)
        }
        Command::Doctor => doctor::run(config(&registry()), &cli.config, &clock()).await,
        Command::Config {
            command: ConfigCommand::Check,
        } => check_config(&config(&registry())?),
        Command::Daily { shown, post } => {
            round(config(&registry())?, Looks::All, shown, post, env).await
        }
        Command::Check {
            names,
            since,
            shown,
        } => {
            let looks = Looks::Only { names, since };
            round(config(&registry())?, looks, shown, false, env).await
        }
        Command::Serve => serve(config(&registry())?).await,
        Command::Triage { action, by } => {
            let bot = open(config(&registry())?).await?;
            let said = bot.triage(&action, &Permit::at_terminal(&by)).await;
            bot.store.close().await;
            answer(&said?)
        }
        Command::Ticket { command, by } => {
            let bot = open(config(&registry())?).await?;
            let said = bot.ticket(&command, &Person::at_terminal(&by)).await;
            bot.store.close().await;
            answer(&said?)
        }
        Command::Log { command } => log::run(command, config(&registry())?, clock()()).await,
        #[cfg(feature = "sandbox")]
        Command::Sandbox(asked) => sandbox::run(asked, env).await,
    }
}

async fn serve(mut config: Config) -> anyhow::Result<Exit> {
    let slack = config.slack.take().context(
        "there is no chat to serve: write [slack] with `channel = \"C0123456789\"`, as in daily-ops.example.toml",
    )?;
    let permissions = config.permissions.take().context(
        "nobody is permitted to do anything: write [permissions] with `triage = [\"U012ABCDEF\"]`, the ids of those \
         who may decide (in Slack under a profile's \"Copy member ID\")",
    )?;
    let service = Service {
        server: config.server.clone(),
        bot: Arc::new(open(config).await?),
        slack,
        permissions,
        lease: Lease::default(),
    };
    let (stop, shutdown) = watch::channel(false);
    tokio::spawn(async move {
        match signalled().await {
            Ok(()) => tracing::info!("stopping"),
            Err(error) => tracing::error!("no signal can be waited for: {error}"),
        }
        stop.send_replace(true);
    });
    service.run(shutdown).await.map(|()| Exit::Well)
}

/// Returns when the process is asked to end.
async fn signalled() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn open(config: Config) -> anyhow::Result<Bot> {
    let url = config.database_url.expose_secret();
    let file = url.strip_prefix("sqlite:").map(Path::new);
    let is_new = file.is_some_and(|file| !file.exists());
    let store = Store::open(url, Access::ReadWrite).await?;
    if let Some(file) = file.filter(|_| is_new) {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        writeln!(stderr(), "a new database was made: {}", file.display()).ok();
    }
    Ok(config.bot(store, clock()))
}

/// What a round looks at.
enum Looks {
    All,
    Only {
        names: Vec<String>,
        /// Only what has happened in so much time.
        since: Option<Duration>,
    },
}

async fn round(
    mut config: Config,
    looks: Looks,
    shown: Shown,
    post: bool,
    env: Environment,
) -> anyhow::Result<Exit> {
    let (only, since) = match looks {
        Looks::All => (None, None),
        Looks::Only { names, since } => (Some(names), since),
    };
    let since = since
        .map(TimeDelta::from_std)
        .transpose()
        .context("`--since` is too long")?;
    if let Some(names) = &only {
        check_names(&config.checklist, &config.tracker, names)?;
    }
    let slack = config.slack.take().filter(|_| post);
    let poster = match slack {
        Some(slack) => Some(post::Poster::begin(slack).await?),
        None if post => bail!("there is no channel to post to: write [slack] with `channel`"),
        None => None,
    };
    let bot = open(config).await?;
    let progress = bot.checklist.progress(only.as_deref());
    let bars = progress::Bars::start(&progress, wants_colour(env));
    let by = Person::at_terminal(
        &env("USER")
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| "unknown".to_owned()),
    );
    let finished = |report: &CheckReport| bars.finish(report);
    let round = match (only.as_deref(), since) {
        (Some(only), Some(since)) => {
            let since = (bot.clock)() - since;
            bot.glance(only, since, &progress, &by, finished).await
        }
        (only, _) => bot.round(only, &progress, &by, None, finished).await,
    };
    bars.clear();
    let zone = bot.schedule.time_zone;
    let bot = Arc::new(bot);
    if let (Some(poster), Ok(round)) = (poster, &round) {
        poster.post(&bot, &round.triaged.report, by).await;
    }
    bot.store.close().await;
    show(round?, zone, &shown, env)
}

/// Prints what a round found.
fn show(
    round: Round,
    zone: chrono_tz::Tz,
    shown: &Shown,
    env: Environment,
) -> anyhow::Result<Exit> {
    let head = round.head.to_string();
    let text = match shown.format {
        Format::Text => {
            let look = look(zone, shown.all, env);
            render::terminal::report(&round.triaged, &round.tickets, &head, look)
        }
        Format::Json => render::json::report(&round.triaged, &round.tickets, &round.head)
            .context("can't write the report as JSON")?,
        Format::Markdown => {
            render::markdown::report(&round.triaged, &round.tickets, &head, zone, shown.all)
        }
    };
    print(&text)?;
    if let Err(error) = round.file {
        tracing::warn!("the round is recorded, but the ops log's file was not written: {error:#}");
    }
    Ok(match round.triaged.verdict() {
        Verdict::Ok => Exit::Well,
        Verdict::NeedsYou => Exit::NeedsYou,
        Verdict::Unknown => Exit::Unknown,
    })
}

/// Colour and a width to keep to on a terminal, or where `CLICOLOR_FORCE` asks for what a terminal gets.
fn look(zone: chrono_tz::Tz, all: bool, env: Environment) -> Look {
    let forced = env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    let terminal = forced || stdout().is_terminal();
    let columns = env("COLUMNS").and_then(|columns| columns.parse().ok());
    let width =
        terminal.then(|| columns.unwrap_or_else(|| console::Term::stdout().size().1.into()));
    Look {
        colour: terminal && wants_colour(env),
        width,
        zone,
        all,
    }
}

/// As no-color.org has it: any value that is not empty switches colour off.
pub fn wants_colour(env: Environment) -> bool {
    env("NO_COLOR").is_none_or(|value| value.is_empty())
        && env("TERM").is_none_or(|term| term != "dumb")
}

fn answer(said: &Said) -> anyhow::Result<Exit> {
    let lines: String = said
        .lines
        .iter()
        .map(Sentence::plain)
        .flat_map(|line| [line, "\n".to_owned()])
        .collect();
    print(&lines)?;
    Ok(match (said.accepted, said.settled) {
        (false, _) => Exit::NeedsYou,
        (true, false) => Exit::Unknown,
        (true, true) => Exit::Well,
    })
}

fn check_config(config: &Config) -> anyhow::Result<Exit> {
    let mut text = String::from("the configuration is right\n\n");
    let mut exit = Exit::Well;
    for check in config.checklist.list() {
        text += &format!(
            "  {:<4} {}\n",
            if check.on { "on" } else { "off" },
            check.name
        );
        for (name, purpose) in check.missing_secrets {
            text += &format!(
                "       missing: {name}, which {purpose}; set it, or {name}_FILE to a file that holds it\n"
            );
            exit = Exit::Unknown;
        }
    }
    text += &format!("  on   {LOG_CHECK}  {}\n", config.ops_log.path.display());
    text += &format!(
        "\ndatabase   {}\n",
        store::shown(config.database_url.expose_secret())
    );
    text += &format!("time zone  {}\n", config.schedule.time_zone);
    print(&text)?;
    Ok(exit)
}

/// Writes to standard output; a reader that has gone away is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.context("can't write to standard output"),
    }
}
