//! One round in the terminal.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use anyhow::Context;

use super::{
    super::{time::Time, world::World},
    folder::Folder,
    settings::{self, ZONE},
};
use crate::{bot::Round, triage::Person};

/// One daily round in the world of this scenario, without a Slack.
pub async fn once(scenario: &str) -> anyhow::Result<(Round, Tz)> {
    let time = Time::running(a_monday(Time::real().now())?);
    let world = World::open(time.clone()).await?;
    world.play(scenario)?;
    let folder = Folder::of(None)?;
    let config = settings::parse(&settings::of_any(&world, &folder), &world)?;
    let bot = settings::bot(config, &time).await?;
    let progress = bot.checklist.progress(None);
    let by = Person::program();
    let round = bot.round(None, &progress, &by, None, |_| {}).await;
    bot.store.close().await;
    Ok((round?, ZONE))
}

/// The Monday of this week, at the time of the daily summary.
pub(super) fn a_monday(now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let today = now.with_timezone(&ZONE).date_naive();
    let monday = today - TimeDelta::days(today.weekday().num_days_from_monday().into());
    let nine = monday
        .and_hms_opt(9, 0, 0)
        .context("a day has nine o'clock")?;
    let nine = ZONE.from_local_datetime(&nine).earliest();
    Ok(nine.context("Berlin has nine o'clock every day")?.to_utc())
}
