//! What can go wrong on a wire: a proxy before any described world, which spoils chosen requests in twelve ways.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is reset and every later one is refused.
    Refused,
    NoSuchHost,
    BadCertificate,
    /// The request is carried out, and the answer doesn't come.
    Slow,
    /// The request is carried out, and the connection reset in the middle of the answer.
    ResetHalfWay,
    /// As above, but the connection ends in good order.
    TruncatedBody,
    /// `Content-Length` is shorter than the body.
    WrongLength,
    Garbage,
    Unauthorized,
    Forbidden,
    TooManyRequests,
    /// The request is carried out, and answered with 502.
    ServerError,
}

impl Fault {
    pub(crate) const ALL: [Self; 12] = [
        Self::Refused,
        Self::NoSuchHost,
        Self::BadCertificate,
        Self::Slow,
        Self::ResetHalfWay,
        Self::TruncatedBody,
        Self::WrongLength,
        Self::Garbage,
        Self::Unauthorized,
        Self::Forbidden,
        Self::TooManyRequests,
        Self::ServerError,
    ];

    /// Those that can be done to a single request; the others belong to an address, and come before any request.
    pub(crate) fn of_requests() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|fault| !matches!(fault, Self::NoSuchHost | Self::BadCertificate))
    }
}

/// Which requests a fault hits.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub fault: Fault,
    /// All must be in the request's first line: `["GET ", "/issues/", "statsPeriod=24h"]`.
    pub route: Vec<&'static str>,
    /// The first that is hit, from 1.
    pub from: usize,
    pub times: usize,
}

/// A proxy that hands requests on, but for those of its plan. It ends when it is dropped.
pub(crate) struct Proxy {
    pub address: SocketAddr,
    task: tokio::task::AbortHandle,
    struck: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn before(world: SocketAddr, plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, struck) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&struck);
        let task = tokio::spawn(async move {
            let (close, mut closed) = tokio::sync::mpsc::channel::<()>(1);
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    _ = closed.recv() => break,
                };
                let (plan, seen, struck, close) = (
                    plan.clone(),
                    Arc::clone(&seen),
                    Arc::clone(&counter),
                    close.clone(),
                );
                tokio::spawn(async move {
                    let refuse = serve(stream, world, &plan, &seen, &struck).await;
                    if refuse == Some(()) {
                        close.send(()).await.ok();
                    }
                });
            }
        });
        Self {
            address,
            task: task.abort_handle(),
            struck,
        }
    }

    pub(crate) fn url(&self) -> Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// How many requests were spoilt.
    pub(crate) fn struck(&self) -> usize {
        self.struck.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one request. `Some` if nobody is to be let in any more.
async fn serve(
    mut client: TcpStream,
    world: SocketAddr,
    plan: &Plan,
    seen: &AtomicUsize,
    struck: &AtomicUsize,
) -> Option<()> {
    let request = read_request(&mut client).await?;
    let first_line = request
        .split(|b| *b == b'\r')
        .next()
        .map(|line| String::from_utf8_lossy(line).into_owned())?;
    let hit = plan.route.iter().all(|part| first_line.contains(part)) && {
        let number = seen.fetch_add(1, Ordering::SeqCst) + 1;
        number >= plan.from && number - plan.from < plan.times
    };
    if !hit {
        let answer = forward(world, &request).await?;
        client.write_all(&answer).await.ok();
        return None;
    }
    struck.fetch_add(1, Ordering::SeqCst);
    strike(client, world, &request, plan.fault).await
}

pub(crate) async fn strike(
    mut client: TcpStream,
    world: SocketAddr,
    request: &[u8],
    fault: Fault,
) -> Option<()> {
    let said = match fault {
        Fault::Refused | Fault::NoSuchHost | Fault::BadCertificate => {
            client.set_zero_linger().ok();
            return Some(());
        }
        Fault::Unauthorized => canned("401 Unauthorized", r#"{"detail":"Invalid token"}"#),
        Fault::Forbidden => canned(
            "403 Forbidden",
            r#"{"detail":"You do not have permission to perform this action."}"#,
        ),
        Fault::TooManyRequests => canned(
            "429 Too Many Requests",
            r#"{"detail":"You are attempting to use this endpoint too frequently. Limit is 0 requests in 100 seconds"}"#,
        ),
        Fault::Garbage => canned("200 OK", "\u{1}\u{fffd}]]{\"id\":"),
        Fault::ServerError => {
            forward(world, request).await?;
            canned("502 Bad Gateway", "<html>nginx</html>")
        }
        Fault::Slow => {
            forward(world, request).await?;
            tokio::time::sleep(Duration::from_secs(600)).await;
            return None;
        }
        Fault::ResetHalfWay | Fault::TruncatedBody | Fault::WrongLength => {
            let answer = forward(world, request).await?;
            let head = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
            let half = head + (answer.len() - head) / 2;
            if fault == Fault::WrongLength {
                with_length(&answer, head, half - head)
            } else {
                answer[..half].to_vec()
            }
        }
    };
    client.write_all(&said).await.ok();
    client.flush().await.ok();
    if fault == Fault::ResetHalfWay {
        client.set_zero_linger().ok();
    }
    None
}

pub(crate) fn canned(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

/// The same answer with another `Content-Length`.
fn with_length(answer: &[u8], head: usize, length: usize) -> Vec<u8> {
    let lines = String::from_utf8_lossy(&answer[..head]).into_owned();
    let kept: Vec<&str> = lines
        .split("\r\n")
        .filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("content-length"))
        .collect();
    let mut changed =
        format!("{}\r\ncontent-length: {length}\r\n\r\n", kept.join("\r\n")).into_bytes();
    changed.extend_from_slice(&answer[head..]);
    changed
}

pub(crate) async fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let head = loop {
        if client.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
        if let Some(head) = request.windows(4).position(|end| end == b"\r\n\r\n") {
            break head + 4;
        }
    };
    let length = String::from_utf8_lossy(&request[..head])
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")
                .and_then(|length| length.trim().parse::<usize>().ok())
        })
        .unwrap_or(0);
    while request.len() < head + length {
        if client.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}

/// Asks the world on a connection of its own, and gives its whole answer.
pub(crate) async fn forward(world: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let line = request.windows(2).position(|end| end == b"\r\n")? + 2;
    let mut stream = TcpStream::connect(world).await.ok()?;
    stream.write_all(&request[..line]).await.ok()?;
    stream.write_all(b"connection: close\r\n").await.ok()?;
    stream.write_all(&request[line..]).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    Some(answer)
}

/// An address under which nothing listens.
pub(crate) async fn closed_port() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap()
}

/// A name that never has an address (RFC 6761).
pub(crate) fn no_such_host() -> Url {
    "https://sentry.invalid".parse().unwrap()
}

/// A server whose certificate nobody has signed. It ends with the test's runtime.
pub(crate) async fn bad_certificate() -> Url {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
        }
    });
    format!("https://{address}").parse().unwrap()
}
