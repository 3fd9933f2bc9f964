//! What the sandbox's stories about Stripe do to the report.

use crate::sandbox_world::Morning;

#[tokio::test]
async fn play_all() {
    for scenario in [
        "webhooks-failing",
        "payday-declines",
        "dispute-due",
        "stripe-test-key",
    ] {
        let morning = Morning::of(scenario).await;
        let begin = std::time::Instant::now();
        eprintln!("--- {scenario}\n{}", morning.report().await);
        eprintln!("{:?}", begin.elapsed());
        morning.world.time.advance(chrono::TimeDelta::days(1));
        eprintln!("--- the next morning\n{}", morning.report().await);
    }
    let morning = Morning::of("quiet").await;
    for (name, value) in [
        ("stripe/endpoint", "fails"),
        ("stripe/endpoint", "disabled"),
        ("stripe/endpoint", "delivers"),
        ("stripe/cards", "declined"),
        ("stripe/cards", "normal"),
        ("stripe", "403"),
        ("stripe", "401"),
        ("stripe", "429"),
        ("stripe", "503"),
        ("stripe", "slow"),
        ("stripe", "hangs"),
        ("stripe", "garbage"),
        ("stripe", "refuses"),
        ("stripe", "well"),
    ] {
        morning.switch(name, value);
        let begin = std::time::Instant::now();
        eprintln!("--- {name} {value}\n{}", morning.report().await);
        eprintln!("{:?}", begin.elapsed());
    }
}
