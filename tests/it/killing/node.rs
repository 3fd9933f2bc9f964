//! A process that serves, and is killed.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::world::{sentry, slack::web_api, stripe, trackers::github};

pub(super) const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// What is started.
#[derive(Clone)]
pub(super) enum Launch {
    Binary(PathBuf),
    /// The same, but a file that grows too long is an error, and no signal that ends it.
    Unlimited(PathBuf),
    /// Under strace, which writes down what it writes, syncs and answers.
    Traced(PathBuf),
    /// This test binary itself, in a role that the real one can't play.
    Role(&'static str),
}

pub(super) struct Node {
    /// Where people's requests go.
    pub(super) to: SocketAddr,
    pub(super) configuration: PathBuf,
    pub(super) output: PathBuf,
    launch: Launch,
    child: Option<Child>,
}

impl Node {
    pub(super) fn new(
        folder: &Path,
        name: &str,
        launch: Launch,
        to: SocketAddr,
        text: &str,
    ) -> Self {
        let configuration = folder.join(format!("{name}.toml"));
        std::fs::write(&configuration, text).expect("the configuration can be written");
        Self {
            to,
            configuration,
            output: folder.join(format!("{name}.output")),
            launch,
            child: None,
        }
    }

    pub(super) fn command(&self) -> Command {
        let mut command = match &self.launch {
            Launch::Binary(path) | Launch::Unlimited(path) | Launch::Traced(path) => {
                Command::new(path)
            }
            Launch::Role(_) => Command::new(env!("CARGO_BIN_EXE_daily-ops")),
        };
        self.furnish(&mut command);
        command
    }

    fn furnish(&self, command: &mut Command) {
        command
            .env_clear()
            .env("SENTRY_AUTH_TOKEN", sentry::TOKEN)
            .env("STRIPE_API_KEY", stripe::KEY)
            .env("GITHUB_TOKEN", github::TOKEN)
            .env("SLACK_BOT_TOKEN", web_api::TOKEN)
            .env("SLACK_SIGNING_SECRET", SIGNING)
            .env("DAILY_OPS_CONFIG", &self.configuration)
            .env("USER", "anna");
    }

    pub(super) fn start(&mut self) {
        let mut command = match &self.launch {
            Launch::Binary(path) => {
                let mut command = Command::new(path);
                self.furnish(&mut command);
                command.arg("serve");
                command
            }
            Launch::Unlimited(path) => {
                let mut command = Command::new("sh");
                self.furnish(&mut command);
                command
                    .args(["-c", "trap '' XFSZ; exec \"$0\" serve"])
                    .arg(path);
                command
            }
            Launch::Traced(path) => {
                let mut command = Command::new("strace");
                self.furnish(&mut command);
                command
                    .env("PATH", "/usr/local/bin:/usr/bin:/bin")
                    .args(["-D", "-f", "-y", "-s", "40", "-o"])
                    .arg(self.trace())
                    .args([
                        "-e",
                        "trace=pwrite64,fsync,fdatasync,write,writev,sendto,read,recvfrom",
                    ])
                    .arg(path)
                    .arg("serve");
                command
            }
            Launch::Role(role) => {
                let this = std::env::current_exe().expect("this binary has a path");
                let mut command = Command::new(this);
                self.furnish(&mut command);
                command
                    .env("KILLING_ROLE", role)
                    .env("KILLING_FRONT", self.to.to_string())
                    .args(["--exact", "killing::role::a_server_of_the_loops"])
                    .arg("--nocapture");
                command
            }
        };
        let output = self.append();
        let errors = output.try_clone().expect("a second handle");
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors);
        self.child = Some(child.spawn().expect("it starts"));
    }

    /// Where strace writes.
    pub(super) fn trace(&self) -> PathBuf {
        self.output.with_extension("trace")
    }

    fn append(&self) -> File {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        options.open(&self.output).expect("its output can be kept")
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it has ended");
            writeln!(self.append(), "--- killed ---").ok();
        }
    }

    /// SIGSTOP, SIGCONT.
    pub(super) fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            let pid = child.id().to_string();
            let sent = Command::new("kill").args([signal, &pid]).status();
            assert!(sent.is_ok_and(|status| status.success()), "{signal}");
        }
    }

    /// Lets no file grow beyond so many bytes, or to any length again.
    pub(super) fn limit_files(&self, bytes: Option<u64>) {
        let pid = self.child.as_ref().map(Child::id).expect("it runs");
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let set = Command::new("prlimit")
            .arg(format!("--pid={pid}"))
            .arg(format!("--fsize={limit}:unlimited"))
            .status();
        assert!(set.is_ok_and(|status| status.success()), "the limit is set");
    }

    /// Whether it has ended by itself, which it never should.
    pub(super) fn has_ended(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_some()))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
