//! No secret leaves the process: not by its output, its log, its metrics, its files, or what it posts.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::world::{
    company::Company,
    office::{Office, SIGNING_SECRET},
    sentry::{self, broken_cart},
    slack::web_api::{ANNA, APP_TOKEN, BEN, Fault, OPS, TOKEN},
};

/// The part of each secret that would give it away.
const CANARIES: [&str; 4] = [
    "abcdefghijklmnopqrstuvwx",
    "0123456789abcdef0123456789abcdef",
    "A0DAILYOPS-123-0123456789abcdef",
    SIGNING_SECRET,
];

#[tokio::test]
async fn no_secret_is_in_anything_that_the_bot_says_at_trace() {
    for (secret, canary) in [TOKEN, sentry::TOKEN, APP_TOKEN, SIGNING_SECRET]
        .iter()
        .zip(CANARIES)
    {
        assert!(secret.contains(canary), "a canary that never sings");
    }
    let office = Office::closed(Company::with([broken_cart()]).await).await;
    let folder = office.company.folder.path();
    fs::write(folder.join("daily-ops.toml"), office.configuration()).unwrap();
    let output = fs::File::create(folder.join("output")).unwrap();
    let mut bot = Command::new(env!("CARGO_BIN_EXE_daily-ops"));
    bot.arg("serve")
        .env_clear()
        .env("RUST_LOG", "trace")
        .env("SLACK_BOT_TOKEN", TOKEN)
        .env("SLACK_APP_TOKEN", APP_TOKEN)
        .env("SLACK_SIGNING_SECRET", SIGNING_SECRET)
        .env("SENTRY_AUTH_TOKEN", sentry::TOKEN)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    let mut bot = bot.spawn().unwrap();
    office.until_ready().await;
    let faults = [
        Fault::Garbage,
        Fault::ServerError,
        Fault::Refused("invalid_auth"),
    ];
    for (fault, answered) in faults.into_iter().zip(1..) {
        office.slack.world().spoil("users.info", fault, 1);
        office.types_now(ANNA, "triage ack errors:4501").await;
        // The next one would meet with it as well.
        office
            .until("the fault was met", async || {
                office.told().lines().count() >= answered
            })
            .await;
    }
    office.types_now(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    office.slack.world().spoil("chat.update", Fault::Garbage, 1);
    office.company.sentry.world().maintenance = true;
    let click = office.clicks(BEN, "resolve");
    office.hand_now().interact(&click).await;
    office
        .until("the effect was tried", async || {
            let shown = office.channel(OPS);
            shown.contains("not reached") || shown.contains("resolving")
        })
        .await;
    let forged = office
        .hand_now()
        .with_secret("not the secret")
        .interact(&click)
        .await;
    assert_eq!(forged.status, 401);
    let metrics = office.ask("/metrics").await.unwrap().body;
    bot.kill().unwrap();
    bot.wait().unwrap();

    let mut said = vec![("the metrics".to_owned(), metrics.into_bytes())];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            said.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    let transcript = office
        .slack
        .world()
        .calls
        .iter()
        .map(|call| call.args.to_string())
        .collect::<String>();
    said.push(("what Slack was told".to_owned(), transcript.into_bytes()));
    assert!(
        said.iter()
            .any(|(what, bytes)| what.ends_with("output") && bytes.len() > 10_000)
    );
    for (what, bytes) in said {
        for canary in CANARIES {
            let found = bytes
                .windows(canary.len())
                .any(|window| window == canary.as_bytes());
            assert!(!found, "{canary} is in {what}");
        }
    }
}
