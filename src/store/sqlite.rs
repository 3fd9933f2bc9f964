//! The embedded database: one file, one process that writes, several readers.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use sqlx::{
    Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tempfile::TempDir;

use super::{
    Access, Boxed, Connection,
    gather::{Gathered, Gatherer},
    schema,
    writer::Writer,
};

/// The first version whose write-ahead log loses no commit when two connections meet.
const OLDEST_SAFE: [u32; 3] = [3, 51, 3];
/// The tables that a round or a decision relies on unread. Those of the log are left to its chain: they grow for ever.
const CHECKS: [&str; 5] = [
    "PRAGMA quick_check(runs)",
    "PRAGMA quick_check(memory)",
    "PRAGMA quick_check(decisions)",
    "PRAGMA quick_check(effects)",
    "PRAGMA quick_check(chain_head)",
];
/// Bytes that a database may take in memory before it had better be on the disk.
const ROOM: u64 = 512 << 20;
const READERS: u32 = 4;
const BUSY: Duration = Duration::from_secs(5);

pub(super) struct Database {
    writer: Option<Writer>,
    readers: SqlitePool,
    /// Where a database lives that was asked for in memory: readers and writer need a file to share.
    _folder: Option<TempDir>,
}

impl Database {
    pub(super) async fn open(name: &str, access: Access) -> anyhow::Result<Self> {
        if name == ":memory:" {
            let folder = folder_in_memory()
                .map_or_else(tempfile::tempdir, Ok)
                .context("no temporary folder for the database")?;
            let file = folder.path().join("daily-ops.db");
            let mut database = Self::write_to(&file, SqliteSynchronous::Off).await?;
            database._folder = Some(folder);
            return Ok(database);
        }
        let name = name.strip_prefix("//").unwrap_or(name);
        if name.is_empty() || name.contains('?') {
            bail!("sqlite: wants a file and no parameters, such as sqlite:daily-ops.db");
        }
        match access {
            Access::ReadWrite => Self::write_to(Path::new(name), SqliteSynchronous::Full).await,
            Access::ReadOnly => Self::read_from(Path::new(name)).await,
        }
    }

    async fn write_to(file: &Path, synchronous: SqliteSynchronous) -> anyhow::Result<Self> {
        let shown = file.display();
        make(file).with_context(|| format!("the database {shown} can't be made"))?;
        let lock = lock(file)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            // What is erased is overwritten.
            .pragma("secure_delete", "ON");
        let connection = connect(&options).await.map_err(|error| {
            let trouble = if is_damage(&error) {
                "is damaged: restore it from a backup"
            } else {
                "can't be used"
            };
            error.context(format!("the database {shown} {trouble}"))
        })?;
        Ok(Self {
            writer: Some(Writer::start(connection, options, lock)),
            readers: readers(file),
            _folder: None,
        })
    }

    async fn read_from(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        if !file.exists() {
            bail!("there is no database {shown} yet: `daily-ops daily` makes it");
        }
        let readers = readers(file);
        let mut connection = readers
            .acquire()
            .await
            .with_context(|| format!("the database {shown} can't be opened for reading"))?;
        schema::check_sqlite(&mut connection)
            .await
            .with_context(|| format!("the database {shown} can't be used"))?;
        Ok(Self {
            writer: None,
            readers,
            _folder: None,
        })
    }

    pub(super) async fn snapshot(&self) -> anyhow::Result<Transaction<'static, Sqlite>> {
        self.readers
            .begin()
            .await
            .context("the database could not be read")
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> FnOnce(&'t mut Connection<'c>) -> Boxed<'t, anyhow::Result<T>>
        + Send
        + 'static,
    ) -> anyhow::Result<T> {
        match &self.writer {
            Some(writer) => writer.write(work).await,
            None => bail!("the store was opened for reading only"),
        }
    }

    pub(super) async fn gather<R: Gathered>(
        &self,
        gatherer: &Gatherer<R>,
        row: R,
    ) -> anyhow::Result<R::Answer> {
        match &self.writer {
            Some(writer) => gatherer.write(row, writer).await,
            None => bail!("the store was opened for reading only"),
        }
    }

    pub(super) fn commits(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::commits)
    }

    /// Moves what is in the write-ahead log into the file, so that erased text is in neither.
    pub(super) async fn fold(&self) -> anyhow::Result<()> {
        match &self.writer {
            Some(writer) => writer.fold().await,
            None => Ok(()),
        }
    }

    pub(super) async fn close(&self) {
        // The last one to close folds the write-ahead log into the file, and only the writer can.
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }
}

