//! mrkdwn, dates, emoji and mentions.

use daily_ops::sandbox::page::blocks::{message, mrkdwn, plain};
use serde_json::json;

use super::page::{seen, words};

fn html(text: &str) -> String {
    seen(|scene| mrkdwn(scene, text, false))
}

#[test]
fn marks_stand_at_the_edges_of_words() {
    let drawn = [
        (
            "*bold* _it_ ~no~",
            "<strong>bold</strong> <em>it</em> <s>no</s>",
        ),
        (
            "(*bold*), \"_it_\"",
            "(<strong>bold</strong>), &quot;<em>it</em>&quot;",
        ),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("snake_case_name 2*3*4 a~b~c", "snake_case_name 2*3*4 a~b~c"),
        ("* list * of * stars", "* list * of * stars"),
        ("*open", "*open"),
        ("*not\nover lines*", "*not\nover lines*"),
        (
            "*a <https://x.example|*b*> c*",
            "<strong>a <a class=\"b-link\" href=\"https://x.example/\" target=\"_blank\" rel=\"noopener noreferrer\">*b*</a> c</strong>",
        ),
    ];
    for (text, expected) in drawn {
        assert_eq!(html(text), expected, "{text}");
    }
}

#[test]
fn nothing_is_marked_within_code() {
    assert_eq!(
        html("`*a* :tada: &lt;b&gt;`"),
        "<code class=\"b-code\">*a* :tada: &lt;b&gt;</code>"
    );
    assert_eq!(
        html("x\n```*a*\n_b_```\ny"),
        "x<pre class=\"b-pre\">*a*\n_b_</pre>y"
    );
    assert_eq!(
        html("*a `b* c` d*"),
        "<strong>a <code class=\"b-code\">b* c</code> d</strong>"
    );
    assert_eq!(html("a `tick"), "a `tick");
}

#[test]
fn quotes_end_with_their_lines() {
    assert_eq!(
        html("a\n&gt; b\n&gt;c\nd"),
        "a<blockquote class=\"b-quote\">b\nc</blockquote>d"
    );
    assert_eq!(
        html("&gt;&gt;&gt; a\nb"),
        "<blockquote class=\"b-quote\">a\nb</blockquote>"
    );
    assert_eq!(html("1 &gt; 0"), "1 &gt; 0");
}

#[test]
fn entities_are_resolved_once() {
    assert_eq!(
        html("&amp;lt;b&amp;gt; &lt;b&gt;"),
        "&amp;lt;b&amp;gt; &lt;b&gt;"
    );
    assert_eq!(words(&html("Save &amp; close")), "Save & close");
}

#[test]
fn people_channels_and_groups_are_called_by_name() {
    let line =
        "<@U0BEN> <@U0ANNA> <#C0OPS> <#C9|other> <!subteam^S0DUTY> <!here> <!channel> <@U404|who>";
    assert_eq!(
        words(&html(line)),
        "@Ben Okafor @Anna Ito #ops #other @on-duty @here @channel @who"
    );
    assert!(
        html("<@U0ANNA>").contains("b-mention b-me"),
        "one's own name is highlighted"
    );
    assert!(!html("<@U0BEN>").contains("b-mention b-me"));
}

#[test]
fn bare_addresses_are_linked_unless_verbatim() {
    let line = "see https://x.example/a?b=1&amp;c=2.";
    assert_eq!(
        html(line),
        "see <a class=\"b-link\" href=\"https://x.example/a?b=1&amp;c=2\" target=\"_blank\" rel=\"noopener noreferrer\">https://x.example/a?b=1&amp;c=2</a>."
    );
    assert!(!seen(|scene| mrkdwn(scene, line, true)).contains("<a "));
}

#[test]
fn only_harmless_addresses_are_linked() {
    for text in [
        "<javascript:alert(1)|x>",
        "<data:text/html,x|x>",
        "<vbscript:x>",
        "<JaVaScRiPt:x|y>",
        "<//x.example|x>",
    ] {
        assert!(!html(text).contains("<a "), "{text}");
    }
    for text in [
        "<mailto:ops@x.example|mail>",
        "<tel:+491234|call>",
        "<http://x.example>",
    ] {
        assert!(html(text).contains("<a "), "{text}");
    }
}

