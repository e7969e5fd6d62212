//! Plays a run and shows it: what `run` and `try` share.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tempest_operator::outcome::{Evidence, Reason, RunFault, Verdict, VerdictPolicy};
use tempest_operator::report::lines::Lines;
use tempest_operator::report::live::Live;
use tempest_operator::report::progress::Progress;
use tempest_operator::report::{RunReport, json, table};
use tempest_operator::runner::event::{Event, EventSink};
use tempest_operator::runner::ledger::Ledger;
use tempest_operator::runner::{Clock, Control, Planner, RunInputs, record_verdict, run_span, verify};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;
use tracing::Instrument;

use super::args::Output;
use super::logging::LogOutput;

use super::problem::Problem;
use super::signals::{self, Signals};
use super::terminal;

/// How long a run that was abandoned may take to say so.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Plays a run to its end, shows its progress on standard error, and listens to signals meanwhile.
pub async fn play(
    inputs: RunInputs,
    planner: Planner,
    ledger: Arc<Ledger>,
    policy: &VerdictPolicy,
    log: &LogOutput,
) -> Result<RunReport, Problem> {
    let signals = signals::listen()?;
    let control =
        Control { cancel: signals.cancel.clone(), abandon: signals.abandon.clone(), ..Control::default() };
    let (sink, events) = EventSink::channel();
    let mut progress = progress(log);
    let span = run_span(None, None, &inputs.run.run_id);
    let verifying = verify(inputs, planner, ledger, sink, control, Clock::system());
    let playing = tokio::spawn(verifying.instrument(span.clone()));
    let mut report = follow(events, policy, &signals, progress.as_mut()).await;
    playing.abort();
    progress.end();
    log.share(None);
    if report.verdict.is_none() {
        cut_short(&mut report, &signals);
    }
    if let Some(verdict) = report.verdict {
        record_verdict(&span, verdict);
    }
    if terminal::is_live() && terminal::width().is_none() {
        // Whoever watches does not see the result, which goes elsewhere.
        terminal::err(&format!("{}\n", table::verdict(&report)));
    }
    Ok(report)
}

fn progress(log: &LogOutput) -> Box<dyn Progress> {
    if terminal::is_live() {
        let live = Live::on_stderr();
        log.share(Some(live.screen()));
        Box::new(live)
    } else {
        Box::new(Lines::new(std::io::stderr()))
    }
}

async fn follow(
    mut events: UnboundedReceiver<Event>,
    policy: &VerdictPolicy,
    signals: &Signals,
    progress: &mut dyn Progress,
) -> RunReport {
    let mut report = RunReport::default();
    let mut told = false;
    let last_words = async {
        signals.abandon.cancelled().await;
        sleep(LAST_WORDS).await;
    };
    tokio::pin!(last_words);
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(event) => {
                    report.apply(&event, policy);
                    progress.event(&event, &report);
                }
                None => return report,
            },
            () = if_not(told, signals.cancel.cancelled()) => {
                told = true;
                progress.say("cancelling: what was made is being undone; once more stops at once");
            }
            () = &mut last_words => return report,
        }
    }
}

async fn if_not(done: bool, future: impl Future<Output = ()>) {
    if done { pending().await } else { future.await }
}

/// The runner ended without a word: that is the run's fault then.
fn cut_short(report: &mut RunReport, signals: &Signals) {
    let (verdict, reason, message) = if signals.cancel.is_cancelled() {
        (Verdict::Cancelled, Reason::Cancelled, "stopped at once; nothing more was undone")
    } else {
        (Verdict::Errored, Reason::RunnerPanicked, "the runner broke; --log debug tells more")
    };
    report.verdict = Some(verdict);
    report.fault = Some(RunFault { reason, message: message.to_owned(), evidence: Evidence::default() });
}

/// The result as text.
pub fn render(report: &RunReport, policy: &VerdictPolicy, output: Output) -> Result<String, Problem> {
    let rendered = match output {
        Output::Table => return Ok(table::render(report, policy, terminal::width())),
        Output::Json => json::render(report),
        Output::Yaml => json::yaml(&tempest_operator::report::status::status(report)),
    };
    rendered.map_err(|error| Problem::unable("the result cannot be shown").because(error))
}

#[cfg(test)]
mod tests {
    use tempest_operator::runner::event::EventKind;

    use super::*;

    struct Said(Vec<String>);

    impl Progress for Said {
        fn event(&mut self, _event: &Event, _report: &RunReport) {
            self.0.push("event".into());
        }
        fn say(&mut self, text: &str) {
            self.0.push(text.split(':').next().unwrap().to_owned());
        }
        fn end(&mut self) {}
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_signal_is_told_once_and_the_second_does_not_wait_for_long() {
        let (sink, events) = EventSink::channel();
        let signals = Signals::default();
        signals.cancel.cancel();
        sink.send(jiff::Timestamp::UNIX_EPOCH, EventKind::CleaningUp);
        let second = signals.clone();
        tokio::spawn(async move {
            sleep(Duration::from_mins(1)).await;
            second.abandon.cancel();
        });
        let mut said = Said(Vec::new());
        let mut report = follow(events, &VerdictPolicy::default(), &signals, &mut said).await;
        assert_eq!(said.0, ["event", "cancelling"]);
        cut_short(&mut report, &signals);
        assert_eq!(report.verdict, Some(Verdict::Cancelled));
        drop(sink);
    }
}
