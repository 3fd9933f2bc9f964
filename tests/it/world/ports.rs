//! Ports for those who listen later, or again after they were killed.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below those that the system gives to connections and to whoever asks for any port: it would give one of ours away
/// while nobody listens on it.
const FIRST: u32 = 12_000;
const NUMBER: u32 = 20_000;

static GIVEN: AtomicU32 = AtomicU32::new(0);

/// An address on which nobody listens, given out once; another process of these tests begins elsewhere.
pub(crate) fn free_address() -> SocketAddr {
    loop {
        let place = process::id()
            .wrapping_mul(701)
            .wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + place % NUMBER).expect("a port");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
