//! What `daily-ops sandbox` takes.

use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::{Format, Shown, Transport};

/// For each of these the sandbox is something else: the company in a browser, a Slack alone, one report.
const OF_THE_PAGE: [&str; 7] = [
    "open",
    "keep",
    "port",
    "scenario",
    "transport",
    "slack_only",
    "request_url",
];

#[derive(Args, Debug)]
pub struct Sandbox {
    /// Open the browser as well
    #[arg(long)]
    pub open: bool,

    /// Keep it in this folder for the next time; else all of it is gone when it ends
    ///
    /// Kept are the database and the ops log; the time, the scenario and how far it has come, the switches of the
    /// company, and what Sentry was told; the channels and their messages as they stand. Not kept are open modals, App
    /// Homes, files, earlier versions of messages, scheduled messages, and the switches of Slack.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,

    /// Where the page is: a port of this machine; else one that is free
    #[arg(long)]
    pub port: Option<u16>,

    /// What has happened when it begins
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,

    /// How the bot hears of what is typed and clicked
    #[arg(long, value_enum, default_value_t = Transport::Http)]
    pub transport: Transport,

    /// Only the local Slack, for an app of your own: no bot, and no company
    #[arg(long, conflicts_with_all = ["keep", "scenario", "transport"])]
    pub slack_only: bool,

    /// Where that app hears of commands, clicks and events while it has no Socket Mode connection open
    #[arg(long, value_name = "URL", requires = "slack_only", value_parser = plain_http)]
    pub request_url: Option<Url>,

    /// Where that app finds the Web API: a port of this machine; else one that is free
    #[arg(long, value_name = "PORT", requires = "slack_only")]
    pub api_port: Option<u16>,

    /// Run one daily round in the world of this scenario, print the report, and end
    #[arg(long, value_name = "SCENARIO", conflicts_with_all = OF_THE_PAGE)]
    pub once: Option<String>,

    /// With --once: the form on standard output
    #[arg(long, value_enum, requires = "once")]
    pub format: Option<Format>,

    /// With --once: list every finding, also what is handled or low
    #[arg(long, requires = "once")]
    pub all: bool,
}

impl Sandbox {
    /// How the report of `--once` is to be shown.
    pub fn shown(&self) -> Shown {
        Shown {
            format: self.format.unwrap_or_default(),
            all: self.all,
        }
    }
}

/// An address that the local Slack can send requests to.
fn plain_http(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    match (url.scheme(), url.host_str()) {
        ("http", Some(_)) => Ok(url),
        _ => Err(
            "the local Slack speaks plain HTTP: give an address such as http://127.0.0.1:3000/slack/events"
                .to_owned(),
        ),
    }
}
