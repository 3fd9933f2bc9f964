//! The ops log: entries, the hash chain that seals them, and the Markdown file that people read.

mod chain;
mod entry;
mod file;
mod hash;
mod markdown;

pub use chain::{Anchor, Flaw, Head, Verified, Verifier, Why, seal};
pub use entry::{Body, Entry, Kind, NewEntry, Piece, Record, Sentence};
pub use file::{Appended, Comparison, Difference, Rebuild, append, tail_differs};
pub use hash::{Hash, Salt};
pub use markdown::{heading, line, title};
