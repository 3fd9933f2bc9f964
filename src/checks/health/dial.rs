//! From an address as it was written to a connection: what it resolves to is judged, and then connected to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use url::Url;

use super::{
    miss::{Miss, miss, more_telling},
    names::Names,
    trace::Stage,
};
use crate::address::{self, Never, Reach, reach};

/// More addresses of one name than these are not tried.
const MOST_ADDRESSES: usize = 8;

/// Connects to the first address that takes the connection. No address that reaches less far than `floor` is tried.
pub(super) async fn connect(
    url: &Url,
    floor: Reach,
    limit: Instant,
    names: &Names,
    stage: &mut Stage,
) -> Result<(TcpStream, Reach), Miss> {
    let literal = address::literal(url).map_err(Miss::Never)?;
    *stage = Stage::Lookup;
    let port = url.port_or_known_default().unwrap_or(80);
    let candidates = match (literal, url.domain()) {
        (Some(literal), _) => permitted([literal], floor)?,
        (None, Some(name)) => permitted(names.look_up(name).await?.iter().copied(), floor)?,
        (None, None) => return Err(Miss::Never(Never::nameless())),
    };
    *stage = Stage::Connect;
    first_of(&candidates, port, limit).await
}

/// Each address but the last has an even share of the time that is left.
async fn first_of(
    candidates: &[IpAddr],
    port: u16,
    limit: Instant,
) -> Result<(TcpStream, Reach), Miss> {
    let mut missed = None;
    let lefts = (1..=u32::try_from(candidates.len()).unwrap_or(u32::MAX)).rev();
    for (address, left) in candidates.iter().zip(lefts) {
        let share = limit.saturating_duration_since(Instant::now()) / left;
        let connecting = TcpStream::connect(SocketAddr::new(*address, port));
        let connected = if left == 1 {
            connecting.await
        } else {
            timeout_at(Instant::now() + share, connecting)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match connected {
            Ok(stream) => return Ok((stream, reach(*address))),
            Err(error) => missed = Some(more_telling(missed, miss(&error))),
        }
    }
    Err(missed.unwrap_or_else(|| Miss::Never(Never::nameless())))
}

/// The addresses that may be asked, or why there are none.
fn permitted(
    addresses: impl IntoIterator<Item = IpAddr>,
    floor: Reach,
) -> Result<Vec<IpAddr>, Miss> {
    let mut kept = Vec::with_capacity(1);
    let mut refused = None;
    for address in addresses {
        match reach(address) {
            Reach::Never => refused = Some(Miss::Never(Never::address(address))),
            reach if reach < floor => refused = Some(Miss::Inward(address.to_string())),
            _ if kept.len() < MOST_ADDRESSES => kept.push(address),
            _ => {}
        }
    }
    match refused {
        Some(miss) if kept.is_empty() => Err(miss),
        _ => Ok(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    #[test]
    fn what_a_name_resolves_to_is_judged_before_it_is_asked() {
        let metadata = ips(&["169.254.169.254", "::ffff:169.254.169.254", "fe80::1"]);
        assert!(matches!(
            permitted(metadata, Reach::Loopback),
            Err(Miss::Never(_))
        ));
        let mixed = ips(&["fe80::1", "10.0.0.1", "169.254.169.254"]);
        assert_eq!(permitted(mixed, Reach::Loopback), Ok(ips(&["10.0.0.1"])));
    }

    #[test]
    fn a_redirect_leads_never_further_inside() {
        for inside in ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd12::1"] {
            assert_eq!(
                permitted(ips(&[inside]), Reach::Public),
                Err(Miss::Inward(inside.to_owned()))
            );
        }
        assert!(permitted(ips(&["127.0.0.1"]), Reach::Private).is_err());
        assert!(permitted(ips(&["8.8.8.8"]), Reach::Private).is_ok());
    }

    #[test]
    fn running_out_of_descriptors_is_no_fault_of_the_other_side() {
        let miss = miss(&io::Error::from_raw_os_error(24));
        assert!(matches!(miss, Miss::Local(..)), "{miss:?}");
    }

    #[tokio::test]
    async fn the_addresses_of_a_name_are_tried_in_turn() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let limit = Instant::now() + std::time::Duration::from_secs(5);
        let both = ips(&["127.0.0.2", "127.0.0.1"]);
        let (stream, reach) = first_of(&both, port, limit).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().ip(), both[1]);
        assert_eq!(reach, Reach::Loopback);
    }
}
