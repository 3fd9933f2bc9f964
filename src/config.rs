//! The configuration: one TOML file, assembled of sections that live with their modules; secrets from the environment.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    bot::{Bot, Projection, Wake},
    checks::{Checklist, Registry, Secrets},
    permissions::Permissions,
    schedule::{Clock, Schedule},
    serve, slack,
    store::Store,
    text::{nearest, one_line, redact},
    trackers::{Returned, Tickets, Tracker},
};

/// The variable that wins over `[database] url`.
const DATABASE_URL: &str = "DATABASE_URL";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections {
    #[serde(default)]
    database: Database,
    #[serde(default)]
    schedule: Schedule,
    #[serde(default)]
    ops_log: OpsLog,
    #[serde(default)]
    tickets: Tickets,
    slack: Option<slack::Settings>,
    #[serde(default)]
    server: serve::Settings,
    permissions: Option<Permissions>,
    /// E-mail addresses by Slack user id.
    #[serde(default)]
    people: BTreeMap<String, String>,
    /// Read by the checks themselves.
    #[serde(default)]
    checks: toml::Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Database {
    url: String,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "sqlite:daily-ops.db".to_owned(),
        }
    }
}

/// Where the ops log's projection is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpsLog {
    pub path: PathBuf,
}

impl Default for OpsLog {
    fn default() -> Self {
        Self {
            path: PathBuf::from("docs/ops/ops-log.md"),
        }
    }
}

/// All that is needed to run.
pub struct Config {
    pub database_url: SecretString,
    pub schedule: Schedule,
    pub ops_log: OpsLog,
    pub checklist: Checklist,
    pub tracker: Tracker,
    /// What becomes of a closed ticket whose finding comes back.
    pub returned: Returned,
    /// None: no chat.
    pub slack: Option<slack::Settings>,
    pub server: serve::Settings,
    /// None: nobody may do anything from a chat.
    pub permissions: Option<Permissions>,
    /// The e-mail addresses by which the other side knows people, by Slack user id.
    pub people: BTreeMap<String, String>,
}

impl Config {
    /// The bot that it describes, on this store.
    pub fn bot(self, store: Store, clock: Clock) -> Bot {
        Bot {
            store,
            checklist: self.checklist,
            tracker: self.tracker,
            returned: self.returned,
            schedule: self.schedule,
            log_path: self.ops_log.path,
            clock,
            people: self.people,
            wake: Wake::default(),
            projection: Projection::default(),
        }
    }

    /// Reads the file at `path` and, through `env`, the secrets. Relative paths in it are relative to the working
    /// directory.
    pub fn read(
        path: &Path,
        registry: &Registry,
        env: &impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| {
            format!("can't read the configuration {}; name another with --config, or start from daily-ops.example.toml", path.display())
        })?;
        Self::parse(&text, registry, env)
            .with_context(|| format!("the configuration {} is not right", path.display()))
    }

    pub fn parse(
        text: &str,
        registry: &Registry,
        env: &impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let file: Sections = toml::from_str(text).map_err(|error| explain(&error.to_string()))?;
        let secrets = registry
            .secrets()
            .filter_map(|name| secret(name, env).transpose())
            .map(|found| found.map(|(name, value)| (name.to_owned(), value)))
            .collect::<anyhow::Result<Secrets>>()?;
        let checklist = registry
            .configure(file.checks, secrets)
            .map_err(|error| explain(&format!("{error:#}")))?;
        file.tickets.validate().context("in [tickets]")?;
        let token = match file.tickets.secret() {
            Some((name, _)) => secret(name, env)?.map(|(_, token)| token),
            None => None,
        };
        let tracker = file.tickets.tracker(token);
        let database_url = match secret(DATABASE_URL, env)? {
            Some((_, url)) => url,
            None => file.database.url.into(),
        };
        let slack = match file.slack {
            Some(settings) => Some(
                settings.with_secrets(&|name| Ok(secret(name, env)?.map(|(_, value)| value)))?,
            ),
            None => None,
        };
        if let Some(permissions) = &file.permissions {
            permissions.validate()?;
        }
        let database_file = database_url
            .expose_secret()
            .strip_prefix("sqlite:")
            .map(Path::new);
        ensure!(
            database_file != Some(file.ops_log.path.as_path()),
            "`path` in [ops_log] is the database's own file: give the Markdown file a name of its own"
        );
        Ok(Self {
            database_url,
            schedule: file.schedule,
            ops_log: file.ops_log,
            checklist,
            tracker,
            returned: file.tickets.returned,
            slack,
            server: file.server,
            permissions: file.permissions,
            people: file.people,
        })
    }
}

