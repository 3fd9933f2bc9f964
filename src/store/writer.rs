//! SQLite's one writer: it commits what waits in groups, and answers after the commit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, anyhow};
use sqlx::{Connection as _, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
};

use super::{Boxed, Connection};

/// Jobs that may wait.
const QUEUE: usize = 1024;
/// Jobs in one transaction.
const GROUP: usize = 256;
/// How often the others have their turn before a group is written that nobody joins.
const TURNS: usize = 2;
/// How long a job may wait for a place in the queue.
const PATIENCE: Duration = Duration::from_millis(2500);

pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    commits: Arc<AtomicU64>,
}

enum Message {
    Write(Box<dyn Job>),
    Fold(oneshot::Sender<sqlx::Result<()>>),
    Close(oneshot::Sender<()>),
}

/// Work that is done inside a transaction, and answered after its commit.
pub(super) trait Job: Send {
    /// False if it failed, and has to be rolled back.
    fn run<'t>(&'t mut self, connection: &'t mut Connection<'_>) -> Boxed<'t, bool>;
    fn answer(self: Box<Self>, committed: Result<(), &sqlx::Error>);
}

struct Task<F, T> {
    work: Option<F>,
    result: Option<anyhow::Result<T>>,
    to: oneshot::Sender<anyhow::Result<T>>,
}

impl<F, T> Job for Task<F, T>
where
    F: for<'t, 'c> FnOnce(&'t mut Connection<'c>) -> Boxed<'t, anyhow::Result<T>> + Send,
    T: Send,
{
    fn run<'t>(&'t mut self, connection: &'t mut Connection<'_>) -> Boxed<'t, bool> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return false;
            };
            let result = work(connection).await;
            let done = result.is_ok();
            self.result = Some(result);
            done
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), &sqlx::Error>) {
        let answer = match (self.result, committed) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(done)), Ok(())) => Ok(done),
            (_, Err(error)) => Err(anyhow!("the database did not confirm the write: {error}")),
            (None, Ok(())) => Err(anyhow!("the write was not begun")),
        };
        // Whoever asked may have gone; what is written stays written.
        drop(self.to.send(answer));
    }
}

impl Writer {
    /// Starts the writer on a connection that is open; `guard` is held until it has ended.
    pub(super) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        guard: impl Send + 'static,
    ) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let commits = Arc::new(AtomicU64::new(0));
        let desk = Desk {
            connection: Some(connection),
            options,
            commits: Arc::clone(&commits),
        };
        tokio::spawn(desk.serve(messages, guard));
        Self { queue, commits }
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t, 'c> FnOnce(&'t mut Connection<'c>) -> Boxed<'t, anyhow::Result<T>>
        + Send
        + 'static,
    ) -> anyhow::Result<T> {
        let (to, answer) = oneshot::channel();
        let job = Box::new(Task {
            work: Some(work),
            result: None,
            to,
        });
        self.queue(job).await?;
        answer
            .await
            .context("the database's writer has ended; start daily-ops again")?
    }

    /// Gives a job a place in the queue.
    pub(super) async fn queue(&self, job: Box<dyn Job>) -> anyhow::Result<()> {
        match self.queue.send_timeout(Message::Write(job), PATIENCE).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(anyhow!(
                "the database takes too long: {QUEUE} writes wait already; nothing was written, try again"
            )),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(anyhow!("the database is closed")),
        }
    }

    /// Empties the write-ahead log into the file.
    pub(super) async fn fold(&self) -> anyhow::Result<()> {
        let (to, folded) = oneshot::channel();
        if self.queue.send(Message::Fold(to)).await.is_err() {
            return Err(anyhow!("the database is closed"));
        }
        folded
            .await
            .context("the database's writer has ended; start daily-ops again")?
            .context("the write-ahead log could not be emptied")
    }

    /// Returns when all that was accepted is written, and the file is closed.
    pub(super) async fn close(&self) {
        let (to, closed) = oneshot::channel();
        if self.queue.send(Message::Close(to)).await.is_ok() {
            drop(closed.await);
        }
    }
}

struct Desk {
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    commits: Arc<AtomicU64>,
}

