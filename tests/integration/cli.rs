//! The command line from outside: exit codes, and one clear message for each bad input. Needs no cloud.

mod bad_input;
mod clouds;
mod help;
mod state;
mod support;
