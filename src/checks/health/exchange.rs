//! One request and its answer on a connection that stands.

use std::{future::poll_fn, io, pin::pin};

use http_body_util::{BodyExt, Empty};
use hyper::{
    Request,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use url::{Position, Url};

use super::{
    Endpoint, Redirects,
    miss::Miss,
    redirect,
    seen::Fault,
    trace::{ENOUGH_BODY_BYTES, Head, Stage, Trace},
};
use crate::text;

const AGENT: &str = concat!("daily-ops/", env!("CARGO_PKG_VERSION"));
const MOST_HEADER_BYTES: usize = 32 * 1024;
const MOST_BODY_BYTES: usize = 64 * 1024;

/// Where an answer leads: to its end, or on to another address.
pub(super) enum Step {
    Done,
    Hop(Url),
}

/// Asks once, and reads as much of the answer as it needs into `trace`.
pub(super) async fn get<S>(
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
        let location = redirect::location(head.status, &head.headers).filter(|_| !expected);
        if let Some(location) = location
            && endpoint.redirects == Redirects::Follow
        {
            return redirect::follow(url, location).map(Step::Hop);
        }
        trace.head = Some(Head {
            status: head.status.as_u16(),
            latency: started.elapsed(),
            content_type: text_of(&head.headers, CONTENT_TYPE),
            moved_to: location.map(|location| Box::new(redirect::moved_to(url, location).into())),
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
            redirect::fault(format!(
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

fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
