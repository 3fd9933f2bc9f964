//! The grammar of `/ops`: the terminal's own, with fewer words.

use std::{
    borrow::Cow,
    sync::{LazyLock, Mutex, PoisonError},
};

use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{LogRead, Ticket, Triage};
use crate::text::{cut, nearest, one_line};

/// What may follow `/ops`.
#[derive(Debug, Subcommand)]
pub enum Ops {
    /// Say what there is
    Help,

    /// Run the whole checklist, and post one message
    Daily,

    /// Run one check or some
    Check {
        /// As in the report: health, errors, payments, tickets, ops-log
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },

    /// Say how things stood at the last round, to you alone
    Status,

    /// Decide about a finding
    Triage {
        #[command(subcommand)]
        action: Triage,
    },

    /// Look at the tickets that findings have, and close those that are kept here
    Ticket {
        #[command(subcommand)]
        command: Ticket,
    },

    /// Read and check the ops log; alone, it shows the newest entries
    Log {
        #[command(subcommand)]
        command: Option<LogRead>,
    },
}

#[derive(Debug, Parser)]
#[command(
    name = "/ops",
    no_binary_name = true,
    disable_help_subcommand = true,
    disable_version_flag = true,
    term_width = 120
)]
struct Line {
    #[command(subcommand)]
    ops: Option<Ops>,
}

/// Made once: that takes longer than all the rest of a request.
static GRAMMAR: LazyLock<Mutex<clap::Command>> = LazyLock::new(|| Mutex::new(Line::command()));

impl Ops {
    /// Reads the text after `/ops` as Slack sends it. The error is for the person: what is wrong, and what was meant.
    pub fn read(text: &str) -> Result<Self, String> {
        let words = spoken(words(text)?);
        let mut grammar = GRAMMAR.lock().unwrap_or_else(PoisonError::into_inner);
        let read = match grammar.try_get_matches_from_mut(&words) {
            Ok(matches) => {
                Line::from_arg_matches(&matches).map_err(|error| error.format(&mut grammar))
            }
            Err(error) => Err(error),
        };
        drop(grammar);
        match read {
            Ok(line) => Ok(line.ops.unwrap_or(Self::Help)),
            Err(error) => Err(explain(&error)),
        }
    }
}

fn explain(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.as_str()],
        Some(ContextValue::Strings(words)) => words.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    if error.kind() == ErrorKind::InvalidSubcommand
        && let [word, ..] = context(ContextKind::InvalidSubcommand)[..]
    {
        let word = cut(&one_line(word), 40);
        return match nearest(&word, context(ContextKind::SuggestedSubcommand)) {
            Some(near) => format!("there is no `{word}` here; did you mean `{near}`?"),
            None => format!("there is no `{word}` here; `/ops help` says what there is"),
        };
    }
    let said = match error.kind() {
        ErrorKind::ValueValidation => {
            let value = context(ContextKind::InvalidValue).join(" ");
            let why = std::error::Error::source(error).map(ToString::to_string);
            why.map(|why| format!("`{}`: {why}", cut(&one_line(&value), 40)))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = context(ContextKind::InvalidArg).join("`, `");
            (!missing.is_empty()).then(|| format!("this is missing: `{missing}`"))
        }
        ErrorKind::UnknownArgument => {
            let word = context(ContextKind::InvalidArg).join(" ");
            Some(format!("`{}` has no place here", cut(&one_line(&word), 40)))
        }
        _ => None,
    };
    let text = error.render().to_string();
    let lines: Vec<String> = text.lines().filter_map(of_ours).collect();
    match said {
        Some(said) => {
            let usage = lines.into_iter().filter(|line| line.starts_with("Usage: "));
            [said]
                .into_iter()
                .chain(usage)
                .collect::<Vec<_>>()
                .join("\n")
        }
        None => lines.join("\n"),
    }
}

/// A line of the parser's own, as far as it means something in a chat.
fn of_ours(line: &str) -> Option<String> {
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let means_nothing = line.starts_with("For more information")
        || line.contains("to pass '")
        || line.starts_with("Options:")
        || line.trim_start().starts_with("-h, --help")
        || line.trim().is_empty();
    let line = line.split(" [alias").next().unwrap_or(line).trim_end();
    (!means_nothing).then(|| {
        line.replace("Usage: ", "Usage: /ops ")
            .replace("/ops /ops", "/ops")
    })
}

/// As people type on a phone: a capital at the beginning, keys copied with their backticks, a verb without `triage`.
fn spoken(mut words: Vec<String>) -> Vec<String> {
    for word in &mut words {
        *word = word.trim_matches('`').to_owned();
    }
    let Some(first) = words.first_mut() else {
        return words;
    };
    *first = first.to_lowercase();
    let verbs = Triage::augment_subcommands(clap::Command::new("triage"));
    let is_verb = verbs.get_subcommands().any(|verb| {
        verb.get_name() == *first || verb.get_all_aliases().any(|alias| alias == *first)
    });
    let names_a_finding = words.get(1).is_some_and(|word| word.contains(':'));
    match words[0].as_str() {
        // Both a word and a verb: what follows the verb is a finding's key.
        "ticket" if !names_a_finding => {
            if let Some(word) = words.get_mut(1) {
                *word = word.to_lowercase();
            }
        }
        "triage" => {
            if let Some(verb) = words.get_mut(1) {
                *verb = verb.to_lowercase();
            }
        }
        _ if is_verb => words.insert(0, "triage".to_owned()),
        _ => {}
    }
    words
}

