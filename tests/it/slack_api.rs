//! The calls to Slack, against a described workspace.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    ops_log::Sentence,
    permissions::{Asker, Denied, Directory, Home, Permissions, Right, Verdict},
    render::slack::Message,
    report::Cause,
    slack::{
        api::{Api, ApiError, Class, Limits},
        people::People,
    },
};
use serde_json::{Value, json};
use slack_morphism::prelude::SlackView;

use crate::world::{
    faults::closed_port,
    slack::web_api::{
        ANNA, APP_TOKEN, BEN, BOARD, BOT, Fault, GENERAL, GUEST, LEFT, OLD, ON_CALL, OPS,
        OTHER_BOT, SECRET, STRANGER, Slack, TEAM, TOKEN, workspace,
    },
};

const MARKER: &str = "0123456789abcdef";

fn api(slack: &Slack) -> Api {
    limited(slack, Duration::from_secs(10))
}

fn limited(slack: &Slack, call: Duration) -> Api {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let limits = Limits {
        call,
        ..Limits::default()
    };
    Api::new(&slack.url(), &TOKEN.into(), limits).unwrap()
}

fn message(text: &str) -> Message {
    let block = json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    Message {
        text: text.to_owned(),
        blocks: vec![serde_json::from_value(block).unwrap()],
    }
}

fn long_ago(slack: &Slack) -> DateTime<Utc> {
    slack.world().now() - TimeDelta::hours(1)
}

#[tokio::test]
async fn a_message_is_posted_with_its_text_its_marker_and_nothing_unfurled() {
    let slack = workspace().open().await.expect("it opens");
    let ts = api(&slack)
        .post(OPS, &message("All well"), MARKER)
        .await
        .unwrap();
    let world = slack.world();
    let posted = world.messages(OPS)[0];
    assert_eq!(
        (posted.ts.as_str(), posted.user.as_str()),
        (ts.as_str(), BOT)
    );
    assert_eq!(posted.now().text, "All well");
    assert_eq!(posted.now().blocks.len(), 1);
    assert_eq!(
        posted.now().metadata,
        json!({ "event_type": "daily_ops", "event_payload": { "message": MARKER } })
    );
    let sent = &world.calls[0].args;
    assert_eq!(
        [
            &sent["unfurl_links"],
            &sent["unfurl_media"],
            &sent["link_names"],
            &sent["parse"]
        ],
        [&json!(false), &json!(false), &json!(false), &json!("none")]
    );
}

#[tokio::test]
async fn the_token_says_whose_it_is() {
    let mut world = workspace();
    world.enterprise = Some("E0ACME".to_owned());
    let slack = world.open().await.expect("it opens");
    let identity = api(&slack).auth_test().await.unwrap();
    assert_eq!(
        (identity.team.as_str(), identity.user.as_str()),
        (TEAM, BOT)
    );
    assert_eq!(identity.enterprise.as_deref(), Some("E0ACME"));
}

#[tokio::test]
async fn an_edit_replaces_the_message_and_keeps_its_marker() {
    let slack = workspace().open().await.expect("it opens");
    let api = api(&slack);
    let ts = api.post(OPS, &message("Running"), MARKER).await.unwrap();
    api.update(OPS, &ts, &message("All well"), MARKER)
        .await
        .unwrap();
    api.update_text_only(OPS, &ts, "All well, plainly", MARKER)
        .await
        .unwrap();
    let world = slack.world();
    let posted = world.messages(OPS)[0];
    let texts: Vec<&str> = posted
        .versions
        .iter()
        .map(|version| version.text.as_str())
        .collect();
    assert_eq!(texts, ["Running", "All well", "All well, plainly"]);
    assert!(posted.now().blocks.is_empty());
    assert_eq!(posted.now().metadata["event_payload"]["message"], MARKER);
}

#[tokio::test]
async fn refused_blocks_are_our_defect_and_the_text_alone_still_gets_through() {
    let mut world = workspace();
    world.refuses_blocks = true;
    let slack = world.open().await.expect("it opens");
    let api = api(&slack);
    let error = api
        .post(OPS, &message("All well"), MARKER)
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Refused);
    assert!(
        error.to_string().contains("json-pointer:/blocks/0"),
        "{error}"
    );
    assert!(!error.outcome_unknown());
    api.post_text_only(OPS, "All well", MARKER).await.unwrap();
    assert_eq!(slack.world().messages(OPS).len(), 1);
}

