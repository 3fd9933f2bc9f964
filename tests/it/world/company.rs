//! A small company: its services, its Sentry, and the folder in which its Daily Ops works.

use std::{
    process::{Command, Output},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    bot::{Bot, Round, Said},
    checks::registry,
    command::{self, Cli},
    config::Config,
    ops_log::Sentence,
    permissions::Permit,
    render,
    sandbox::{
        time::Time,
        world::health::{Description, Service},
    },
    schedule::Clock,
    store::{Access, Store},
    triage::Person,
};
use tempfile::TempDir;

use super::{
    sentry::{self, Issue, Sentry, TOKEN},
    stripe::Stripe,
    trackers::github::GitHub,
};

pub(crate) const A_DAY: TimeDelta = TimeDelta::days(1);

pub(crate) struct Company {
    pub(crate) sentry: Sentry,
    pub(crate) services: Vec<Service>,
    pub(crate) folder: TempDir,
    /// More sections of its configuration.
    pub(crate) more: String,
    /// The bot's and the world's.
    time: Time,
}

impl Company {
    /// One production service that answers, and a Sentry with these issues. It is the time of the test.
    pub(crate) async fn with(issues: impl IntoIterator<Item = Issue>) -> Self {
        let world = sentry::with(issues);
        let mut company = Self {
            time: world.time.clone(),
            sentry: world.open().await.expect("it opens"),
            services: Vec::new(),
            folder: TempDir::new().expect("a folder can be made"),
            more: String::new(),
        };
        company.opens("api").await;
        company
    }

    /// One more production service, which answers.
    pub(crate) async fn opens(&mut self, name: &'static str) -> &Service {
        let described = Description::of("production", name);
        let service = Service::open(described, self.time.clone()).await;
        self.services.push(service.expect("it opens"));
        &self.services[self.services.len() - 1]
    }

    pub(crate) fn configuration(&self) -> String {
        let endpoints: String = self
            .services
            .iter()
            .map(|service| {
                format!(
                    "  {{ name = \"{}\", environment = \"production\", url = \"{}\" }},\n",
                    service.described().service,
                    service.url()
                )
            })
            .collect();
        let folder = self.folder.path().display();
        format!(
            "[database]\nurl = \"sqlite:{folder}/ops.db\"\n[ops_log]\npath = \"{folder}/ops-log.md\"\n\
             [checks.health]\nconfirm_after = \"10ms\"\nendpoints = [\n{endpoints}]\n\
             [checks.errors]\nurl = \"{}\"\norganization = \"acme\"\nprojects = [\"web\"]\n{}",
            self.sentry.url(),
            self.more
        )
    }

    /// Its time, for what else is described of it.
    pub(crate) fn time(&self) -> Time {
        self.time.clone()
    }

    /// It takes payments, at this Stripe.
    pub(crate) fn is_paid_at(&mut self, stripe: &Stripe) {
        self.more += &format!("[checks.payments]\nurl = \"{}\"\n", stripe.url());
    }

    /// It keeps its tickets in the repository `acme/web` of this GitHub.
    pub(crate) async fn files_at(&mut self, github: &GitHub, returned: &str) {
        let url = super::trackers::url(github.serve().await);
        self.more += &format!(
            "[tickets]\ntracker = \"github\"\nreturned = \"{returned}\"\n[tickets.github]\nrepository = \"acme/web\"\n\
             url = \"{url}\"\n"
        );
    }

    pub(crate) fn env(name: &str) -> Option<String> {
        let value = match name {
            "SENTRY_AUTH_TOKEN" => TOKEN,
            "STRIPE_API_KEY" => super::stripe::KEY,
            "GITHUB_TOKEN" => super::trackers::github::TOKEN,
            _ => return None,
        };
        Some(value.to_owned())
    }

    /// The bot in this process, with a clock that the test moves.
    pub(crate) async fn bot(&self) -> Bot {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let config = Config::parse(&self.configuration(), &registry(), &Self::env)
            .expect("the configuration is right");
        let url = format!("sqlite:{}/ops.db", self.folder.path().display());
        let store = Store::open(&url, Access::ReadWrite).await;
        config.bot(store.expect("the store opens"), ticking(&self.time))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.time.now()
    }

    /// Moves the time.
    pub(crate) fn later(&self, time: TimeDelta) {
        self.time.advance(time);
    }

    /// Empty until something is recorded.
    pub(crate) fn log_file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("ops-log.md")).unwrap_or_default()
    }

    /// Changes the database behind the program's back.
    pub(crate) async fn intrude(&self, statements: &[&'static str]) {
        use sqlx::Connection;
        let url = format!("sqlite:{}/ops.db", self.folder.path().display());
        let mut connection = sqlx::SqliteConnection::connect(&url)
            .await
            .expect("the file is there");
        for statement in statements {
            sqlx::query(*statement)
                .execute(&mut connection)
                .await
                .expect("the intruder may do anything");
        }
        connection.close().await.expect("it closes");
    }

    /// The binary, with its configuration and its secrets.
    pub(crate) fn command(&self) -> Command {
        let path = self.folder.path().join("daily-ops.toml");
        std::fs::write(&path, self.configuration()).expect("the configuration can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_daily-ops"));
        command
            .env_clear()
            .env("SENTRY_AUTH_TOKEN", TOKEN)
            .env("STRIPE_API_KEY", super::stripe::KEY)
            .env("GITHUB_TOKEN", super::trackers::github::TOKEN)
            .env("USER", "anna")
            .env("DAILY_OPS_CONFIG", path)
            .current_dir(self.folder.path());
        command
    }

    /// Runs the binary to its end.
    pub(crate) async fn says(&self, words: &str) -> Output {
        self.says_with(words, |_| {}).await
    }

    /// Runs it in a changed environment.
    pub(crate) async fn says_with(&self, words: &str, change: impl FnOnce(&mut Command)) -> Output {
        let mut command = self.command();
        command.args(words.split(' '));
        change(&mut command);
        tokio::task::spawn_blocking(move || command.output())
            .await
            .expect("it can be waited for")
            .expect("it runs")
    }
}

/// Shows this time, and no moment twice.
pub(crate) fn ticking(time: &Time) -> Clock {
    let time = time.clone();
    Arc::new(move || {
        time.advance(TimeDelta::milliseconds(1));
        time.now()
    })
}

/// One walk through the whole checklist.
pub(crate) async fn walk(bot: &Bot) -> Round {
    bot.round(
        None,
        &bot.checklist.progress(None),
        &Person::at_terminal("anna"),
        None,
        |_| {},
    )
    .await
    .expect("the round is recorded")
}

pub(crate) fn verdict(round: &Round) -> String {
    render::verdict(&round.triaged)
}

/// What somebody types after `daily-ops`, and what they read.
pub(crate) async fn decide(bot: &Bot, who: &str, words: &str) -> Said {
    use clap::Parser;
    let cli = Cli::try_parse_from(["daily-ops", "triage"].into_iter().chain(words.split(' ')))
        .expect("it is a command");
    let command::Command::Triage { action, .. } = cli.command else {
        panic!("`{words}` is no triage")
    };
    bot.triage(&action, &Permit::at_terminal(who))
        .await
        .expect("it can be judged")
}

pub(crate) fn text(said: &Said) -> String {
    said.lines
        .iter()
        .map(Sentence::plain)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
