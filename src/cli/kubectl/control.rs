//! `kubectl tempest rerun` and `cancel`: what changes a run that exists.

use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tempest_operator::api::tempest_run::{Rerun, TempestRun};

use super::args::{CancelArgs, RerunArgs};
use super::make::FIELD_MANAGER;
use super::watch;
use crate::cli::cluster::{Cluster, refused};
use crate::cli::exit::Exit;
use crate::cli::follow::has_ended;
use crate::cli::problem::Problem;
use crate::cli::terminal;

/// Runs the command `rerun`.
pub async fn rerun(args: RerunArgs) -> Result<Exit, Problem> {
    let cluster = Cluster::access(&args.cluster).await?;
    let run = cluster.run(&args.name).await?;
    let named = cluster.named(&args.name);
    if !has_ended(&run) {
        return Err(Problem::input(format!("{named} is under way already: {}", watch::phase(&run)))
            .next(format!("wait for its end with: kubectl tempest watch {}, or cancel it", args.name)));
    }
    let rerun = if args.failed { Rerun::Failed } else { Rerun::All };
    let token =
        format!("{}-{:06x}", Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"), rand::random::<u32>() >> 8);
    // One that was cancelled shall play again, too.
    change(&cluster, &run, &json!({ "runToken": token, "rerun": rerun, "cancel": false })).await?;
    terminal::out(&format!("tempestrun.crossservice.dev/{} runs again\n", args.name))?;
    match args.wait.wait {
        Some(limit) => watch::follow(&cluster, &args.name, Some(limit)).await,
        None => Ok(Exit::Passed),
    }
}

/// Runs the command `cancel`.
pub async fn cancel(args: CancelArgs) -> Result<Exit, Problem> {
    let cluster = Cluster::access(&args.cluster).await?;
    let run = cluster.run(&args.name).await?;
    if has_ended(&run) {
        let verdict = run.status.as_ref().and_then(|status| status.verdict);
        let verdict = verdict.map(|verdict| format!(": {verdict}")).unwrap_or_default();
        return Err(Problem::input(format!("{} has ended already{verdict}", cluster.named(&args.name)))
            .next(format!("see how it went with: kubectl tempest report {}", args.name)));
    }
    change(&cluster, &run, &json!({ "cancel": true })).await?;
    terminal::out(&format!("tempestrun.crossservice.dev/{} is cancelled\n", args.name))?;
    Ok(Exit::Passed)
}

/// Changes the object that was looked at, and no other of its name.
async fn change(cluster: &Cluster, run: &TempestRun, spec: &Value) -> Result<(), Problem> {
    let patch = json!({ "metadata": { "uid": run.uid() }, "spec": spec });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let changed = cluster.runs().patch(&run.name_any(), &params, &Patch::Merge(patch)).await;
    changed.map(drop).map_err(|error| {
        refused(format!("{} cannot be changed", cluster.named(&run.name_any())), error, "patch")
    })
}
