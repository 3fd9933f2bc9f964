//! One summary is due per local date that there is, in every time zone and whatever its clock does.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::{TZ_VARIANTS, Tz};
use daily_ops::schedule::{Daily, Schedule};
use proptest::prelude::*;

const EVERY_DAY: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

fn daily(time_zone: Tz, daily: &str) -> Schedule {
    Schedule {
        daily: Some(Daily::try_from(daily.to_owned()).expect("it is a time")),
        days: EVERY_DAY.to_vec(),
        time_zone,
    }
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("it is a date")
}

fn due(zone: Tz, time: &str, day: &str) -> Option<String> {
    let at = daily(zone, time).due_at(date(day))?;
    Some(at.with_timezone(&zone).to_rfc3339())
}

/// What a clock on the wall shows around that date, every quarter of an hour.
fn wall(zone: Tz, date: NaiveDate) -> impl Iterator<Item = chrono::NaiveDateTime> {
    let noon = date.and_hms_opt(12, 0, 0).expect("it is a time").and_utc();
    (-40 * 4..40 * 4).map(move |quarter| {
        let at = noon + TimeDelta::minutes(15 * quarter);
        at.with_timezone(&zone).naive_local()
    })
}

/// The first moment at which the clock on the wall has come to that time, if it ever shows that date.
fn obeys_the_wall(zone: Tz, date: NaiveDate, time: NaiveTime) {
    let wanted = date.and_time(time);
    let schedule = Schedule {
        daily: Some(Daily::At(time)),
        days: EVERY_DAY.to_vec(),
        time_zone: zone,
    };
    let exists = wall(zone, date).any(|shown| shown.date() == date);
    let at = schedule.due_at(date);
    assert_eq!(at.is_some(), exists, "{zone} {wanted}");
    let Some(at) = at else { return };
    let shown = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
    assert!(shown(at) >= wanted, "{zone} {wanted} {at}");
    for before in [
        1,
        60,
        1800,
        3600,
        5400,
        7200,
        3 * 3600,
        12 * 3600,
        24 * 3600,
    ] {
        let before = at - TimeDelta::seconds(before);
        assert!(
            shown(before) < wanted,
            "{zone} {wanted} {at}: {before} shows it already"
        );
    }
}

/// Dates on which the offset of a zone is another one than shortly before.
fn changes(zone: Tz, from: NaiveDate, to: NaiveDate) -> BTreeSet<NaiveDate> {
    let offset = |day: NaiveDate| {
        let midnight = day.and_time(NaiveTime::MIN);
        chrono::Offset::fix(&zone.offset_from_utc_datetime(&midnight))
    };
    let step = Days::new(4);
    let mut changes = BTreeSet::new();
    let mut day = from;
    while day < to {
        let next = day + step;
        if offset(day) != offset(next) {
            let days = day.iter_days().take_while(|day| *day < next);
            let at = days.filter(|day| offset(*day) != offset(*day + Days::new(1)));
            changes.extend(at);
        }
        day = next;
    }
    changes
}

