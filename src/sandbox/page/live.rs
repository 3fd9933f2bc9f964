//! Pushes what changed to each window.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{RawQuery, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{Stream, unfold};
use tokio::{sync::watch, time::sleep};

use super::{
    draw::draw,
    front::Front,
    look::Look,
    piece::{Change, Piece},
};

/// What happens within it is shown at once.
const TOGETHER: Duration = Duration::from_millis(12);

struct Window {
    front: Arc<Front>,
    look: Look,
    /// None: nothing was sent yet.
    sent: Option<Vec<Piece>>,
    slack: watch::Receiver<u64>,
    world: watch::Receiver<u64>,
    own: watch::Receiver<u64>,
    shutdown: watch::Receiver<bool>,
}

pub(super) async fn live(
    State(front): State<Arc<Front>>,
    RawQuery(query): RawQuery,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let look = {
        let world = front.office.slack.world();
        Look::read(query.as_deref().unwrap_or_default(), &world)
    };
    let window = Window {
        slack: front.office.slack.changes(),
        world: front.office.world.changes(),
        own: front.changed.subscribe(),
        shutdown: front.shutdown.clone(),
        front,
        look,
        sent: None,
    };
    let changes = unfold(window, |mut window| async move {
        let event = window.next().await?;
        Some((Ok(event), window))
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}

impl Window {
    /// None: the sandbox ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if *self.shutdown.borrow() {
                return None;
            }
            self.slack.mark_unchanged();
            self.world.mark_unchanged();
            self.own.mark_unchanged();
            let pieces = draw(&self.front, &self.look).await;
            let event = match &self.sent {
                // The window may have been without news for a while: it gets everything.
                None => Some(("page", Change::between(&[], &pieces))),
                Some(sent) => {
                    let change = Change::between(sent, &pieces);
                    (!change.is_empty()).then_some(("change", change))
                }
            };
            self.sent = Some(pieces);
            if let Some((name, change)) = event {
                return Event::default().event(name).json_data(change).ok();
            }
            self.wait().await;
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.slack.changed() => {}
            _ = self.world.changed() => {}
            _ = self.own.changed() => {}
            _ = self.shutdown.wait_for(|stop| *stop) => {}
        }
        sleep(TOGETHER).await;
    }
}
