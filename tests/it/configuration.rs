//! What is written in the file is what the program works with.

use std::time::Duration;

use daily_ops::{
    checks::{
        errors::Errors,
        health::{Health, Redirects},
        registry,
    },
    config::Config,
    report::Severity,
};
use proptest::prelude::*;
use serde::Deserialize;
use toml::{Table, Value};

/// A name that a file can hold: also with quotes, backslashes and other scripts.
fn name() -> impl Strategy<Value = String> {
    "[a-zé\"'\\\\#=\\[\\]. -]{1,12}".prop_filter("names have letters", |name| {
        name.chars().any(char::is_alphabetic)
    })
}

fn duration() -> impl Strategy<Value = Duration> {
    (1..100_000_u64).prop_map(Duration::from_millis)
}

#[derive(Clone, Debug)]
struct Described {
    name: String,
    environment: String,
    path: String,
    status: Vec<u16>,
    within: Option<Duration>,
    contains: Option<String>,
    days: u16,
    follow: bool,
    severity: Option<Severity>,
}

prop_compose! {
    fn described()(
        (name, environment) in (name(), name()),
        path in "[a-z0-9/?=%-]{0,12}",
        status in prop::collection::vec(100..600_u16, 1..4),
        within in prop::option::of(duration()),
        contains in prop::option::of("\\PC{1,20}"),
        days in 0..400_u16,
        follow in any::<bool>(),
        severity in prop::option::of(prop::sample::select(Severity::ALL.to_vec())),
    ) -> Described {
        Described { name, environment, path, status, within, contains, days, follow, severity }
    }
}

impl Described {
    fn table(&self) -> Table {
        let mut table = Table::new();
        table.insert("name".into(), self.name.clone().into());
        table.insert("environment".into(), self.environment.clone().into());
        table.insert("url".into(), self.url().into());
        let status: Vec<i64> = self
            .status
            .iter()
            .map(|status| i64::from(*status))
            .collect();
        table.insert(
            "status".into(),
            if let [one] = status[..] {
                one.into()
            } else {
                status.into()
            },
        );
        table.insert("certificate_days".into(), i64::from(self.days).into());
        table.insert(
            "redirects".into(),
            if self.follow { "follow" } else { "finding" }.into(),
        );
        table.extend(self.within.map(|within| {
            (
                "within".into(),
                Value::from(humantime::format_duration(within).to_string()),
            )
        }));
        table.extend(
            self.contains
                .clone()
                .map(|text| ("contains".into(), text.into())),
        );
        table.extend(
            self.severity
                .map(|severity| ("severity".into(), severity.as_str().into())),
        );
        table
    }

    fn url(&self) -> String {
        format!("https://api.example.com/{}", self.path)
    }
}

proptest! {
    #[test]
    fn endpoints_read_back_as_they_were_written(all in prop::collection::vec(described(), 1..8), timeout in duration()) {
        let mut section = Table::new();
        section.insert("timeout".into(), humantime::format_duration(timeout).to_string().into());
        section.insert("endpoints".into(), all.iter().map(Described::table).collect::<Vec<_>>().into());
        let text = toml::to_string(&section).expect("it can be written");
        let health = Health::deserialize(toml::from_str::<Table>(&text).expect("it is TOML")).expect("it is a section");
        prop_assert_eq!(health.timeout, timeout);
        prop_assert_eq!(health.endpoints.len(), all.len());
        for (read, written) in health.endpoints.iter().zip(&all) {
            prop_assert_eq!(&read.name, &written.name);
            prop_assert_eq!(&read.environment, &written.environment);
            prop_assert_eq!(&read.url, &url::Url::parse(&written.url()).expect("it is a URL"));
            prop_assert!((100..600).all(|status| read.status.contains(status) == written.status.contains(&status)));
            prop_assert_eq!(read.within, written.within);
            prop_assert_eq!(&read.contains, &written.contains);
            prop_assert_eq!(read.certificate_days, written.days);
            prop_assert_eq!(read.redirects == Redirects::Follow, written.follow);
            prop_assert_eq!(read.severity, written.severity);
        }
    }

    #[test]
    fn rules_read_back_as_they_were_written(
        severity in prop::sample::select(Severity::ALL.to_vec()),
        users in prop::option::of(0..1_000_000_u64),
        title in prop::option::of("\\PC{1,20}"),
        spike in prop::option::of(any::<bool>()),
    ) {
        let mut rule = Table::new();
        rule.insert("severity".into(), severity.as_str().into());
        rule.extend(users.map(|users| ("users".into(), Value::Integer(users as i64))));
        rule.extend(title.clone().map(|title| ("title_contains".into(), title.into())));
        rule.extend(spike.map(|spike| ("spike".into(), spike.into())));
        let mut section: Table = toml::from_str("organization = \"acme\"\nprojects = [\"web\"]").expect("it is TOML");
        section.insert("rules".into(), vec![rule].into());
        let text = toml::to_string(&section).expect("it can be written");
        let errors = Errors::deserialize(toml::from_str::<Table>(&text).expect("it is TOML")).expect("it is a section");
        let read = &errors.rules[0];
        prop_assert_eq!((read.severity, read.users, &read.title_contains, read.spike), (severity, users, &title, spike));
    }

    #[test]
    fn a_file_that_was_mistyped_gets_an_answer(at in any::<prop::sample::Index>(), with in "\\PC{0,3}", take in 0..6_usize) {
        let example = include_str!("../../daily-ops.example.toml");
        let mut chars: Vec<char> = example.chars().collect();
        let at = at.index(chars.len());
        let end = (at + take).min(chars.len());
        chars.splice(at..end, with.chars());
        let text: String = chars.into_iter().collect();
        if let Err(error) = Config::parse(&text, &registry(), &|_| None) {
            let said = format!("{error:#}");
            prop_assert!(!said.is_empty() && said.len() < 4_000, "{}", said);
        }
    }
}
