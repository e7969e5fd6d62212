//! `kubectl tempest watch`: shows a run's way to its end; the exit code is that of its verdict.

use std::collections::BTreeSet;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use kube::ResourceExt;
use tempest_operator::api::tempest_run::{TempestRun, TempestRunStatus, TestStatus};
use tempest_operator::outcome::{Outcome, Verdict};
use tempest_operator::report::text;

use super::args::WatchArgs;
use crate::cli::cluster::Cluster;
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::{follow as following, signals, terminal};

const TICK: Duration = Duration::from_millis(120);

/// Runs the command.
pub async fn run(args: WatchArgs) -> Result<Exit, Problem> {
    let cluster = Cluster::access(&args.cluster).await?;
    // What does not exist is not waited for.
    cluster.run(&args.name).await?;
    follow(&cluster, &args.name, args.timeout).await
}

/// Follows a run that exists to its end.
pub async fn follow(cluster: &Cluster, name: &str, limit: Option<Duration>) -> Result<Exit, Problem> {
    let signals = signals::listen()?;
    let mut screen = Screen::open();
    let mut news = News::default();
    let mut was_there = false;
    let following = following::to_the_end(cluster, name, limit, |run| match run {
        Some(run) => {
            was_there = true;
            screen.show(&news.of(run), &now(run));
            Ok(())
        }
        None if was_there => Err(Problem::unable(format!("{} was deleted", cluster.named(name)))
            .next("make another one with: kubectl tempest run")),
        None => Ok(()),
    });
    let ended = tokio::select! {
        ended = following => ended,
        () = signals.cancel.cancelled() => {
            drop(screen);
            terminal::err(&format!("no longer watched; the run goes on, or ends with: kubectl tempest cancel {name}\n"));
            return Ok(Exit::Cancelled);
        }
    };
    drop(screen);
    let run = ended?;
    terminal::out(&format!("{}\n", end(&run)))?;
    let verdict = run.status.as_ref().and_then(|status| status.verdict);
    Ok(verdict.unwrap_or(Verdict::Errored).into())
}

/// Where news go, and where it stands: on a terminal the latter is one line that is drawn anew.
struct Screen {
    bar: Option<ProgressBar>,
    last: String,
}

impl Screen {
    fn open() -> Self {
        let bar = terminal::is_live().then(|| {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar, last: String::new() }
    }

    fn show(&mut self, news: &[String], now: &str) {
        if let Some(bar) = &self.bar {
            for line in news {
                bar.println(line);
            }
            bar.set_message(now.to_owned());
            return;
        }
        for line in news {
            terminal::err(&format!("{line}\n"));
        }
        if self.last != now {
            terminal::err(&format!("{now}\n"));
            now.clone_into(&mut self.last);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What was told already.
#[derive(Default)]
struct News {
    attempt: Option<u32>,
    told: BTreeSet<String>,
}

impl News {
    /// A line for each test that has ended since the last look, and for each attempt that began.
    fn of(&mut self, run: &TempestRun) -> Vec<String> {
        let status = run.status.clone().unwrap_or_default();
        let mut lines = Vec::new();
        if self.attempt.is_some() && self.attempt != status.attempt {
            lines.push(format!("attempt {}", status.attempt.unwrap_or_default()));
            self.told.clear();
            // What it carries over was told before.
            self.told.extend(status.tests.iter().map(|test| test.name.clone()));
        }
        self.attempt = status.attempt.or(self.attempt);
        let ended = status.tests.iter().filter(|test| test.outcome.is_some());
        lines.extend(ended.filter(|test| self.told.insert(test.name.clone())).map(test));
        lines
    }
}

fn test(test: &TestStatus) -> String {
    let outcome = test.outcome.map(|outcome| outcome.to_string()).unwrap_or_default();
    let took = test.duration.as_deref().map(|took| format!(" in {took}")).unwrap_or_default();
    let why = match (test.outcome, &test.message) {
        (Some(Outcome::Passed), _) | (_, None) => String::new(),
        (_, Some(message)) => format!(": {message}"),
    };
    text::line(&format!("{}: {outcome}{took}{why}", test.name))
}

/// Where a run is, in one word.
pub fn phase(run: &TempestRun) -> String {
    let phase = run.status.as_ref().and_then(|status| status.phase);
    phase.map_or_else(|| "not seen by an operator".to_owned(), |phase| format!("{phase:?}"))
}

/// Where it stands, in one line.
fn now(run: &TempestRun) -> String {
    let status = run.status.clone().unwrap_or_default();
    let mut parts = vec![phase(run)];
    parts.extend(status.progress.clone());
    if !status.current_steps.is_empty() {
        parts.push(status.current_steps.join(", "));
    } else if let Some(reconciling) = condition(&status, "Reconciling").filter(|message| !message.is_empty())
    {
        parts.push(reconciling);
    }
    text::line(&parts.join("  "))
}

fn end(run: &TempestRun) -> String {
    let status = run.status.clone().unwrap_or_default();
    let verdict = status.verdict.unwrap_or(Verdict::Errored);
    let why = condition(&status, "Finished").unwrap_or_default();
    let took = status.duration.as_deref().map(|took| format!(" after {took}")).unwrap_or_default();
    text::line(&format!("tempestrun/{}: {verdict}{took}: {why}", run.name_any()))
}

fn condition(status: &TempestRunStatus, kind: &str) -> Option<String> {
    status.conditions.iter().find(|one| one.type_ == kind).map(|one| one.message.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a status is written in place")]
    fn run(status: Value) -> TempestRun {
        serde_json::from_value(json!({
            "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun", "metadata": { "name": "one" },
            "spec": { "cloud": { "zoneSuffix": "a.example." } }, "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn each_test_is_told_once_an_attempt() {
        let passed = json!({ "name": "a", "outcome": "Passed", "duration": "3s" });
        let failed = json!({ "name": "b", "outcome": "Failed", "message": "no\u{1b} record" });
        let mut news = News::default();
        assert!(news.of(&run(json!({ "phase": "Pending" }))).is_empty());
        assert_eq!(news.of(&run(json!({ "attempt": 1, "tests": [passed] }))), ["a: Passed in 3s"]);
        let told = news.of(&run(json!({ "attempt": 1, "tests": [passed, failed] })));
        assert!(
            told.len() == 1 && told[0].starts_with("b: Failed: no") && !told[0].contains('\u{1b}'),
            "{told:?}"
        );
        assert_eq!(news.of(&run(json!({ "attempt": 2, "tests": [passed] }))), ["attempt 2"]);
        assert_eq!(news.of(&run(json!({ "attempt": 2, "tests": [passed, failed] }))).len(), 1);
    }

    #[test]
    fn it_is_told_where_the_run_stands_and_how_it_ended() {
        let condition = |kind: &str, message: &str| {
            json!({ "type": kind, "status": "True", "reason": "R", "message": message,
                    "lastTransitionTime": "2026-11-28T12:00:00Z" })
        };
        let waiting = run(json!({ "phase": "Queued", "conditions": [condition("Reconciling", "number 1")] }));
        assert_eq!(now(&waiting), "Queued  number 1");
        let plays =
            run(json!({ "phase": "Running", "progress": "1/2", "currentSteps": ["a: create", "b: look"] }));
        assert_eq!(now(&plays), "Running  1/2  a: create, b: look");
        let over = run(json!({ "phase": "Completed", "verdict": "Failed", "duration": "3m12s",
                               "conditions": [condition("Finished", "1 of 2 tests failed")] }));
        assert_eq!(end(&over), "tempestrun/one: Failed after 3m12s: 1 of 2 tests failed");
    }
}
