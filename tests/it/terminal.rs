//! The binary, as a shell sees it.

use std::{process::Stdio, time::Duration};

use tokio::io::AsyncReadExt;

use crate::world::{
    company::{Company, stderr, stdout},
    database::on_each_engine,
    sentry::{Issue, TOKEN, broken_cart, issue},
};

#[tokio::test]
async fn the_exit_code_says_how_things_stand() {
    let company = Company::with([]).await;
    assert_eq!(company.says("daily").await.status.code(), Some(0));
    company.sentry.world().issues.push(broken_cart());
    assert_eq!(company.says("daily").await.status.code(), Some(1));
    assert_eq!(
        company
            .says("triage acknowledge errors:4501")
            .await
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        company
            .says("triage acknowledge errors:4501")
            .await
            .status
            .code(),
        Some(1)
    );
    company.sentry.world().scopes.clear();
    assert_eq!(company.says("daily").await.status.code(), Some(2));
    assert_eq!(company.says("check ops-log").await.status.code(), Some(0));
    for wrong in [
        "daily --fromat json",
        "check helth",
        "--config /nowhere daily",
        "triage resolve 4501",
        "log search --kind rond",
    ] {
        let output = company.says(wrong).await;
        assert_eq!(
            (output.status.code(), stdout(&output)),
            (Some(3), String::new()),
            "{wrong}: {}",
            stderr(&output)
        );
    }
    assert_eq!(company.says("--help").await.status.code(), Some(0));
}

