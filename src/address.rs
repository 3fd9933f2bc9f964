//! Which addresses may be asked at all. Pure.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    Loopback,
    /// RFC 1918, shared address space (RFC 6598), unique local (RFC 4193).
    Private,
    Public,
    /// Link-local, cloud metadata, multicast, unspecified: never asked.
    Never,
}

/// What is never asked, and what it is: "169.254.169.254", "a link-local or metadata address".
#[derive(Clone, Debug, PartialEq)]
pub struct Never {
    pub what: String,
    pub kind: &'static str,
}

impl Never {
    pub fn address(address: IpAddr) -> Self {
        Self {
            what: address.to_string(),
            kind: "a link-local, metadata or otherwise special address",
        }
    }

    pub fn nameless() -> Self {
        Self {
            what: "it".to_owned(),
            kind: "an address without a host",
        }
    }
}

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, which is never asked", self.what, self.kind)
    }
}

/// Refuses what can be refused without a look-up; gives the address of a URL that holds one in place of a name.
pub fn literal(url: &Url) -> Result<Option<IpAddr>, Never> {
    let literal = match url.host() {
        None => return Err(Never::nameless()),
        Some(Host::Domain(name)) if is_metadata_name(name) => {
            return Err(Never {
                what: name.to_owned(),
                kind: "the name of a cloud's metadata service",
            });
        }
        Some(Host::Domain(_)) => return Ok(None),
        Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
        Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
    };
    match reach(literal) {
        Reach::Never => Err(Never::address(literal)),
        _ => Ok(Some(literal)),
    }
}

/// Whether a URL holds a user name or a password.
pub fn holds_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Names under which clouds serve credentials to whoever asks.
fn is_metadata_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    matches!(
        host.as_str(),
        "metadata"
            | "metadata.google.internal"
            | "metadata.goog"
            | "instance-data"
            | "instance-data.ec2.internal"
            | "metadata.tencentyun.com"
    )
}

/// Whether a name is none of the public Internet's: one without a dot, or under one that is kept for private use.
///
/// Those are the names of RFC 6761, RFC 6762 (appendix G) and RFC 8375, and `internal`, which ICANN has set aside.
pub fn is_private_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let Some((rest, last)) = host.rsplit_once('.') else {
        return !host.is_empty();
    };
    matches!(
        last,
        "localhost"
            | "test"
            | "local"
            | "internal"
            | "intranet"
            | "private"
            | "corp"
            | "home"
            | "lan"
    ) || last == "arpa" && (rest == "home" || rest.ends_with(".home"))
}

/// Judges an address by what it stands for: IPv4 inside IPv6 (mapped, NAT64, 6to4) is judged as IPv4.
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| reach_v6(v6), reach_v4),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, d] = address.octets();
    // 168.63.129.16 is Azure's wire server, 100.100.100.200 Alibaba's metadata, 192.0.0.192 Oracle's.
    let metadata = matches!(
        [a, b, c, d],
        [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192]
    );
    if metadata || address.is_link_local() || address.is_multicast() || a == 0 || a >= 240 {
        Reach::Never
    } else if address.is_loopback() {
        Reach::Loopback
    } else if address.is_private() || (a == 100 && (64..128).contains(&b)) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let segments = address.segments();
    // fd00:ec2::/32 holds AWS's metadata, container credentials and DNS; fd20:ce::254 and fd00:c1::a9fe:a9fe are the
    // metadata services of Google and Oracle.
    let metadata = matches!(
        segments,
        [0xfd00, 0xec2, ..]
            | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]
            | [0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe]
    );
    if metadata
        || address.is_unicast_link_local()
        || address.is_multicast()
        || address.is_unspecified()
    {
        Reach::Never
    } else if address.is_loopback() {
        Reach::Loopback
    } else if address.is_unique_local() || segments[0] & 0xffc0 == 0xfec0 {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => {
            Some(v4(high, low))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(v4(high, low)),
        _ => address.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_ipv4_address_is_judged_alike_in_every_disguise(v4 in any::<Ipv4Addr>()) {
            let [a, b] = [u32::from(v4) >> 16, u32::from(v4) & 0xffff].map(|half| half as u16);
            for v6 in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, a, b),
                Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(reach(v6.into()), reach(v4.into()), "{}", v6);
            }
        }
    }

    #[test]
    fn an_address_is_judged_by_what_it_stands_for() {
        for (address, expected) in [
            ("127.0.0.1", Reach::Loopback),
            ("127.8.8.8", Reach::Loopback),
            ("::1", Reach::Loopback),
            ("::ffff:127.0.0.1", Reach::Loopback),
            ("10.1.2.3", Reach::Private),
            ("172.16.0.1", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("fd12::1", Reach::Private),
            ("64:ff9b::a00:1", Reach::Private),
            ("2002:c0a8:101::1", Reach::Private),
            ("1.1.1.1", Reach::Public),
            ("172.32.0.1", Reach::Public),
            ("2606:4700::1111", Reach::Public),
            ("169.254.169.254", Reach::Never),
            ("169.254.0.1", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("64:ff9b::a9fe:a9fe", Reach::Never),
            ("fe80::1", Reach::Never),
            ("64:ff9b:1::a9fe:a9fe", Reach::Never),
            ("::169.254.169.254", Reach::Never),
            ("2002:a9fe:a9fe::1", Reach::Never),
            ("fd00:ec2::254", Reach::Never),
            ("fd00:ec2::23", Reach::Never),
            ("0.0.0.0", Reach::Never),
            ("::", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("100.100.100.200", Reach::Never),
            ("168.63.129.16", Reach::Never),
        ] {
            assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn a_url_is_refused_without_a_look_up_where_its_text_tells() {
        let literal = |url: &str| super::literal(&url.parse().unwrap());
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://[::ffff:169.254.169.254]/",
            "http://[fe80::1]/",
            "http://Metadata.Google.Internal./",
            "http://0.0.0.0/",
            "mailto:ops@example.com",
        ] {
            assert!(literal(url).is_err(), "{url}");
        }
        assert_eq!(literal("http://127.0.0.1:1/"), Ok("127.0.0.1".parse().ok()));
        assert_eq!(
            literal("https://[2606:4700::1111]/"),
            Ok("2606:4700::1111".parse().ok())
        );
        assert_eq!(literal("https://example.com/"), Ok(None));
    }

    #[test]
    fn a_name_is_private_where_no_registry_could_give_it_away() {
        for name in [
            "localhost",
            "sentry",
            "Sentry.Internal.",
            "app.localhost",
            "sentry.monitoring.svc.cluster.local",
            "box.home.arpa",
            "nas.lan",
        ] {
            assert!(is_private_name(name), "{name}");
        }
        for name in [
            "",
            "api.stripe.com",
            "internal.example.com",
            "home.example",
            "1.0.0.10.in-addr.arpa",
            "athome.arpa",
            "not.alan",
        ] {
            assert!(!is_private_name(name), "{name}");
        }
    }

    #[test]
    fn a_user_name_or_a_password_is_a_credential() {
        for (url, expected) in [
            ("https://a@b.example/", true),
            ("https://:x@b.example/", true),
            ("https://b.example/@a:x", false),
        ] {
            assert_eq!(holds_credentials(&url.parse().unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn metadata_names_are_known_in_any_spelling() {
        assert!(is_metadata_name("Metadata.Google.Internal."));
        assert!(!is_metadata_name("metadata.example.com"));
    }
}
