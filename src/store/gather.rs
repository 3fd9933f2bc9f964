//! Gathers rows that many ask for at a time, and writes them with one statement: the way to the database and back costs
//! more than a row.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, anyhow};
use tokio::sync::oneshot;

use super::{
    Boxed, Connection,
    writer::{Job, Writer},
};

/// A row that can be written together with others of its kind.
pub(super) trait Gathered: Send + Sync + Sized + 'static {
    type Answer: Send;

    /// Writes all rows, and answers each in its place.
    fn write<'t>(
        rows: &'t [Self],
        connection: &'t mut Connection<'_>,
    ) -> Boxed<'t, anyhow::Result<Vec<Self::Answer>>>;
}

type To<R> = oneshot::Sender<anyhow::Result<<R as Gathered>::Answer>>;
type Rows<R> = Mutex<Vec<(R, To<R>)>>;

/// Rows that wait. Whoever brings the first one puts a job into the writer's queue, which takes all that wait when it
/// is run.
pub(super) struct Gatherer<R: Gathered> {
    waiting: Arc<Rows<R>>,
}

impl<R: Gathered> Default for Gatherer<R> {
    fn default() -> Self {
        Self {
            waiting: Arc::default(),
        }
    }
}

impl<R: Gathered> Gatherer<R> {
    /// Once this returns, the row is on disk.
    pub(super) async fn write(&self, row: R, writer: &Writer) -> anyhow::Result<R::Answer> {
        let (to, answer) = oneshot::channel();
        let is_first = {
            let mut waiting = held(&self.waiting);
            waiting.push((row, to));
            waiting.len() == 1
        };
        if is_first {
            let round = Round {
                waiting: Some(Arc::clone(&self.waiting)),
                rows: Vec::new(),
                to: Vec::new(),
                result: None,
            };
            writer.queue(Box::new(round)).await?;
        }
        answer
            .await
            .context("the database did not take the write; nothing was written, try again")?
    }
}

/// One statement for all that wait.
struct Round<R: Gathered> {
    /// None once they are taken.
    waiting: Option<Arc<Rows<R>>>,
    rows: Vec<R>,
    to: Vec<To<R>>,
    result: Option<anyhow::Result<Vec<R::Answer>>>,
}

impl<R: Gathered> Round<R> {
    fn take(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            (self.rows, self.to) = mem::take(&mut *held(&waiting)).into_iter().unzip();
        }
    }
}

impl<R: Gathered> Job for Round<R> {
    fn run<'t>(&'t mut self, connection: &'t mut Connection<'_>) -> Boxed<'t, bool> {
        Box::pin(async move {
            self.take();
            let result = R::write(&self.rows, connection).await;
            let done = result.is_ok();
            self.result = Some(result);
            done
        })
    }

    fn answer(mut self: Box<Self>, committed: Result<(), &sqlx::Error>) {
        self.take();
        let error = match (self.result.take(), committed) {
            (Some(Ok(answers)), Ok(())) => {
                for (to, answer) in self.to.drain(..).zip(answers) {
                    // Whoever asked may have gone; what is written stays written.
                    drop(to.send(Ok(answer)));
                }
                return;
            }
            (Some(Err(error)), _) => format!("{error:#}"),
            (_, Err(error)) => format!("the database did not confirm the write: {error}"),
            (None, Ok(())) => "the write was not begun".to_owned(),
        };
        for to in self.to.drain(..) {
            drop(to.send(Err(anyhow!("{error}"))));
        }
    }
}

impl<R: Gathered> Drop for Round<R> {
    /// A round that found no place in the queue lets those go who wait for it: the next row begins another.
    fn drop(&mut self) {
        self.take();
    }
}

fn held<T>(waiting: &Mutex<T>) -> MutexGuard<'_, T> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
