//! The health check against described services.

use std::time::Duration;

use chrono::{DateTime, Utc};
use daily_ops::{
    checks::{
        Check, Evaluation, Looking, Progress, Secrets,
        health::{Health, Observation},
    },
    report::Finding,
    sandbox::time::Time,
};
use tokio::time::Instant;

mod answers;
mod certificates;
mod configuration;
mod judgement;
mod limits;
mod own_network;
mod redirects;

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
        clock: Time::real().clock(),
        progress: Progress::default(),
        baselines: Default::default(),
        since: None,
        earlier: std::sync::Arc::default(),
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