impl Desk {
    async fn serve(mut self, mut messages: mpsc::Receiver<Message>, guard: impl Send) {
        let (mut folding, mut closing) = (Vec::new(), Vec::new());
        while let Some(message) = messages.recv().await {
            let mut group: Vec<Box<dyn Job>> = Vec::new();
            let mut next = Some(message);
            while let Some(message) = next.take() {
                match message {
                    Message::Write(job) => group.push(job),
                    Message::Fold(to) => folding.push(to),
                    Message::Close(to) => {
                        messages.close();
                        closing.push(to);
                    }
                }
                if group.len() < GROUP {
                    next = messages.try_recv().ok();
                    if next.is_none() && !group.is_empty() {
                        next = more(&mut messages).await;
                    }
                }
            }
            self.write(group).await;
            for to in folding.drain(..) {
                drop(to.send(self.fold().await));
            }
        }
        // Both are done again at the next start, if they fail now.
        drop(self.fold().await);
        if let Some(connection) = self.connection.take() {
            drop(connection.close().await);
        }
        drop(guard);
        for to in closing {
            let _gone = to.send(());
        }
    }

    async fn fold(&mut self) -> sqlx::Result<()> {
        match &mut self.connection {
            Some(connection) => {
                let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
                    .fetch_one(connection)
                    .await?;
                if busy != 0 {
                    tracing::warn!("a reader kept the write-ahead log from being emptied");
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Writes a group in one transaction. After any error the connection is thrown away: a failed COMMIT leaves it
    /// unusable for good.
    async fn write(&mut self, mut group: Vec<Box<dyn Job>>) {
        if group.is_empty() {
            return;
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match SqliteConnection::connect_with(&self.options).await {
                Ok(connection) => connection,
                Err(error) => return answer(group, Err(&error)),
            },
        };
        match transact(&mut connection, &mut group).await {
            Ok(clean) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                answer(group, Ok(()));
                if clean {
                    self.connection = Some(connection);
                } else {
                    drop(connection.close().await);
                }
            }
            Err(error) => {
                tracing::error!(%error, writes = group.len(), "the database refused a group of writes");
                drop(connection.close_hard().await);
                answer(group, Err(&error));
            }
        }
    }
}

/// Lets those have their turn who are about to ask for a write: a commit costs more than they take.
async fn more(messages: &mut mpsc::Receiver<Message>) -> Option<Message> {
    for _ in 0..TURNS {
        yield_now().await;
        if let Ok(message) = messages.try_recv() {
            return Some(message);
        }
    }
    None
}

/// True if no job failed. A job that fails is rolled back alone.
async fn transact(
    connection: &mut SqliteConnection,
    group: &mut [Box<dyn Job>],
) -> sqlx::Result<bool> {
    let mut clean = true;
    connection.execute("BEGIN IMMEDIATE").await?;
    if let [only] = group {
        // Each statement is a way to the database's thread and back.
        let done = only.run(&mut Connection::Sqlite(connection)).await;
        connection
            .execute(if done { "COMMIT" } else { "ROLLBACK" })
            .await?;
        return Ok(done);
    }
    for job in group {
        connection.execute("SAVEPOINT job").await?;
        if !job.run(&mut Connection::Sqlite(connection)).await {
            clean = false;
            connection.execute("ROLLBACK TO job").await?;
        }
        connection.execute("RELEASE job").await?;
    }
    connection.execute("COMMIT").await?;
    Ok(clean)
}

fn answer(group: Vec<Box<dyn Job>>, committed: Result<(), &sqlx::Error>) {
    for job in group {
        job.answer(committed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_stays_full_is_an_error_and_loses_nothing() {
        let options = SqliteConnectOptions::new();
        let connection = SqliteConnection::connect_with(&options).await.unwrap();
        let writer = Arc::new(Writer::start(connection, options, ()));
        let (go, wait) = oneshot::channel::<()>();
        let (begun, began) = oneshot::channel();
        let slow = Arc::clone(&writer);
        let slow = tokio::spawn(async move {
            slow.write(move |_| {
                Box::pin(async move {
                    begun.send(()).map_err(|()| anyhow!("nobody waits"))?;
                    wait.await.context("nobody lets go")
                })
            })
            .await
        });
        began.await.unwrap();
        let waiting: Vec<_> = (0..QUEUE)
            .map(|_| {
                let writer = Arc::clone(&writer);
                tokio::spawn(async move { writer.write(|_| Box::pin(async { Ok(()) })).await })
            })
            .collect();
        while writer.queue.capacity() > 0 {
            tokio::task::yield_now().await;
        }

        let started = tokio::time::Instant::now();
        let error = writer
            .write(|_| Box::pin(async { Ok(()) }))
            .await
            .unwrap_err();
        assert_eq!(started.elapsed(), PATIENCE);
        assert!(
            error.to_string().contains("nothing was written, try again"),
            "{error}"
        );

        go.send(()).unwrap();
        slow.await.unwrap().unwrap();
        for job in waiting {
            job.await.unwrap().unwrap();
        }
        writer.close().await;
    }
}
