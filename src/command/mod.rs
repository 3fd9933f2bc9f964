//! The grammar of the terminal and of `/ops`. Pure: words in, a command out.

use std::{path::PathBuf, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde::Deserialize;
use url::Url;

use crate::{
    ops_log::Kind,
    report::{FindingKey, Verb},
    triage::LONGEST_SNOOZE,
};

mod asked;
mod ops;
mod phrases;
#[cfg(feature = "sandbox")]
mod sandbox;

pub use asked::{Asked, Form, Item, NoItem, Pause, Press, View, What};
pub use ops::Ops;
pub use phrases::Phrase;
#[cfg(feature = "sandbox")]
pub use sandbox::Sandbox;

/// Walks the daily ops checklist, says what needs a person, and keeps the ops log.
#[derive(Debug, Parser)]
#[command(name = "daily-ops", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// The configuration
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "DAILY_OPS_CONFIG",
        default_value = "daily-ops.toml",
        hide_env_values = true
    )]
    pub config: PathBuf,

    #[command(subcommand)]
    pub command: Command,
}

const DECIDED: &str = "\
Exit codes:
  0  it is decided, and what it asks of the other side is done there
  1  nothing was decided: somebody was quicker, the other side refused, or a `--yes` is missing
  2  it is decided, and not done there yet, as far as is known: later commands look, and try again
  3  could not run: wrong usage or configuration, no database";

const EXIT_CODES: &str = "\
Exit codes of `daily` and `check`:
  0  all well
  1  something needs you
  2  something is unknown, and nothing needs you
  3  could not run: wrong usage or configuration, no database

Secrets come from the environment alone (SENTRY_AUTH_TOKEN, DATABASE_URL), each also as NAME_FILE.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole checklist, record it, and say what needs you
    Daily {
        #[command(flatten)]
        shown: Shown,

        /// Post it to the channel of `[slack]` as well; its buttons work while `serve` runs
        #[arg(long)]
        post: bool,
    },

    /// Run one check or some
    Check {
        /// As in the report: health, errors, payments, tickets, ops-log
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Look only for what has happened in so much time, as far as a check can; the rest stays as it was
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        since: Option<Duration>,
        #[command(flatten)]
        shown: Shown,
    },

    /// Be the bot: answer Slack, post the daily summary, and tell how it is
    Serve,

    /// Decide about a finding
    #[command(after_help = DECIDED)]
    Triage {
        #[command(subcommand)]
        action: Triage,
        /// Who decides, if it isn't the one who is logged in
        #[arg(
            long,
            global = true,
            value_name = "NAME",
            env = "USER",
            hide_env = true,
            default_value = "unknown"
        )]
        by: String,
    },

    /// Look at the tickets that findings have, and close those that are kept here
    Ticket {
        #[command(subcommand)]
        command: Ticket,
        /// Who closes it, if it isn't the one who is logged in
        #[arg(
            long,
            global = true,
            value_name = "NAME",
            env = "USER",
            hide_env = true,
            default_value = "unknown"
        )]
        by: String,
    },

    /// Read, check and export the ops log; alone, it shows the newest entries
    Log {
        #[command(subcommand)]
        command: Option<Log>,
    },

    /// Look at the configuration
    Config {
        #[command(subcommand)]
        command: Config,
    },

    /// Print the manifest that Slack makes the app from
    Manifest(Manifest),

    /// Walk every link from here to Slack and the checked services, and say what to do about each that is broken
    Doctor,

    /// Try it all in the browser: a local Slack, and a small company whose parts can be broken
    #[cfg(feature = "sandbox")]
    Sandbox(Sandbox),

    /// Print the completions for a shell
    Completions { shell: Shell },
}

#[derive(Args, Debug)]
pub struct Manifest {
    /// How Slack's requests come in
    #[arg(long, value_enum, default_value_t)]
    pub transport: Transport,

    /// Where Slack reaches this bot over HTTP, such as `https://ops.example.com`
    #[arg(long)]
    pub url: Option<Url>,

    /// For user groups in `[permissions]`; a message whose post was not confirmed is then sent again, with a note
    #[arg(long)]
    pub user_groups: bool,
}

/// How Slack's requests come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Over a connection of our own: no address is needed
    #[default]
    Socket,
    /// To an https address of ours
    Http,
}

