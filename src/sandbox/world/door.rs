//! A loopback address that can be shut so that it refuses connections, and be opened again under the same port.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use anyhow::Context;
use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Notify,
    task::JoinSet,
};

/// It closes for good when it is dropped, with the connections that were let in.
pub struct Door {
    pub address: SocketAddr,
    hinge: Arc<Mutex<Hinge>>,
    server: tokio::task::AbortHandle,
}

struct Hinge {
    leaf: Leaf,
    /// Of whoever waits for the next connection.
    waiting: Option<Waker>,
    /// It is shut for one of two reasons.
    is_shut: bool,
    is_cut: bool,
    /// Those who were let in.
    inside: JoinSet<()>,
}

/// Ends the connection of a request without an answer; every request has it as an extension.
#[derive(Clone, Default)]
pub struct HangUp(Arc<Notify>);

impl HangUp {
    pub fn now(&self) {
        self.0.notify_one();
    }
}

enum Leaf {
    Open(TcpListener),
    /// Bound and not listening, it keeps its port from everybody else.
    Shut(TcpSocket),
    Broken,
}

impl Door {
    /// Serves these routes on a port that was free.
    pub async fn open(routes: Router) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("no port of this machine is free")?;
        let address = listener.local_addr()?;
        let hinge = Arc::new(Mutex::new(Hinge {
            leaf: Leaf::Open(listener),
            waiting: None,
            is_shut: false,
            is_cut: false,
            inside: JoinSet::new(),
        }));
        let server = tokio::spawn(let_in(Arc::clone(&hinge), routes));
        Ok(Self {
            address,
            hinge,
            server: server.abort_handle(),
        })
    }

    /// Whether its own service refuses connections.
    pub fn shut(&self, is_shut: bool) -> anyhow::Result<()> {
        let mut hinge = lock(&self.hinge);
        hinge.is_shut = is_shut;
        self.turn(&mut hinge)
    }

    /// Whether the way to it is gone.
    pub fn cut(&self, is_cut: bool) -> anyhow::Result<()> {
        let mut hinge = lock(&self.hinge);
        hinge.is_cut = is_cut;
        self.turn(&mut hinge)
    }

    fn turn(&self, hinge: &mut Hinge) -> anyhow::Result<()> {
        let closed = hinge.is_closed();
        if closed {
            hinge.inside.abort_all();
        }
        let leaf = std::mem::replace(&mut hinge.leaf, Leaf::Broken);
        let turned = match leaf {
            Leaf::Open(listener) if closed => {
                drop(listener);
                self.bind().map(Leaf::Shut)
            }
            Leaf::Shut(socket) if !closed => socket.listen(1024).map(Leaf::Open),
            Leaf::Broken => self.bind().and_then(|socket| match closed {
                true => Ok(Leaf::Shut(socket)),
                false => socket.listen(1024).map(Leaf::Open),
            }),
            leaf => Ok(leaf),
        };
        hinge.leaf = turned.with_context(|| {
            format!(
                "{} can't be used again; another program took its port, so start the sandbox anew",
                self.address
            )
        })?;
        if let Some(waiting) = hinge.waiting.take() {
            waiting.wake();
        }
        Ok(())
    }

    fn bind(&self) -> io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        Ok(socket)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.server.abort();
        lock(&self.hinge).inside.abort_all();
    }
}

impl Hinge {
    fn is_closed(&self) -> bool {
        self.is_shut || self.is_cut
    }
}

fn lock(hinge: &Mutex<Hinge>) -> MutexGuard<'_, Hinge> {
    hinge.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets connections in while the door is open.
async fn let_in(hinge: Arc<Mutex<Hinge>>, routes: Router) {
    loop {
        let stream = next(&hinge).await;
        let routes = routes.clone();
        let mut hinge = lock(&hinge);
        while hinge.inside.try_join_next().is_some() {}
        if !hinge.is_closed() {
            hinge.inside.spawn(answer(stream, routes));
        }
    }
}

async fn next(hinge: &Mutex<Hinge>) -> TcpStream {
    std::future::poll_fn(|cx| {
        let mut hinge = lock(hinge);
        if let Leaf::Open(listener) = &hinge.leaf {
            // A connection that was lost on its way in is no reason to wait.
            while let Poll::Ready(accepted) = listener.poll_accept(cx) {
                match accepted {
                    Ok((stream, _)) => return Poll::Ready(stream),
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(_) => break,
                }
            }
        }
        hinge.waiting = Some(cx.waker().clone());
        Poll::Pending
    })
    .await
}

async fn answer(stream: TcpStream, routes: Router) {
    stream.set_nodelay(true).ok();
    let hang_up = HangUp::default();
    let handle = hang_up.clone();
    let service = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(handle.clone());
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = connection => ended,
        () = hang_up.0.notified() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    async fn refuses(door: &Door) -> bool {
        TcpStream::connect(door.address).await.is_err()
    }

    #[tokio::test]
    async fn it_refuses_while_it_is_shut_or_cut_and_is_open_again_at_once() {
        let door = Door::open(Router::new().route("/", get(async || "well")))
            .await
            .unwrap();
        for _ in 0..20 {
            assert!(!refuses(&door).await);
            door.shut(true).unwrap();
            assert!(refuses(&door).await);
            door.cut(true).unwrap();
            door.shut(false).unwrap();
            assert!(refuses(&door).await);
            door.cut(false).unwrap();
        }
    }

    #[tokio::test]
    async fn what_was_opened_again_answers() {
        let door = Door::open(Router::new().route("/", get(async || "well")))
            .await
            .unwrap();
        door.shut(true).unwrap();
        tokio::task::yield_now().await;
        door.shut(false).unwrap();
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert!(said.ends_with("well"), "{said}");
    }

    #[tokio::test]
    async fn whoever_was_let_in_is_outside_when_it_is_cut_or_dropped() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        for is_dropped in [false, true] {
            let routes = Router::new().route("/", get(std::future::pending::<&str>));
            let door = Door::open(routes).await.unwrap();
            let mut stream = TcpStream::connect(door.address).await.unwrap();
            stream
                .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                .await
                .unwrap();
            while lock(&door.hinge).inside.is_empty() {
                tokio::task::yield_now().await;
            }
            if is_dropped {
                drop(door);
            } else {
                door.cut(true).unwrap();
            }
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.ok();
            assert_eq!(answer, b"");
        }
    }
}