/// Splits at spaces, but not inside quotation marks, which phones write in many shapes.
fn words(text: &str) -> Result<Vec<String>, String> {
    let text = unlinked(text);
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (open, c) {
            (Some(close), _) if c == close || (close == '"' && matches!(c, '“' | '”' | '„')) =>
            {
                open = None;
            }
            (None, '"' | '“' | '”' | '„') => {
                open = Some('"');
                word.get_or_insert_default();
            }
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            // Phones turn two hyphens into a dash.
            (None, '—') if word.is_none() => word.get_or_insert_default().push_str("--"),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if open.is_some() {
        return Err("a quotation mark is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

/// Takes back what Slack made of the text: `<@U1|anna>` is `slack:U1`, links are their text, entities their character.
/// <https://docs.slack.dev/interactivity/implementing-slash-commands>
fn unlinked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((link, after)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            continue;
        };
        let (target, label) = link
            .split_once('|')
            .map_or((link, None), |(target, label)| (target, Some(label)));
        out += &match (target.strip_prefix('@'), target.strip_prefix("mailto:")) {
            (Some(user), _) => Cow::from(format!("slack:{user}")),
            (_, Some(address)) => Cow::from(address),
            _ => Cow::from(label.unwrap_or(target)),
        };
        rest = after;
    }
    out.push_str(rest);
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Ops {
        Ops::read(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn nothing_asks_for_help() {
        assert!(matches!(read(""), Ops::Help));
        assert!(matches!(read("  "), Ops::Help));
    }

    #[test]
    fn an_unknown_word_gets_the_nearest_right_one() {
        let said = Ops::read("dayly").unwrap_err();
        assert_eq!(said, "there is no `dayly` here; did you mean `daily`?");
        let said = Ops::read("triage acknowlege errors:1").unwrap_err();
        assert_eq!(
            said,
            "there is no `acknowlege` here; did you mean `acknowledge`?"
        );
        let said = Ops::read("frobnicate").unwrap_err();
        assert!(said.contains("/ops help"), "{said}");
    }

    #[test]
    fn a_mention_is_a_person_and_a_phones_quotes_are_quotes() {
        let Ops::Triage {
            action: Triage::Assign { who, .. },
        } = read("triage assign errors:4501 <@U012ABCDEF|anna>")
        else {
            panic!("it is an assignment");
        };
        assert_eq!(who, "slack:U012ABCDEF");
        let Ops::Triage {
            action: Triage::Acknowledge { reason, .. },
        } = read("triage ack errors:4501 —reason “a &amp; b, see <https://x.y|x.y>”")
        else {
            panic!("it is an acknowledgement");
        };
        assert_eq!(reason.as_deref(), Some("a & b, see x.y"));
    }

    #[test]
    fn what_a_phone_writes_is_understood() {
        assert!(matches!(read("Daily"), Ops::Daily));
        for text in [
            "ack `errors:4501`",
            "Triage Ack errors:4501",
            "ACK errors:4501",
        ] {
            let Ops::Triage {
                action: Triage::Acknowledge { key, .. },
            } = read(text)
            else {
                panic!("`{text}` is an acknowledgement");
            };
            assert_eq!(key.to_string(), "errors:4501");
        }
    }

    #[test]
    fn a_ticket_is_listed_or_opened_as_what_follows_says() {
        assert!(matches!(
            read("ticket list --all"),
            Ops::Ticket {
                command: Ticket::List { all: true }
            }
        ));
        let Ops::Ticket {
            command: Ticket::Close { name },
        } = read("Ticket Close T-4")
        else {
            panic!("a ticket is closed");
        };
        assert_eq!(name, "T-4");
        for text in ["ticket errors:4501", "triage ticket errors:4501"] {
            let Ops::Triage {
                action: Triage::Ticket { key, .. },
            } = read(text)
            else {
                panic!("`{text}` opens a ticket");
            };
            assert_eq!(key.to_string(), "errors:4501");
        }
    }

    #[test]
    fn only_a_yes_of_its_own_makes_it_pay() {
        for (text, sure) in [
            ("pay payments:invoice/in_1", false),
            ("triage pay payments:invoice/in_1 —yes", true),
        ] {
            let Ops::Triage { action } = read(text) else {
                panic!("it is triage");
            };
            let (verb, asked) = action.remedy().expect("it is a remedy");
            assert_eq!((verb.as_str(), asked.yes), ("pay", sure), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_our_own_words() {
        assert_eq!(
            Ops::read("triage snooze errors:1 400d").unwrap_err(),
            "`400d`: a snooze lasts 90 days at most"
        );
        for text in [
            "triage --help",
            "triage ack --help",
            "triage",
            "triage ack errors:1 --x",
        ] {
            let said = Ops::read(text).unwrap_err();
            assert!(
                !said.contains("--help") && !said.contains("[alias"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_missing_word_is_named() {
        let said = Ops::read("triage ack").unwrap_err();
        assert!(said.contains("<KEY>"), "{said}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = Ops::read(&text);
        }
    }
}
