//! Messages as a person reads them: what stands where, without Slack's own form.

use daily_ops::{
    render::slack::{self, Message},
    report::{Aged, Beyond, CheckReport, Severity},
};
use insta::assert_snapshot;
use serde_json::Value;

use super::rounds::{Round, decided, issue, looked, monday, quiet};

fn read(message: &Message) -> String {
    let blocks = serde_json::to_value(&message.blocks).expect("it is JSON");
    let lines: Vec<String> = list(&blocks).iter().map(block).collect();
    lines.join("\n")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn block(block: &Value) -> String {
    match string(&block["type"]) {
        "header" => format!("# {}", string(&block["text"]["text"])),
        "context" => format!("~ {}", string(&block["elements"][0]["text"])),
        "actions" => {
            let elements: Vec<String> = list(&block["elements"]).iter().map(element).collect();
            format!("    {}", elements.join(" "))
        }
        "section" => format!(
            "{} {}",
            string(&block["text"]["text"]),
            element(&block["accessory"])
        ),
        "rich_text" => list(&block["elements"])
            .iter()
            .map(rich)
            .collect::<Vec<_>>()
            .join("\n"),
        other => panic!("what is a {other}?"),
    }
}

fn element(element: &Value) -> String {
    match string(&element["type"]) {
        "button" => format!("[{}]", string(&element["text"]["text"])),
        _ => {
            let options: Vec<&str> = list(&element["options"])
                .iter()
                .map(|option| string(&option["text"]["text"]))
                .collect();
            format!("(⋯ {})", options.join(" | "))
        }
    }
}

fn rich(element: &Value) -> String {
    let inside: Vec<String> = list(&element["elements"]).iter().map(rich).collect();
    match string(&element["type"]) {
        "rich_text_list" => inside
            .iter()
            .map(|item| format!("  • {item}"))
            .collect::<Vec<_>>()
            .join("\n"),
        "rich_text_section" => inside.concat(),
        "emoji" => format!(":{}:", string(&element["name"])),
        "user" => format!("<@{}>", string(&element["user_id"])),
        "date" => format!("{{{}}}", string(&element["fallback"])),
        _ => string(&element["text"]).to_owned(),
    }
}

#[test]
fn a_monday_says_first_what_needs_somebody() {
    assert_snapshot!(read(&monday().drawn(slack::message)), @"
    # 3 need you, 1 unknown, 1 ok
    ~ <!date^1795420800^{date_short_pretty} at {time}|Mon 23 Nov 09:00 CET> · daily round · 4 checks in 1.4 s
    :red_circle: critical  production api answers 503
    answers 503, expected 200, 2 of 2 tries · new · runbook · health:production/api
        [Acknowledge] [Snooze 1 day] (⋯ Open a ticket… | Assign… | Snooze… | Add a note… | Details)
    :large_orange_circle: high  TypeError: cart is undefined
    350 users in 24 h, limit 100 · worse, for 3 d · errors:4501
        [Acknowledge] [Resolve in Sentry] (⋯ Open a ticket… | Assign… | Snooze… | Add a note… | Details)
    :large_yellow_circle: medium  login: timeout
    level error · for 3 d · errors:9
        [Acknowledge] [Resolve in Sentry] (⋯ Open a ticket… | Assign… | Snooze… | Add a note… | Details)
    :grey_question: Unknown
      • logs  the log server answered 403 to GET /loki/api/v1/query: give the token read access
    Since {Fri 20 Nov 09:00 CET}: 1 new, 1 worse, 1 gone
      • gone: fonts: 404 (after 3 d)  errors:12
    ~ Also: 1 off
    ~ log #1234 · 9f3a12 · run 20261123T080000.000000Z · next <!date^1795507200^{date_short_pretty} at {time}|Tue 24 Nov 09:00 CET>
    ");
}

#[test]
fn a_good_morning_takes_three_lines() {
    assert_snapshot!(read(&quiet().drawn(slack::message)), @"
    # All well, 7 ok
    ~ <!date^1795420800^{date_short_pretty} at {time}|Mon 23 Nov 09:00 CET> · daily round · 7 checks in 1.4 s · nothing has changed since <!date^1795161600^{date_short_pretty} at {time}|Fri 20 Nov 09:00 CET>
    ~ log #1234 · 9f3a12 · run 20261123T080000.000000Z · next <!date^1795507200^{date_short_pretty} at {time}|Tue 24 Nov 09:00 CET>
    ");
}

#[test]
fn whoever_decided_stands_where_the_buttons_were() {
    assert_snapshot!(read(&decided().drawn(slack::message)), @"
    # 1 unknown, 1 ok, 3 handled
    ~ <!date^1795420800^{date_short_pretty} at {time}|Mon 23 Nov 09:00 CET> · daily round · 4 checks in 1.4 s
    :eyes: critical  production api answers 503
    answers 503, expected 200, 2 of 2 tries · new · runbook · health:production/api
    Acknowledged by <@U012ABCDEF>, {Mon 23 Nov 09:12 CET}: the data centre is on it
        (⋯ Undo | Open a ticket… | Add a note… | Details)
    :eyes: high  TypeError: cart is undefined
    350 users in 24 h, limit 100 · worse, for 3 d · errors:4501
    Resolved by <@U012ABCDEF>, {Mon 23 Nov 09:13 CET} · resolving in Sentry…
        (⋯ Undo | Add a note… | Details)
    :eyes: medium  login: timeout
    level error · for 3 d · errors:9
    Assigned to <@U099ZZZZZZ> by ben, {Mon 23 Nov 09:14 CET}
    :hourglass_flowing_sand: not done on the other side yet: Sentry answered 503 to PUT /issues/9/; trying again {Mon 23 Nov 09:20 CET}
        (⋯ Undo | Open a ticket… | Add a note… | Details)
    :grey_question: Unknown
      • logs  the log server answered 403 to GET /loki/api/v1/query: give the token read access
    Since {Fri 20 Nov 09:00 CET}: 1 new, 1 worse, 1 gone
      • gone: fonts: 404 (after 3 d)  errors:12
    ~ Also: 1 off
    ~ log #1234 · 9f3a12 · run 20261123T080000.000000Z · next <!date^1795507200^{date_short_pretty} at {time}|Tue 24 Nov 09:00 CET>
    ");
}

#[test]
fn what_got_better_and_needs_nobody_is_named() {
    let cart = |severity| issue(4501, severity, "TypeError: cart is undefined", "users");
    let mut round = Round::of(vec![looked("errors", vec![cart(Severity::Low)])]);
    round.before = Some(vec![looked("errors", vec![cart(Severity::High)])]);
    let read = read(&round.drawn(slack::message));
    assert!(
        read.contains("1 better")
            && read.contains("• better: TypeError: cart is undefined (now low)"),
        "{read}"
    );
}

#[test]
fn what_is_too_old_to_be_looked_at_says_so_and_can_be_handled() {
    let cart = issue(
        4501,
        Severity::High,
        "TypeError: cart is undefined",
        "users",
    );
    let aged = Aged {
        key: cart.key.clone(),
        is_settled: false,
        beyond: Beyond::TooOld,
    };
    let mut round = Round::of(vec![CheckReport {
        aged: vec![aged],
        ..looked("errors", vec![])
    }]);
    round.before = Some(vec![looked("errors", vec![cart])]);
    let read = read(&round.drawn(slack::message));
    assert!(
        read.contains("too old to be looked at again, so it stays until it is handled")
            && read.contains("Acknowledge"),
        "{read}"
    );
}
