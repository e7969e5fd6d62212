//! `play`: one attempt of a run, in a pod of its own.

use tempest_operator::controller::jobs::play::{PlayOptions, play};

use super::controller::{cluster, endpoints, lease};
use crate::cli::args::PlayArgs;
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::{signals, state};

/// Runs the command; it is done once the run's end is told, whatever its verdict.
pub async fn run(args: PlayArgs) -> Result<Exit, Problem> {
    state::check_id(&args.installation)?;
    let signals = signals::listen()?;
    let (client, api_server) = cluster().await?;
    let options = PlayOptions {
        namespace: args.namespace,
        run: args.run,
        uid: args.uid,
        attempt: args.attempt,
        installation: args.installation,
        endpoints: endpoints(args.allow_loopback_endpoints, &args.deny, &api_server),
        lease: lease(args.lease_duration),
    };
    // The first signal asks for an orderly end; whoever sends a second does not want to wait for it.
    tokio::select! {
        end = play(options, client, signals.cancel.clone()) => {
            end.map(|()| Exit::Passed).map_err(|error| Problem::unable("the run is not played on").because(error))
        }
        () = signals.abandon.cancelled() => Ok(Exit::Cancelled),
    }
}
