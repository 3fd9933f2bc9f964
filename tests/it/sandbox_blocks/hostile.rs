//! Nothing of a message gets to be more than text.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use daily_ops::sandbox::page::blocks::{message, state, used, view_body};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::page::{Token, fields, presses, seen, tokens};

const TAGS: &str = "\
    a b blockquote br button caption code dd del details div dl dt em fieldset figcaption figure form h1 h2 h3 \
    h4 h5 h6 hr img input label legend li ol optgroup option p pre rect s select span strong summary svg table \
    tbody td textarea th thead time tr u ul";

const VOID: &[&str] = &["br", "hr", "img", "input"];

const ATTRIBUTES: &str = "\
    action alt aria-describedby aria-hidden aria-label autocomplete autofocus checked class data-autosubmit \
    data-close data-least data-press data-suggest data-value datetime disabled fill formaction formmethod formnovalidate \
    height hidden href id label loading max maxlength method min minlength name open placeholder \
    referrerpolicy rel required role rows scope selected src start step tabindex target title type value width";

const KINDS: &str = "\
    actions alert button card carousel channel channels_select checkboxes color container context \
    context_actions data_table date datepicker datetimepicker divider emoji external_select feedback_buttons \
    file header icon_button image input link markdown mrkdwn multi_static_select multi_users_select \
    number_input overflow plain_text plain_text_input plan radio_buttons raw_number raw_text rich_text \
    rich_text_list rich_text_preformatted rich_text_quote rich_text_section section static_select table \
    task_card text url_text_input user users_select video";

const NAMES: &str = "\
    accessibility_label accessory action_id actions alt_text block_id blocks body caption child_blocks color \
    confirm deny description element elements fallback fields footer format hero_image hint image_url \
    initial_option initial_value is_collapsible label max_length multiline name option_groups optional options \
    placeholder positive_button pretext range rows status style subtitle text timestamp title title_url \
    unicode url user_id value";

const TEXTS: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "<javascript:alert(1)|x>",
    "' onmouseover='x",
    "</textarea><script>",
    "<https://x.example/\"onclick=x|a>",
    "<!date^1795420800^<b>|<i>>",
    "<@U\"><b>|<script>>",
    "[x](javascript:alert(1)) ![i](https://x.example/\"onerror=x)",
    "&lt;script&gt;&amp;quot;",
    "*_~`<`~_*",
    "```<b>```",
    ":tada::skin-tone-2:",
    "> <b>",
    "https://x.example/<b>\"'",
    "\u{0}\u{202e}",
    "#36C5F0",
    "data:text/html,<script>",
    "<b onclick=x>\n\n</div>",
    "| a |\n|--:|\n| <b> |",
    "&#x3c;script&#x3e;",
    "",
    "x",
];

fn text() -> impl Strategy<Value = String> {
    let known = prop::sample::select(TEXTS).prop_map(str::to_owned);
    prop_oneof![4 => known, 1 => "[<>\"'&;:*_~`|!@#/a-z \n]{0,24}", 1 => any::<String>()]
}

fn one_of(names: &'static str) -> impl Strategy<Value = &'static str> {
    prop::sample::select(names.split(' ').collect::<Vec<_>>())
}

fn is_one(names: &str, name: &str) -> bool {
    names.split(' ').any(|it| it == name)
}

/// JSON that is much like what Slack knows.
fn piece() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let fields = prop::collection::vec((one_of(NAMES), inner.clone()), 0..7);
        let object = (one_of(KINDS), fields).prop_map(|(kind, fields)| {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value));
            let kind = [("type".to_owned(), Value::from(kind))];
            Value::Object(kind.into_iter().chain(fields).collect::<Map<_, _>>())
        });
        prop_oneof![3 => object, 2 => prop::collection::vec(inner, 0..5).prop_map(Value::Array)]
    })
}

fn check(html: &str) -> Result<(), TestCaseError> {
    let tokens = tokens(html).map_err(|why| TestCaseError::fail(format!("{why}: {html}")))?;
    let mut open = Vec::new();
    for token in tokens {
        match token {
            Token::Start(tag, attributes) => {
                prop_assert!(is_one(TAGS, &tag), "the tag {tag}: {html}");
                for (name, value) in attributes {
                    prop_assert!(is_one(ATTRIBUTES, &name), "the attribute {name}: {html}");
                    let schemes: &[&str] = match name.as_str() {
                        "href" => &["http:", "https:", "mailto:", "tel:"],
                        "src" => &["http:", "https:"],
                        "action" | "formaction" => &["/act"],
                        _ => continue,
                    };
                    prop_assert!(
                        schemes.iter().any(|it| value.starts_with(it)),
                        "{name}={value}"
                    );
                }
                if !VOID.contains(&tag.as_str()) {
                    open.push(tag);
                }
            }
            Token::End(tag) => prop_assert_eq!(Some(tag), open.pop(), "in {}", html),
            Token::Text(_) => {}
        }
    }
    prop_assert_eq!(open, Vec::<String>::new());
    Ok(())
}

fn check_all(blocks: &[Value], line: &str) -> Result<(), TestCaseError> {
    check(&seen(|scene| message(scene, line, blocks, blocks)))?;
    check(&seen(|scene| message(scene, line, &[], &[])))?;
    let errors = BTreeMap::from([
        ("x".to_owned(), line.to_owned()),
        (line.to_owned(), line.to_owned()),
    ]);
    check(&seen(|scene| {
        view_body(scene, &json!({ "blocks": blocks }), &errors)
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_tag_attribute_or_address_of_a_message_gets_through(
        blocks in prop::collection::vec(piece(), 0..4),
        line in text(),
    ) {
        check_all(&blocks, &line)?;
    }

    #[test]
    fn marked_up_text_stays_text(line in "[<>|!@#^&;*_~`:\\n>a-z/ \"']{0,80}") {
        let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": line } });
        let markdown = json!({ "type": "markdown", "text": line });
        check_all(&[section, markdown], &line)?;
    }

    #[test]
    fn whatever_is_shown_can_be_pressed_and_read_back(blocks in prop::collection::vec(piece(), 0..4)) {
        let view = json!({ "blocks": blocks });
        let html = seen(|scene| view_body(scene, &view, &BTreeMap::new()));
        let form = fields(&html);
        prop_assert!(state(chrono_tz::UTC, &blocks, &form).is_object());
        for press in presses(&html) {
            let mut form = form.clone();
            form.push(press);
            used(chrono_tz::UTC, &blocks, &form);
        }
    }
}

#[test]
fn a_long_hostile_line_is_drawn_in_good_time() {
    for unit in [
        "*a _b ~c `d <e ",
        "*_~",
        "<<<<",
        ":a",
        "`",
        "<@",
        "> *",
        "*a* _b_ ",
    ] {
        let line = unit.repeat(40_000 / unit.len());
        let begun = Instant::now();
        check_all(
            &[json!({ "type": "section", "text": { "type": "mrkdwn", "text": line } })],
            &line,
        )
        .unwrap_or_else(|why| panic!("{unit:?}: {why}"));
        // What grows with the square of the length takes minutes.
        let taken = begun.elapsed();
        assert!(taken < Duration::from_secs(10), "{unit:?}: {taken:?}");
    }
}
