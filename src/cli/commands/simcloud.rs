//! `simcloud`: a simulated cloud that stays, for the operator beside it.

use tempest_operator::report::text;

use crate::cli::args::SimcloudArgs;
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::{signals, simulated, terminal};

/// Runs the command until it is told to end.
pub async fn run(args: SimcloudArgs) -> Result<Exit, Problem> {
    let signals = signals::listen()?;
    let cloud = simulated::start(args.latency, Some(args.port)).await?;
    terminal::out(&cloud.clouds_yaml())?;
    let servers: Vec<String> = cloud.name_servers().iter().map(ToString::to_string).collect();
    let (suffix, servers) = (text::line(cloud.zone_suffix()), servers.join(", "));
    terminal::err(&format!("zones may be made under {suffix}; name servers: {servers}\n"));
    signals.cancel.cancelled().await;
    cloud.shutdown().await;
    Ok(Exit::Passed)
}