#[tokio::test]
async fn a_message_is_found_again_by_its_marker_over_all_pages() {
    let mut world = workspace();
    world.page = 2;
    let slack = world.open().await.expect("it opens");
    let api = api(&slack);
    let first = api.post(OPS, &message("one"), MARKER).await.unwrap();
    api.post(OPS, &message("another"), "ffffffffffffffff")
        .await
        .unwrap();
    for _ in 0..5 {
        slack.world().say(OPS, ANNA, MARKER);
    }
    let second = api.post(OPS, &message("one, again"), MARKER).await.unwrap();
    let found = api.find(OPS, MARKER, long_ago(&slack)).await.unwrap();
    assert_eq!(found, [first, second]);
    assert_eq!(slack.world().called("conversations.history"), 4);
}

#[tokio::test]
async fn a_search_looks_back_as_far_as_asked_and_allows_for_clocks_that_differ() {
    let slack = workspace().open().await.expect("it opens");
    let api = api(&slack);
    slack.world().clock = TimeDelta::minutes(-4);
    let posted = api.post(OPS, &message("slow clock"), MARKER).await.unwrap();
    slack.world().clock = TimeDelta::zero();
    let now = slack.world().now();
    assert_eq!(api.find(OPS, MARKER, now).await.unwrap(), [posted]);
    let later = now + TimeDelta::hours(1);
    assert_eq!(
        api.find(OPS, MARKER, later).await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_history_too_long_to_read_is_no_proof_that_nothing_was_posted() {
    let mut world = workspace();
    world.page = 1;
    let slack = world.open().await.expect("it opens");
    for _ in 0..21 {
        slack.world().say(OPS, ANNA, "chatter");
    }
    let error = api(&slack)
        .find(OPS, MARKER, long_ago(&slack))
        .await
        .unwrap_err();
    assert!(
        error.class == Class::TooMuch && !error.outcome_unknown(),
        "{error}"
    );
}

#[tokio::test]
async fn a_deleted_message_is_gone() {
    let slack = workspace().open().await.expect("it opens");
    let api = api(&slack);
    let ts = api.post(OPS, &message("oops"), MARKER).await.unwrap();
    api.delete(OPS, &ts).await.unwrap();
    let error = api
        .update(OPS, &ts, &message("late"), MARKER)
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::MessageGone);
    assert!(slack.world().messages(OPS).is_empty());
}

#[tokio::test]
async fn a_channel_that_can_not_be_posted_to_says_what_to_do() {
    let mut world = workspace();
    world.channels.get_mut(BOARD).unwrap().restricted = Some("restricted_action_read_only_channel");
    let slack = world.open().await.expect("it opens");
    let api = api(&slack);
    for (channel, advice) in [
        (GENERAL, "/invite @daily-ops"),
        (SECRET, "/invite @daily-ops"),
        (OLD, "unarchive the channel"),
        (BOARD, "let the app post"),
    ] {
        let error = api.post(channel, &message("x"), MARKER).await.unwrap_err();
        assert_eq!(error.class, Class::Channel, "{channel}");
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[tokio::test]
async fn a_public_channel_can_be_joined_if_the_scope_is_there() {
    let slack = workspace().open().await.expect("it opens");
    let api = api(&slack);
    let error = api.join(GENERAL).await.unwrap_err();
    let needed = Class::MissingScope {
        needed: "channels:join".to_owned(),
    };
    assert_eq!(error.class, needed);
    slack.world().app.scopes.insert("channels:join");
    api.join(GENERAL).await.unwrap();
    api.post(GENERAL, &message("hello"), MARKER).await.unwrap();
}

fn view(title: &str) -> SlackView {
    daily_ops::render::slack::view::told(title, &[Sentence::new().say("as it is")])
}

#[tokio::test]
async fn a_view_opens_once_for_a_fresh_trigger_and_can_be_filled_later() {
    let slack = workspace().open().await.expect("it opens");
    let api = api(&slack);
    let trigger = slack.world().trigger(ANNA);
    let id = api.open_view(&trigger, &view("Loading")).await.unwrap();
    api.update_view(&trigger, Some(&id), &view("Details"))
        .await
        .unwrap();
    assert_eq!(slack.world().views[0].now()["title"]["text"], "Details");
    assert_eq!(
        api.open_view(&trigger, &view("x")).await.unwrap_err().class,
        Class::Expired
    );
    let old = slack.world().trigger(ANNA);
    slack.world().clock = TimeDelta::seconds(4);
    assert_eq!(
        api.open_view(&old, &view("x")).await.unwrap_err().class,
        Class::Expired
    );
    assert_eq!(
        api.update_view("t", Some("V0"), &view("x"))
            .await
            .unwrap_err()
            .class,
        Class::Expired
    );
}

#[tokio::test]
async fn one_person_is_answered_alone_five_times_and_without_the_token() {
    let slack = workspace().open().await.expect("it opens");
    let api = api(&slack);
    let address = slack.response_url(ANNA, OPS, None);
    for _ in 0..5 {
        api.respond(&address, &message("only you")).await.unwrap();
    }
    let error = api
        .respond(&address, &message("only you"))
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Expired);
    let world = slack.world();
    let (_, said) = &world.replies[0];
    assert_eq!(said["response_type"], "ephemeral");
    assert_eq!(said["replace_original"], false);
    assert!(world.calls.iter().all(|call| call.token.is_none()));
}

#[tokio::test]
async fn an_answer_is_sent_to_nobody_but_slack() {
    let slack = workspace().open().await.expect("it opens");
    let elsewhere = workspace().open().await.expect("it opens");
    let error = api(&slack)
        .respond(
            &elsewhere.response_url(ANNA, OPS, None),
            &message("only you"),
        )
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Refused);
    assert!(elsewhere.world().calls.is_empty());
}

#[tokio::test]
async fn socket_mode_gets_its_address_with_the_app_token() {
    let slack = workspace().open().await.expect("it opens");
    let api = api(&slack);
    let url = api.connections_open(&APP_TOKEN.into()).await.unwrap();
    assert_eq!(url.scheme(), "ws");
    let error = api.connections_open(&TOKEN.into()).await.unwrap_err();
    assert_eq!(error.class, Class::TokenDead);
    assert!(error.to_string().contains("SLACK_APP_TOKEN"), "{error}");
}

async fn spoilt(fault: Fault) -> (Slack, ApiError) {
    let slack = workspace().open().await.expect("it opens");
    slack.world().spoil("chat.postMessage", fault, 1);
    let api = limited(&slack, Duration::from_millis(300));
    let error = api.post(OPS, &message("x"), MARKER).await.unwrap_err();
    (slack, error)
}

#[tokio::test]
async fn whether_it_may_have_been_done_is_told_for_every_fault() {
    for (fault, class, done) in [
        (Fault::RateLimited(7), Class::RateLimited, false),
        (Fault::Refused("ratelimited"), Class::RateLimited, false),
        (Fault::ServerError, Class::Server, false),
        (Fault::ServerErrorAfter, Class::Server, true),
        (Fault::ResetBefore, Class::Broken, false),
        (Fault::ResetAfter, Class::Broken, true),
        (Fault::Garbage, Class::Broken, true),
        (Fault::Stall, Class::Timeout, false),
        (Fault::Slow(Duration::from_secs(60)), Class::Timeout, false),
    ] {
        let (slack, error) = spoilt(fault).await;
        assert_eq!(error.class, class, "{fault:?}");
        assert_eq!(
            slack.world().messages(OPS).len(),
            usize::from(done),
            "{fault:?}"
        );
        assert!(error.outcome_unknown() || !done, "{fault:?}");
        assert_eq!(
            error.outcome_unknown(),
            class != Class::RateLimited,
            "{fault:?}"
        );
        let text = error.to_string();
        assert!(text.starts_with("Slack chat.postMessage: "), "{text}");
        assert!(!text.contains("xoxb") && !text.contains("html"), "{text}");
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait_and_slows_no_other_method() {
    let (slack, error) = spoilt(Fault::RateLimited(7)).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    api(&slack).post(OPS, &message("x"), MARKER).await.unwrap();
}

#[tokio::test]
async fn a_post_that_slack_carries_out_after_we_gave_up_is_found_by_its_marker() {
    let (slack, error) = spoilt(Fault::Late).await;
    assert_eq!(error.class, Class::Timeout);
    assert!(slack.world().messages(OPS).is_empty());
    slack.release().await;
    let found = api(&slack)
        .find(OPS, MARKER, long_ago(&slack))
        .await
        .unwrap();
    assert_eq!(found, [slack.world().messages(OPS)[0].ts.clone()]);
}

#[tokio::test]
async fn what_never_left_this_machine_was_not_done() {
    let base = closed_port().await.join("api").unwrap();
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let api = Api::new(&base, &TOKEN.into(), Limits::default()).unwrap();
    let error = api.post(OPS, &message("x"), MARKER).await.unwrap_err();
    assert_eq!(error.class, Class::NotSent);
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn a_dead_token_names_its_variable_and_never_its_value() {
    let mut world = workspace();
    world.app.dead = Some("token_revoked");
    let slack = world.open().await.expect("it opens");
    let error = api(&slack).auth_test().await.unwrap_err();
    assert_eq!(error.class, Class::TokenDead);
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("SLACK_BOT_TOKEN") && !shown.contains("xoxb"),
        "{shown}"
    );
}

/// A directory with a clock that a test moves.
fn people(slack: &Slack) -> (People, Arc<Mutex<DateTime<Utc>>>) {
    let now = Arc::new(Mutex::new(slack.world().now()));
    let clock = Arc::clone(&now);
    let people = People::new(
        Arc::new(api(slack)),
        Arc::new(move || *clock.lock().unwrap()),
    );
    (people, now)
}

fn home() -> Home {
    Home {
        team: TEAM.to_owned(),
        enterprise: None,
    }
}

async fn verdict(people: &People, listed: &str, user: &str) -> Verdict {
    let permissions = Permissions {
        triage: vec![listed.to_owned()],
        ..Permissions::default()
    };
    let asker = Asker {
        user: user.to_owned(),
        team: Some(TEAM.to_owned()),
        enterprise: None,
    };
    permissions
        .check(&asker, Right::Triage, &home(), people)
        .await
}

#[tokio::test]
async fn only_a_full_member_of_the_workspace_gets_a_permit_even_if_listed() {
    let slack = workspace().open().await.expect("it opens");
    let (people, _) = people(&slack);
    assert!(matches!(
        verdict(&people, ANNA, ANNA).await,
        Verdict::Permitted(_)
    ));
    for (user, why) in [
        (GUEST, Denied::Guest),
        (OTHER_BOT, Denied::Bot),
        (LEFT, Denied::Deactivated),
        (STRANGER, Denied::Stranger),
        (BEN, Denied::NotListed(Right::Triage)),
    ] {
        let listed = if user == BEN { ANNA } else { user };
        let verdict = verdict(&people, listed, user).await;
        assert!(
            matches!(verdict, Verdict::Denied(denied) if denied == why),
            "{user}: {verdict:?}"
        );
    }
}

#[tokio::test]
async fn a_group_is_looked_up_once_in_five_minutes_and_an_account_once_in_ten() {
    let mut world = workspace();
    world.app.scopes.insert("usergroups:read");
    let slack = world.open().await.expect("it opens");
    let (people, now) = people(&slack);
    let asked = || {
        let world = slack.world();
        (
            world.called("users.info"),
            world.called("usergroups.users.list"),
        )
    };
    for _ in 0..3 {
        assert!(matches!(
            verdict(&people, ON_CALL, BEN).await,
            Verdict::Permitted(_)
        ));
    }
    assert_eq!(asked(), (1, 1));
    slack
        .world()
        .groups
        .insert(ON_CALL.to_owned(), vec![ANNA.to_owned()]);
    *now.lock().unwrap() += TimeDelta::minutes(5);
    assert!(matches!(
        verdict(&people, ON_CALL, BEN).await,
        Verdict::Denied(_)
    ));
    assert_eq!(asked(), (1, 2));
    slack.world().users.get_mut(BEN).unwrap().deleted = true;
    *now.lock().unwrap() += TimeDelta::minutes(5);
    let verdict = verdict(&people, ON_CALL, BEN).await;
    assert!(
        matches!(verdict, Verdict::Denied(Denied::Deactivated)),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn what_can_not_be_looked_up_is_unknown_says_why_and_is_not_remembered() {
    let slack = workspace().open().await.expect("it opens");
    let (people, _) = people(&slack);
    let unknown = people.group(ON_CALL).await.unwrap_err();
    assert_eq!(unknown.cause, Cause::Forbidden);
    let reason = unknown.reason.as_str();
    assert!(
        reason.contains("usergroups:read") && reason.contains("--user-groups"),
        "{reason}"
    );
    slack.world().spoil("users.info", Fault::ServerError, 1);
    assert!(matches!(
        verdict(&people, ANNA, ANNA).await,
        Verdict::Unknown(_)
    ));
    assert!(matches!(
        verdict(&people, ANNA, ANNA).await,
        Verdict::Permitted(_)
    ));
}

#[tokio::test]
async fn no_call_shows_a_token_or_a_text_in_its_error() {
    let slack = workspace().open().await.expect("it opens");
    let api = api(&slack);
    let canary = "canary-5f1c";
    for fault in [
        Fault::Garbage,
        Fault::Refused("made_up"),
        Fault::ServerErrorAfter,
    ] {
        slack.world().spoil("chat.postMessage", fault, 1);
        let error = api.post(OPS, &message(canary), MARKER).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(canary) && !shown.contains(TOKEN), "{shown}");
    }
    let sent: Vec<Value> = slack
        .world()
        .calls
        .iter()
        .map(|call| call.args.clone())
        .collect();
    assert!(
        sent.iter()
            .all(|args| args["text"] == canary && args["token"].is_null())
    );
}