/// How a report is to be shown.
#[derive(Args, Clone, Copy, Debug)]
pub struct Shown {
    /// The form on standard output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// List every finding, also what is handled or low
    #[arg(long)]
    pub all: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
    Markdown,
}

#[derive(Debug, Subcommand)]
pub enum Triage {
    /// Say that you have seen it; it stays quiet unless it gets worse
    #[command(visible_alias = "ack")]
    Acknowledge {
        /// As the report shows it: errors:4501
        key: FindingKey,
        #[arg(long)]
        reason: Option<String>,
    },

    /// Give it to somebody
    Assign {
        /// As the report shows it: errors:4501
        key: FindingKey,
        /// An e-mail address or #team reaches the other side as well
        #[arg(value_parser = person)]
        who: String,
    },

    /// Silence it for a time; it comes back earlier if it gets worse
    Snooze {
        /// As the report shows it: errors:4501
        key: FindingKey,
        /// Such as 4h, 3d or 1w; at most 90d
        #[arg(value_name = "FOR", default_value = "1d", value_parser = snooze)]
        time: TimeDelta,
    },

    /// Close it, on the other side as well where that is possible
    Resolve {
        /// As the report shows it: errors:4501
        key: FindingKey,
        #[arg(long)]
        reason: Option<String>,
    },

    /// Put it away on the other side until it escalates
    Archive {
        /// As the report shows it: errors:4501
        key: FindingKey,
    },

    /// Say that it was dealt with, elsewhere or by hand
    Handle {
        /// As the report shows it
        key: FindingKey,
        /// What was done; at most 300 characters
        #[arg(required = true)]
        note: Vec<String>,
    },

    /// Have an invoice paid again, with the customer's means of payment
    Pay(RemedyAsked),

    /// Have an invoice sent to the customer again, by e-mail
    Send(RemedyAsked),

    /// Have events delivered again by whoever failed to
    Resend(RemedyAsked),

    /// Deliver events to your own endpoint from here
    Replay(RemedyAsked),

    /// Open a ticket about it, filled in from what is known
    Ticket {
        /// As the report shows it: errors:4501
        key: FindingKey,
        /// In the place of the finding's own
        #[arg(long)]
        title: Option<String>,
        /// One more beside those that every ticket has; may be repeated
        #[arg(long)]
        label: Vec<String>,
    },

    /// Take the last decision back
    Undo {
        /// As the report shows it: errors:4501
        key: FindingKey,
    },

    /// Keep a remark with it
    Note {
        /// As the report shows it: errors:4501
        key: FindingKey,
        /// At most 300 characters; e-mail addresses and secrets are not kept
        #[arg(required = true)]
        text: Vec<String>,
    },

    /// Show what was seen and decided
    Show {
        /// As the report shows it: errors:4501
        key: FindingKey,
    },
}

/// What a check is asked to do about its own finding.
#[derive(Args, Clone, Debug)]
pub struct RemedyAsked {
    /// As the report shows it
    pub key: FindingKey,
    /// Do it; without this, what can't be taken back is only described
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Show each request that would be sent, and send none
    #[arg(long)]
    pub dry_run: bool,
}

impl Triage {
    /// What the check is asked to do, if that is what is asked for.
    pub fn remedy(&self) -> Option<(Verb, &RemedyAsked)> {
        Some(match self {
            Self::Pay(asked) => (Verb::Pay, asked),
            Self::Send(asked) => (Verb::Send, asked),
            Self::Resend(asked) => (Verb::Resend, asked),
            Self::Replay(asked) => (Verb::Replay, asked),
            _ => return None,
        })
    }