/// Where Linux keeps files in memory; None: nowhere, or with little room, as in a container.
fn folder_in_memory() -> Option<TempDir> {
    const SHARED: &str = "/dev/shm";
    let there = rustix::fs::statvfs(SHARED).ok()?;
    let free = there.f_bavail.saturating_mul(there.f_frsize);
    (free >= ROOM)
        .then(|| tempfile::tempdir_in(SHARED).ok())
        .flatten()
}

fn readers(file: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .busy_timeout(BUSY);
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(BUSY)
        .connect_lazy_with(options)
}

/// Makes an empty file that only its owner reads, if there is none.
fn make(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A child process that is being started holds a copy of what its parent has open, until its own program runs.
fn patiently(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..10 {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "at the start, where nobody waits"
                )]
                std::thread::sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
    lock.try_lock()
}

/// Takes `FILE.lock`, which the kernel lets go when the process ends, however it ends.
fn lock(file: &Path) -> anyhow::Result<File> {
    let real = file
        .canonicalize()
        .with_context(|| format!("the database {} can't be opened", file.display()))?;
    let mut name = real.into_os_string();
    name.push(".lock");
    let name = PathBuf::from(name);
    let failed = || format!("the lock {} can't be taken", name.display());
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .with_context(failed)?;
    match patiently(&lock) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let pid = match lock
                .read_to_string(&mut holder)
                .ok()
                .and(holder.trim().parse::<u32>().ok())
            {
                Some(pid) => format!(" (pid {pid})"),
                None => String::new(),
            };
            let shown = file.file_name().unwrap_or(file.as_os_str()).display();
            bail!(
                "another daily-ops{pid} works on {shown}: stop it first, or use PostgreSQL for several"
            );
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
    }
    lock.set_len(0).with_context(failed)?;
    lock.rewind().with_context(failed)?;
    write!(lock, "{}", std::process::id()).with_context(failed)?;
    Ok(lock)
}

/// What is written to, sound and up to date.
async fn connect(options: &SqliteConnectOptions) -> anyhow::Result<SqliteConnection> {
    let mut connection = SqliteConnection::connect_with(options)
        .await
        .context("it can't be opened")?;
    assert_safe(&mut connection).await?;
    schema::bring_up_sqlite(&mut connection).await?;
    check(&mut connection).await?;
    Ok(connection)
}

/// Says what is wrong with a table that SQLite finds damaged.
#[derive(Debug, thiserror::Error)]
#[error("SQLite finds {0}")]
struct Damage(String);

async fn check(connection: &mut SqliteConnection) -> anyhow::Result<()> {
    for pragma in CHECKS {
        let found: String = sqlx::query_scalar(pragma)
            .fetch_one(&mut *connection)
            .await
            .context("the tables could not be checked")?;
        if found != "ok" {
            bail!(Damage(crate::text::cut(
                &crate::text::one_line(&found),
                200
            )));
        }
    }
    Ok(())
}

fn is_damage(error: &anyhow::Error) -> bool {
    error.is::<Damage>()
        || error.chain().any(|cause| {
            let code = match cause.downcast_ref::<sqlx::Error>() {
                Some(sqlx::Error::Database(error)) => error.code(),
                _ => None,
            };
            // SQLITE_CORRUPT and SQLITE_NOTADB, whose low byte stays in their extended codes.
            let code = code.and_then(|code| code.parse::<u32>().ok());
            matches!(code.map(|code| code & 0xff), Some(11 | 26))
        })
}

async fn assert_safe(connection: &mut SqliteConnection) -> anyhow::Result<()> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .context("SQLite does not say its version")?;
    let numbers: Vec<u32> = version
        .split('.')
        .filter_map(|number| number.parse().ok())
        .collect();
    if numbers.as_slice() < OLDEST_SAFE.as_slice() {
        bail!(
            "SQLite {version} can lose commits in WAL mode: build daily-ops with the SQLite that it brings along"
        );
    }
    Ok(())
}
