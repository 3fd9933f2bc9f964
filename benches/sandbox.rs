//! People type into the local Slack, so many times a second, and the bot answers them.
//!
//! `cargo bench --bench sandbox [-- PER_SECOND SECONDS]`

use std::{io::Write, sync::Arc, time::Duration};

use daily_ops::{
    command::Transport,
    sandbox::{
        Office, Options,
        slack::{ANNA, Delivered, OPS},
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let numbers: Vec<u64> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    let per_second = numbers.first().copied().unwrap_or(200);
    let seconds = numbers.get(1).copied().unwrap_or(20);
    for transport in [Transport::Http, Transport::Socket] {
        load(transport, per_second, seconds).await?;
    }
    Ok(())
}

async fn load(transport: Transport, per_second: u64, seconds: u64) -> anyhow::Result<()> {
    let office = Arc::new(
        Office::open(&Options {
            keep: None,
            transport,
            scenario: None,
        })
        .await?,
    );
    while !is_acked(&office.slack.command(ANNA, OPS, "/ops help").await) {
        sleep(Duration::from_millis(50)).await;
    }
    let begun = Instant::now();
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(per_second)?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut typing = JoinSet::new();
    for _ in 0..per_second * seconds {
        ticks.tick().await;
        let office = Arc::clone(&office);
        typing.spawn(async move { office.slack.command(ANNA, OPS, "/ops help").await });
    }
    let delivered = typing.join_all().await;
    let took = begun.elapsed();
    let mut acks: Vec<Duration> = delivered
        .iter()
        .filter_map(|it| match it {
            Delivered::Acked { after, .. } => Some(*after),
            Delivered::Failed(_) => None,
        })
        .collect();
    acks.sort();
    let at = |share: f64| {
        let place = (acks.len().saturating_sub(1)) as f64 * share;
        acks.get(place as usize).copied().unwrap_or_default()
    };
    writeln!(
        std::io::stdout(),
        "{transport:?}: {} commands in {took:.1?} ({:.0}/s), {} not acked; acks: median {:.1?}, 99 % {:.1?}, longest {:.1?}",
        delivered.len(),
        delivered.len() as f64 / took.as_secs_f64(),
        delivered.len() - acks.len(),
        at(0.5),
        at(0.99),
        at(1.0),
    )?;
    office.close().await
}

fn is_acked(delivered: &Delivered) -> bool {
    matches!(delivered, Delivered::Acked { .. })
}
