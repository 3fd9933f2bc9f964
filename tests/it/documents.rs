//! What stands in README.md and in the example is true.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use daily_ops::{
    checks::registry,
    command::Cli,
    config::Config,
    slack::{APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, manifest},
};

const EXAMPLE: &str = include_str!("../../daily-ops.example.toml");
const README: &str = include_str!("../../README.md");

/// The example with its commented settings switched on: lines that are TOML behind a single `# `.
fn with_everything_on() -> String {
    let setting = |line: &str| {
        let rest = line.strip_prefix("# ")?;
        let name = rest.split(" = ").next().unwrap_or(rest);
        let is_key =
            rest.contains(" = ") && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (is_key || rest.starts_with('[') || rest.starts_with("  {") || rest == "]")
            .then(|| rest.to_owned())
    };
    EXAMPLE
        .lines()
        .map(|line| setting(line).unwrap_or_else(|| line.to_owned()) + "\n")
        .collect()
}

fn read(text: &str) -> Config {
    match Config::parse(text, &registry(), &|_| None) {
        Ok(config) => config,
        Err(error) => panic!("{error:#}"),
    }
}

#[test]
fn the_example_is_right_and_needs_no_account() {
    let config = read(EXAMPLE);
    assert!(
        config
            .checklist
            .list()
            .iter()
            .all(|check| check.missing_secrets.is_empty())
    );
    assert!(config.checklist.list().iter().any(|check| check.on));
}

#[test]
fn the_example_is_complete() {
    let text = with_everything_on();
    let config = read(&text);
    assert!(
        config.checklist.list().iter().all(|check| check.on),
        "{text}"
    );
    assert!(config.slack.is_some() && config.permissions.is_some() && !config.people.is_empty());
    for key in [
        "time_limit",
        "timeout",
        "confirm_after",
        "concurrency",
        "control",
        "ca_file",
        "name",
        "environment",
        "url",
        "status",
        "within",
        "contains",
        "certificate_days",
        "redirects",
        "severity",
        "runbook",
        "mode",
        "accounts",
        "webhooks_lookback",
        "payments_lookback",
        "invoices_lookback",
        "pending_after",
        "exhausted_after",
        "endpoints_off",
        "max_pages",
        "max_requests",
        "limits",
        "retrying",
        "declines",
        "dispute_due",
        "invoices",
        "large",
        "organization",
        "projects",
        "environments",
        "lookback",
        "max_issues",
        "notes",
        "spike",
        "rules",
        "levels",
        "priorities",
        "users",
        "events",
        "states",
        "unhandled",
        "title_contains",
        "days",
        "time_zone",
        "path",
        "transport",
        "channel",
        "api_url",
        "listen",
        "admin_listen",
        "daily",
        "look",
        "triage",
        "money",
    ] {
        assert!(
            text.contains(&format!("{key} = ")),
            "`{key}` is not explained"
        );
    }
}

#[test]
fn the_readme_names_every_command() {
    for command in Cli::command().get_subcommands() {
        assert!(
            README.contains(&format!("daily-ops {}", command.get_name())),
            "`{}` is not in README.md",
            command.get_name()
        );
        let own = command
            .get_subcommands()
            .filter(|own| own.get_name() != "help");
        for own in own {
            assert!(
                README.contains(own.get_name()),
                "`{} {}` is not in README.md",
                command.get_name(),
                own.get_name()
            );
        }
    }
}

#[test]
fn the_readme_explains_every_scope_and_secret_of_slack() {
    for user_groups in [false, true] {
        for (scope, _) in manifest::scopes(user_groups) {
            assert!(README.contains(&format!("| `{scope}` |")), "{scope}");
        }
    }
    for secret in [BOT_TOKEN, APP_TOKEN, SIGNING_SECRET] {
        assert!(README.contains(&format!("| `{secret}` |")), "{secret}");
    }
}

#[test]
fn the_readme_names_every_metric() {
    for name in daily_ops::serve::metrics::names() {
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_metric_that_is_counted_is_described() {
    let described: Vec<&str> = daily_ops::serve::metrics::names().collect();
    let mut counted = 0;
    let all = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    for source in all
        .iter()
        .filter(|path| !path.ends_with("serve/metrics.rs"))
    {
        let text = std::fs::read_to_string(source).expect("it is readable");
        for (at, _) in text.match_indices("\"daily_ops_") {
            let name = text[at + 1..].split('"').next().unwrap_or_default();
            assert!(described.contains(&name), "{name} in {}", source.display());
            counted += 1;
        }
    }
    assert!(counted > 0);
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is readable");
    entries
        .map(|entry| entry.expect("the entry is readable").path())
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn the_unit_and_the_image_start_what_there_is() {
    let unit = include_str!("../../deploy/daily-ops.service");
    for line in [
        "ExecStart=/usr/local/bin/daily-ops ",
        "NoNewPrivileges=yes",
        "DynamicUser=yes",
    ] {
        assert!(unit.contains(line), "{line}");
    }
    let image = include_str!("../../Dockerfile");
    for line in [
        "USER 65532:65532",
        "ENTRYPOINT [\"/usr/local/bin/daily-ops\"]",
    ] {
        assert!(image.contains(line), "{line}");
    }
}
