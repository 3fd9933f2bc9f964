//! One attempt at one endpoint, on a connection of its own.

use std::{borrow::Cow, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Url;

use super::{
    Endpoint, dial,
    exchange::{Step, get},
    judge,
    miss::Miss,
    names::Names,
    redirect,
    seen::{Attempt, Failure, Fault},
    tls,
    trace::{Stage, Trace},
};
use crate::{
    address::Reach,
    report::{Cause, Unknown},
};

const MOST_HOPS: usize = 3;

/// Asks endpoints; it holds what all attempts of a pass share.
pub(super) struct Prober {
    /// `None` if nothing in the configuration can lead to https.
    pub(super) tls: Option<Result<Arc<ClientConfig>, Unknown>>,
    pub(super) timeout: Duration,
    /// For first tries; a second one looks up for itself.
    pub(super) names: Names,
    pub(super) began_at: DateTime<Utc>,
    pub(super) began: Instant,
}

/// What came of asking.
pub(super) enum Asked {
    Tried(Attempt),
    /// A rule or this machine forbade it.
    CouldNot(Cause, String),
    /// The pass's time was up before the attempt's.
    Cut,
}

impl Prober {
    pub(super) async fn ask(&self, endpoint: &Endpoint, names: &Names, deadline: Instant) -> Asked {
        let started = Instant::now();
        let limit = deadline.min(started + self.timeout);
        let mut trace = Trace::default();
        let ended = timeout_at(limit, self.exchange(endpoint, names, limit, &mut trace)).await;
        let unexpected = trace
            .head
            .as_ref()
            .is_some_and(|head| !endpoint.status.contains(head.status));
        let result = match ended {
            Ok(Ok(())) => Ok(()),
            _ if unexpected => Ok(()),
            Ok(Err(Miss::Fault(fault, reason))) => Err((fault, reason)),
            Ok(Err(Miss::Never(never))) => {
                return Asked::CouldNot(Cause::Refused, never.to_string());
            }
            Ok(Err(Miss::Inward(address))) => Err((
                Fault::Redirect,
                format!("redirects further inside, to {address}, which is not followed"),
            )),
            Ok(Err(Miss::Local(cause, reason))) => {
                return Asked::CouldNot(cause, reason);
            }
            Err(_) if limit == deadline && started + self.timeout > deadline => return Asked::Cut,
            Err(_) => Err(trace.late(endpoint, self.timeout)),
        };
        Asked::Tried(self.attempt(endpoint, started, &trace, result))
    }

    fn attempt(
        &self,
        endpoint: &Endpoint,
        started: Instant,
        trace: &Trace,
        result: Result<(), (Fault, String)>,
    ) -> Attempt {
        let since = TimeDelta::from_std(started - self.began).unwrap_or_default();
        let failure = |(fault, reason): (Fault, String)| {
            let reason = reason.into();
            Box::new(Failure { fault, reason })
        };
        let mut attempt = Attempt {
            at: self.began_at + since,
            took: started.elapsed(),
            result: result.map(|()| trace.answer(endpoint)).map_err(failure),
        };
        let bad = judge::trouble(endpoint, &attempt).is_some();
        if let (Ok(answer), true) = (&mut attempt.result, bad) {
            answer.excerpt = trace.excerpt();
        }
        attempt
    }

    /// Whether a connection to that address can be made, and why not; `None` if there was no time to tell.
    pub(super) async fn reaches(&self, url: &Url, deadline: Instant) -> Option<Result<(), Miss>> {
        let full = Instant::now() + self.timeout;
        let limit = full.min(deadline);
        let mut stage = Stage::default();
        let connecting = dial::connect(url, Reach::Loopback, limit, &Names::Fresh, &mut stage);
        match timeout_at(limit, connecting).await {
            Ok(connected) => Some(connected.map(drop)),
            Err(_) if full > deadline => None,
            Err(_) => Some(Err(Miss::Fault(
                Fault::ConnectTimeout,
                "does not take connections".to_owned(),
            ))),
        }
    }

    async fn exchange(
        &self,
        endpoint: &Endpoint,
        names: &Names,
        limit: Instant,
        trace: &mut Trace,
    ) -> Result<(), Miss> {
        let started = Instant::now();
        let mut url = Cow::Borrowed(&endpoint.url);
        let mut floor = Reach::Loopback;
        for hop in 0..=MOST_HOPS {
            trace.hops = hop;
            let connected = dial::connect(&url, floor, limit, names, &mut trace.stage).await;
            let (stream, reach) = connected.map_err(|miss| {
                if hop > 0 {
                    redirect::misled(miss)
                } else {
                    miss
                }
            })?;
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
        Err(redirect::fault(format!(
            "redirects more than {MOST_HOPS} times"
        )))
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
}
