//! Where the prober may go, and where a redirect may lead it.

use daily_ops::{
    checks::{Check, health::Health},
    report::Cause,
};
use insta::assert_snapshot;

use super::{endpoint, health, lines, look};
use crate::world::endpoints::{Answer, Authority, Certificate, Service, refusing};

#[tokio::test]
async fn a_redirect_is_a_finding_unless_it_may_be_followed() {
    let target = Service::start([Answer::default()]).await;
    let broken = Service::start([Answer::status(500)]).await;
    let elsewhere = Service::start([Answer::redirect("https://sso.example/login?next=x")]).await;
    let expected = Service::start([Answer::redirect("/login")]).await;
    let good = Service::start([Answer::redirect(&target.url())]).await;
    let bad = Service::start([Answer::redirect(&broken.url())]).await;
    let judged = look(&health(
        "",
        &[
            endpoint("elsewhere", &elsewhere.url(), ""),
            endpoint("expected", &expected.url(), "status = 302"),
            endpoint("good", &good.url(), "redirects = \"follow\""),
            endpoint("bad", &bad.url(), "redirects = \"follow\""),
        ],
    ))
    .await;
    assert_snapshot!(lines(&judged), @r#"
        critical health:production/elsewhere | production elsewhere answers 302 to sso.example | answers 302 to sso.example, expected 200, 2 of 2 tries
        critical health:production/bad | production bad answers 500 | answers 500, expected 200, 2 of 2 tries
        production 2 of 4 ok
        "#);
    assert_eq!(target.asked(), 1);
}

#[tokio::test]
async fn a_redirect_is_followed_three_times_and_only_to_where_one_may_go() {
    let loops = Service::start([Answer::redirect("/healthz")]).await;
    let metadata =
        Service::start([Answer::redirect("http://169.254.169.254/latest/meta-data/")]).await;
    let named = Service::start([Answer::redirect("http://metadata.google.internal/")]).await;
    let file = Service::start([Answer::redirect("file:///etc/passwd")]).await;
    let gone = Service::start([Answer::redirect(&refusing())]).await;
    let authority = Authority::new();
    let plain = Service::start([Answer::default()]).await;
    let down = Service::start_with_tls(
        Answer::redirect(&plain.url()),
        Certificate::DaysLeft(60),
        &authority,
    )
    .await;
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), authority.pem()).unwrap();
    let follow = "redirects = \"follow\"";
    let judged = look(&health(
        &format!("ca_file = {:?}", ca.path()),
        &[
            endpoint("loops", &loops.url(), follow),
            endpoint("metadata", &metadata.url(), follow),
            endpoint("named", &named.url(), follow),
            endpoint("file", &file.url(), follow),
            endpoint("gone", &gone.url(), follow),
            endpoint("to-plain", &down.url(), follow),
        ],
    ))
    .await;
    assert_snapshot!(lines(&judged), @r#"
        critical health:production/loops | production loops redirects more than 3 times | redirect not followed, 2 of 2 tries
        critical health:production/metadata | production metadata redirects to 169.254.169.254, a link-local, metadata or otherwise special address, which is never asked | redirect not followed, 2 of 2 tries
        critical health:production/named | production named redirects to metadata.google.internal, the name of a cloud's metadata service, which is never asked | redirect not followed, 2 of 2 tries
        critical health:production/file | production file redirects to a file: address, which is not followed | redirect not followed, 2 of 2 tries
        critical health:production/gone | production gone redirects to an address that refuses connections | redirect not followed, 2 of 2 tries
        critical health:production/to-plain | production to-plain redirects to plain http, which is not followed | redirect not followed, 2 of 2 tries
        production 0 of 6 ok
        "#);
    assert_eq!(loops.asked(), 2 * 4);
    assert_eq!(plain.asked(), 0);
}

#[tokio::test]
async fn an_address_that_is_never_asked_is_unknown_not_down() {
    let section = "confirm_after = \"5ms\"\nendpoints = [
        { name = \"a\", environment = \"x\", url = \"http://169.254.169.254/latest\" },
        { name = \"b\", environment = \"x\", url = \"http://[::ffff:169.254.169.254]/\" },
        { name = \"c\", environment = \"x\", url = \"http://metadata.google.internal/\" }]";
    let health: Health = toml::from_str(section).unwrap();
    let refusal = format!("{:#}", health.validate().unwrap_err());
    assert_snapshot!(refusal, @"in the endpoint `x/a`: in `url`: 169.254.169.254 is a link-local, metadata or otherwise special address, which is never asked");
    let judged = look(&health).await;
    assert!(judged.findings.is_empty());
    assert!(
        judged
            .unknown
            .iter()
            .all(|unknown| unknown.cause == Cause::Refused)
    );
    assert_snapshot!(lines(&judged), @r#"
        unknown Refused | x a was not asked: 169.254.169.254 is a link-local, metadata or otherwise special address, which is never asked
        unknown Refused | x b was not asked: ::ffff:169.254.169.254 is a link-local, metadata or otherwise special address, which is never asked
        unknown Refused | x c was not asked: metadata.google.internal is the name of a cloud's metadata service, which is never asked
        x 0 of 3 ok (3 unknown)
        "#);
}
