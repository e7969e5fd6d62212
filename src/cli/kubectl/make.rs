//! `kubectl tempest run`: makes a run.

use kube::ResourceExt;
use kube::api::PostParams;
use tempest_operator::api::tempest_run::{Exclusion, SecretRef, TempestRun, TempestRunSpec};
use tempest_operator::report::text;

use super::args::MakeArgs;
use super::watch;
use crate::cli::cluster::{Cluster, refused};
use crate::cli::exit::Exit;
use crate::cli::manifest;
use crate::cli::problem::Problem;
use crate::cli::terminal;

/// Who wrote the fields of the objects made here.
pub const FIELD_MANAGER: &str = "kubectl-tempest";

/// Runs the command.
pub async fn run(mut args: MakeArgs) -> Result<Exit, Problem> {
    let mut run = wanted(&args)?;
    // What the file says of the namespace holds where nothing else is said.
    args.cluster.namespace = args.cluster.namespace.or_else(|| run.metadata.namespace.take());
    let cluster = Cluster::access(&args.cluster).await?;
    run.metadata.namespace = Some(cluster.namespace.clone());
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let made = match cluster.runs().create(&params, &run).await {
        Ok(made) => made,
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            return Err(exists(&cluster, &run.name_any()).await);
        }
        Err(error) => return Err(refused("the run cannot be made".to_owned(), error, "create")),
    };
    let name = made.name_any();
    terminal::out(&format!("tempestrun.crossservice.dev/{name} created\n"))?;
    match args.wait.wait {
        Some(limit) => watch::follow(&cluster, &name, Some(limit)).await,
        None => Ok(Exit::Passed),
    }
}

async fn exists(cluster: &Cluster, name: &str) -> Problem {
    let named = cluster.named(name);
    let ended = cluster.run(name).await.is_ok_and(|run| crate::cli::follow::has_ended(&run));
    let (state, next) = if ended {
        ("has ended already", format!("run it again with: kubectl tempest rerun {name}"))
    } else {
        ("is under way already", format!("follow it with: kubectl tempest watch {name}"))
    };
    Problem::input(format!("{named} {state}"))
        .next(format!("{next} --namespace {}, or leave --name out", cluster.namespace))
}

/// The run that is asked for: what the file says, and over it what the arguments say.
fn wanted(args: &MakeArgs) -> Result<TempestRun, Problem> {
    let (mut metadata, mut spec) = match &args.file {
        Some(file) => {
            let read = manifest::read_run(file)?;
            if !read.beside.is_empty() {
                terminal::err(&format!(
                    "note: only the TempestRun is made; apply the rest: {}\n",
                    text::line(&read.beside.join(", "))
                ));
            }
            (read.metadata, read.spec)
        }
        None => Default::default(),
    };
    adjust(&mut spec, args);
    if spec.cloud.secret_ref.is_none() || spec.cloud.zone_suffix.is_empty() {
        return Err(Problem::input("the run names no Secret, or no zone suffix")
            .next("give -f FILE with a TempestRun, or --secret NAME and --zone-suffix DOMAIN"));
    }
    let named = metadata.name.take();
    let begins = metadata.generate_name.take().or_else(|| named.map(|name| format!("{name}-")));
    match &args.name {
        Some(name) => metadata.name = Some(name.clone()),
        None => metadata.generate_name = Some(begins.unwrap_or_else(|| "run-".to_owned())),
    }
    Ok(TempestRun { metadata, spec, status: None })
}

fn adjust(spec: &mut TempestRunSpec, args: &MakeArgs) {
    if let Some(name) = &args.secret {
        spec.cloud.secret_ref = Some(SecretRef { name: name.clone() });
    }
    if args.primary.is_some() {
        spec.cloud.primary.clone_from(&args.primary);
    }
    if let Some(suffix) = &args.zone_suffix {
        // A person may leave the last dot out.
        spec.cloud.zone_suffix = format!("{}.", suffix.trim_end_matches('.'));
    }
    if !args.include.is_empty() {
        spec.scenarios.include.clone_from(&args.include);
    }
    if !args.tags.is_empty() {
        spec.scenarios.tags.clone_from(&args.tags);
    }
    let excluded = args.exclude.iter().map(|(name, reason)| Exclusion {
        name: name.clone(),
        reason: reason.clone(),
        until: None,
    });
    spec.scenarios.exclude.extend(excluded);
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;
    use crate::cli::kubectl::args::{Command, Kubectl};

    fn made(arguments: &[&str]) -> Result<serde_json::Value, String> {
        let all = ["kubectl-tempest", "run"].iter().chain(arguments);
        let Command::Run(args) = Kubectl::try_parse_from(all).unwrap().command else { panic!() };
        wanted(&args).map(|run| serde_json::to_value(run).unwrap()).map_err(|problem| problem.text())
    }

    #[test]
    fn a_run_is_made_of_what_is_given() {
        let run =
            made(&["--secret", "clouds", "--zone-suffix", "a.example", "--exclude", "x*=slow"]).unwrap();
        assert_eq!(run["metadata"], json!({ "generateName": "run-" }));
        assert_eq!(run["spec"]["cloud"]["secretRef"], json!({ "name": "clouds" }));
        assert_eq!(run["spec"]["cloud"]["zoneSuffix"], "a.example.");
        assert_eq!(run["spec"]["scenarios"]["exclude"], json!([{ "name": "x*", "reason": "slow" }]));
    }

    #[test]
    fn the_name_in_the_file_is_the_beginning_and_arguments_win() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.yaml");
        let text = "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {name: nightly, labels: {a: b}}\n\
                    spec:\n  cloud: {secretRef: {name: s}, zoneSuffix: a.example.}\n  scenarios: {include: [all]}\n";
        std::fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        let run = made(&["-f", path, "--include", "heat_*"]).unwrap();
        assert_eq!(run["metadata"], json!({ "generateName": "nightly-", "labels": { "a": "b" } }));
        assert_eq!(run["spec"]["scenarios"]["include"], json!(["heat_*"]));
        assert_eq!(made(&["-f", path, "--name", "this"]).unwrap()["metadata"]["name"], "this");
    }

    #[test]
    fn a_run_without_a_cloud_is_refused() {
        assert!(made(&["--secret", "clouds"]).unwrap_err().contains("--zone-suffix"));
    }
}
