//! What names a person. A word within a sentence does not: `root` and `test` are names, too.

use crate::{
    ops_log::{Piece, Sentence},
    triage::Person,
};

/// Whether a text is the person's id or name, in any case, and nothing else.
pub(super) fn is(text: &str, person: &Person) -> bool {
    let text = text.trim().to_lowercase();
    !text.is_empty()
        && [person.id(), person.name()]
            .map(str::to_lowercase)
            .contains(&text)
}

/// As `is`, for a text that names somebody: an e-mail address by what stands before its host.
pub(super) fn is_called(text: &str, person: &Person) -> bool {
    is(text, person) || is(Person::from(text.to_owned()).name(), person)
}

/// Whether a sentence quotes the person as a whole: "assigned to `anna`".
pub(super) fn quotes(sentence: &Sentence, person: &Person) -> bool {
    sentence.0.iter().any(|piece| match piece {
        Piece::Said(_) => false,
        Piece::Quoted(text) => is(text.as_str(), person),
        Piece::Named(named) => is_called(named.id(), person),
    })
}
