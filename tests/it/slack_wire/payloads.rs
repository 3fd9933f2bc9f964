//! What payloads come to.

use std::{collections::BTreeSet, fs, path::Path};

use chrono::TimeDelta;
use daily_ops::{
    command::{Asked, Form, Pause, Press, View, What},
    slack::payload::{
        Envelope, Frame, Reason, Request, command, event, frame, interaction, interaction_form,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::now;
use crate::world::slack::driver::{Click, Command, Submission, Who};

const ITEM: &str = "00000000000000aa.3.2";

fn read(payload: &Value) -> Request {
    interaction(payload.to_string().as_bytes(), now()).unwrap()
}

fn asked(request: Request) -> Asked {
    match request {
        Request::Asked(asked) => *asked,
        other => panic!("nothing is asked: {other:?}"),
    }
}

fn click(action: &'static str, value: &str) -> Click {
    Click::on(action, value, "1700000100.000001")
}

#[test]
fn every_press_is_known_as_a_button_and_in_a_menu() {
    for press in Press::ALL {
        let button = asked(read(&click(press.name(), ITEM).payload()));
        assert!(matches!(&button.what, What::Press { press: p, .. } if *p == press));
        let entry = click("more", &format!("{}|{ITEM}", press.name())).payload();
        assert_eq!(asked(read(&entry)).what, button.what);
    }
}

#[test]
fn every_form_is_known_with_its_answer() {
    let text = json!({ "type": "plain_text_input", "value": "  known\nissue " });
    let user = json!({ "type": "users_select", "selected_user": "U2" });
    let time = json!({ "type": "static_select", "selected_option": { "value": "3d" } });
    let note = || "known\nissue".to_owned();
    let to = "U2".to_owned();
    let three_days = Pause::ThreeDays;
    let reason = Some(note());
    for (name, answer, expected) in [
        ("open.note", &text, Form::Note { text: note() }),
        ("open.acknowledge", &text, Form::Acknowledge { reason }),
        (
            "open.acknowledge",
            &json!({}),
            Form::Acknowledge { reason: None },
        ),
        ("open.assign", &user, Form::Assign { to }),
        ("open.snooze", &time, Form::Snooze { time: three_days }),
    ] {
        let asked = asked(read(&Submission::of(name, answer.clone()).payload()));
        assert_eq!(asked.key, "view:V1:1.a");
        assert_eq!(asked.channel.as_deref(), Some("C0OPS"));
        assert_eq!(asked.message.as_deref(), Some("1700000000.000100"));
        assert!(matches!(asked.what, What::Submit { form, .. } if form == expected));
    }
}

#[test]
fn a_ticket_is_read_from_its_four_inputs_and_the_empty_one_is_named() {
    let text = |text: &str| json!({ "answer": { "type": "plain_text_input", "value": text } });
    let filled = |title: &str, severity: &str| {
        let mut payload = Submission::of("open.ticket", Value::Null).payload();
        payload["view"]["state"]["values"] = json!({
            "title": text(title),
            "body": text("first\r\nsecond"),
            "severity": { "answer": { "selected_option": { "value": severity } } },
            "labels": text("daily-ops, , checkout "),
        });
        read(&payload)
    };
    let What::Submit { form, .. } = asked(filled(" Cart ", "high")).what else {
        panic!("it is a form");
    };
    let Form::Ticket {
        title,
        body,
        severity,
        labels,
    } = form
    else {
        panic!("it is a ticket's");
    };
    let draft = daily_ops::ticket::Draft {
        title,
        body,
        severity,
        labels,
    }
    .tidy();
    assert_eq!(
        (draft.title.as_str(), draft.body.as_str()),
        ("Cart", "first\nsecond")
    );
    assert_eq!(draft.labels, ["daily-ops", "checkout"]);
    for (title, severity, named) in [("  ", "high", "title"), ("Cart", "awful", "severity")] {
        assert!(matches!(
            filled(title, severity),
            Request::Invalid { block, .. } if block == named
        ));
    }
}

#[test]
fn what_was_read_before_a_yes_comes_with_it() {
    let mut payload = Submission::of("open.pay", Value::Null).payload();
    let from = payload["view"]["private_metadata"]
        .as_str()
        .unwrap()
        .to_owned();
    payload["view"]["private_metadata"] = format!("{from}|0123abcd").into();
    payload["view"]["state"] = json!({ "values": {} });
    let What::Submit { form, .. } = asked(read(&payload)).what else {
        panic!("it is a form");
    };
    let (verb, read) = (daily_ops::report::Verb::Pay, "0123abcd".to_owned());
    assert_eq!(form, Form::Remedy { verb, read });
}

#[test]
fn an_answer_that_is_missing_is_asked_for() {
    let no_state = |name| {
        let mut payload = Submission::of(name, Value::Null).payload();
        payload["view"]["state"] = json!({});
        payload
    };
    for name in ["open.note", "open.assign", "open.snooze"] {
        for payload in [Submission::of(name, Value::Null).payload(), no_state(name)] {
            let request = read(&payload);
            assert!(matches!(
                request,
                Request::Invalid {
                    block: "answer",
                    ..
                }
            ));
        }
    }
    let unknown = json!({ "selected_option": { "value": "for ever" } });
    let request = read(&Submission::of("open.snooze", unknown).payload());
    assert!(matches!(request, Request::Invalid { .. }));
}

#[test]
fn no_text_holds_what_a_database_can_not_keep() {
    let text = json!({ "value": "a\0b" });
    let asked = asked(read(&Submission::of("open.note", text).payload()));
    assert!(matches!(asked.what, What::Submit { form: Form::Note { text }, .. } if text == "ab"));
}

#[test]
fn views_without_a_form_ask_nothing() {
    let (details, rest) = (View::Details, View::Rest);
    let names = [Press::Open(details).name(), Press::Open(rest).name()];
    for name in names.into_iter().chain(["view", "acknowledge"]) {
        let request = read(&Submission::of(name, Value::Null).payload());
        assert_eq!(request, Request::Other("view_submission"), "{name}");
    }
}

#[test]
fn of_several_actions_the_first_of_ours_counts() {
    let mut payload = click("resolve", ITEM).payload();
    let ours = payload["actions"][0].clone();
    let later = json!({ "action_id": "undo", "value": ITEM });
    payload["actions"] = json!([7, { "action_id": "link" }, ours, later]);
    let what = asked(read(&payload)).what;
    assert!(matches!(
        what,
        What::Press {
            press: Press::Resolve,
            ..
        }
    ));
}

#[test]
fn a_button_in_a_view_knows_the_message_that_it_was_opened_from() {
    let mut payload = click("resolve", ITEM).payload();
    payload["container"] = json!({ "type": "view", "view_id": "V7" });
    payload["channel"] = Value::Null;
    payload["message"] = Value::Null;
    payload["view"] = json!({ "id": "V7", "private_metadata": format!("{ITEM}|C9|17.1") });
    let asked = asked(read(&payload));
    assert_eq!(asked.channel.as_deref(), Some("C9"));
    assert_eq!(asked.message.as_deref(), Some("17.1"));
    assert!(asked.key.contains(":V7:"), "{}", asked.key);
}

#[test]
fn a_value_that_we_never_gave_is_refused_and_not_repeated() {
    let long = "x".repeat(2000);
    for value in [
        "",
        "secret-value",
        &long,
        "00000000000000aa.3.2|x",
        "<!channel>",
    ] {
        let entry = format!("resolve|{value}");
        for payload in [
            click("resolve", value).payload(),
            click("more", &entry).payload(),
        ] {
            let error = interaction(payload.to_string().as_bytes(), now()).unwrap_err();
            assert!(value.is_empty() || !error.to_string().contains(value));
        }
    }
}

fn clicked_by(by: Who) -> Asked {
    let mut click = click("resolve", ITEM);
    click.by = by;
    asked(read(&click.payload()))
}

#[test]
fn a_stranger_in_a_shared_channel_is_told_by_their_own_workspace() {
    let by = clicked_by(Who {
        user: "U9",
        team: Some("T9"),
        here: Some("T0HOME"),
        enterprise: Some("E0"),
    })
    .by;
    assert_eq!(by.team.as_deref(), Some("T9"));
    assert_eq!(by.enterprise, None, "the organisation is not theirs");
}

#[test]
fn an_installation_for_an_organisation_may_name_no_workspace() {
    let member = |team| Who {
        user: "W1",
        team,
        here: None,
        enterprise: Some("E0"),
    };
    let asked = clicked_by(member(Some("T5")));
    assert_eq!(asked.by.team.as_deref(), Some("T5"));
    assert_eq!(asked.by.enterprise.as_deref(), Some("E0"));
    assert!(asked.key.starts_with("act:T5:"), "{}", asked.key);
    let asked = clicked_by(member(None));
    assert_eq!(asked.by.team, None);
    assert_eq!(asked.by.enterprise.as_deref(), Some("E0"));
    assert!(asked.key.starts_with("act:E0:"), "{}", asked.key);
}

#[test]
fn a_command_says_the_same_over_both_transports() {
    let asks = Command::new("log search 50% & more", "13.37.ab");
    let http = command(asks.form().as_bytes(), now()).unwrap();
    let envelope = json!({
        "envelope_id": "e1", "type": "slash_commands", "payload": asks.payload(),
        "accepts_response_payload": true,
    });
    let socket = frame(envelope.to_string().as_bytes(), now()).unwrap();
    let expected = Envelope {
        id: "e1".to_owned(),
        takes_payload: true,
        request: Ok(http),
    };
    assert_eq!(socket, Frame::Envelope(expected));
}

#[test]
fn other_frames_are_told_apart() {
    let read = |text: &str| frame(text.as_bytes(), now());
    assert_eq!(
        read(r#"{"type":"hello","num_connections":2}"#),
        Ok(Frame::Hello)
    );
    for (reason, known) in [
        ("warning", Reason::Warning),
        ("refresh_requested", Reason::RefreshRequested),
        ("link_disabled", Reason::LinkDisabled),
        ("too_many_websockets", Reason::TooManyWebsockets),
        ("new_in_2027", Reason::Other),
    ] {
        let text = json!({ "type": "disconnect", "reason": reason }).to_string();
        assert_eq!(read(&text), Ok(Frame::Disconnect(known)));
    }
    assert_eq!(read(r#"{"type":"goodbye"}"#), Ok(Frame::Other));
    assert!(read("[").is_err());
    for kind in ["interactive", "slash_commands", "events_api"] {
        let text = json!({ "envelope_id": "e", "type": kind, "payload": null }).to_string();
        let Ok(Frame::Envelope(envelope)) = read(&text) else {
            panic!("it is an envelope");
        };
        assert!(envelope.request.is_err());
    }
}

/// Reads a sample the way that its folder says.
fn try_sample(folder: &str, text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    let concerns_nobody =
        |request: &Request| matches!(request, Request::Other(kind) if *kind != "unknown");
    match folder {
        "slash_command" => {
            let fields = value.as_object().unwrap().iter();
            let fields = fields.map(|(name, value)| (name, value.as_str().unwrap_or_default()));
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            let request = command(form.as_bytes(), now()).unwrap();
            assert!(matches!(request, Request::Asked(_) | Request::Ssl));
        }
        "interaction" => {
            let request = interaction(text.as_bytes(), now()).unwrap();
            assert!(concerns_nobody(&request), "{request:?}");
        }
        "event" => {
            let request = event(text.as_bytes()).unwrap();
            assert!(concerns_nobody(&request), "{request:?}");
        }
        "socket_envelope" => match frame(text.as_bytes(), now()).unwrap() {
            Frame::Envelope(envelope) => assert!(envelope.request.is_ok()),
            other => panic!("it is no envelope: {other:?}"),
        },
        // A message, which a click on it would carry.
        _ => {
            let mut payload = click("resolve", ITEM).payload();
            payload["message"] = value;
            let message = asked(read(&payload)).message;
            assert_eq!(message.as_deref(), Some("1700000000.000100"));
        }
    }
}

#[test]
fn the_payloads_of_slacks_own_library_are_read() {
    const COMMAND: &str = include_str!("../world/slack/samples/slash_command.json");
    const ACTIONS: &str = include_str!("../world/slack/samples/block_actions.json");
    const SUBMISSION: &str = include_str!("../world/slack/samples/view_submission.json");
    const EVENT: &str = include_str!("../world/slack/samples/event_envelope.json");
    try_sample("slash_command", COMMAND);
    try_sample("interaction", ACTIONS);
    try_sample("interaction", SUBMISSION);
    try_sample("socket_envelope", EVENT);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let more = root.join("../shared/samples/slack/bolt-python");
    for folder in [
        "slash_command",
        "interaction",
        "event",
        "socket_envelope",
        "blocks_message",
    ] {
        let Ok(files) = fs::read_dir(more.join(folder)) else {
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            try_sample(folder, &fs::read_to_string(path).unwrap());
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The places of all values in it.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                places(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                places(value, &format!("{at}/{i}"), found);
            }
        }
        _ => {}
    }
}

/// User, channel, block and time.
type Parts = (String, String, String, String);

fn described((user, channel, block, at): &Parts) -> Value {
    let mut payload = click("resolve", ITEM).payload();
    payload["user"]["id"] = user.as_str().into();
    payload["container"]["channel_id"] = channel.as_str().into();
    payload["actions"][0]["block_id"] = block.as_str().into();
    payload["actions"][0]["action_ts"] = at.as_str().into();
    payload
}

fn parts() -> impl Strategy<Value = Parts> {
    let part = || "[a:%3A]{1,4}";
    (part(), part(), part(), part())
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        command(&bytes, now()).ok();
        interaction_form(&bytes, now()).ok();
        interaction(&bytes, now()).ok();
        event(&bytes).ok();
        frame(&bytes, now()).ok();
    }

    #[test]
    fn no_shape_makes_it_panic(place in any::<prop::sample::Index>(), other in any_json()) {
        for payload in [
            click("resolve", ITEM).payload(),
            click("more", &format!("undo|{ITEM}")).payload(),
            Submission::of("open.note", json!({ "value": "x" })).payload(),
            Command::new("x", "1").payload(),
        ] {
            let mut found = Vec::new();
            places(&payload, "", &mut found);
            let mut spoilt = payload.clone();
            *spoilt.pointer_mut(place.get::<String>(&found)).unwrap() = other.clone();
            let text = spoilt.to_string();
            interaction(text.as_bytes(), now()).ok();
            event(text.as_bytes()).ok();
            for kind in ["interactive", "slash_commands", "events_api", "x"] {
                let envelope = json!({ "envelope_id": "e", "type": kind, "payload": spoilt });
                frame(envelope.to_string().as_bytes(), now()).unwrap();
            }
        }
    }

    #[test]
    fn a_request_has_one_key_however_often_it_comes(one in parts(), later in 0_i64..100_000) {
        let text = described(&one).to_string();
        let read = |at| asked(interaction(text.as_bytes(), at).unwrap()).key;
        prop_assert_eq!(read(now()), read(now() + TimeDelta::seconds(later)));
    }

    #[test]
    fn two_different_clicks_never_share_a_key(clicks in prop::collection::btree_set(parts(), 2..20)) {
        let keys: BTreeSet<String> = clicks.iter().map(|one| asked(read(&described(one))).key).collect();
        prop_assert_eq!(keys.len(), clicks.len());
    }
}
