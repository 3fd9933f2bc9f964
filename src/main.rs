use std::{
    io::{IsTerminal, Write, stderr},
    process::ExitCode,
};

use clap::{Parser, error::ErrorKind};
use daily_ops::{
    cli::{self, Exit},
    command::Cli,
};
use tracing_subscriber::{EnvFilter, fmt};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
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
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let colour =
        stderr().is_terminal() && environment("NO_COLOR").is_none_or(|value| value.is_empty());
    fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(colour)
        .without_time()
        .with_target(false)
        .init();
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
