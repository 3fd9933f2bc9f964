//! All that can be said to `/ops`, as the grammar has it: for those who type.

use clap::{Arg, Command, Subcommand};

use super::Ops;

/// One thing that can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// `triage acknowledge`.
    pub words: String,
    /// `KEY [--reason REASON]`; may be empty.
    pub usage: String,
    /// What it does.
    pub about: String,
}

impl Ops {
    /// In the order of the grammar; what asks for another word is its last one.
    pub fn phrases() -> Vec<Phrase> {
        let mut phrases = Vec::new();
        let grammar = Self::augment_subcommands(Command::new("/ops"));
        for command in grammar.get_subcommands() {
            gather(command, "", &mut phrases);
        }
        phrases
    }
}

fn gather(command: &Command, before: &str, phrases: &mut Vec<Phrase>) {
    let words = format!("{before}{}", command.get_name());
    if !command.is_subcommand_required_set() {
        let about = command.get_about().map(ToString::to_string);
        phrases.push(Phrase {
            usage: usage(command),
            about: about.unwrap_or_default(),
            words: words.clone(),
        });
    }
    for inner in command.get_subcommands() {
        gather(inner, &format!("{words} "), phrases);
    }
}

fn usage(command: &Command) -> String {
    let arguments = command.get_arguments().filter(|it| !it.is_hide_set());
    let words: Vec<String> = arguments.map(argument).collect();
    words.join(" ")
}

fn argument(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map_or_else(
            || argument.get_id().as_str().to_uppercase(),
            |it| it.to_string(),
        );
    let takes_value = argument.get_action().takes_values();
    let word = match argument.get_long() {
        Some(long) if takes_value => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
        None => value,
    };
    if argument.is_required_set() {
        word
    } else {
        format!("[{word}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_is_understood_once_its_words_are_filled_in() {
        let phrases = Ops::phrases();
        for phrase in &phrases {
            let line: Vec<&str> = phrase
                .usage
                .split_whitespace()
                .filter(|word| !word.contains(['[', ']']) && !word.starts_with("--"))
                .map(|word| match word {
                    "KEY" => "errors:4501",
                    "WHO" => "anna@example.com",
                    _ => "health",
                })
                .collect();
            let line = format!("{} {}", phrase.words, line.join(" "));
            assert!(Ops::read(&line).is_ok(), "{line}: {:?}", Ops::read(&line));
            assert!(
                !phrase.about.is_empty(),
                "{} says what it does",
                phrase.words
            );
        }
        let words: Vec<&str> = phrases.iter().map(|it| it.words.as_str()).collect();
        for word in ["daily", "check", "log search", "triage acknowledge"] {
            assert!(words.contains(&word), "{words:?}");
        }
    }
}
