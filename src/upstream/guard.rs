//! Where a client may go: never to metadata services, and over plain HTTP never to a public address.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use anyhow::bail;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use crate::{
    address::{Reach, holds_credentials, is_private_name, literal, reach},
    report::Cause,
};

/// A name that leads nowhere, or where nobody may ask.
#[derive(Debug, thiserror::Error)]
pub(super) enum Barred {
    #[error("the name {host} has no address ({why})")]
    NoAddress { host: String, why: String },
    #[error("{host} leads to {address}, which is never asked")]
    Never { host: String, address: IpAddr },
    #[error(
        "{host} leads to the public address {address}, and a token never travels there over plain http"
    )]
    PlainToPublic { host: String, address: IpAddr },
}

impl Barred {
    pub(super) fn cause(&self) -> Cause {
        match self {
            Self::NoAddress { .. } => Cause::Network,
            Self::Never { .. } | Self::PlainToPublic { .. } => Cause::Refused,
        }
    }
}

/// Says whether a base URL may be asked, as far as its text tells; names are judged again when they are resolved.
pub fn admit(base: &Url) -> anyhow::Result<()> {
    if !matches!(base.scheme(), "https" | "http") {
        bail!("`url` starts with https://");
    }
    if holds_credentials(base) {
        bail!("`url` holds a name or a password; take them out");
    }
    if base.query().is_some() || base.fragment().is_some() {
        bail!("`url` is a base address and has no `?` or `#`");
    }
    let plain = base.scheme() == "http";
    match literal(base) {
        Err(never) => bail!("in `url`: {never}"),
        Ok(None) if plain && !base.host_str().is_some_and(is_private_name) => bail!(
            "`url` is plain http to {0}, a name that may be public, and a token never travels there so: write https://{0}; plain http is for private addresses and names, such as 10.0.0.5, sentry or sentry.internal",
            base.host_str().unwrap_or_default()
        ),
        Ok(None) => Ok(()),
        Ok(Some(address)) => Ok(judge(base.as_str(), address, plain)?),
    }
}

fn judge(host: &str, address: IpAddr, plain: bool) -> Result<(), Barred> {
    let host = host.to_owned();
    match reach(address) {
        Reach::Never => Err(Barred::Never { host, address }),
        Reach::Public if plain => Err(Barred::PlainToPublic { host, address }),
        Reach::Private if plain => {
            tracing::warn!(%host, %address, "a token travels over plain http inside a private network");
            Ok(())
        }
        Reach::Loopback | Reach::Private | Reach::Public => Ok(()),
    }
}

/// Resolves names, and lets only addresses through that may be asked.
pub(super) struct Guard {
    plain: bool,
}

impl Guard {
    pub(super) fn of(base: &Url) -> Self {
        Self {
            plain: base.scheme() == "http",
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let plain = self.plain;
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await;
            Ok(pass(host, found.map(Iterator::collect), plain)?)
        })
    }
}

fn pass(host: &str, found: io::Result<Vec<SocketAddr>>, plain: bool) -> Result<Addrs, Barred> {
    let no_address = |why: String| Barred::NoAddress {
        host: host.to_owned(),
        why,
    };
    let mut barred = no_address("the answer is empty".to_owned());
    let mut passed = Vec::new();
    for address in found.map_err(|error| no_address(error.to_string()))? {
        match judge(host, address.ip(), plain) {
            Ok(()) => passed.push(address),
            Err(no) => barred = no,
        }
    }
    if passed.is_empty() {
        return Err(barred);
    }
    Ok(Box::new(passed.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(url: &str) -> bool {
        admit(&url.parse().unwrap()).is_ok()
    }

    #[test]
    fn a_base_is_https_or_plain_and_near() {
        for url in [
            "https://sentry.io",
            "https://de.sentry.io/",
            "https://10.0.0.1/sentry",
            "http://127.0.0.1:9000",
            "http://[::1]:9000/x/",
            "http://192.168.1.5",
            "http://sentry.internal",
            "http://sentry:9000",
            "http://localhost:9000",
        ] {
            assert!(admitted(url), "{url}");
        }
        for url in [
            "http://1.1.1.1",
            "http://api.stripe.com",
            "http://sentry.example.com.",
            "ftp://sentry.io",
            "https://u:p@sentry.io",
            "https://sentry.io/?a=b",
            "https://sentry.io/#x",
            "https://169.254.169.254",
            "http://[fe80::1]",
            "https://metadata.google.internal",
            "https://[::ffff:169.254.169.254]/",
        ] {
            assert!(!admitted(url), "{url}");
        }
    }

    #[test]
    fn a_name_is_judged_by_where_it_leads() {
        let led = |addresses: &[&str], plain| {
            let found = addresses
                .iter()
                .map(|a| SocketAddr::new(a.parse().unwrap(), 0))
                .collect();
            pass("sentry.example", Ok(found), plain).map(Iterator::count)
        };
        assert_eq!(led(&["1.1.1.1", "10.0.0.1"], false).unwrap(), 2);
        assert_eq!(led(&["1.1.1.1", "10.0.0.1"], true).unwrap(), 1);
        assert!(matches!(
            led(&["1.1.1.1"], true),
            Err(Barred::PlainToPublic { .. })
        ));
        assert!(matches!(
            led(&["169.254.169.254"], false),
            Err(Barred::Never { .. })
        ));
        assert!(matches!(led(&[], false), Err(Barred::NoAddress { .. })));
    }
}
