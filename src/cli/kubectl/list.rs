//! `kubectl tempest list`: a line a run.

use std::time::Duration;

use jiff::Timestamp;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use tempest_operator::api::tempest_run::{Phase, TempestRun};
use tempest_operator::report::{table, text};

use super::args::ListArgs;
use crate::cli::cluster::{Cluster, refused};
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::terminal;

/// Runs the command.
pub async fn run(args: ListArgs) -> Result<Exit, Problem> {
    let cluster = Cluster::access(&args.cluster).await?;
    let runs: Api<TempestRun> =
        if args.all_namespaces { Api::all(cluster.client.clone()) } else { cluster.runs() };
    let params = ListParams { label_selector: args.selector.clone(), ..ListParams::default() };
    let all = runs
        .list(&params)
        .await
        .map_err(|error| refused("the runs cannot be listed".to_owned(), error, "list"))?;
    if all.items.is_empty() {
        let place =
            if args.all_namespaces { "any namespace" } else { &format!("namespace {}", cluster.namespace) };
        terminal::err(&format!("there is no run in {place}\n"));
        return Ok(Exit::Passed);
    }
    terminal::out(&render(&all.items, args.all_namespaces, Timestamp::now()))?;
    Ok(Exit::Passed)
}

/// The youngest last, as what is looked for.
fn render(runs: &[TempestRun], namespaces: bool, now: Timestamp) -> String {
    let mut runs: Vec<&TempestRun> = runs.iter().collect();
    runs.sort_by_key(|run| {
        (run.namespace().filter(|_| namespaces), run.creation_timestamp().map(|time| time.0), run.name_any())
    });
    let header = ["NAMESPACE", "NAME", "PHASE", "VERDICT", "PROGRESS", "PASSED", "FAILED", "SKIPPED", "AGE"];
    let skip = usize::from(!namespaces);
    let rows = runs.iter().map(|run| row(run, now).into_iter().skip(skip).collect()).collect();
    table::plain(&header[skip..], rows, None)
}

fn row(run: &TempestRun, now: Timestamp) -> Vec<String> {
    let status = run.status.clone().unwrap_or_default();
    let number = |count: fn(&tempest_operator::outcome::Summary) -> u32| {
        status.summary.as_ref().map(|summary| count(summary).to_string()).unwrap_or_default()
    };
    let age = run.creation_timestamp().map(|time| now.duration_since(time.0));
    vec![
        run.namespace().unwrap_or_default(),
        run.name_any(),
        status.phase.map(|phase: Phase| format!("{phase:?}")).unwrap_or_default(),
        status.verdict.map(|verdict| verdict.to_string()).unwrap_or_default(),
        text::line(&status.progress.clone().unwrap_or_default()),
        number(|summary| summary.passed),
        number(|summary| summary.failed),
        number(|summary| summary.skipped),
        age.map(|age| in_short(Duration::try_from(age).unwrap_or_default())).unwrap_or_default(),
    ]
}

/// As kubectl tells ages: the largest unit, and the next while the number is small.
fn in_short(age: Duration) -> String {
    let seconds = age.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if !seconds.is_multiple_of(60) => format!("{minutes}m{}s", seconds % 60),
        120..10_800 => format!("{minutes}m"),
        10_800..28_800 if minutes % 60 > 0 => format!("{hours}h{}m", minutes % 60),
        10_800..172_800 => format!("{hours}h"),
        172_800..691_200 if hours % 24 > 0 => format!("{days}d{}h", hours % 24),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(119, "119s")]
    #[case(185, "3m5s")]
    #[case(900, "15m")]
    #[case(11_000, "3h3m")]
    #[case(90_000, "25h")]
    #[case(200_000, "2d7h")]
    #[case(900_000, "10d")]
    fn ages_are_told_as_kubectl_does(#[case] seconds: u64, #[case] told: &str) {
        assert_eq!(in_short(Duration::from_secs(seconds)), told);
    }

    #[test]
    fn a_line_a_run_with_the_youngest_last() {
        let run = |name: &str, made: &str, status: serde_json::Value| -> TempestRun {
            serde_json::from_value(json!({
                "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun",
                "metadata": { "name": name, "namespace": "verify", "creationTimestamp": made },
                "spec": { "cloud": { "zoneSuffix": "a.example." } }, "status": status,
            }))
            .unwrap()
        };
        let runs = [
            run("new", "2026-11-28T11:59:50Z", json!({ "phase": "Running", "progress": "1/2\u{1b}" })),
            run(
                "old",
                "2026-11-28T09:00:00Z",
                json!({
                    "phase": "Completed", "verdict": "Failed", "progress": "2/2",
                    "summary": { "total": 2, "passed": 1, "failed": 1 },
                }),
            ),
        ];
        let told = render(&runs, true, "2026-11-28T12:00:00Z".parse().unwrap());
        let lines: Vec<Vec<&str>> = told.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["verify", "old", "Completed", "Failed", "2/2", "1", "1", "0", "3h"]);
        assert_eq!(lines[2][..3], ["verify", "new", "Running"]);
        assert!(!told.contains('\u{1b}') && lines[2].contains(&"10s"), "{told}");
        assert!(render(&runs, false, "2026-11-28T12:00:00Z".parse().unwrap()).starts_with("NAME "));
    }
}
