//! One attempt at one endpoint, on a connection of its own.

use std::{borrow::Cow, future::poll_fn, io, pin::pin, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, LOCATION, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::{Position, Url};

use super::{
    Endpoint, Redirects,
    dial::{self, Miss, Stage},
    judge, page,
    seen::{Answer, Attempt, Failure, Fault},
    tls,
};
use crate::{
    address::Reach,
    report::{Cause, Unknown},
    text::{self, Untrusted},
};

const AGENT: &str = concat!("daily-ops/", env!("CARGO_PKG_VERSION"));
const MOST_HOPS: usize = 3;
const MOST_HEADER_BYTES: usize = 32 * 1024;
const MOST_BODY_BYTES: usize = 64 * 1024;
/// Of the body of an answer that is bad anyway.
const ENOUGH_BODY_BYTES: usize = 1024;
const EXCERPT: usize = 200;

/// Asks endpoints; it holds what all attempts of a round share.
pub(super) struct Prober {
    /// `None` if nothing in the configuration can lead to https.
    pub(super) tls: Option<Result<Arc<ClientConfig>, Unknown>>,
    pub(super) timeout: Duration,
    pub(super) began_at: DateTime<Utc>,
    pub(super) began: Instant,
}

/// What came of asking.
pub(super) enum Asked {
    Tried(Attempt),
    /// A rule or this machine forbade it.
    CouldNot(Unknown),
    /// The round's time was up before the attempt's.
    Cut,
}

/// What is known of an attempt while it lasts, so that a time-out finds it.
#[derive(Default)]
struct Trace {
    stage: Stage,
    /// Redirects that were followed.
    hops: usize,
    /// The earliest of the certificates on the way.
    expires: Option<DateTime<Utc>>,
    head: Option<Head>,
    body: Vec<u8>,
}

struct Head {
    status: u16,
    latency: Duration,
    content_type: Option<String>,
    moved_to: Option<Box<Untrusted>>,
}

/// Where an answer leads: to its end, or on to another address.
enum Step {
    Done,
    Hop(Url),
}

impl Prober {
    pub(super) async fn ask(&self, endpoint: &Endpoint, deadline: Instant) -> Asked {
        let started = Instant::now();
        let limit = deadline.min(started + self.timeout);
        let mut trace = Trace::default();
        let ended = timeout_at(limit, self.exchange(endpoint, limit, &mut trace)).await;
        let unexpected = trace
            .head
            .as_ref()
            .is_some_and(|head| !endpoint.status.contains(head.status));
        let result = match ended {
            Ok(Ok(())) => Ok(()),
            _ if unexpected => Ok(()),
            Ok(Err(Miss::Fault(fault, reason))) => Err((fault, reason)),
            Ok(Err(Miss::Never(reason))) => {
                return could_not(endpoint, Cause::Refused, &reason);
            }
            Ok(Err(Miss::Inward(address))) => Err((
                Fault::Redirect,
                format!("redirects further inside, to {address}, which is not followed"),
            )),
            Ok(Err(Miss::Local(cause, reason))) => {
                return could_not(endpoint, cause, &reason);
            }
            Err(_) if limit == deadline && started + self.timeout > deadline => return Asked::Cut,
            Err(_) => Err(self.late(endpoint, &trace)),
        };
        let took = started.elapsed();
        let at = self.began_at
            + TimeDelta::from_std(started - self.began).unwrap_or_else(|_| TimeDelta::zero());
        let result = result
            .map(|()| trace.answer(endpoint))
            .map_err(|(fault, reason)| {
                Box::new(Failure {
                    fault,
                    reason: reason.into(),
                })
            });
        let mut attempt = Attempt { at, took, result };
        if judge::trouble(endpoint, &attempt).is_some()
            && let Ok(answer) = &mut attempt.result
        {
            answer.excerpt = excerpt(&trace.body);
        }
        Asked::Tried(attempt)
    }

    /// Whether a connection to that address can be made: the fault and its reason if not.
    pub(super) async fn reaches(&self, url: &Url, deadline: Instant) -> Result<(), Miss> {
        let limit = deadline.min(Instant::now() + self.timeout);
        let mut stage = Stage::default();
        match timeout_at(
            limit,
            dial::connect(url, Reach::Loopback, limit, &mut stage),
        )
        .await
        {
            Ok(connected) => connected.map(drop),
            Err(_) => Err(Miss::Fault(
                Fault::ConnectTimeout,
                "does not take connections".to_owned(),
            )),
        }
    }

    async fn exchange(
        &self,
        endpoint: &Endpoint,
        limit: Instant,
        trace: &mut Trace,
    ) -> Result<(), Miss> {
        let started = Instant::now();
        let mut url = Cow::Borrowed(&endpoint.url);
        let mut floor = Reach::Loopback;
        for hop in 0..=MOST_HOPS {
            trace.hops = hop;
            let connected = dial::connect(&url, floor, limit, &mut trace.stage).await;
            let (stream, reach) =
                connected.map_err(|miss| if hop > 0 { misled(miss) } else { miss })?;
            floor = reach;
            let step = if url.scheme() == "https" {
                trace.stage = Stage::Handshake;
                let stream = self.secure(stream, &url, trace).await?;
                get(stream, &url, endpoint, started, trace).await?
            } else {
                get(stream, &url, endpoint, started, trace).await?
            };
            match step {
                Step::Done => return Ok(()),
                Step::Hop(next) => url = Cow::Owned(next),
            }
        }
        Err(redirect(format!("redirects more than {MOST_HOPS} times")))
    }

    async fn secure(
        &self,
        stream: TcpStream,
        url: &Url,
        trace: &mut Trace,
    ) -> Result<TlsStream<TcpStream>, Miss> {
        let config = match &self.tls {
            Some(Ok(config)) => Arc::clone(config),
            Some(Err(unknown)) => {
                return Err(Miss::Local(
                    unknown.cause,
                    unknown.reason.as_str().to_owned(),
                ));
            }
            None => return Err(Miss::Local(Cause::Tls, "TLS was not set up".to_owned())),
        };
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Miss::Fault(
                Fault::Tls,
                format!("has a name that no certificate can hold: {host}"),
            )
        })?;
        let stream = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| Miss::Fault(Fault::Tls, tls::complaint(&error)))?;
        let leaf = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(<[_]>::first);
        let expires = leaf.and_then(tls::expiry).ok_or_else(|| {
            Miss::Fault(
                Fault::Tls,
                "has a certificate whose end can't be read".to_owned(),
            )
        })?;
        trace.expires = Some(trace.expires.map_or(expires, |other| other.min(expires)));
        Ok(stream)
    }

    fn late(&self, endpoint: &Endpoint, trace: &Trace) -> (Fault, String) {
        let limit = humantime::format_duration(self.timeout);
        let host = endpoint.url.host_str().unwrap_or_default();
        match (trace.stage, &trace.head) {
            (Stage::Lookup | Stage::Connect, _) if trace.hops > 0 => (
                Fault::Redirect,
                format!("redirects to an address that takes no connection within {limit}"),
            ),
            (Stage::Lookup, _) => (
                Fault::Dns,
                format!("can't be found: the DNS look-up of {host} took longer than {limit}"),
            ),
            (Stage::Connect, _) => (
                Fault::ConnectTimeout,
                format!("does not take connections within {limit}"),
            ),
            (Stage::Handshake, _) => (
                Fault::Timeout,
                format!("does not finish the TLS handshake within {limit}"),
            ),
            (Stage::Body, Some(head)) => (
                Fault::Timeout,
                format!(
                    "sends its headers in {} ms, but not all of its body within {limit}",
                    head.latency.as_millis()
                ),
            ),
            _ => (Fault::Timeout, format!("does not answer within {limit}")),
        }
    }
}

