//! What TLS says about an endpoint.

use insta::assert_snapshot;

use super::{endpoint, health, lines, look, without_days};
use crate::world::endpoints::{Answer, Authority, Certificate, Service};

#[tokio::test]
async fn a_broken_certificate_is_a_finding_with_its_reason() {
    let authority = Authority::new();
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), authority.pem()).unwrap();
    let mut services = Vec::new();
    let mut endpoints = Vec::new();
    for (name, certificate) in [
        ("good", Certificate::DaysLeft(60)),
        ("soon", Certificate::DaysLeft(13)),
        ("urgent", Certificate::DaysLeft(2)),
        ("expired", Certificate::Expired),
        ("wrong-name", Certificate::WrongName),
        ("stranger", Certificate::UnknownIssuer),
        ("self-signed", Certificate::SelfSigned),
    ] {
        let service = Service::start_with_tls(Answer::default(), certificate, &authority).await;
        endpoints.push(endpoint(name, &service.url(), ""));
        services.push(service);
    }
    let judged = look(&health(&format!("ca_file = {:?}", ca.path()), &endpoints)).await;
    assert_snapshot!(without_days(&lines(&judged)), @r#"
        medium health:production/soon/certificate | production soon: the certificate expires in 13 days | 13 days left, limit 14
        high health:production/urgent/certificate | production urgent: the certificate expires in 2 days | 2 days left, limit 14
        critical health:production/expired | production expired has a certificate that expired on the day before yesterday | TLS failed, 2 of 2 tries
        critical health:production/wrong-name | production wrong-name has a certificate that is not for 127.0.0.1, but for other.example | TLS failed, 2 of 2 tries
        critical health:production/stranger | production stranger has a certificate from an unknown issuer | TLS failed, 2 of 2 tries
        critical health:production/self-signed | production self-signed has a self-signed certificate: give it one from an authority, and name that in `ca_file` | TLS failed, 2 of 2 tries
        production 1 of 7 ok
        "#);
}

#[tokio::test]
async fn roots_that_can_not_be_read_make_https_unknown_and_spoil_no_other() {
    let authority = Authority::new();
    let secure =
        Service::start_with_tls(Answer::default(), Certificate::DaysLeft(60), &authority).await;
    let plain = Service::start([Answer::default()]).await;
    let judged = look(&health(
        "ca_file = \"/nowhere/roots.pem\"",
        &[
            endpoint("secure", &secure.url(), ""),
            endpoint("plain", &plain.url(), ""),
        ],
    ))
    .await;
    assert_snapshot!(lines(&judged), @r#"
        unknown NotConfigured | production secure was not asked: reading `ca_file` /nowhere/roots.pem: I/O error: No such file or directory (os error 2)
        production 1 of 2 ok (1 unknown)
        "#);
}

#[tokio::test]
async fn roots_that_can_be_read_again_are_used() {
    let authority = Authority::new();
    let secure =
        Service::start_with_tls(Answer::default(), Certificate::DaysLeft(60), &authority).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("roots.pem");
    let health = health(
        &format!("ca_file = {ca:?}"),
        &[endpoint("secure", &secure.url(), "")],
    );
    assert_eq!(look(&health).await.unknown.len(), 1);
    std::fs::write(&ca, authority.pem()).unwrap();
    assert_snapshot!(lines(&look(&health).await), @"production 1 of 1 ok");
}
