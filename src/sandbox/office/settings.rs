//! The bot's configuration, as a person would have written it for this company and this Slack.

use std::net::SocketAddr;

use anyhow::Context;
use chrono_tz::Tz;
use secrecy::ExposeSecret;

use super::{
    super::{
        slack::{self, Slack},
        time::Time,
        world::{World, errors},
    },
    folder::{Folder, LOG},
};
use crate::{
    bot::Bot,
    checks::registry,
    command::Transport,
    config::Config,
    store::{Access, Store},
};

/// Where the company is.
pub(super) const ZONE: Tz = Tz::Europe__Berlin;

/// What every sandbox's bot has.
pub(super) fn of_any(world: &World, folder: &Folder) -> String {
    format!(
        "[database]\nurl = {}\n[ops_log]\npath = {}\n[schedule]\ndaily = \"09:00\"\ntime_zone = \"{ZONE}\"\n{}",
        quoted(&folder.database()),
        quoted(&folder.path().join(LOG).display().to_string()),
        world.configuration(),
    )
}

/// What one has beside it that serves.
pub(super) fn of_service(
    slack: &Slack,
    transport: Transport,
    door: SocketAddr,
    admin: SocketAddr,
) -> String {
    let transport = match transport {
        Transport::Http => "http",
        Transport::Socket => "socket",
    };
    let people: String = errors::in_slack()
        .map(|(id, email)| format!("{id} = \"{email}\"\n"))
        .collect();
    format!(
        "[slack]\ntransport = \"{transport}\"\nchannel = \"{}\"\napi_url = \"{}\"\n\
         [server]\nlisten = \"{door}\"\nadmin_listen = \"{admin}\"\n\
         [permissions]\ntriage = [\"{}\", \"{}\"]\nmoney = [\"{}\"]\n[people]\n{people}",
        slack::OPS,
        slack.url(),
        slack::ANNA,
        slack::BEN,
        slack::ANNA,
    )
}

pub(super) fn parse(text: &str, world: &World) -> anyhow::Result<Config> {
    Config::parse(text, &registry(), &|name| match name {
        "SLACK_BOT_TOKEN" => Some(slack::TOKEN.to_owned()),
        "SLACK_APP_TOKEN" => Some(slack::APP_TOKEN.to_owned()),
        "SLACK_SIGNING_SECRET" => Some(slack::SIGNING_SECRET.to_owned()),
        name => world.secret(name),
    })
}

pub(super) async fn bot(config: Config, time: &Time) -> anyhow::Result<Bot> {
    let url = config.database_url.expose_secret();
    let store = Store::open(url, Access::ReadWrite).await;
    let store = store.context("the sandbox has no database")?;
    Ok(config.bot(store, time.clock()))
}

/// As TOML writes a text.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_can_be_written_down() {
        for text in ["/tmp/plain", "C:\\a \"b\"", "/tmp/zero\u{200b}width\u{7f}"] {
            let read: toml::Table = format!("it = {}", quoted(text))
                .parse()
                .expect("it is TOML");
            assert_eq!(read["it"].as_str(), Some(text));
        }
    }
}
