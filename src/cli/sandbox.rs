//! The sandbox in the terminal: it says where it is, and ends when it is told to.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use tokio::{process::Command, sync::watch};

use super::{Environment, Exit, print, show, signalled};
use crate::{
    command::Sandbox,
    sandbox::{Office, Options, once, page::Page, slack, world::World},
};

/// The grammar, with the names of the scenarios in its help, which only the world knows.
pub(super) fn with_scenarios(grammar: clap::Command) -> clap::Command {
    let names: Vec<&str> = World::scenarios().iter().map(|it| it.name).collect();
    let names = names.join(", ");
    grammar.mut_subcommand("sandbox", |sandbox| {
        sandbox.mut_arg("once", |once| {
            let about = once.get_help().map(ToString::to_string);
            once.long_help(format!(
                "{}\n\nScenarios: {names}",
                about.unwrap_or_default()
            ))
        })
    })
}

pub(super) async fn run(asked: Sandbox, env: Environment) -> anyhow::Result<Exit> {
    if let Some(scenario) = &asked.once {
        let (round, zone) = once(scenario).await?;
        return show(round, zone, &asked.shown(), env);
    }
    if asked.slack_only {
        return slack_only(asked).await;
    }
    let options = Options {
        keep: asked.keep,
        transport: asked.transport,
        scenario: asked.scenario,
    };
    let page = Page::bind(asked.port.unwrap_or_default()).await?;
    let office = Arc::new(Office::open(&options).await?);
    let address = format!("http://{}/", page.address);
    let kept = match &options.keep {
        Some(folder) => format!(
            "it is kept in {} (what of it, `--help` says)",
            folder.display()
        ),
        None => "nothing of it is kept".to_owned(),
    };
    print(&format!(
        "The sandbox is open: {address}\n\nOpen it in a browser: a chat with the bot, and a company to break. \
         Press Ctrl-C to end it; {kept}.\n",
    ))?;
    serve(page, office, asked.open).await
}

/// The local Slack without the bot: an app of somebody's own is told how to find it.
async fn slack_only(asked: Sandbox) -> anyhow::Result<Exit> {
    let page = Page::bind(asked.port.unwrap_or_default()).await?;
    let url = asked.request_url.as_ref();
    let office = Arc::new(Office::slack_only(url, asked.api_port.unwrap_or_default()).await?);
    let way = match url {
        Some(url) => format!("to {url}, or over Socket Mode once the app has connected"),
        None => "over Socket Mode (--request-url URL: over HTTP)".to_owned(),
    };
    print(&format!(
        "A local Slack is open: http://{}/\n\n\
         Web API          {}/\n\
         Bot token        {}\n\
         App-level token  {}\n\
         Signing secret   {}\n\
         Requests go      {way}\n\n\
         Bolt for JavaScript takes the Web API's address as clientOptions.slackApiUrl, Bolt for Python as the base_url \
         of its WebClient. Every scope is granted, every event is sent, and any /command is delivered. \
         Press Ctrl-C to end it.\n",
        page.address,
        office.slack.url(),
        slack::TOKEN,
        slack::APP_TOKEN,
        slack::SIGNING_SECRET,
    ))?;
    serve(page, office, asked.open).await
}

/// Until a signal comes, or the bot can't go on.
async fn serve(page: Page, office: Arc<Office>, opens: bool) -> anyhow::Result<Exit> {
    let address = format!("http://{}/", page.address);
    let (stop, shutdown) = watch::channel(false);
    tokio::spawn(Arc::clone(&office).keep());
    let serving = tokio::spawn(page.serve(Arc::clone(&office), shutdown));
    if opens && let Err(error) = open(&address).await {
        tracing::warn!("{error:#}");
    }
    let ended = tokio::select! {
        signal = signalled() => signal.context("no signal can be waited for"),
        error = office.ended() => Err(error),
    };
    stop.send_replace(true);
    let (served, closed) = tokio::join!(serving, office.close());
    ended?;
    served??;
    closed.map(|()| Exit::Well)
}

/// Opens the person's browser.
async fn open(address: &str) -> anyhow::Result<()> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let status = Command::new(program)
        .arg(address)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .with_context(|| {
            format!("no browser can be opened: `{program}` can't be run; open {address} yourself")
        })?;
    ensure!(
        status.success(),
        "no browser was opened: `{program}` ended with {status}; open {address} yourself"
    );
    Ok(())
}
