//! A PostgreSQL server of our own, which may be stopped hard.

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{process::Command, time::sleep};

use super::options::variable;
use crate::world::ports::free_address;

/// Gone when it is dropped.
pub(super) struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// None, and loudly so, where the server's programs are not installed.
    pub(super) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(
                variable("CI").is_none(),
                "CI skips nothing: install PostgreSQL"
            );
            let skipped = "\n*** SKIPPED: there is no initdb in /usr/lib/postgresql ***\n";
            writeln!(std::io::stderr(), "{skipped}").ok();
            return None;
        };
        let postgres = Self {
            programs,
            folder: TempDir::new().expect("a folder can be made"),
            port: free_address().port(),
        };
        let folder = postgres.folder.path().display();
        if is_root() {
            let mut give = Command::new("chown");
            let given = give
                .arg("postgres")
                .arg(postgres.folder.path())
                .status()
                .await;
            assert!(
                given.is_ok_and(|status| status.success()),
                "it is postgres's own"
            );
        }
        let made = format!("initdb -D {folder}/data -A trust -U postgres -E UTF8 --no-locale");
        assert!(postgres.run(&made).await, "{made}");
        assert!(postgres.up().await, "the server starts");
        Some(postgres)
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it without any farewell, and starts it again after a while.
    pub(super) async fn crash(&self, pause: Duration) {
        let folder = self.folder.path().display();
        let stop = format!("pg_ctl -D {folder}/data -m immediate stop");
        assert!(self.run(&stop).await, "it is stopped");
        sleep(pause).await;
        assert!(self.up().await, "it starts again");
    }

    async fn up(&self) -> bool {
        let (folder, port) = (self.folder.path().display(), self.port);
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=60"
        );
        self.run(&format!(
            "pg_ctl -D {folder}/data -w -l {folder}/log -o '{options}' start"
        ))
        .await
    }

    /// As the user postgres, since the server refuses to be root's.
    async fn run(&self, words: &str) -> bool {
        let mut command = shell(&self.programs, words);
        command.status().await.is_ok_and(|status| status.success())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let folder = self.folder.path().display();
        let words = format!("pg_ctl -D {folder}/data -m immediate stop");
        shell(&self.programs, &words).as_std_mut().status().ok();
    }
}

fn shell(programs: &Path, words: &str) -> Command {
    let line = format!("{}/{words} >/dev/null 2>&1 </dev/null", programs.display());
    if is_root() {
        let mut command = Command::new("su");
        command.args(["postgres", "-s", "/bin/sh", "-c", &line]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &line]);
        command
    }
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders
        .filter(|folder| folder.join("initdb").exists())
        .max()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0)
}
