//! What stands in README.md and in the example is true.

use clap::CommandFactory;
use daily_ops::{checks::registry, command::Cli, config::Config};

const EXAMPLE: &str = include_str!("../../daily-ops.example.toml");
const README: &str = include_str!("../../README.md");

/// The example with its commented settings switched on: lines that are TOML behind a single `# `.
fn with_everything_on() -> String {
    let setting = |line: &str| {
        let rest = line.strip_prefix("# ")?;
        let name = rest.split(" = ").next().unwrap_or(rest);
        let is_key =
            rest.contains(" = ") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
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
