//! Services with a health address, each as it is described.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// How a service answers one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) location: Option<String>,
    /// Before the headers are sent.
    pub(crate) delay: Duration,
    pub(crate) fault: Option<Fault>,
}

/// What goes wrong on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No header ever comes.
    SlowHeaders,
    /// Half of the body comes, and then nothing.
    SlowBody,
    /// Half of the body comes, and then a reset.
    Reset,
    /// Half of the body comes, and then the end.
    Truncated,
    /// The length is no number.
    WrongLength,
    /// Something that is not HTTP.
    Garbage,
    /// Headers without end.
    EndlessHeaders,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            status: 200,
            body: r#"{"status":"pass"}"#.to_owned(),
            content_type: Some("application/json"),
            location: None,
            delay: Duration::ZERO,
            fault: None,
        }
    }
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn fault(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::default()
        }
    }

    pub(crate) fn html(body: &str) -> Self {
        Self {
            body: body.to_owned(),
            content_type: Some("text/html"),
            ..Self::default()
        }
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self {
            status: 302,
            location: Some(to.to_owned()),
            ..Self::default()
        }
    }

    pub(crate) fn after(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Described\r\n", self.status);
        if let Some(kind) = self.content_type {
            head += &format!("content-type: {kind}\r\n");
        }
        if let Some(to) = &self.location {
            head += &format!("location: {to}\r\n");
        }
        match self.fault {
            Some(Fault::WrongLength) => head += "content-length: seventeen\r\n",
            _ => head += &format!("content-length: {}\r\n", self.body.len()),
        }
        head + "\r\n"
    }
}

/// The certificate of a service, which is reached as 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    DaysLeft(i64),
    Expired,
    WrongName,
    UnknownIssuer,
    /// As `openssl req -x509` makes it: an authority that serves under its own certificate.
    SelfSigned,
}

/// A service that runs until it is dropped.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    counts: Arc<Counts>,
    running: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    asked: AtomicUsize,
    in_hand: AtomicUsize,
    most_in_hand: AtomicUsize,
}

impl Service {
    /// Gives these answers in turn, and the last of them from then on.
    pub(crate) async fn start(answers: impl Into<Vec<Answer>>) -> Self {
        Self::run(answers.into(), None).await
    }

    pub(crate) async fn start_with_tls(
        answer: Answer,
        certificate: Certificate,
        authority: &Authority,
    ) -> Self {
        let tls = authority.server(certificate);
        Self::run(vec![answer], Some(TlsAcceptor::from(tls))).await
    }

    async fn run(answers: Vec<Answer>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::<Counts>::default();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let serving = Arc::clone(&counts);
        let answers = Arc::new(answers);
        let running = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, counts) = (Arc::clone(&answers), Arc::clone(&serving));
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &answers, &counts).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &answers, &counts).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            scheme,
            counts,
            running,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/healthz", self.scheme, self.address)
    }

    /// Requests that were read in full.
    pub(crate) fn asked(&self) -> usize {
        self.counts.asked.load(Ordering::SeqCst)
    }

    /// The most requests that were open at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.counts.most_in_hand.load(Ordering::SeqCst)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.running.abort();
    }
}

trait Resets {
    fn reset_on_close(&self);
}

impl Resets for TcpStream {
    fn reset_on_close(&self) {
        self.set_zero_linger().unwrap();
    }
}

impl Resets for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset_on_close(&self) {
        self.get_ref().0.reset_on_close();
    }
}

async fn serve<S>(mut stream: S, answers: &[Answer], counts: &Counts)
where
    S: AsyncRead + AsyncWrite + Unpin + Resets,
{
    let now_in_hand = counts.in_hand.fetch_add(1, Ordering::SeqCst) + 1;
    counts.most_in_hand.fetch_max(now_in_hand, Ordering::SeqCst);
    let read = request(&mut stream).await;
    let turn = counts
        .asked
        .fetch_add(usize::from(read.is_some()), Ordering::SeqCst);
    let answer = answers
        .get(turn)
        .or(answers.last())
        .cloned()
        .unwrap_or_default();
    tokio::time::sleep(answer.delay).await;
    // Counted out before the last byte, after which the client may open its next connection.
    counts.in_hand.fetch_sub(1, Ordering::SeqCst);
    if read.is_some() {
        // The client may hang up in the middle.
        let _ = reply(&mut stream, &answer).await;
    }
}

async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}

async fn reply<S>(stream: &mut S, answer: &Answer) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Resets,
{
    let (head, body) = (answer.head(), answer.body.as_bytes());
    let half = &body[..body.len() / 2];
    match answer.fault {
        Some(Fault::SlowHeaders) => {}
        Some(Fault::Garbage) => {
            stream
                .write_all(b"\x00\xff220 mail.example ESMTP\r\n\r\n")
                .await?
        }
        Some(Fault::EndlessHeaders) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"x-padding: 0123456789abcdef\r\n").await?;
            }
        }
        Some(Fault::SlowBody | Fault::Reset | Fault::Truncated) => {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(half).await?;
        }
        Some(Fault::WrongLength) | None => {
            stream.write_all(&[head.as_bytes(), body].concat()).await?;
        }
    }
    stream.flush().await?;
    match answer.fault {
        Some(Fault::SlowHeaders | Fault::SlowBody) => {
            // Until the client hangs up.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.map(drop)
        }
        Some(Fault::Reset) => {
            stream.reset_on_close();
            Ok(())
        }
        _ => stream.shutdown().await,
    }
}

/// An address at which nobody listens, nor will while the tests run.
pub(crate) fn refusing() -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/healthz", socket.local_addr().unwrap());
    // Bound and not listening, it keeps its port from everybody else.
    std::mem::forget(socket);
    url
}

/// A certificate authority of this world.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("known authority")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its own certificate, for `ca_file`.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn server(&self, certificate: Certificate) -> Arc<ServerConfig> {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let name = match certificate {
            Certificate::WrongName => "other.example",
            _ => "127.0.0.1",
        };
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let now = now();
        params.not_before = (now - 60 * DAY).into();
        params.not_after = match certificate {
            Certificate::Expired => (now - 2 * DAY).into(),
            // Half a day more, so that the number of full days is certain.
            Certificate::DaysLeft(days) => {
                (now + DAY * u32::try_from(days).unwrap() + DAY / 2).into()
            }
            _ => (now + 60 * DAY).into(),
        };
        let key = KeyPair::generate().unwrap();
        let stranger;
        let issuer = match certificate {
            Certificate::UnknownIssuer => {
                stranger = Self::named("stranger");
                &stranger.0
            }
            _ => &self.0,
        };
        let leaf = if certificate == Certificate::SelfSigned {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.self_signed(&key).unwrap()
        } else {
            params.signed_by(&key, issuer).unwrap()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the handshake compares with the real time"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
