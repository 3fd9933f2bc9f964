//! The file that people read: nothing from outside can forge a line or a link in it, and it is replaced whole.

use std::{fs, path::Path};

use chrono::TimeDelta;
use daily_ops::{
    ops_log::{
        Annex, Appended, Compared, Comparison, Entry, Head, Kind, NewEntry, Piece, Rebuild, Salt,
        Sentence, append, heading, line, seal, tail_differs, title,
    },
    text::one_line,
    triage::Person,
};
use insta::assert_snapshot;
use proptest::prelude::*;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};

use crate::world::records::{at, person};

/// Entries with these texts, three hours apart.
fn entries(texts: Vec<Sentence>) -> Vec<Entry> {
    let mut head = Head::START;
    let mut entries = Vec::new();
    for (n, text) in (1..).zip(texts) {
        let new = NewEntry {
            at: at(180 * n),
            kind: Kind::Round,
            subject: "run".to_owned(),
            by: person("anna"),
            text,
            checks: Vec::new(),
        };
        let (record, entry) = seal(&head, new, Annex::default(), Salt([0; 16])).expect("it seals");
        head = Head {
            seq: record.seq,
            hash: record.hash,
        };
        entries.push(entry);
    }
    entries
}

fn days(number: usize) -> Vec<Entry> {
    entries(
        (0..number)
            .map(|n| Sentence::new().say("saw ").quote(format!("thing {n}")))
            .collect(),
    )
}

fn markdown(entries: &[Entry]) -> String {
    let mut text = title().to_owned();
    let mut day = None;
    for entry in entries {
        let today = entry.at.date_naive();
        if day.replace(today) != Some(today) {
            text += &heading(today);
        }
        text += &line(entry);
    }
    text
}

/// What a reader's program makes of a file: its headings, and the pieces of each item.
#[derive(Debug, Default, PartialEq)]
struct Outline {
    headings: Vec<String>,
    items: Vec<Vec<(bool, String)>>,
}