fn could_not(endpoint: &Endpoint, cause: Cause, reason: &str) -> Asked {
    let reason = format!("{} was not asked: {reason}", endpoint.title());
    Asked::CouldNot(Unknown::new(cause, reason))
}

fn redirect(reason: String) -> Miss {
    Miss::Fault(Fault::Redirect, reason)
}

/// Behind a redirect, what may not be asked is the fault of the one who sent us there.
fn misled(miss: Miss) -> Miss {
    match miss {
        Miss::Never(reason) => {
            redirect(format!("redirects to where nobody may be asked: {reason}"))
        }
        Miss::Fault(fault, reason) if fault.is_network() => {
            redirect(format!("redirects to an address that {reason}"))
        }
        other => other,
    }
}

async fn get<S>(
    stream: S,
    url: &Url,
    endpoint: &Endpoint,
    started: Instant,
    trace: &mut Trace,
) -> Result<Step, Miss>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    trace.stage = Stage::Headers;
    let request = request(url)?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEADER_BYTES)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error, "before its headers are complete"))?;
    let talking = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error, "before its headers are complete"))?;
        let (head, body) = response.into_parts();
        let expected = endpoint.status.contains(head.status.as_u16());
        let location = location(head.status, &head.headers).filter(|_| !expected);
        if let Some(location) = location
            && endpoint.redirects == Redirects::Follow
        {
            return follow(url, location).map(Step::Hop);
        }
        trace.head = Some(Head {
            status: head.status.as_u16(),
            latency: started.elapsed(),
            content_type: text_of(&head.headers, CONTENT_TYPE),
            moved_to: location.map(|location| Box::new(moved_to(url, location).into())),
        });
        trace.stage = Stage::Body;
        let most = if expected {
            MOST_BODY_BYTES
        } else {
            ENOUGH_BODY_BYTES
        };
        read(body, most, &mut trace.body).await?;
        Ok(Step::Done)
    };
    drive(connection, talking).await
}

