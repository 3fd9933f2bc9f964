use std::time::Duration;

use chrono::{DateTime, Utc};
use daily_ops::{
    checks::{
        Check, Evaluation, Looking, Progress, Secrets,
        health::{Control, Health, Observation},
    },
    report::{Cause, Finding, Severity},
};
use insta::assert_snapshot;
use tokio::time::Instant;

use crate::world::endpoints::{Answer, Authority, Certificate, Fault, Service, refusing};

/// A section with these endpoints, given as the fields of their tables.
fn health(settings: &str, endpoints: &[String]) -> Health {
    let endpoints = endpoints.join("}, {");
    let confirm = if settings.contains("confirm_after") {
        ""
    } else {
        "confirm_after = \"5ms\""
    };
    let section = format!("{confirm}\n{settings}\nendpoints = [{{{endpoints}}}]");
    let health: Health = toml::from_str(&section).unwrap();
    health.validate().unwrap();
    health
}

fn endpoint(name: &str, url: &str, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!("name = \"{name}\", environment = \"production\", url = \"{url}\"{comma}{more}")
}

fn looking(limit: Duration) -> Looking {
    Looking {
        deadline: Instant::now() + limit,
        progress: Progress::default(),
        secrets: std::sync::Arc::new(Secrets::default()),
    }
}

async fn observe(health: &Health) -> Observation {
    health
        .observe(&looking(Duration::from_secs(20)))
        .await
        .unwrap()
}

async fn look(health: &Health) -> Evaluation {
    health.evaluate(&observe(health).await, now())
}

#[expect(
    clippy::disallowed_methods,
    reason = "certificates end by the real time"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// An expired certificate's day depends on today's.
fn without_days(lines: &str) -> String {
    let day = now().date_naive() - chrono::TimeDelta::days(2);
    lines.replace(&day.to_string(), "the day before yesterday")
}

fn lines(judged: &Evaluation) -> String {
    let line = |f: &Finding| {
        format!(
            "{} {} | {} | {}",
            f.severity,
            f.key,
            f.title.as_str(),
            f.rule.as_str()
        )
    };
    let mut lines: Vec<String> = judged.findings.iter().map(line).collect();
    lines.extend(
        judged
            .unknown
            .iter()
            .map(|u| format!("unknown {:?} | {}", u.cause, u.reason.as_str())),
    );
    lines.push(judged.summary.as_str().to_owned());
    lines.join("\n")
}

#[tokio::test]
async fn endpoints_that_answer_well_leave_nothing_to_say() {
    let api = Service::start([Answer::default()]).await;
    let odd = Service::start([Answer {
        status: 204,
        body: String::new(),
        ..Answer::default()
    }])
    .await;
    let judged = look(&health(
        "",
        &[
            endpoint("api", &api.url(), "contains = \"pass\", within = \"4s\""),
            endpoint("odd", &odd.url(), "status = [200, 204]"),
        ],
    ))
    .await;
    assert_snapshot!(lines(&judged), @"production 2 of 2 ok");
    assert_eq!((api.asked(), odd.asked()), (1, 1));
}