/// Reads Markdown with every extension on but the one that makes dashes of hyphens; anything but headings, one paragraph, items, text and code is refused.
fn outline(markdown: &str) -> Result<Outline, String> {
    let mut outline = Outline::default();
    let (mut in_item, mut in_heading) = (false, false);
    for event in Parser::new_ext(markdown, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Start(Tag::Heading {
                level: HeadingLevel::H1 | HeadingLevel::H2,
                ..
            }) => {
                in_heading = true;
                outline.headings.push(String::new());
            }
            Event::Start(Tag::Item) if !in_item => {
                in_item = true;
                outline.items.push(Vec::new());
            }
            Event::Start(Tag::Paragraph) if !in_item => {}
            Event::Start(Tag::List(None)) => {}
            Event::End(end) => match end {
                pulldown_cmark::TagEnd::Item => in_item = false,
                pulldown_cmark::TagEnd::Heading(_) => in_heading = false,
                _ => {}
            },
            Event::Text(text) if in_heading => outline
                .headings
                .last_mut()
                .ok_or("no heading")?
                .push_str(&text),
            Event::Text(text) if in_item => push(&mut outline, false, &text),
            Event::Code(text) if in_item => push(&mut outline, true, &text),
            Event::Text(_) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    Ok(outline)
}

fn push(outline: &mut Outline, code: bool, text: &str) {
    let Some(item) = outline.items.last_mut() else {
        return;
    };
    match item.last_mut() {
        Some((false, before)) if !code => before.push_str(text),
        _ => item.push((code, text.to_owned())),
    }
}

/// What a linking reader would make a link of, outside of code.
fn links(text: &str) -> bool {
    let text = text.to_lowercase();
    ["://", "www.", "@", "mailto:", "xmpp:"]
        .iter()
        .any(|mark| text.contains(mark))
}

fn hostile() -> impl Strategy<Value = String> {
    let spice = prop::sample::select(vec![
        "`",
        "``",
        "\n- ",
        "\n\n## 2026-01-01\n\n",
        "[a](http://x)",
        "<b>",
        "&lt;",
        "\\",
        "|",
        "*",
        "_",
        "~~",
        "$",
        "$$",
        "]",
        "[^1]",
        "www.x.com",
        "http://x.com",
        "a@b.c",
        "![",
        "\r",
        "\u{0}",
        " ",
        "  ",
        "\u{2028}",
        "^",
        "{#id}",
        "#",
        ": ",
        "---",
        "- [ ] ",
        "<!--",
        "[[x]]",
        "==",
        "é",
        "`` ` ",
    ]);
    prop::collection::vec(
        prop_oneof![
            spice.prop_map(str::to_owned),
            any::<char>().prop_map(String::from)
        ],
        0..12,
    )
    .prop_map(|pieces| pieces.concat())
}

fn sentence() -> impl Strategy<Value = Sentence> {
    let piece = (any::<bool>(), hostile());
    prop::collection::vec(piece, 0..5).prop_map(|pieces| {
        pieces
            .into_iter()
            .fold(Sentence::new(), |sentence, (said, text)| {
                if said {
                    sentence.say(text)
                } else {
                    sentence.quote(text)
                }
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_from_outside_forges_a_line_or_a_link(texts in prop::collection::vec(sentence(), 1..4), name in hostile()) {
        let mut log = entries(texts);
        for entry in &mut log {
            entry.body.as_mut().expect("it has a body").by = Person::at_terminal(&name);
        }
        let file = markdown(&log);
        prop_assert!(file.chars().all(|c| c == '\n' || !c.is_control()));
        let outline = outline(&file).map_err(TestCaseError::fail)?;

        let mut dates: Vec<String> = log.iter().map(|entry| entry.at.date_naive().to_string()).collect();
        dates.dedup();
        prop_assert_eq!(&outline.headings[0], "Ops log");
        prop_assert_eq!(&outline.headings[1..], &dates[..]);
        prop_assert_eq!(outline.items.len(), log.len());
        for (item, entry) in outline.items.iter().zip(&log) {
            let body = entry.body.as_ref().expect("it has a body");
            for (code, text) in item {
                prop_assert!(*code || !links(text), "{:?}", item);
            }
            let start = format!("{} · ", entry.at.format("%H:%M:%S"));
            let end = format!(" · #{} {}", entry.seq, entry.hash.short());
            prop_assert!(item.first().is_some_and(|(code, text)| !code && text.starts_with(&start)));
            prop_assert!(item.last().is_some_and(|(code, text)| !code && text.ends_with(&end)));
            let mut codes = item.iter().filter(|(code, _)| *code).map(|(_, text)| text);
            for piece in &body.text.0 {
                if let Piece::Quoted(quoted) = piece && !quoted.is_empty() {
                    prop_assert!(codes.any(|code| code == quoted.as_str()), "{:?} lacks {:?}", item, quoted);
                }
            }
            let read: String = item.iter().map(|(_, text)| text.as_str()).collect();
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            let expected = format!("{start}{} · by {}{end}", body.text.plain(), one_line(body.by.name()));
            prop_assert_eq!(squeeze(&read), squeeze(&expected));
        }
    }
}

proptest! {
    // Few, because each writes three files through to the disk.
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_that_grew_is_the_file_that_is_rebuilt(texts in prop::collection::vec(sentence(), 1..6), cut in 0..6_usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let (grown, rebuilt) = (folder.path().join("grown.md"), folder.path().join("rebuilt.md"));
        let log = entries(texts);
        let cut = cut.min(log.len());
        prop_assert_eq!(append(&grown, &log[..cut]).expect("it is written"), Appended::Written);
        prop_assert_eq!(append(&grown, &log[cut..]).expect("it is written"), Appended::Written);
        rebuild(&rebuilt, &log);
        prop_assert_eq!(fs::read_to_string(&grown).expect("it is there"), markdown(&log));
        prop_assert_eq!(fs::read(grown).expect("it is there"), fs::read(rebuilt).expect("it is there"));
    }
}

fn rebuild(path: &Path, log: &[Entry]) {
    let mut file = Rebuild::begin(path).expect("it begins");
    for entry in log {
        file.push(entry).expect("it is written");
    }
    file.finish().expect("it is whole");
}

fn compare(path: &Path, log: &[Entry]) -> Option<String> {
    let mut comparison = Comparison::begin(path).expect("it is there");
    for entry in log {
        comparison.push(entry).expect("it is readable");
    }
    match comparison.finish().expect("it is readable") {
        Compared::Same => None,
        Compared::Behind(entries) => Some(format!("behind by {entries}")),
        Compared::Differs(difference) => Some(difference.to_string()),
    }
}

#[test]
fn the_file_reads_well() {
    let mut log = entries(vec![
        Sentence::new().say("2 need you, 1 unknown · health: production 3 of 4 ok"),
        Sentence::new()
            .say("errors:4501 ")
            .quote("`x` | [a](http://evil.com) <b>")
            .say(" acknowledged"),
        Sentence::new().say("see https://example.com/a_b for *more*"),
        Sentence::new().say("gone"),
    ]);
    log[3].body = None;
    for (n, entry) in log.iter_mut().enumerate() {
        entry.at = at(0) + TimeDelta::hours(10 * n as i64);
    }
    assert_snapshot!(hashless(&markdown(&log)), @r"
    # Ops log

    A projection of the database, which is the truth: changes made here are lost. Times are UTC.

    ## 2026-11-22

    - 09:00:00 · 2 need you, 1 unknown · health: production 3 of 4 ok · by anna · #1 HASH
    - 19:00:00 · errors:4501 `` `x` | [a](http://evil.com) <b> `` acknowledged · by anna · #2 HASH

    ## 2026-11-23

    - 05:00:00 · see `https://example.com/a_b` for \*more\* · by anna · #3 HASH
    - 15:00:00 · erased · #4 HASH
    ");
}

/// The hashes depend on the salt's bytes, and are no pleasure to read.
fn hashless(markdown: &str) -> String {
    markdown
        .lines()
        .map(|line| match line.rsplit_once(" · #") {
            Some((line, end)) => format!(
                "{line} · #{} HASH\n",
                end.split(' ').next().unwrap_or_default()
            ),
            None => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn an_append_makes_the_folders_and_skips_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("docs/ops/ops-log.md");
    let log = days(6);
    append(&path, &log[..4]).expect("it is written");
    append(&path, &log[2..]).expect("it is written");
    append(&path, &log).expect("it is written");
    assert_eq!(
        fs::read_to_string(&path).expect("it is there"),
        markdown(&log)
    );
    assert_eq!(compare(&path, &log), None);
    let files = fs::read_dir(path.parent().expect("a folder"))
        .expect("it is readable")
        .count();
    assert_eq!(files, 1, "no draft is left behind");
}

#[test]
fn a_file_that_is_behind_is_left_for_a_rebuild() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ops-log.md");
    let log = days(6);
    for text in [String::new(), markdown(&log[..3])] {
        fs::write(&path, &text).expect("it is written");
        assert_eq!(
            append(&path, &log[4..]).expect("it is judged"),
            Appended::Behind
        );
        let gap = [&log[3..4], &log[5..]].concat();
        assert_eq!(append(&path, &gap).expect("it is judged"), Appended::Behind);
        assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    }
    rebuild(&path, &log);
    assert_eq!(compare(&path, &log), None);
}

#[test]
fn a_file_that_was_changed_by_hand_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ops-log.md");
    let log = days(6);
    for (text, expected) in [
        (
            "# My notes\n".to_owned(),
            "the file does not begin as an ops log does",
        ),
        (
            markdown(&log[..4]).trim_end().to_owned(),
            "the file's last line is not whole",
        ),
        (
            markdown(&log[..4]) + "hello\n",
            "the file's last line is no entry",
        ),
    ] {
        fs::write(&path, &text).expect("it is written");
        let error = format!("{:#}", append(&path, &log[4..]).expect_err("it is refused"));
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    }
}

#[test]
fn what_is_no_ops_log_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("README.md");
    fs::write(&path, "# My precious README\n").expect("it is written");
    let error = format!("{:#}", Rebuild::begin(&path).err().expect("it is refused"));
    assert!(
        error.contains("is no ops log, and what it holds is not overwritten"),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(&path).expect("it is there"),
        "# My precious README\n"
    );
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, link) = (
        folder.path().join("real.md"),
        folder.path().join("ops-log.md"),
    );
    fs::write(&path, "").expect("it is written");
    std::os::unix::fs::symlink(&path, &link).expect("it is made");
    let log = days(2);
    rebuild(&link, &log);
    assert!(
        fs::symlink_metadata(&link)
            .expect("it is there")
            .is_symlink()
    );
    assert_eq!(compare(&path, &log), None);
}

#[test]
fn the_first_line_that_differs_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ops-log.md");
    let log = days(6);
    let whole = markdown(&log);
    for (text, line) in [
        (whole.replace("thing 2", "thing 9"), Some(9)),
        (whole.replace("# Ops log", "# Log"), Some(1)),
        (whole.replace("\n- ", "\r\n- "), Some(6)),
        (
            whole
                .lines()
                .take(5)
                .map(|line| format!("{line}\n"))
                .collect(),
            Some(6),
        ),
        (whole.clone() + "- more\n", Some(whole.lines().count() + 1)),
        (whole.trim_end().to_owned(), Some(whole.lines().count())),
        (whole.clone(), None),
    ] {
        fs::write(&path, &text).expect("it is written");
        let difference = compare(&path, &log);
        match line {
            None => assert_eq!(difference, None),
            Some(line) => assert!(
                difference
                    .as_deref()
                    .is_some_and(|said| said.starts_with(&format!("line {line} "))),
                "{line}: {difference:?}"
            ),
        }
    }
}

#[test]
fn a_file_that_lacks_the_newest_entries_is_only_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ops-log.md");
    let log = days(12);
    for held in 0..12 {
        fs::write(&path, markdown(&log[..held])).expect("it is written");
        let said = format!("behind by {}", 12 - held);
        assert_eq!(compare(&path, &log), Some(said));
        assert_eq!(
            tail_differs(&path, &log).expect("it is readable"),
            None,
            "{held}"
        );
    }
}

/// As many entries within a day as don't fit into what is read of a file's end.
fn a_busy_day() -> Vec<Entry> {
    let mut log = days(1_500);
    for entry in &mut log {
        entry.at = at(0);
    }
    log
}

#[test]
fn a_long_file_grows_as_a_short_one_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ops-log.md");
    let log = a_busy_day();
    let most = markdown(&log[..1_490]);
    assert!(most.len() > 64 * 1024, "{}", most.len());
    fs::write(&path, most).expect("it is written");
    assert_eq!(
        append(&path, &log[1_480..]).expect("it is written"),
        Appended::Written
    );
    assert_eq!(compare(&path, &log), None);
}

#[test]
fn a_change_near_the_end_of_a_long_file_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ops-log.md");
    let log = a_busy_day();
    let newest = &log[500..];
    fs::write(&path, markdown(&log)).expect("it is written");
    assert_eq!(tail_differs(&path, newest).expect("it is readable"), None);
    let changed = markdown(&log).replace("thing 1400`", "thing 9`");
    fs::write(&path, changed).expect("it is written");
    let said = tail_differs(&path, newest)
        .expect("it is readable")
        .expect("it differs");
    assert!(said.as_str().contains("thing 9"), "{}", said.as_str());
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_or_a_folder_in_its_place_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (target, link) = (
        folder.path().join("target.md"),
        folder.path().join("ops-log.md"),
    );
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    let error = append(&link, &days(1)).expect_err("it is refused");
    assert!(format!("{error:#}").contains("leads nowhere"), "{error:#}");
    assert!(!target.exists());
    let error = append(folder.path(), &days(1)).expect_err("it is refused");
    assert!(
        format!("{error:#}").contains(&folder.path().display().to_string()),
        "{error:#}"
    );
    let error = append(&target.join("below.md"), &days(1)).err();
    assert!(error.is_none(), "a folder can be made there");
    fs::write(folder.path().join("file"), "").expect("a file");
    let error =
        append(&folder.path().join("file/ops-log.md"), &days(1)).expect_err("it is refused");
    assert!(format!("{error:#}").contains("file"), "{error:#}");
}

#[cfg(unix)]
#[test]
fn a_new_file_can_be_read_by_others_and_an_old_one_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ops-log.md");
    let log = days(2);
    append(&path, &log[..1]).expect("it is written");
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&path) & 0o400, 0o400);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
    append(&path, &log[1..]).expect("it is written");
    assert_eq!(mode(&path), 0o640);
}