    /// As it is typed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "acknowledge",
            Self::Assign { .. } => "assign",
            Self::Snooze { .. } => "snooze",
            Self::Resolve { .. } => "resolve",
            Self::Archive { .. } => "archive",
            Self::Handle { .. } => "handle",
            Self::Pay(_) => "pay",
            Self::Send(_) => "send",
            Self::Resend(_) => "resend",
            Self::Replay(_) => "replay",
            Self::Ticket { .. } => "ticket",
            Self::Undo { .. } => "undo",
            Self::Note { .. } => "note",
            Self::Show { .. } => "show",
        }
    }

    pub fn key(&self) -> &FindingKey {
        match self {
            Self::Pay(asked) | Self::Send(asked) | Self::Resend(asked) | Self::Replay(asked) => {
                &asked.key
            }
            Self::Acknowledge { key, .. }
            | Self::Handle { key, .. }
            | Self::Ticket { key, .. }
            | Self::Assign { key, .. }
            | Self::Snooze { key, .. }
            | Self::Resolve { key, .. }
            | Self::Archive { key }
            | Self::Undo { key }
            | Self::Note { key, .. }
            | Self::Show { key } => key,
        }
    }
}

fn snooze(text: &str) -> Result<TimeDelta, String> {
    let time = humantime::parse_duration(text)
        .map_err(|_| "a snooze is a time such as 4h, 3d or 1w".to_owned())?;
    match TimeDelta::from_std(time) {
        Ok(time) if time > LONGEST_SNOOZE => Err(format!(
            "a snooze lasts {} days at most",
            LONGEST_SNOOZE.num_days()
        )),
        Ok(time) if time >= TimeDelta::minutes(1) => Ok(time),
        _ => Err("a snooze is a time such as 4h, 3d or 1w".to_owned()),
    }
}

fn person(text: &str) -> Result<String, String> {
    let text = text.trim();
    let names_somebody = text
        .trim_matches(['@', '#'])
        .chars()
        .any(char::is_alphanumeric);
    names_somebody
        .then(|| text.to_owned())
        .ok_or_else(|| "give a name, an e-mail address, or #team".to_owned())
}

/// What can be done with tickets.
#[derive(Clone, Debug, Subcommand)]
pub enum Ticket {
    /// List those that are open, the newest first
    List {
        /// The closed ones as well
        #[arg(long)]
        all: bool,
    },

    /// Show what one says, and where it stands
    Show {
        /// T-4, acme/web#17, ENG-12, or the finding's key
        name: String,
    },

    /// Close one that is kept here; others are closed where they are kept
    Close {
        /// T-4, or the finding's key
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Log {
    #[command(flatten)]
    Read(LogRead),

    /// Print all entries, oldest first
    Export {
        #[arg(long, value_enum, default_value_t)]
        format: Export,
    },

    /// Write the Markdown file anew, if the chain holds
    Rebuild {
        /// Write down also what doesn't verify
        #[arg(long)]
        force: bool,
    },

    /// Erase what a person wrote or what names them; the chain still holds
    Erase {
        /// As the log shows them: terminal:anna
        #[arg(long)]
        person: String,
        #[arg(long)]
        reason: String,
        /// Who erases, if it isn't the one who is logged in
        #[arg(
            long,
            value_name = "NAME",
            env = "USER",
            hide_env = true,
            default_value = "unknown"
        )]
        by: String,
    },
}

/// What only reads the log; a chat may ask for it as well.
#[derive(Debug, Subcommand)]
pub enum LogRead {
    /// Show the newest entries
    Show {
        /// How many
        #[arg(long, default_value_t = 20)]
        last: usize,
    },

    /// Find entries that hold all the words
    Search(Search),

    /// Recompute the chain and compare the file; names the first entry that doesn't fit (exit code 1)
    Verify {
        /// A head that you trust, as the summary prints it: 1234:9f3a12
        #[arg(long, value_name = "SEQ:HASH")]
        anchor: Option<String>,
    },
}

#[derive(Args, Debug)]
pub struct Search {
    pub words: Vec<String>,
    #[arg(long)]
    pub kind: Vec<Kind>,
    /// Written by or naming that person
    #[arg(long)]
    pub person: Option<String>,
    #[arg(long)]
    pub check: Vec<String>,
    /// The first day (UTC)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<NaiveDate>,
    /// The last day (UTC)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<NaiveDate>,
    /// How many at most, the newest
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Export {
    #[default]
    Jsonl,
    Markdown,
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say whether it is right, and what it switches on
    Check,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_snooze_always_ends() {
        assert_eq!(snooze("3d"), Ok(TimeDelta::days(3)));
        for text in ["91d", "0s", "1ns", "for ever", "-1d"] {
            assert!(snooze(text).is_err(), "{text}");
        }
    }
}
