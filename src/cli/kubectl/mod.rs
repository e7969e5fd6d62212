//! `kubectl tempest`: the same program under the name `kubectl-tempest`, as kubectl finds its plugins.

mod args;
mod control;
mod list;
mod make;
mod watch;

use std::ffi::OsStr;
use std::path::Path;

use super::exit::Exit;
use super::problem::Problem;
use super::{commands, logging};
pub use args::{Command, Kubectl};

/// The name under which the program is the plugin.
const NAME: &str = "kubectl-tempest";

/// Whether the program was called as the plugin.
pub fn is_called_by(program: Option<&OsStr>) -> bool {
    let name = program.map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str);
    // kubectl turns the words of a command into dashes, and underscores into what may be either.
    name.is_some_and(|name| name == NAME || name.strip_suffix(".exe") == Some(NAME))
}

/// Runs the command.
pub async fn run(plugin: Kubectl) -> Result<Exit, Problem> {
    logging::start(plugin.log.as_deref(), "error", false)?;
    match plugin.command {
        Command::Run(args) => make::run(*args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Report(args) => commands::report::run(args).await,
        Command::Rerun(args) => control::rerun(args).await,
        Command::Cancel(args) => control::cancel(args).await,
        Command::List(args) => list::run(args).await,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::as_kubectl_calls_it("/home/me/.krew/bin/kubectl-tempest", true)]
    #[case::elsewhere("kubectl-tempest.exe", true)]
    #[case::the_operator("/usr/local/bin/tempest-operator", false)]
    #[case::a_folder("/kubectl-tempest/tempest-operator", false)]
    fn the_name_that_it_is_called_by_decides(#[case] program: &str, #[case] is_plugin: bool) {
        assert_eq!(is_called_by(Some(OsStr::new(program))), is_plugin);
    }
}