#[tokio::test]
async fn a_piped_report_is_plain_and_alone_on_standard_output() {
    let company = Company::with([broken_cart()]).await;
    company.says("daily").await;
    let output = company.says("daily").await;
    assert!(
        stdout(&output).starts_with("1 needs you, 2 ok\n"),
        "{}",
        stdout(&output)
    );
    assert!(
        !stdout(&output).contains('\u{1b}') && stderr(&output).is_empty(),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn json_can_be_read_by_a_script() {
    let company = Company::with([broken_cart()]).await;
    let output = company.says("check errors --format json").await;
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
    assert_eq!(
        (&report["schema"], &report["verdict"]),
        (&1.into(), &"needs_you".into())
    );
    assert_eq!(report["checks"][0]["findings"][0]["key"], "errors:4501");
}

#[tokio::test]
async fn a_check_that_is_off_can_not_be_asked_for() {
    let company = Company::with([]).await;
    let path = company.folder.path().join("empty.toml");
    std::fs::write(&path, "").expect("it can be written");
    let output = company
        .says(&format!("--config {} check errors", path.display()))
        .await;
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("the check `errors` is off: give it a section [checks.errors]"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn a_missing_secret_names_itself_and_what_it_is_for() {
    let without_token = |command: &mut std::process::Command| {
        command.env_remove("SENTRY_AUTH_TOKEN");
    };
    let company = Company::with([]).await;
    let output = company.says_with("daily", without_token).await;
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(
        stdout(&output).contains("SENTRY_AUTH_TOKEN is not set"),
        "{}",
        stdout(&output)
    );
    let output = company.says_with("config check", without_token).await;
    assert!(
        stdout(&output).contains("missing: SENTRY_AUTH_TOKEN"),
        "{}",
        stdout(&output)
    );
}

#[tokio::test]
async fn no_secret_gets_into_any_output_or_file() {
    let company = Company::with([Issue {
        users: 212,
        ..issue(1, &format!("leaked {TOKEN}"))
    }])
    .await;
    company.sentry.world().scopes.remove("org:read");
    let mut said = String::new();
    for words in [
        "daily",
        "daily --format json",
        "daily --format markdown",
        "triage resolve errors:1",
        "log export",
        "log show",
        "config check",
    ] {
        let output = company
            .says_with(words, |command| {
                command.env("RUST_LOG", "trace");
            })
            .await;
        said += &(stdout(&output) + &stderr(&output));
    }
    assert!(said.contains("TRACE"), "the most talkative level was on");
    for entry in std::fs::read_dir(company.folder.path()).expect("the folder is readable") {
        said += &String::from_utf8_lossy(
            &std::fs::read(entry.expect("it is there").path()).expect("it is readable"),
        );
    }
    assert!(!said.contains(TOKEN));
}

#[tokio::test]
async fn a_second_process_refuses_with_a_sentence_but_the_log_can_be_read() {
    let company = Company::with([]).await;
    company.says("daily").await;
    let bot = company.bot().await;
    let output = company.says("daily").await;
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("another daily-ops"),
        "{}",
        stderr(&output)
    );
    assert!(stdout(&company.says("log").await).contains("round"));
    bot.store.close().await;
}

#[tokio::test]
async fn the_log_is_searched_verified_exported_and_erased() {
    let company = Company::with([broken_cart()]).await;
    company.says("daily").await;
    company
        .says("triage acknowledge errors:4501 --reason flaky --by ben")
        .await;
    let found = stdout(
        &company
            .says("log search flaky --kind decision --person ben --check errors")
            .await,
    );
    assert!(
        found.contains("acknowledged · errors:4501") && found.lines().count() == 1,
        "{found}"
    );
    assert_eq!(company.says("log verify").await.status.code(), Some(0));
    assert_eq!(stdout(&company.says("log export").await).lines().count(), 2);

    let file = company.folder.path().join("ops-log.md");
    let before = company.log_file();
    assert_eq!(
        stdout(&company.says("log export --format markdown").await),
        before
    );
    std::fs::write(&file, before.replace("flaky", "solid")).expect("it can be written");
    let output = company.says("log verify").await;
    assert!(
        output.status.code() == Some(1) && stdout(&output).contains("solid"),
        "{}",
        stdout(&output)
    );
    company.says("log rebuild").await;
    assert_eq!(company.log_file(), before);

    assert_eq!(
        company
            .says("log erase --person terminal:ben --reason left")
            .await
            .status
            .code(),
        Some(0)
    );
    assert!(
        !company.log_file().contains("flaky"),
        "{}",
        company.log_file()
    );
    assert_eq!(
        company.says("log verify").await.status.code(),
        Some(0),
        "{}",
        stdout(&company.says("log verify").await)
    );
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_round_loses_nothing_that_was_reported() {
    let mut company = Company::with([broken_cart()]).await;
    company.opens("slow").await.described().latency = Duration::from_millis(40);
    company.says("daily").await;
    let (mut reported, mut silent) = (Vec::new(), 0);
    for round in 0..40 {
        let mut command = tokio::process::Command::from(company.command());
        let mut child = command
            .args(["daily", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut out = child.stdout.take().expect("it is piped");
        let mut said = String::new();
        let patience = Duration::from_millis(20 + round * 12);
        tokio::time::timeout(patience, out.read_to_string(&mut said))
            .await
            .ok();
        child.kill().await.ok();
        out.read_to_string(&mut said).await.ok();
        match said
            .split("\"run\": \"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
        {
            Some(run) => reported.push(run.to_owned()),
            None => silent += 1,
        }
    }
    company.says("daily").await;
    let log = stdout(&company.says("log export").await);
    assert!(
        reported.iter().all(|run| log.contains(run.as_str())),
        "{reported:?}"
    );
    assert!(
        !reported.is_empty() && silent > 0,
        "{} reported, {silent} killed before",
        reported.len()
    );
    let verified = company.says("log verify").await;
    assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
}

#[tokio::test]
async fn rounds_and_decisions_are_kept_on_each_engine() {
    on_each_engine(async |database| {
        database.store.close().await;
        let company = Company::with([broken_cart()]).await;
        let url = database.url.clone();
        let says = async |words: &str| {
            company
                .says_with(words, |command| _ = command.env("DATABASE_URL", &url))
                .await
        };
        assert!(stdout(&says("daily").await).starts_with("1 needs you, 2 ok"));
        assert!(
            stdout(&says("triage acknowledge errors:4501 --reason known").await)
                .starts_with("acknowledged")
        );
        let next = says("daily").await;
        assert_eq!(
            (
                next.status.code(),
                stdout(&next).lines().next().map(str::to_owned)
            ),
            (Some(0), Some("1 in hand, 2 ok".to_owned()))
        );
        assert!(stdout(&says("log search known").await).contains("acknowledged"));
        assert_eq!(says("log verify").await.status.code(), Some(0));
        assert_eq!(
            company
                .log_file()
                .lines()
                .filter(|line| line.starts_with("- "))
                .count(),
            3
        );
    })
    .await;
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_decision_neither_loses_it_nor_does_it_twice() {
    const ISSUES: u64 = 24;
    let company = Company::with((1..=ISSUES).map(|id| Issue {
        users: 212,
        ..issue(id, "it broke")
    }))
    .await;
    company.says("daily").await;
    let mut told = Vec::new();
    for id in 1..=ISSUES {
        let mut command = tokio::process::Command::from(company.command());
        let key = format!("errors:{id}");
        let mut child = command
            .args(["triage", "resolve", &key])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut out = child.stdout.take().expect("it is piped");
        let mut said = String::new();
        // The first are killed before they can decide, the last are let be.
        let patience = Duration::from_millis(if id > ISSUES - 3 { 10_000 } else { id * 3 - 2 });
        tokio::time::timeout(patience, out.read_to_string(&mut said))
            .await
            .ok();
        child.kill().await.ok();
        if said.contains("resolved in Sentry") {
            told.push(id);
        }
    }
    let decided = stdout(&company.says("log search resolved --kind decision").await);
    let decided: Vec<u64> = (1..=ISSUES)
        .filter(|id| decided.contains(&format!("errors:{id} ")))
        .collect();
    assert!(
        told.iter().all(|id| decided.contains(id)),
        "{told:?} {decided:?}"
    );
    assert!(
        !decided.is_empty() && decided.len() < ISSUES as usize,
        "{decided:?}"
    );

    // The claims of those who were killed run out after a minute; until then nobody takes them over.
    let bot = company.bot().await;
    company.later(chrono::TimeDelta::hours(1));
    crate::world::company::walk(&bot).await;
    bot.store.close().await;
    let world = company.sentry.world();
    for id in 1..=ISSUES {
        let resolved = world
            .issues
            .iter()
            .any(|issue| issue.id == id && issue.status == "resolved");
        assert_eq!(resolved, decided.contains(&id), "errors:{id}");
        assert!(
            world.notes.iter().filter(|(noted, _)| *noted == id).count() <= 1,
            "errors:{id}"
        );
    }
}

#[tokio::test]
async fn every_shell_gets_its_completions() {
    let company = Company::with([]).await;
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            stdout(&company.says(&format!("completions {shell}")).await).contains("daily-ops"),
            "{shell}"
        );
    }
}
