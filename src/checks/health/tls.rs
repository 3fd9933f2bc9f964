//! Whom to trust, and what a handshake says about a certificate.

use std::{fmt::Write as _, io, path::Path, sync::Arc};

use anyhow::Context;
use chrono::{DateTime, Utc};
use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
};
use x509_cert::{Certificate, der::Decode};

use crate::report::{Cause, Unknown};

/// A client that trusts this machine's roots and those in `ca_file`.
pub(super) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, Unknown> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        add(&mut roots, path)
            .map_err(|error| Unknown::new(Cause::NotConfigured, format!("{error:#}")))?;
    }
    if roots.is_empty() {
        let reason = "https can't be judged: this machine has no root certificates; install its package of CA certificates, or set `ca_file` in [checks.health]";
        return Err(Unknown::new(Cause::Tls, reason));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Unknown::new(Cause::Tls, format!("TLS can't be set up: {error}")))?;
    let mut client = builder.with_root_certificates(roots).with_no_client_auth();
    // A resumed session would not look at the certificate again.
    client.resumption = Resumption::disabled();
    Ok(Arc::new(client))
}

fn add(roots: &mut RootCertStore, path: &Path) -> anyhow::Result<()> {
    let reading = || format!("reading `ca_file` {}", path.display());
    let mut found = 0;
    for certificate in CertificateDer::pem_file_iter(path).with_context(reading)? {
        roots
            .add(certificate.with_context(reading)?)
            .with_context(reading)?;
        found += 1;
    }
    anyhow::ensure!(found > 0, "{}: it holds no PEM certificate", reading());
    Ok(())
}

/// The `notAfter` of a certificate.
pub(super) fn expiry(certificate: &CertificateDer<'_>) -> Option<DateTime<Utc>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let not_after = certificate.tbs_certificate().validity().not_after;
    date(not_after.to_unix_duration().as_secs())
}

fn date(seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

/// Why a handshake failed, as it follows the endpoint's name in a title.
pub(super) fn complaint(error: &io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(problem)) => certificate(problem),
        Some(other) => format!("fails the TLS handshake: {other}"),
        None => format!("fails the TLS handshake: {error}"),
    }
}

fn certificate(problem: &CertificateError) -> String {
    let day = |time: &UnixTime| {
        date(time.as_secs()).map_or_else(
            || "an unknown day".to_owned(),
            |at| at.format("%Y-%m-%d").to_string(),
        )
    };
    match problem {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("has a certificate that expired on {}", day(not_after))
        }
        CertificateError::Expired => "has an expired certificate".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "has a certificate that is not valid before {}",
                day(not_before)
            )
        }
        CertificateError::NotValidYet => "has a certificate that is not valid yet".to_owned(),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let mut text = format!("has a certificate that is not for {}", expected.to_str());
            if !presented.is_empty() {
                let names: Vec<&str> = presented.iter().take(3).map(|name| plain(name)).collect();
                let _ = write!(text, ", but for {}", names.join(", "));
            }
            text
        }
        CertificateError::NotValidForName => "has a certificate for another name".to_owned(),
        CertificateError::UnknownIssuer => "has a certificate from an unknown issuer".to_owned(),
        // What `openssl req -x509` makes: an authority of its own, which no root is asked about.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "has a self-signed certificate: give it one from an authority, and name that in `ca_file`".to_owned()
        }
        CertificateError::Revoked => "has a certificate that was revoked".to_owned(),
        other => format!("has an invalid certificate: {other}"),
    }
}

/// "other.example" of `DnsName("other.example")`, as rustls presents it.
fn plain(name: &str) -> &str {
    name.strip_prefix("DnsName(\"")
        .and_then(|name| name.strip_suffix("\")"))
        .unwrap_or(name)
}
