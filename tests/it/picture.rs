//! The picture in README.md: what the binary prints in a described company, as an SVG.

use std::{fs, path::PathBuf};

use anstyle_svg::Term;
use daily_ops::sandbox::world::health::State;

use crate::world::{
    company::{Company, stdout},
    sentry::{Issue, issue},
};

#[tokio::test]
async fn a_round_can_be_painted() {
    let cart = Issue {
        users: 212,
        unhandled: true,
        substatus: "regressed",
        ..issue(4501, "TypeError: cart is undefined")
    };
    let webhook = Issue {
        users: 3,
        ..issue(4388, "WebhookError: signature does not match")
    };
    let fonts = Issue {
        level: "warning",
        ..issue(4102, "font could not be loaded")
    };
    let checkout = Issue {
        hourly: [vec![2; 21], vec![160, 180, 40]].concat(),
        users: 90,
        ..issue(4470, "PaymentTimeout: no answer within 10 s")
    };
    let mut company = Company::with([
        webhook.clone(),
        fonts.clone(),
        issue(4320, "search: index is stale"),
    ])
    .await;
    company.opens("web").await;
    company.says("daily").await;
    company.says("triage snooze errors:4388 3d --by ben").await;

    company.sentry.world().issues = vec![cart, webhook, fonts, checkout];
    for (service, state) in company.services.iter().zip([State::Flapping, State::Down]) {
        service.set(state).expect("it can be broken");
    }
    let painted = company
        .says_with("daily", |command| {
            command.env("CLICOLOR_FORCE", "1").env("COLUMNS", "110");
        })
        .await;
    let text = stdout(&painted);
    assert!(
        text.contains("\u{1b}[") && text.contains("3 need you, 1 ok"),
        "{text}"
    );

    let svg = Term::new().render_svg(&format!("$ daily-ops daily\n{}", without_links(&text)));
    #[expect(
        clippy::disallowed_methods,
        reason = "the script says where the picture goes"
    )]
    let path = std::env::var_os("PICTURE")
        .map_or_else(|| company.folder.path().join("daily.svg"), PathBuf::from);
    fs::write(&path, svg).expect("the picture can be written");
}

/// The links of a picture would lead to this run's own ports.
fn without_links(text: &str) -> String {
    let mut pieces = text.split("\u{1b}]8;;");
    let start = pieces.next().unwrap_or_default().to_owned();
    pieces
        .filter_map(|piece| piece.split_once("\u{1b}\\"))
        .fold(start, |text, (_, rest)| text + rest)
}
