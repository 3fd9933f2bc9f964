//! One summary per channel and local date, over ticks, restarts, outages and replicas, on both engines.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use daily_ops::{
    bot::Bot,
    ops_log::Kind,
    schedule::{Daily, Schedule},
    store::{AskedRound, Filter, Store},
};
use futures_util::future::join_all;

use crate::world::{
    chat::CHANNEL,
    clockwork::{Time, bot},
    database::{Database, on_each_engine, open},
};

const LATEST: TimeDelta = TimeDelta::hours(6);

fn nine_in(time_zone: Tz) -> Schedule {
    Schedule {
        daily: Some(Daily::try_from("09:00".to_owned()).expect("it is a time")),
        time_zone,
        ..Schedule::default()
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("it is a time")
}

fn dates(texts: &[&str]) -> Vec<NaiveDate> {
    texts
        .iter()
        .map(|text| text.parse().expect("it is a date"))
        .collect()
}

async fn tick(bot: &Bot) -> bool {
    bot.ask_for_summary(CHANNEL)
        .await
        .expect("the store answers")
}

/// The summaries that were asked for, the oldest first.
async fn begun(store: &Store, now: DateTime<Utc>) -> Vec<AskedRound> {
    let mut rounds = Vec::new();
    while let Some(round) = store.claim_round(now, TimeDelta::days(999)).await.unwrap() {
        rounds.push(round);
    }
    rounds.sort_by_key(|round| round.order.due_at);
    rounds
}

/// The dates that the log calls missed.
async fn missed(store: &Store) -> Vec<NaiveDate> {
    let mut entries = store.entries(&Filter::newest(10_000)).await.unwrap();
    entries.retain(|entry| entry.kind == Kind::Missed);
    let mut days: Vec<_> = entries
        .iter()
        .map(|entry| entry.subject.parse().expect("its subject is a date"))
        .collect();
    days.sort();
    days
}

async fn lone(database: &Database, schedule: Schedule, time: &Time) -> Bot {
    database.store.close().await;
    bot(open(&database.url).await, schedule, time)
}

#[tokio::test]
async fn a_summary_is_asked_for_when_it_is_due_and_once() {
    on_each_engine(async |database| {
        let clock = Time::at(time("2026-11-23T07:59:59Z"));
        let bot = lone(database, nine_in(Tz::Europe__Berlin), &clock).await;
        assert!(!tick(&bot).await, "it is not due");
        clock.set(time("2026-11-23T08:00:00Z"));
        assert!(tick(&bot).await);
        assert!(!tick(&bot).await);
        clock.set(time("2026-11-24T07:59:59Z"));
        assert!(!tick(&bot).await);
        let rounds = begun(&bot.store, clock.now()).await;
        assert_eq!(rounds.len(), 1);
        assert_eq!(
            (
                rounds[0].order.due_at,
                &rounds[0].order.by,
                rounds[0].channel.as_str()
            ),
            (Some(time("2026-11-23T08:00:00Z")), &None, CHANNEL)
        );
        bot.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn six_hours_late_is_posted_and_later_is_missed_and_mentioned_next_time() {
    on_each_engine(async |database| {
        let clock = Time::at(time("2026-11-23T15:00:00Z"));
        let bot = lone(database, nine_in(Tz::UTC), &clock).await;
        assert!(tick(&bot).await, "six hours are not too late");

        clock.set(time("2026-11-24T15:00:01Z"));
        assert!(!tick(&bot).await);
        assert!(!tick(&bot).await);
        assert_eq!(missed(&bot.store).await, dates(&["2026-11-24"]));
        bot.project_waiting().await.unwrap();
        let file = std::fs::read_to_string(&bot.log_path).expect("the log's file is written");
        assert!(
            file.contains(
                "the summary of 2026-11-24 was not made: it was due at 2026-11-24 09:00 UTC"
            ),
            "{file}"
        );

        clock.set(time("2026-11-25T09:00:00Z"));
        assert!(tick(&bot).await);
        clock.set(time("2026-11-26T09:00:00Z"));
        assert!(tick(&bot).await);
        let mentioned: Vec<_> = begun(&bot.store, clock.now())
            .await
            .into_iter()
            .map(|round| round.order.missed)
            .collect();
        assert_eq!(mentioned, [vec![], dates(&["2026-11-24"]), vec![]]);
        bot.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn after_days_of_absence_only_the_latest_date_has_a_summary() {
    on_each_engine(async |database| {
        let clock = Time::at(time("2026-11-18T09:00:00Z"));
        let bot = lone(database, nine_in(Tz::UTC), &clock).await;
        assert!(tick(&bot).await);
        clock.set(time("2026-11-24T10:00:00Z"));
        assert!(tick(&bot).await);
        // The 21st and the 22nd are a weekend.
        let absent = dates(&["2026-11-19", "2026-11-20", "2026-11-23"]);
        assert_eq!(missed(&bot.store).await, absent);
        let rounds = begun(&bot.store, clock.now()).await;
        assert_eq!(rounds.len(), 2);
        assert_eq!(rounds[1].order.missed, absent);
        bot.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_that_are_due_within_six_hours_the_older_one_is_missed() {
    on_each_engine(async |database| {
        let clock = Time::at(time("2026-11-23T09:00:00Z"));
        let mut bot = lone(database, nine_in(Tz::UTC), &clock).await;
        assert!(tick(&bot).await);
        bot.schedule.daily = Some(Daily::try_from("23:00".to_owned()).expect("it is a time"));
        clock.set(time("2026-11-24T22:00:00Z"));
        assert!(!tick(&bot).await);
        // Nobody looks for a while, and then it is to be early in the morning.
        bot.schedule.daily = Some(Daily::try_from("0 23 24 * *".to_owned()).expect("it is a time"));
        clock.set(time("2026-11-25T02:00:00Z"));
        bot.schedule.daily = Some(Daily::try_from("0 1 * * *".to_owned()).expect("it is a time"));
        bot.schedule.time_zone = Tz::Asia__Tokyo;
        assert!(
            !tick(&bot).await,
            "the 24th was due at 16:00 UTC of the 23rd, the 25th of the 24th"
        );
        assert_eq!(
            missed(&bot.store).await,
            dates(&["2026-11-24", "2026-11-25"])
        );
        bot.schedule.time_zone = Tz::Pacific__Kiritimati;
        bot.schedule.daily =
            Some(Daily::try_from("*/30 * * * *".to_owned()).expect("it is a time"));
        clock.set(time("2026-11-26T10:30:00Z"));
        assert!(
            tick(&bot).await,
            "the 26th there was due too long ago, the 27th is due"
        );
        assert_eq!(
            missed(&bot.store).await,
            dates(&["2026-11-24", "2026-11-25", "2026-11-26"])
        );
        assert!(!tick(&bot).await);
        bot.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_years_ahead_for_a_moment_silences_nobody() {
    on_each_engine(async |database| {
        let clock = Time::at(time("2026-11-23T09:00:00Z"));
        let bot = lone(database, nine_in(Tz::UTC), &clock).await;
        assert!(tick(&bot).await);
        clock.set(time("2037-06-01T09:00:00Z"));
        assert!(tick(&bot).await);
        clock.set(time("2026-11-23T09:05:00Z"));
        assert!(!tick(&bot).await);
        clock.set(time("2026-11-24T09:00:00Z"));
        assert!(tick(&bot).await);
        clock.set(time("1970-01-05T08:00:00Z"));
        assert!(!tick(&bot).await);
        clock.set(time("2026-11-24T09:01:00Z"));
        assert!(!tick(&bot).await);
        bot.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn each_channel_has_its_own() {
    on_each_engine(async |database| {
        let clock = Time::at(time("2026-11-23T09:00:00Z"));
        let bot = lone(database, nine_in(Tz::UTC), &clock).await;
        assert!(tick(&bot).await);
        assert!(bot.ask_for_summary("C0OTHER").await.unwrap());
        assert!(!bot.ask_for_summary("C0OTHER").await.unwrap());
        assert_eq!(begun(&bot.store, clock.now()).await.len(), 2);
        bot.store.close().await;
    })
    .await;
}

/// Numbers that look random, and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("it is 31 bits long") % below
    }
}

/// What is true of any history, given the first date and the last moment.
async fn lawful(store: &Store, schedule: &Schedule, now: DateTime<Utc>, ticks: &[DateTime<Utc>]) {
    let rounds = begun(store, now).await;
    let missed = missed(store).await;
    let date = |round: &AskedRound| {
        let due = round.order.due_at.expect("the schedule wanted it");
        due.with_timezone(&schedule.time_zone).date_naive()
    };
    let made: Vec<_> = rounds.iter().map(date).collect();
    let all: BTreeSet<_> = made.iter().chain(&missed).copied().collect();
    assert_eq!(
        all.len(),
        made.len() + missed.len(),
        "each date once: {made:?} {missed:?}"
    );
    let first = *all.first().expect("there was one");
    let wanted: BTreeSet<_> = first
        .iter_days()
        .take(400)
        .filter(|day| schedule.due_at(*day).is_some_and(|at| at <= now))
        .collect();
    assert_eq!(all, wanted, "no date is forgotten");
    let mut mentioned: Vec<NaiveDate> = Vec::new();
    for round in &rounds {
        let late = round.order.at - round.order.due_at.expect("the schedule wanted it");
        assert!(late >= TimeDelta::zero() && late <= LATEST, "{late}");
        mentioned.extend(&round.order.missed);
        let before = missed.iter().filter(|day| **day < date(round));
        assert_eq!(
            mentioned,
            before.copied().collect::<Vec<_>>(),
            "each is mentioned by the next, once"
        );
    }
    let moments: BTreeSet<_> = rounds.iter().map(|round| round.order.at).collect();
    assert_eq!(moments.len(), rounds.len(), "never two at once");
    for day in &missed {
        let due = schedule.due_at(*day).expect("only days that were wanted");
        let mut looked = ticks
            .iter()
            .filter(|tick| **tick >= due)
            .map(|tick| *tick - due <= LATEST);
        assert_eq!(looked.next(), Some(false), "{day} could have been made");
    }
}

#[tokio::test]
async fn a_year_of_ticks_outages_and_restarts_leaves_every_date_made_once_or_missed() {
    let zones = [
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Australia__Lord_Howe,
        Tz::America__Nuuk,
        Tz::Pacific__Apia,
    ];
    for (seed, zone) in (1..).zip(zones) {
        let database = Database::sqlite().await;
        let mut dice = Dice(seed);
        let schedule = Schedule {
            daily: Some(Daily::At(
                chrono::NaiveTime::from_hms_opt(
                    u32::try_from(dice.roll(24)).unwrap(),
                    u32::try_from(dice.roll(60)).unwrap(),
                    0,
                )
                .expect("it is a time"),
            )),
            days: [
                Weekday::Mon,
                Weekday::Tue,
                Weekday::Wed,
                Weekday::Sat,
                Weekday::Sun,
            ]
            .to_vec(),
            time_zone: zone,
        };
        let clock = Time::at(time("2026-01-05T00:00:00Z"));
        let mut bot = lone(&database, schedule.clone(), &clock).await;
        let mut ticks = Vec::new();
        while clock.now() < time("2026-12-31T00:00:00Z") {
            let pause = match dice.roll(100) {
                0 => TimeDelta::hours(dice.roll(24 * 9)),
                1..5 => TimeDelta::minutes(dice.roll(14 * 60)),
                _ => TimeDelta::minutes(1 + dice.roll(360)),
            };
            // Now and then the clock is set right.
            let step = if dice.roll(50) == 0 {
                -pause.min(TimeDelta::hours(2))
            } else {
                pause
            };
            clock.set(clock.now() + step);
            if dice.roll(150) == 0 {
                bot = restarted(bot, &database, &schedule, &clock).await;
            }
            tick(&bot).await;
            ticks.push(clock.now());
        }
        assert!(ticks.len() > 1000, "{}", ticks.len());
        lawful(
            &bot.store,
            &schedule,
            clock.now().max(*ticks.iter().max().unwrap()),
            &ticks,
        )
        .await;
        bot.store.close().await;
    }
}

async fn restarted(bot: Bot, database: &Database, schedule: &Schedule, clock: &Time) -> Bot {
    bot.store.close().await;
    drop(bot);
    let again = crate::world::clockwork::bot(open(&database.url).await, schedule.clone(), clock);
    again.store.release_claims().await.unwrap();
    again
}

#[tokio::test]
async fn replicas_that_tick_at_the_same_moment_make_one() {
    on_each_engine(async |database| {
        if !database.postgres {
            return;
        }
        let (schedule, mut dice) = (nine_in(Tz::Europe__Berlin), Dice(7));
        let clock = Time::at(time("2026-03-16T00:00:00Z"));
        let mut replicas = Vec::new();
        for _ in 0..3 {
            replicas.push(bot(open(&database.url).await, schedule.clone(), &clock));
        }
        let mut ticks = Vec::new();
        while clock.now() < time("2026-05-16T00:00:00Z") {
            let pause = match dice.roll(30) {
                0 => TimeDelta::hours(dice.roll(24 * 5)),
                _ => TimeDelta::minutes(1 + dice.roll(300)),
            };
            clock.set(clock.now() + pause);
            let asked = join_all(replicas.iter().map(tick)).await;
            assert!(
                asked.iter().filter(|asked| **asked).count() <= 1,
                "{asked:?}"
            );
            ticks.push(clock.now());
        }
        lawful(&replicas[0].store, &schedule, clock.now(), &ticks).await;
        for replica in replicas {
            replica.store.close().await;
        }
    })
    .await;
}
