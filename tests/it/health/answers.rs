//! What endpoints answer, and what it means.

use std::time::Duration;

use daily_ops::report::Severity;
use insta::assert_snapshot;

use super::{endpoint, health, lines, look, without_days};
use crate::world::endpoints::{Answer, Authority, Certificate, Fault, Service, refusing};

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
        endpoint("refused", &refusing(), ""),
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
            line.contains("down [31m password=[redacted] <b>xxx") && line.len() < 300,
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