/// Polls both, without a task for the connection.
async fn drive<T>(connection: impl Future, work: impl Future<Output = T>) -> T {
    let (mut connection, mut work) = (pin!(connection), pin!(work));
    let mut open = true;
    poll_fn(|context| {
        let done = work.as_mut().poll(context);
        if done.is_ready() || !open {
            return done;
        }
        open = connection.as_mut().poll(context).is_pending();
        work.as_mut().poll(context)
    })
    .await
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, Miss> {
    Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| {
            redirect(format!(
                "redirects to an address that can't be asked: {error}"
            ))
        })
}

async fn read(mut body: Incoming, most: usize, into: &mut Vec<u8>) -> Result<(), Miss> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            broken(
                &error,
                &format!("after {} of the body", text::count(into.len(), "byte")),
            )
        })?;
        if let Some(data) = frame.data_ref() {
            into.extend_from_slice(&data[..data.len().min(most - into.len())]);
        }
        if into.len() == most {
            break;
        }
    }
    Ok(())
}

fn broken(error: &hyper::Error, place: &str) -> Miss {
    if error.is_parse() {
        return Miss::Fault(
            Fault::Garbled,
            format!("sends what is no HTTP answer ({error})"),
        );
    }
    let cause =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset) => {
            Miss::Fault(Fault::BrokenOff, format!("resets the connection {place}"))
        }
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Miss::Fault(
            Fault::Garbled,
            format!("sends what is no HTTP answer {place}"),
        ),
        _ => Miss::Fault(Fault::BrokenOff, format!("breaks off {place}")),
    }
}

fn text_of(headers: &HeaderMap, name: hyper::header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Of a redirect, as it was sent.
fn location(status: StatusCode, headers: &HeaderMap) -> Option<&str> {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| headers.get(LOCATION)?.to_str().ok())
        .flatten()
}

fn follow(from: &Url, location: &str) -> Result<Url, Miss> {
    let refuse = |to: &str| {
        Err(redirect(format!(
            "redirects to {to}, which is not followed"
        )))
    };
    let Ok(to) = from.join(location) else {
        return refuse("an unreadable address");
    };
    match (from.scheme(), to.scheme()) {
        ("https", "http") => return refuse("plain http"),
        (_, "http" | "https") => {}
        (_, other) => return refuse(&format!("a {other}: address")),
    }
    if !to.username().is_empty() || to.password().is_some() {
        return refuse("an address with a user name");
    }
    Ok(to)
}

/// The host that a redirect leads to, or the path if it is the same one.
fn moved_to(from: &Url, location: &str) -> String {
    match from.join(location) {
        Ok(to) if to.host() == from.host() && to.scheme() == from.scheme() => to.path().to_owned(),
        Ok(to) if to.host() == from.host() => {
            format!("{}://{}", to.scheme(), to.host_str().unwrap_or_default())
        }
        Ok(to) => to
            .host_str()
            .unwrap_or("an address without a host")
            .to_owned(),
        Err(_) => "an unreadable address".to_owned(),
    }
}

impl Trace {
    fn answer(&self, endpoint: &Endpoint) -> Answer {
        let Some(head) = &self.head else {
            return Answer::default();
        };
        let wanted = endpoint.contains.as_deref();
        let html = page::is_html(head.content_type.as_deref(), &self.body);
        let body = if wanted.is_some() || html {
            String::from_utf8_lossy(&self.body)
        } else {
            Cow::Borrowed("")
        };
        let has_text = wanted.map(|text| body.contains(text));
        Answer {
            status: head.status,
            latency: head.latency,
            expires: self.expires,
            lacks_text: has_text == Some(false),
            // A text that proves the service outweighs a form on its page.
            login_page: html && has_text != Some(true) && page::asks_to_log_in(&body),
            moved_to: head.moved_to.clone(),
            excerpt: None,
        }
    }
}

/// The first characters, redacted before they are cut, so that no half of a secret stays.
fn excerpt(body: &[u8]) -> Option<Box<Untrusted>> {
    let start = &body[..body.len().min(ENOUGH_BODY_BYTES)];
    let line = text::redact(&text::one_line(&String::from_utf8_lossy(start)));
    (!line.is_empty()).then(|| Box::new(text::cut(&line, EXCERPT).into()))
}
