//! Follows a run's events and writes what changed: the report first, then the status that acknowledges it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kube::runtime::events::EventType;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::conditions::Moment;
use super::maps::MapError;
use super::notify::Notifier;
use super::pace::Pace;
use super::reports::Reports;
use super::status_writer::{StatusWriter, WriteError};
use crate::api::tempest_run::{ReportStatus, TempestRunStatus};
use crate::outcome::{Outcome, TestResult, VerdictPolicy};
use crate::report::RunReport;
use crate::report::status::{in_words, status};
use crate::runner::event::{Event, EventKind};
use crate::telemetry::Metrics;

/// Between two attempts to write the end; the end must not be lost.
const RETRY: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15)];

/// Where a report is written down as it grows.
#[async_trait]
pub trait Page: Send + Sync {
    /// Writes what is known by now.
    async fn write(&self, report: &RunReport, moment: &Moment) -> Result<(), WriteError>;
}

/// Follows events to their end and writes down what they tell, at a pace; `heard` gets each as it comes.
/// `carried_over` are the outcomes that are written down already. Once `handing_over` is set another process goes on
/// with the run: what is cut short then has no outcome, and the run no end. That a run started is told together with
/// what it did next: one that was cut short in the queue has not begun, and nothing may say that it has.
pub async fn write_down(
    page: &dyn Page,
    policy: &VerdictPolicy,
    handing_over: &CancellationToken,
    mut events: UnboundedReceiver<Event>,
    carried_over: Vec<TestResult>,
    mut heard: impl FnMut(Event) + Send,
) -> Result<RunReport, WriteError> {
    let mut report = RunReport { tests: carried_over, ..RunReport::default() };
    let mut writes = Pace::new(Instant::now());
    let mut due = None;
    let mut started = None;
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { break };
                if matches!(event.kind, EventKind::RunStarted { .. }) {
                    started = Some(event);
                    continue;
                }
                if handing_over.is_cancelled() && is_cut_short(&event) {
                    continue;
                }
                for event in started.take().into_iter().chain([event]) {
                    report.apply(&event, policy);
                    heard(event);
                }
                let now = Instant::now();
                due = due.or_else(|| report.run.as_ref().map(|_| writes.next(now)));
            }
            () = at(due), if report.verdict.is_none() => {
                match page.write(&report, &underway(&report)).await {
                    Err(WriteError::Superseded) => return Err(WriteError::Superseded),
                    Err(error) => tracing::warn!(%error, "what is known of a run could not be written"),
                    Ok(()) => {}
                }
                writes.wrote(Instant::now());
                due = None;
            }
        }
    }
    write_last(page, handing_over, &report).await?;
    Ok(report)
}

/// Writes what is left to say, again and again until the API server has it.
async fn write_last(
    page: &dyn Page,
    handing_over: &CancellationToken,
    report: &RunReport,
) -> Result<(), WriteError> {
    if report.run.is_none() {
        // Nothing was told, so nothing is known.
        return Ok(());
    }
    let moment = Moment::of_end(report).unwrap_or_else(|| underway(report));
    let mut pauses = RETRY.iter();
    let mut pause = INSTANTLY;
    loop {
        match page.write(report, &moment).await {
            Ok(()) => return Ok(()),
            Err(WriteError::Superseded) => return Err(WriteError::Superseded),
            // Whoever takes over finds what was acknowledged; the rest it plays again.
            Err(error) if handing_over.is_cancelled() => return Err(error),
            Err(error) => tracing::warn!(%error, "the end could not be written"),
        }
        pause = pauses.next().copied().unwrap_or(pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = handing_over.cancelled() => {}
        }
    }
}

fn is_cut_short(event: &Event) -> bool {
    match &event.kind {
        EventKind::TestFinished { result } => result.outcome == Outcome::Cancelled,
        EventKind::RunFinished { .. } => true,
        _ => false,
    }
}

/// Publishes one attempt of one run.
pub struct Publisher<'a> {
    /// Writes the status.
    pub writer: &'a StatusWriter,
    /// Writes the full report.
    pub reports: &'a Reports,
    /// Publishes Events.
    pub notifier: &'a Notifier,
    /// Counts.
    pub metrics: &'a Metrics,
    /// What counts as a failure.
    pub policy: VerdictPolicy,
    /// What the status says besides: attempts, token.
    pub base: TempestRunStatus,
    /// Another process goes on with the run: what is cut short now has no outcome, and the run no end.
    pub handing_over: CancellationToken,
    /// Set when the events are made of a report that was cut to fit where it was kept.
    pub truncated: Arc<AtomicBool>,
}

impl Publisher<'_> {
    /// Follows events to their end. `carried_over` are the outcomes that the status tells already.
    pub async fn follow(
        &self,
        events: UnboundedReceiver<Event>,
        carried_over: Vec<TestResult>,
    ) -> Result<RunReport, WriteError> {
        let (worth_telling, mut told) = unbounded_channel::<Event>();
        // Events of the cluster's own must not hold the status up.
        let telling = async {
            while let Some(event) = told.recv().await {
                self.notifier.tell(&event).await;
            }
        };
        let heard = move |event: Event| {
            self.count(&event);
            // Whoever tells listens until the end.
            let _ = worth_telling.send(event);
        };
        let writing = write_down(self, &self.policy, &self.handing_over, events, carried_over, heard);
        tokio::join!(writing, telling).0
    }

    /// Keeps the whole report; where somebody else's is in its place, the status tells all that is told.
    async fn keep(&self, report: &RunReport) -> Result<Option<ReportStatus>, MapError> {
        match self.reports.save(report, &self.policy).await {
            Err(error @ MapError::Foreign { .. }) => {
                tracing::warn!(%error, "the report is not kept");
                if report.verdict.is_some() {
                    let note = format!("the report is not kept: {error}");
                    self.notifier.publish(EventType::Warning, "ReportNotKept", "Report", &note).await;
                }
                Ok(None)
            }
            kept => kept,
        }
    }

    fn count(&self, event: &Event) {
        match &event.kind {
            EventKind::TestFinished { result } => self.metrics.test_finished(result),
            EventKind::RunFinished { end } => self.metrics.leaked(&end.leaked),
            _ => {}
        }
    }
}

