//! What went wrong, told to a person: one line that names the thing, one with the next step.

use std::error::Error;

use tempest_operator::report::text;

use super::exit::Exit;
use super::terminal;

/// Why a command cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Problem {
    what: String,
    next: Option<String>,
    exit: Exit,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// What was given cannot be used: exit code 3.
    pub fn input(what: impl Into<String>) -> Self {
        Self { what: what.into(), next: None, exit: Exit::BadInput, source: None }
    }

    /// It could not be carried out: exit code 2.
    pub fn unable(what: impl Into<String>) -> Self {
        Self { exit: Exit::Unable, ..Self::input(what) }
    }

    /// What the person can do about it.
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }

    /// The cause.
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The text for a person.
    pub fn text(&self) -> String {
        let told = format!("error: {}\n", text::chain(self));
        match &self.next {
            Some(next) => format!("{told}  next: {}\n", text::line(next)),
            None => told,
        }
    }

    /// Tells it on standard error.
    pub fn tell(&self) -> Exit {
        terminal::err(&self.text());
        self.exit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_thing_the_cause_and_the_next_step() {
        let problem = Problem::input("run.yaml cannot be read")
            .because(std::io::Error::other("permission\ndenied"))
            .next("give a file that you may read");
        assert_eq!(
            problem.text(),
            "error: run.yaml cannot be read: permission denied\n  next: give a file that you may read\n"
        );
        assert_eq!(problem.exit, Exit::BadInput);
    }
}