#[tokio::test]
async fn no_fault_is_ever_ok() {
    let authority = Authority::new();
    let mut services = Vec::new();
    let mut endpoints = vec![
        endpoint("refused", &refusing().await, ""),
        endpoint("dns", "http://no-such-host.invalid/", ""),
    ];
    for (name, answer) in [
        ("slow-headers", Answer::fault(Fault::SlowHeaders)),
        ("slow-body", Answer::fault(Fault::SlowBody)),
        ("reset", Answer::fault(Fault::Reset)),
        ("truncated", Answer::fault(Fault::Truncated)),
        ("wrong-length", Answer::fault(Fault::WrongLength)),
        ("garbage", Answer::fault(Fault::Garbage)),
        ("endless-headers", Answer::fault(Fault::EndlessHeaders)),
        ("unauthorized", Answer::status(401)),
        ("forbidden", Answer::status(403)),
        ("limited", Answer::status(429)),
        ("error", Answer::status(500)),
        ("gateway", Answer::status(504)),
    ] {
        let service = Service::start([answer]).await;
        endpoints.push(endpoint(name, &service.url(), ""));
        services.push(service);
    }
    let tls = Service::start_with_tls(Answer::default(), Certificate::Expired, &authority).await;
    endpoints.push(endpoint("tls", &tls.url(), ""));
    let judged = look(&health("timeout = \"1s\"", &endpoints)).await;
    let seen = without_days(&lines(&judged)).replace("Name or service not known", "...");
    assert_snapshot!(seen, @r#"
        critical health:production/refused | production refused refuses connections | connection refused, 2 of 2 tries
        critical health:production/dns | production dns can't be found: the DNS look-up of no-such-host.invalid failed: ... | DNS look-up failed, 2 of 2 tries
        critical health:production/slow-headers | production slow-headers does not answer within 1s | no full answer in time, 2 of 2 tries
        critical health:production/slow-body | production slow-body sends its headers, but not all of its body within 1s | no full answer in time, 2 of 2 tries
        critical health:production/reset | production reset resets the connection after 8 bytes of the body | answer broken off, 2 of 2 tries
        critical health:production/truncated | production truncated breaks off after 8 bytes of the body | answer broken off, 2 of 2 tries
        critical health:production/wrong-length | production wrong-length sends what is no HTTP answer (invalid content-length parsed) | no HTTP answer, 2 of 2 tries
        critical health:production/garbage | production garbage sends what is no HTTP answer (invalid HTTP version parsed) | no HTTP answer, 2 of 2 tries
        critical health:production/endless-headers | production endless-headers sends what is no HTTP answer (message head is too large) | no HTTP answer, 2 of 2 tries
        critical health:production/unauthorized | production unauthorized answers 401 | answers 401, expected 200, 2 of 2 tries
        critical health:production/forbidden | production forbidden answers 403 | answers 403, expected 200, 2 of 2 tries
        critical health:production/limited | production limited answers 429 | answers 429, expected 200, 2 of 2 tries
        critical health:production/error | production error answers 500 | answers 500, expected 200, 2 of 2 tries
        critical health:production/gateway | production gateway answers 504 | answers 504, expected 200, 2 of 2 tries
        critical health:production/tls | production tls has a certificate that expired on the day before yesterday | TLS failed, 2 of 2 tries
        production 0 of 15 ok
        "#);
    assert_eq!(judged.findings.len(), endpoints.len());
}

#[tokio::test]
async fn an_endpoint_that_answers_well_on_the_second_try_is_no_finding() {
    let flapping = Service::start([Answer::status(503), Answer::default()]).await;
    let resetting = Service::start([Answer::fault(Fault::Reset), Answer::default()]).await;
    let judged = look(&health(
        "",
        &[
            endpoint("flapping", &flapping.url(), ""),
            endpoint("resetting", &resetting.url(), ""),
        ],
    ))
    .await;
    assert_snapshot!(lines(&judged), @"production 2 of 2 ok");
    assert_eq!((flapping.asked(), resetting.asked()), (2, 2));
}

#[tokio::test]
async fn what_was_seen_is_evidence_without_its_secrets() {
    let mut answer = Answer::status(503);
    answer.body = "down\u{1b}[31m\r\npassword=hunter2hunter2 <b>".to_owned() + &"x".repeat(100_000);
    let service = Service::start([answer]).await;
    let judged = look(&health(
        "",
        &[endpoint(
            "api",
            &format!("{}?key=abc", service.url()),
            "runbook = \"https://wiki.example/api\"",
        )],
    ))
    .await;
    let finding = &judged.findings[0];
    assert_eq!(finding.evidence.len(), 2);
    for (line, which) in finding.evidence.iter().zip(["first", "second"]) {
        let line = line.as_str();
        assert!(line.contains(&format!("{which} try: 503 in ")), "{line}");
        assert!(
            line.contains("down [31m [redacted] <b>xxx") && line.len() < 300,
            "{line}"
        );
    }
    assert_eq!(finding.link.as_ref().unwrap().as_str(), service.url());
    assert_eq!(
        finding.runbook.as_ref().unwrap().as_str(),
        "https://wiki.example/api"
    );
}

#[tokio::test]
async fn an_endpoint_is_slow_only_if_both_tries_were() {
    let late = Duration::from_millis(900);
    let slow = Service::start([Answer::after(late)]).await;
    let once = Service::start([Answer::after(late), Answer::default()]).await;
    let judged = look(&health(
        "",
        &[
            endpoint("slow", &slow.url(), "within = \"700ms\""),
            endpoint("once", &once.url(), "within = \"700ms\""),
        ],
    ))
    .await;
    let [finding] = &judged.findings[..] else {
        panic!("{}", lines(&judged))
    };
    assert_eq!(finding.key.to_string(), "health:production/slow/latency");
    assert_eq!(finding.severity, Severity::Medium);
    assert!((900..5000).contains(&finding.magnitude));
    let rule = format!("{} ms, limit 700 ms, 2 of 2 tries", finding.magnitude);
    assert_eq!(finding.rule.as_str(), rule);
    assert_eq!((slow.asked(), once.asked()), (2, 2));
}

#[tokio::test]
async fn a_text_that_is_not_there_is_a_finding() {
    let page = Service::start([Answer::default()]).await;
    let judged = look(&health(
        "",
        &[endpoint("api", &page.url(), "contains = \"ready\"")],
    ))
    .await;
    assert_snapshot!(lines(&judged), @r#"
        critical health:production/api | production api answers 200 without the expected text | answers 200 without the expected text, 2 of 2 tries
        production 0 of 1 ok
        "#);
}

#[tokio::test]
async fn a_log_in_page_behind_a_200_is_a_finding() {
    let login = "<!doctype html><title>Sign in</title><form><input type=password></form>";
    let hidden = Service::start([Answer {
        content_type: None,
        ..Answer::html(login)
    }])
    .await;
    let page = Service::start([Answer::html("<html><title>Status</title>All well</html>")]).await;
    let meant = Service::start([Answer::html(login)]).await;
    let judged = look(&health(
        "",
        &[
            endpoint("hidden", &hidden.url(), ""),
            endpoint("page", &page.url(), ""),
            endpoint("meant", &meant.url(), "contains = \"Sign in\""),
        ],
    ))
    .await;
    assert_snapshot!(lines(&judged), @r#"
        critical health:production/hidden | production hidden answers 200 with a log-in page | answers 200 with a log-in page, 2 of 2 tries
        production 2 of 3 ok
        "#);
}

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
    let gone = Service::start([Answer::redirect(&refusing().await)]).await;
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
        production 1 of 6 ok
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
async fn two_thousand_endpoints_are_asked_a_few_at_a_time() {
    let service = Service::start([Answer::default()]).await;
    let endpoints: Vec<String> = (0..2000)
        .map(|i| endpoint(&format!("e{i}"), &format!("{}/{i}", service.url()), ""))
        .collect();
    let health = health("concurrency = 32", &endpoints);
    let looking = looking(Duration::from_secs(60));
    let seen = health.observe(&looking).await.unwrap();
    assert_snapshot!(lines(&health.evaluate(&seen, now())), @"production 2,000 of 2,000 ok");
    assert_eq!(looking.progress.get(), (2000, 2000));
    assert_eq!(service.asked(), 2000);
    assert!(
        (2..=32).contains(&service.most_at_once()),
        "{}",
        service.most_at_once()
    );
}

#[tokio::test]
async fn what_the_time_did_not_suffice_for_is_unknown_and_what_was_seen_stays() {
    let down = Service::start([Answer::status(503)]).await;
    let hanging = Service::start([Answer::fault(Fault::SlowHeaders)]).await;
    let mut endpoints = vec![endpoint("down", &down.url(), "")];
    endpoints
        .extend((0..50).map(|i| endpoint(&format!("h{i}"), &format!("{}/{i}", hanging.url()), "")));
    let health = health("timeout = \"30s\"\nconcurrency = 4", &endpoints);
    let limit = Duration::from_millis(500);
    let began = Instant::now();
    let seen = health.observe(&looking(limit)).await.unwrap();
    assert!(
        began.elapsed() < limit + Duration::from_millis(450),
        "{:?}",
        began.elapsed()
    );
    assert_snapshot!(lines(&health.evaluate(&seen, now())), @r#"
        unknown Timeout | 50 of 51 endpoints could not be seen within the time limit; raise `time_limit` in [checks.health]
        unknown Timeout | 1 endpoint looked bad once and could not be asked again within the time limit: production/down
        production 0 of 51 ok (51 unknown)
        "#);
}

#[tokio::test]
async fn what_looked_bad_is_confirmed_before_more_is_asked() {
    let down = Service::start([Answer::status(503)]).await;
    let hanging = Service::start([Answer::fault(Fault::SlowHeaders)]).await;
    let health = health(
        "concurrency = 1\nconfirm_after = \"0s\"",
        &[
            endpoint("down", &down.url(), ""),
            endpoint("hanging", &hanging.url(), ""),
        ],
    );
    let limit = Duration::from_millis(500);
    let seen = health.observe(&looking(limit)).await.unwrap();
    let judged = health.evaluate(&seen, now());
    assert_eq!(judged.findings.len(), 1, "{}", lines(&judged));
    assert_eq!(judged.unknown.len(), 1, "{}", lines(&judged));
}

#[tokio::test]
async fn what_looked_bad_and_was_not_confirmed_in_time_is_unknown() {
    let down = Service::start([Answer::status(503)]).await;
    let health = health(
        "confirm_after = \"30s\"",
        &[endpoint("down", &down.url(), "")],
    );
    let seen = health
        .observe(&looking(Duration::from_millis(300)))
        .await
        .unwrap();
    assert_snapshot!(lines(&health.evaluate(&seen, now())), @r#"
        unknown Timeout | 1 endpoint looked bad once and could not be asked again within the time limit: production/down
        production 0 of 1 ok (1 unknown)
        "#);
}

#[tokio::test]
async fn everything_failing_with_the_control_address_is_our_own_network() {
    let endpoints = [
        endpoint("api", &refusing().await, ""),
        endpoint("web", &refusing().await, ""),
    ];
    let control = format!("control = \"{}\"", refusing().await);
    let judged = look(&health(&control, &endpoints)).await;
    assert_snapshot!(lines(&judged), @r#"
        high health:own-network | our own network: 2 endpoints and the control address 127.0.0.1 failed together | 0 of 2 endpoints answered, nor did the control address
        unknown OwnNetwork | 2 endpoints could not be seen: our own network failed; look at this machine's connection and DNS
        production 0 of 2 ok (2 unknown)
        "#);
}

#[tokio::test]
async fn everything_failing_while_the_control_address_answers_is_their_fault() {
    let endpoints = [
        endpoint("api", &refusing().await, ""),
        endpoint("web", &refusing().await, ""),
    ];
    let control = Service::start([Answer::default()]).await;
    let health = health(&format!("control = \"{}\"", control.url()), &endpoints);
    let seen = observe(&health).await;
    assert_eq!(seen.control, Control::Answered);
    assert_snapshot!(lines(&health.evaluate(&seen, now())), @r#"
        critical health:production/api | production api refuses connections | connection refused, 2 of 2 tries
        critical health:production/web | production web refuses connections | connection refused, 2 of 2 tries
        production 0 of 2 ok
        "#);
}

#[tokio::test]
async fn without_a_control_address_only_dns_on_several_hosts_is_our_own_network() {
    let judged = look(&health(
        "",
        &[
            endpoint("api", "http://api.invalid/", ""),
            endpoint("web", "http://web.invalid/", ""),
        ],
    ))
    .await;
    assert_snapshot!(lines(&judged), @r#"
        high health:own-network | our own network: 2 endpoints on 2 hosts failed together | 0 of 2 endpoints answered, all for want of DNS or a route
        unknown OwnNetwork | 2 endpoints could not be seen: our own network failed; look at this machine's connection and DNS
        production 0 of 2 ok (2 unknown)
        "#);
    let same_host = [
        endpoint("a", "http://api.invalid/a", ""),
        endpoint("b", "http://api.invalid/b", ""),
    ];
    assert_eq!(look(&health("", &same_host)).await.findings.len(), 2);
    let refused = [
        endpoint("a", &refusing().await, ""),
        endpoint("b", &refusing().await, ""),
    ];
    assert_eq!(look(&health("", &refused)).await.findings.len(), 2);
}

#[tokio::test]
async fn the_control_address_is_left_alone_while_anything_answers() {
    let up = Service::start([Answer::status(500)]).await;
    let control = Service::start([Answer::default()]).await;
    let health = health(
        &format!("control = \"{}\"", control.url()),
        &[
            endpoint("up", &up.url(), ""),
            endpoint("gone", &refusing().await, ""),
        ],
    );
    let seen = observe(&health).await;
    assert_eq!(seen.control, Control::NotAsked);
    assert_eq!(health.evaluate(&seen, now()).findings.len(), 2);
}
