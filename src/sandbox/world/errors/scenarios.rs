//! What happens in Sentry.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    super::{Scenario, World},
    Course, Issue, Trouble, background,
};

pub(super) const ALL: [Scenario; 3] = [
    Scenario {
        name: "regression",
        title: "A regression",
        story: "An error that was resolved last week is back. It is stubborn: resolve it, and by the next morning it is back again.",
        change: |world| {
            regress(world);
            Ok(())
        },
    },
    Scenario {
        name: "hostile-titles",
        title: "Somebody writes hostile titles",
        story: "Somebody sends errors whose titles try to ping the channel, to fake links and to break the message.",
        change: |world| {
            let now = world.time.now();
            world.sentry().happen(hostile(now));
            Ok(())
        },
    },
    Scenario {
        name: "sentry-403",
        title: "Sentry answers 403",
        story: "Somebody took a scope from the bot's token: whether there are errors, nobody knows.",
        change: |world| world.sentry().suffer(Trouble::Forbidden),
    },
];

/// The worst fades by the next morning, one is mended at noon, and one is seen for the first time in the evening.
pub(in crate::sandbox::world) fn of_the_release(now: DateTime<Utc>) -> Vec<Issue> {
    let hours = TimeDelta::hours;
    let release = now - hours(3);
    let cart = Course::surge(release, 566, TimeDelta::minutes(90));
    let timeout = Course {
        daily: 30,
        mended: Some(now + hours(4)),
        ..Course::surge(release + TimeDelta::minutes(4), 70, hours(3))
    };
    let overflow = Course::surge(now + hours(10), 64, hours(4));
    vec![
        Issue::told(
            4501,
            "web",
            "TypeError: cart is undefined",
            "app/cart in total",
            cart,
        )
        .new_and_unhandled(),
        Issue {
            substatus: "new",
            ..Issue::told(
                4502,
                "api",
                "TimeoutError: the inventory did not answer within 2 s",
                "orders/inventory in reserve",
                timeout,
            )
        },
        Issue::told(
            4466,
            "billing",
            "ValueError: '12,50' is no amount",
            "invoices/import in amount",
            Course::steady(now - TimeDelta::days(11), 9),
        )
        .given_to("user:3"),
        Issue {
            level: "warning",
            priority: Some("low"),
            ..Issue::told(
                4503,
                "web",
                "ChunkLoadError: Loading chunk 17 failed",
                "app/router in load",
                Course::surge(release, 41, hours(2)),
            )
        },
        Issue::told(
            4504,
            "web",
            "RangeError: Maximum call stack size exceeded",
            "app/cart in restore",
            overflow,
        )
        .new_and_unhandled(),
    ]
}

fn regress(world: &World) {
    let now = world.time.now();
    let back = Course {
        daily: 20,
        ..Course::surge(now - TimeDelta::days(31), 340, TimeDelta::hours(12))
    };
    let back = Issue {
        substatus: "regressed",
        comes_back: Some(TimeDelta::hours(9)),
        ..Issue::told(
            4395,
            "billing",
            "IntegrityError: an invoice was sent twice",
            "jobs/invoices in send",
            back,
        )
    };
    let mut sentry = world.sentry().world();
    sentry.issues.push(back);
}

/// What the shop meets while the checkout is down.
pub(in crate::sandbox::world) fn of_checkout(now: DateTime<Utc>) -> Vec<Issue> {
    let began = now - TimeDelta::minutes(12);
    let course = Course {
        each: 1,
        mended: Some(now + TimeDelta::hours(5)),
        ..Course::surge(began, 240, TimeDelta::minutes(20))
    };
    let title = "PaymentError: POST /checkout answered 503";
    vec![Issue::told(4611, "web", title, "app/checkout in pay", course).new_and_unhandled()]
}

/// One issue for each of these titles, from the worst to the least.
fn hostile(now: DateTime<Utc>) -> Vec<Issue> {
    const TITLES: [&str; 10] = [
        "<!channel> <!here> <@U0ANNA> pay now: <https://evil.example|your invoice>",
        "*bold* _italic_ ~gone~ `code` ```a block``` > quote & &lt;script&gt;",
        "<script>alert('the page')</script><img src=x onerror=alert(1)>",
        "The total is \u{202e}000,1 \u{202c}and \u{200b}nothing \u{2066}hidden\u{2069}",
        "שגיאה: העגלה ריקה",
        "خطأ في الدفع: cart is undefined",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466} :tada: \u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} \u{1f9d1}\u{1f3fd}\u{200d}\u{1f4bb}",
        "Z\u{35b}\u{32d}\u{33a}a\u{30a}\u{317}\u{34d}l\u{313}\u{31d}\u{353}g\u{30b}\u{359}o\u{34c}\u{323} over\nsome\r\nlines\twith\u{7}bells",
        "[link](javascript:alert(1)) | a | table | # heading",
        "token sntryu_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa leaked by the client",
    ];
    let course = |place: usize| Course::steady(now - TimeDelta::days(2), 120 - 10 * place as u64);
    let issue = |(place, title): (usize, &str)| {
        Issue::told(
            4700 + place as u64,
            "web",
            title,
            "<!everyone> in *the* `culprit`",
            course(place),
        )
    };
    let long = format!(
        "RecursionError: {}",
        "in render in layout in page ".repeat(60)
    );
    let longest = Issue::told(4710, "web", &long, "app/render in render", course(10));
    TITLES
        .iter()
        .copied()
        .enumerate()
        .map(issue)
        .chain([longest])
        .collect()
}

/// A Monday after a weekend that nobody watched.
pub(in crate::sandbox::world) fn of_a_busy_weekend(now: DateTime<Utc>) -> Vec<Issue> {
    let issues = background::NUISANCES.iter().enumerate();
    let told = issues.map(|(place, (project, title, culprit))| {
        let place = place as u64;
        let began = now - TimeDelta::hours(5 + 19 * place as i64);
        let course = Course::steady(began, 400 / (1 + place % 13));
        let issue = Issue::told(4800 + place, project, title, culprit, course);
        match place % 9 {
            0 => issue.new_and_unhandled(),
            1 => issue.given_to("team:8"),
            2 | 5 => Issue {
                level: "warning",
                priority: Some("low"),
                ..issue
            },
            3 => issue.given_to("user:3"),
            _ => issue,
        }
    });
    told.collect()
}
