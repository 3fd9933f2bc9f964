//! Ports that are the sandbox's from the start, though who listens on them comes last.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::net::TcpSocket;

/// A loopback port that nobody else is given; bound and not listening, it is free for the bot once this is dropped.
pub(super) struct Port {
    pub(super) address: SocketAddr,
    _socket: TcpSocket,
}

impl Port {
    pub(super) fn any() -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .context("no port of this machine is free")?;
        Ok(Self {
            address: socket.local_addr()?,
            _socket: socket,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_port_is_nobody_elses_until_it_is_let_go() {
        let port = Port::any().expect("a port is free");
        let other = Port::any().expect("a port is free");
        assert_ne!(port.address, other.address);
        let address = port.address;
        assert!(TcpListener::bind(address).await.is_err());
        drop(port);
        TcpListener::bind(address).await.expect("it is free again");
    }
}
