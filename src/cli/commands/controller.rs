//! `controller`: the operator.

use crate::cli::args::ControllerArgs;
use crate::cli::exit::Exit;
use crate::cli::parts::controller;
use crate::cli::problem::Problem;
use crate::cli::{signals, state};

/// Runs the command until it is told to end.
pub async fn run(args: ControllerArgs) -> Result<Exit, Problem> {
    state::check_id(&args.installation)?;
    let signals = signals::listen()?;
    // The first signal asks for an orderly end; whoever sends a second does not want to wait for it.
    tokio::select! {
        end = controller::run(args, signals.cancel.clone()) => end.map(|()| Exit::Passed),
        () = signals.abandon.cancelled() => Ok(Exit::Cancelled),
    }
}
