use std::{
    io::{IsTerminal, Write, stderr},
    process::ExitCode,
};

use clap::{FromArgMatches, error::ErrorKind};
use daily_ops::{
    cli::{self, Exit},
    command::{Cli, Command},
};
use tracing_subscriber::{EnvFilter, fmt};

fn main() -> ExitCode {
    let words = cli::grammar().try_get_matches();
    let cli = match words.and_then(|words| Cli::from_arg_matches(&words)) {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            error.print().ok();
            return if asked {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(Exit::CouldNotRun as u8)
            };
        }
    };
    log(matches!(cli.command, Command::Serve));
    // Two providers in one process would make the first handshake panic; this one is everybody's.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => {
            // On a worker, whose memory the checks use again after the configuration has been read.
            let done = runtime.block_on(runtime.spawn(cli::run(cli, environment)));
            // A name server that never answers would hold its thread, and this process with it.
            runtime.shutdown_background();
            done.unwrap_or_else(|failure| {
                Err(anyhow::Error::from(failure).context("this is a defect"))
            })
        }
        Err(error) => Err(anyhow::Error::from(error).context("can't start")),
    };
    match done {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            // A name in it may come from anywhere, and must not steer the terminal.
            for line in format!("error: {error:#}").lines() {
                writeln!(stderr(), "{}", printable(line)).ok();
            }
            ExitCode::from(Exit::CouldNotRun as u8)
        }
    }
}

/// Writes to standard error: for people, or as JSON lines where a service's log is collected.
fn log(serves: bool) {
    let usual = if serves { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let terminal = stderr().is_terminal();
    let colour = terminal && environment("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(colour)
        .with_target(false);
    match (serves, terminal) {
        (true, false) => lines.json().flatten_event(true).init(),
        (true, true) => lines.init(),
        (false, _) => lines.without_time().init(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment is read here and handed on"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}