#[async_trait]
impl Page for Publisher<'_> {
    async fn write(&self, report: &RunReport, moment: &Moment) -> Result<(), WriteError> {
        let is_cut = self.truncated.load(Ordering::Relaxed);
        let cut = is_cut.then(|| RunReport { truncated: true, ..report.clone() });
        let report = cut.as_ref().unwrap_or(report);
        let reference = self.keep(report).await?;
        let told = status(report);
        // An attempt goes on from when the run began, whatever interrupted it.
        let start_time = self.base.start_time.or(told.start_time);
        let took = start_time.zip(told.completion_time).map(|(start, end)| end.duration_since(start));
        let whole = TempestRunStatus {
            attempt: self.base.attempt,
            run_token: self.base.run_token.clone(),
            history: self.base.history.clone(),
            start_time,
            duration: took.map(|took| in_words(took.try_into().unwrap_or_default())),
            played_seconds: self.base.played_seconds,
            report: reference.or_else(|| self.base.report.clone()),
            ..told
        };
        self.writer.tell(moment, &whole).await
    }
}

const INSTANTLY: Duration = Duration::ZERO;

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn underway(report: &RunReport) -> Moment {
    let (reason, message) = if report.cleaning_up {
        ("CleaningUp", "undoing what is left, and looking for leaks".to_owned())
    } else if report.suspended_since.is_some() {
        ("Suspended", "spec.suspend is set: no new test begins".to_owned())
    } else {
        let (done, all) = (report.summary.done(), report.planned.len());
        (
            "Running",
            if all == 0 { "looking at the cloud".to_owned() } else { format!("{done} of {all} tests ended") },
        )
    };
    Moment::Underway { reason, message }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::outcome::{Evidence, Reason, RunFault};
    use crate::plan::RunIdentity;
    use crate::runner::event::{EventSink, RunEnd};

    /// Remembers what was written: whether as begun, and as ended.
    #[derive(Default)]
    struct Written(Mutex<Vec<(bool, bool)>>);

    #[async_trait]
    impl Page for Written {
        async fn write(&self, report: &RunReport, _: &Moment) -> Result<(), WriteError> {
            self.0.lock().unwrap().push((report.run.is_some(), report.verdict.is_some()));
            Ok(())
        }
    }

    fn started() -> EventKind {
        EventKind::RunStarted { run: RunIdentity::new("lab", uuid::Uuid::nil(), 1, Timestamp::UNIX_EPOCH) }
    }

    fn cancelled() -> EventKind {
        let fault = RunFault {
            reason: Reason::Cancelled,
            message: "the run was cancelled".to_owned(),
            evidence: Evidence::default(),
        };
        EventKind::RunFinished { end: Box::new(RunEnd { fault: Some(fault), leaked: Vec::new() }) }
    }

    fn planned() -> EventKind {
        EventKind::Planned { tests: vec!["a".to_owned()] }
    }

    /// What is written last, and how many events were heard of; `before` comes before the hand-over, `after` after it.
    async fn told(before: Vec<EventKind>, after: Vec<EventKind>) -> (Option<(bool, bool)>, usize) {
        let (page, handing_over) = (Written::default(), CancellationToken::new());
        let (sink, events) = EventSink::channel();
        let (policy, mut heard) = (VerdictPolicy::default(), 0);
        let telling = write_down(&page, &policy, &handing_over, events, Vec::new(), |_| heard += 1);
        let playing = async {
            for kind in before {
                sink.send(Timestamp::UNIX_EPOCH, kind);
                tokio::task::yield_now().await;
            }
            // Nobody waits for so long in a test whose time is paused: what was told is written.
            tokio::time::sleep(Duration::from_mins(1)).await;
            if !after.is_empty() {
                handing_over.cancel();
            }
            for kind in after {
                sink.send(Timestamp::UNIX_EPOCH, kind);
            }
            drop(sink);
        };
        tokio::join!(telling, playing).0.unwrap();
        let last = page.0.lock().unwrap().last().copied();
        (last, heard)
    }

    #[rstest]
    #[case::it_waited_in_the_queue(vec![], vec![started(), cancelled()], (None, 0))]
    #[case::its_cloud_refused_it_just_then(vec![started()], vec![cancelled()], (None, 0))]
    #[case::it_had_begun(vec![started(), planned()], vec![cancelled()], (Some((true, false)), 2))]
    #[case::it_began_just_then(vec![], vec![started(), planned(), cancelled()], (Some((true, false)), 2))]
    #[case::nobody_hands_over(vec![started(), cancelled()], vec![], (Some((true, true)), 2))]
    #[tokio::test(start_paused = true)]
    async fn only_what_began_is_said_to_have_begun(
        #[case] before: Vec<EventKind>,
        #[case] after: Vec<EventKind>,
        #[case] expected: (Option<(bool, bool)>, usize),
    ) {
        assert_eq!(told(before, after).await, expected);
    }
}