/// The secret in `NAME`, or in the file that `NAME_FILE` names; an empty one counts as none.
fn secret<'a>(
    name: &'a str,
    env: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<(&'a str, SecretString)>> {
    let in_file = format!("{name}_FILE");
    let value = match (env(name), env(&in_file)) {
        (Some(_), Some(_)) => bail!("{name} and {in_file} are both set: keep one"),
        (Some(value), None) => value,
        (None, Some(path)) => secret_in(Path::new(&path))
            .with_context(|| format!("can't read the file that {in_file} names"))?,
        (None, None) => return Ok(None),
    };
    let value = value.trim();
    if value.contains(char::is_control) {
        bail!("{name} holds a control character: is it one line?");
    }
    Ok((!value.is_empty()).then(|| (name, value.into())))
}

/// No secret is longer than a page; a device or a wrong file is not read to its end.
fn secret_in(path: &Path) -> anyhow::Result<String> {
    const LIMIT: u64 = 4096;
    let mut text = String::new();
    File::open(path)?
        .take(LIMIT + 1)
        .read_to_string(&mut text)?;
    ensure!(
        text.len() as u64 <= LIMIT,
        "it holds more than {LIMIT} bytes: is it the right file?"
    );
    Ok(text)
}

/// Adds the nearest right name to serde's "unknown field", and keeps passwords in the quoted line to itself.
fn explain(error: &str) -> anyhow::Error {
    let mut text = error.lines().map(redact).collect::<Vec<_>>().join("\n");
    if let Some((_, rest)) = error.split_once("unknown field `")
        && let Some((wrong, rest)) = rest.split_once('`')
        && let Some(near) = nearest(wrong, rest.split('`').skip(1).step_by(2))
    {
        text = format!(
            "{}\ndid you mean `{near}` instead of `{}`?",
            text.trim_end(),
            one_line(wrong)
        );
    }
    anyhow!(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::registry;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, &registry(), &|_| None).map_err(|error| format!("{error:#}"))
    }

    fn refusal(text: &str) -> String {
        parse(text).err().expect("this configuration is wrong")
    }

    #[test]
    fn an_empty_file_switches_everything_off() {
        let config = parse("").expect("it is right");
        assert!(config.checklist.list().iter().all(|check| !check.on));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_the_nearest_name() {
        let text = refusal("[database]\nulr = \"sqlite:x\"\n");
        assert!(
            text.contains("line 2") && text.contains("did you mean `url`"),
            "{text}"
        );
        let text = refusal("[checks.helth]\n");
        assert!(
            text.contains("there is no check `helth`; did you mean `health`?"),
            "{text}"
        );
        let text = refusal("[checks.health]\nendpoint = []\n");
        assert!(
            text.contains("[checks.health]") && text.contains("did you mean `endpoints`"),
            "{text}"
        );
    }

    #[test]
    fn the_log_can_not_be_written_over_the_database() {
        let text = refusal("[database]\nurl = \"sqlite:ops.db\"\n[ops_log]\npath = \"ops.db\"");
        assert!(text.contains("the database's own file"), "{text}");
    }

    #[test]
    fn a_password_in_the_file_is_not_repeated_in_the_error() {
        let text = refusal("[database]\nurl = \"postgres://ops:hunter2@db/ops\n");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_secret_comes_from_the_environment_or_from_a_file_but_not_from_both() {
        let env = |name: &str| {
            matches!(name, "SENTRY_AUTH_TOKEN" | "SENTRY_AUTH_TOKEN_FILE").then(|| "x".to_owned())
        };
        let text = format!(
            "{:#}",
            Config::parse("", &registry(), &env)
                .err()
                .expect("it is ambiguous")
        );
        assert!(
            text.contains("SENTRY_AUTH_TOKEN and SENTRY_AUTH_TOKEN_FILE are both set"),
            "{text}"
        );
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        use secrecy::ExposeSecret;
        let env = |name: &str| (name == "DATABASE_URL").then(|| " postgres://db/ops\n".to_owned());
        let config = Config::parse("[database]\nurl = \"sqlite:x\"", &registry(), &env)
            .expect("it is right");
        assert_eq!(config.database_url.expose_secret(), "postgres://db/ops");
    }
}