#[test]
fn a_time_is_said_in_the_readers_zone() {
    let said = |format: &str| words(&html(&format!("x <!date^1795420800^{format}|fallback>")));
    let formats = [
        ("{date_num} {time_secs}", "x 2026-11-23 9:00:00 AM"),
        (
            "{date}, {date_short}, {date_long}",
            "x November 23rd, Nov 23, Monday, November 23rd",
        ),
        ("{date_pretty} at {time}", "x today at 9:00 AM"),
        ("{date_short_pretty}/{date_long_pretty}", "x today/today"),
        ("{ago} {unknown} {", "x just now {unknown} {"),
    ];
    for (format, expected) in formats {
        assert_eq!(said(format), expected, "{format}");
    }
}

#[test]
fn other_days_are_said_as_slack_says_them() {
    let said =
        |stamp: i64, format: &str| words(&html(&format!("x <!date^{stamp}^{format}|fallback>")));
    assert_eq!(
        said(1_795_420_800 - 86_400, "{date_pretty}, {ago}"),
        "x yesterday, 1 day ago"
    );
    assert_eq!(
        said(1_795_420_800 + 86_400, "{date_pretty}, {ago}"),
        "x tomorrow, in 1 day"
    );
    assert_eq!(
        said(1_392_734_382, "{date_long} {time}"),
        "x Tuesday, February 18th, 2014 3:39 PM"
    );
    assert_eq!(said(1_792_828_800, "{date}"), "x October 24th");
    assert_eq!(
        words(&html("<!date^1795420800^{date_pretty}|f> on")),
        "Today on"
    );
}

#[test]
fn a_time_that_cannot_be_shown_falls_back() {
    assert_eq!(words(&html("<!date^soon^{date}|some day>")), "some day");
    assert_eq!(
        words(&html("<!date^99999999999999999^{date}|never>")),
        "never"
    );
    assert!(
        html("<!date^1795420800^{date}^https://x.example|f>")
            .starts_with("<a class=\"b-link\" href=\"https://x.example/\"")
    );
    assert!(html("<!date^1795420800^{date}|f>").contains("datetime=\"2026-11-23T08:00:00Z\""));
}

#[test]
fn an_emoji_is_an_image_with_a_name() {
    insta::assert_snapshot!(html(":red_circle:"), @r#"<span class="b-emoji" role="img" aria-label="red circle" title=":red_circle:">🔴</span>"#);
    assert_eq!(
        words(&html(":wave::skin-tone-4: 10:30:00 :our_parrot:")),
        "👋🏽 10:30:00 :our_parrot:"
    );
}

#[test]
fn a_notification_has_words_only() {
    let text = "*1 critical*: :red_circle: <https://x.example|checkout> &lt;down&gt; for <@U0BEN>";
    assert_eq!(
        seen(|scene| plain(scene, text)),
        "1 critical: 🔴 checkout <down> for @Ben Okafor"
    );
}

#[test]
fn blocks_win_over_text() {
    let header =
        json!({ "type": "header", "text": { "type": "plain_text", "text": "From &amp; blocks" } });
    assert_eq!(
        words(&seen(|scene| message(scene, "from text", &[header], &[]))),
        "From & blocks"
    );
    assert_eq!(
        words(&seen(|scene| message(scene, "from *text*", &[], &[]))),
        "from text"
    );
}

#[test]
fn a_kind_that_is_not_known_shows_its_words() {
    let block = json!({ "type": "hologram", "title": "Tea", "inner": [{ "text": { "text": "is ready" } }] });
    let html = seen(|scene| message(scene, "", &[block], &[]));
    assert_eq!(
        words(&html),
        "is ready\nTeaThis block can't be shown here: hologram"
    );
}
