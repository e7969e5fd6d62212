//! Properties of every parser, whatever it is given. `tests/run fuzz` holds them for minutes, with new input each time.
//!
//! The parsers that are private have theirs beside them, in modules called `fuzz`.

mod answers;
mod clouds;
mod mutate;
mod scenarios;
mod simulated;
mod stored;

/// The longest error about one thing, in characters: it goes into logs, Events and conditions.
const LONGEST_ERROR: usize = 2000;
