//! How far a connection has come.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, sleep_until},
};

use super::Limits;

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Headers,
    Body,
    /// The request is complete.
    Answer,
    /// Between two requests.
    Idle,
}

impl Phase {
    fn limit(self, limits: &Limits) -> std::time::Duration {
        match self {
            Self::Headers => limits.headers,
            Self::Body => limits.body,
            Self::Answer => limits.answer,
            Self::Idle => limits.idle,
        }
    }
}

/// A connection's phase, and since when.
pub(super) struct Progress {
    now: Mutex<(Phase, Instant)>,
    /// When the connection began to wait for a complete request; nothing while it has one.
    waiting: Mutex<Option<Instant>>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            now: Mutex::new((Phase::Headers, now)),
            waiting: Mutex::new(Some(now)),
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        let now = Instant::now();
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = (phase, now);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match phase {
            Phase::Answer => *waiting = None,
            Phase::Idle => *waiting = Some(now),
            Phase::Headers | Phase::Body => {}
        }
    }

    fn now(&self) -> (Phase, Instant) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn waiting_since(&self) -> Option<Instant> {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when a phase has taken too long. Looks when the phase of now could be late, or one that begins at once: a
    /// timer that followed each phase would cost more than the phases of a small request.
    pub(super) async fn late(&self, limits: &Limits) -> Phase {
        loop {
            let (phase, since) = self.now();
            let (now, until) = (Instant::now(), since + phase.limit(limits));
            if until <= now {
                return phase;
            }
            sleep_until(until.min(now + limits.shortest())).await;
        }
    }
}

/// A stream that tells when the next request begins to arrive.
pub(super) struct Watched {
    stream: TcpStream,
    progress: Arc<Progress>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, progress: Arc<Progress>) -> Self {
        Self { stream, progress }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before && self.progress.now().0 == Phase::Idle {
            self.progress.enter(Phase::Headers);
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// A body that tells when it has ended: a request's, which is then complete, or an answer's.
pub(super) struct Tracked<B> {
    body: B,
    progress: Arc<Progress>,
    /// What begins with its end.
    next: Phase,
}

impl<B: Body> Tracked<B> {
    pub(super) fn request(body: B, progress: Arc<Progress>) -> Self {
        if body.is_end_stream() {
            progress.enter(Phase::Answer);
        }
        Self {
            body,
            progress,
            next: Phase::Answer,
        }
    }

    pub(super) fn response(body: B, progress: Arc<Progress>) -> Self {
        Self {
            body,
            progress,
            next: Phase::Idle,
        }
    }
}

impl<B> Drop for Tracked<B> {
    fn drop(&mut self) {
        // An answer's body is dropped when its last byte is handed over; a request's, whenever nobody reads on.
        if self.next == Phase::Idle {
            self.progress.enter(Phase::Idle);
        }
    }
}

impl<B: Body + Unpin> Body for Tracked<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let ended = matches!(frame, Poll::Ready(None)) || self.body.is_end_stream();
        if ended && self.next == Phase::Answer && self.progress.now().0 == Phase::Body {
            self.progress.enter(Phase::Answer);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
