//! The ops log: entries, the hash chain that seals them, and the Markdown file that people read.

mod chain;
mod comparison;
mod entry;
mod file;
mod hash;
mod markdown;
mod tail;

pub use chain::{Anchor, Flaw, Head, Verified, Verifier, Why, decision_digest, seal};
pub use comparison::{Compared, Comparison, Difference};
pub use entry::{Annex, Body, Entry, Kind, NewEntry, Piece, Record, Sentence, count};
pub use file::{Appended, Rebuild, append};
pub use hash::{Hash, Salt};
pub use markdown::{Days, heading, line, title};
pub use tail::tail_differs;