#[test]
fn every_change_of_every_clock_from_1970_to_2037_leaves_one_due_moment_per_date() {
    let times = [
        "00:00", "00:29", "01:30", "02:00", "02:45", "03:00", "23:15", "23:59",
    ]
    .map(|time| time.parse::<NaiveTime>().expect("it is a time"));
    let mut changed = 0;
    for zone in TZ_VARIANTS {
        for change in changes(zone, date("1970-01-03"), date("2037-12-31")) {
            changed += 1;
            for date in [change.pred_opt(), Some(change), change.succ_opt()] {
                let date = date.expect("there is a day before and after");
                let time = times[changed % times.len()];
                obeys_the_wall(zone, date, time);
            }
        }
    }
    assert!(changed > 20_000, "{changed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]
    #[test]
    fn every_date_in_every_zone_has_its_due_moment(
        zone in proptest::sample::select(TZ_VARIANTS.to_vec()),
        day in 0u64..24_800,
        second in 0u32..86_400,
    ) {
        let date = date("1970-01-02") + Days::new(day);
        let time = NaiveTime::from_num_seconds_from_midnight_opt(second, 0).expect("it is a time");
        obeys_the_wall(zone, date, time);
    }

    #[test]
    fn due_moments_come_in_the_order_of_their_dates(
        zone in proptest::sample::select(TZ_VARIANTS.to_vec()),
        day in 0u64..24_700,
        minute in 0u32..1440,
    ) {
        let schedule = daily(zone, &format!("{:02}:{:02}", minute / 60, minute % 60));
        let first = date("1970-01-02") + Days::new(day);
        let moments: Vec<_> = first.iter_days().take(20).filter_map(|day| schedule.due_at(day)).collect();
        prop_assert!(moments.is_sorted_by(|a, b| a < b), "{moments:?}");
        prop_assert!(moments.len() >= 19);
    }

    #[test]
    fn however_often_it_is_asked_each_date_comes_up_once(
        zone in proptest::sample::select(TZ_VARIANTS.to_vec()),
        day in 0u64..24_000,
        minute in 0u32..1440,
        ticks in prop::collection::vec(1i64..50, 1..60),
        back in 0usize..60,
    ) {
        let schedule = daily(zone, &format!("{:02}:{:02}", minute / 60, minute % 60));
        let start = (date("1970-01-02") + Days::new(day)).and_time(NaiveTime::MIN).and_utc();
        let (mut now, mut done) = (start, BTreeSet::new());
        for (number, hours) in ticks.iter().enumerate() {
            // Once, the clock is set back.
            now += TimeDelta::hours(if number == back { -*hours } else { *hours });
            for due in schedule.due(done.last().copied(), now) {
                prop_assert!(due.at <= now);
                prop_assert_eq!(schedule.due_at(due.date), Some(due.at));
                prop_assert!(done.insert(due.date), "{} comes up again", due.date);
            }
        }
        let (Some(first), Some(last)) = (done.first(), done.last()) else { return Ok(()) };
        let wanted = first.iter_days().take_while(|day| day <= last);
        let wanted: BTreeSet<_> = wanted.filter(|day| schedule.due_at(*day).is_some()).collect();
        prop_assert_eq!(done, wanted);
    }
}

#[test]
fn what_a_clock_change_skips_is_due_right_after_it() {
    let berlin = Tz::Europe__Berlin;
    assert_eq!(
        due(berlin, "02:30", "2026-03-29").as_deref(),
        Some("2026-03-29T03:00:00+02:00")
    );
    assert_eq!(
        due(berlin, "02:30", "2026-03-30").as_deref(),
        Some("2026-03-30T02:30:00+02:00")
    );
    // Midnight itself is skipped.
    assert_eq!(
        due(Tz::America__Asuncion, "00:00", "2024-10-06").as_deref(),
        Some("2024-10-06T01:00:00-03:00")
    );
    // By half an hour.
    assert_eq!(
        due(Tz::Australia__Lord_Howe, "02:15", "2026-10-04").as_deref(),
        Some("2026-10-04T02:30:00+11:00")
    );
    // The last hour of the day.
    assert_eq!(
        due(Tz::America__Nuuk, "23:30", "2024-03-30").as_deref(),
        Some("2024-03-31T00:00:00-01:00")
    );
    // By 44 minutes and 30 seconds.
    assert_eq!(
        due(Tz::Africa__Monrovia, "00:10", "1972-01-07").as_deref(),
        Some("1972-01-07T00:44:30+00:00")
    );
}

#[test]
fn what_the_clock_shows_twice_is_due_the_first_time() {
    assert_eq!(
        due(Tz::Europe__Berlin, "02:30", "2026-10-25").as_deref(),
        Some("2026-10-25T02:30:00+02:00")
    );
    assert_eq!(
        due(Tz::Australia__Lord_Howe, "01:45", "2026-04-05").as_deref(),
        Some("2026-04-05T01:45:00+11:00")
    );
}

#[test]
fn a_date_that_was_skipped_has_no_summary() {
    let apia = Tz::Pacific__Apia;
    for time in ["00:00", "09:00", "23:59", "0 9 * * *"] {
        assert_eq!(due(apia, time, "2011-12-30"), None, "{time}");
        assert!(due(apia, time, "2011-12-29").is_some());
        assert!(due(apia, time, "2011-12-31").is_some());
    }
}

#[test]
fn a_cron_expression_gives_each_date_its_first_time() {
    let schedule = daily(Tz::Europe__Berlin, "30 2,8 * * mon-fri");
    let moments: Vec<_> = date("2026-03-27")
        .iter_days()
        .take(4)
        .map(|day| {
            schedule
                .due_at(day)
                .map(|at| at.with_timezone(&schedule.time_zone).to_rfc3339())
        })
        .collect();
    assert_eq!(
        moments,
        [
            Some("2026-03-27T02:30:00+01:00".to_owned()),
            None,
            None,
            Some("2026-03-30T02:30:00+02:00".to_owned())
        ]
    );
    assert_eq!(
        due(Tz::Europe__Berlin, "30 2,8 * * *", "2026-03-29").as_deref(),
        Some("2026-03-29T03:00:00+02:00"),
        "2:30 is skipped that day"
    );
    assert_eq!(
        due(Tz::UTC, "0 9 L * *", "2028-02-29").as_deref(),
        Some("2028-02-29T09:00:00+00:00")
    );
}

#[test]
fn what_is_no_time_is_refused_with_an_example() {
    for text in [
        "",
        "9",
        "25:00",
        "9:00 pm",
        "every day",
        "0 25 * * *",
        "0 9 30 2 *",
        "* * * *",
    ] {
        let error = Daily::try_from(text.to_owned())
            .map(|_| text)
            .expect_err("it is no time");
        assert!(error.to_string().contains("\"09:00\""), "{error}");
    }
}

#[test]
fn a_day_that_a_cron_expression_leaves_out_is_not_missed() {
    let schedule = Schedule {
        days: vec![Weekday::Tue],
        ..daily(Tz::UTC, "0 9 * * mon,wed")
    };
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("it is a time");
    let missed = schedule.missed(at("2026-11-19T10:00:00Z"), at("2026-11-27T10:00:00Z"));
    assert_eq!(missed, [date("2026-11-23"), date("2026-11-25")]);
    assert!(missed.iter().all(|day| day.weekday() != Weekday::Tue));
}

#[test]
fn after_a_long_absence_a_month_is_looked_at() {
    let schedule = daily(Tz::UTC, "09:00");
    let now = "2026-11-23T10:00:00Z".parse().expect("it is a time");
    let due = schedule.due(Some(date("2020-01-01")), now);
    assert_eq!((due.len(), due[0].date), (32, date("2026-10-23")));
    assert_eq!(schedule.due(Some(date("2026-11-23")), now), []);
    assert_eq!(schedule.due(Some(date("2027-11-23")), now), []);
    assert_eq!(schedule.due(None, now).len(), 1);
    assert_eq!(Schedule::default().due(None, now), []);
}
