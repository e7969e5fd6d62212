//! The operator's metrics; every label has a closed set of values.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::openstack::{RequestObserver, RequestRecord, Service};
use crate::outcome::{Leak, TestResult, Verdict};

type Labels = Vec<(&'static str, String)>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// How many objects there are of which state, every state included.
type Census<const LABELS: usize> = Box<dyn Fn() -> Counts<LABELS> + Send + Sync>;

/// A state, by the values of its labels, and how many objects are in it.
pub type Counts<const LABELS: usize> = Vec<([String; LABELS], usize)>;

/// Counts what happens; clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    runs: Family<Labels, Counter>,
    run_duration: Histogram,
    runs_in_phase: Family<Labels, Gauge>,
    phases: Arc<OnceLock<Census<1>>>,
    schedules: Family<Labels, Gauge>,
    schedule_states: Arc<OnceLock<Census<2>>>,
    queue_length: Gauge,
    queue_wait: Histogram,
    tests: Family<Labels, Counter>,
    test_duration: Histogram,
    propagation: Histograms,
    leaks: Family<Labels, Counter>,
    requests: Family<Labels, Counter>,
    request_duration: Histograms,
    status_writes: Counter,
    status_write_conflicts: Counter,
    status_write_errors: Counter,
    reconcile_duration: Histogram,
    reconcile_errors: Counter,
    leader: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// 5 ms to 41 s: one answer of a server.
fn answers() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 14))
}

/// 100 ms to 14 min: one thing that a cloud does.
fn waits() -> Histogram {
    Histogram::new(exponential_buckets(0.1, 2.0, 14))
}

/// 1 s to 2 h 16 min: a whole run.
fn runs() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 14))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tempest_operator");
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "What this operator is", Info::new(version));
        let mut with = Registering(&mut registry);
        let metrics = Self {
            runs: with.number("runs", "Runs that ended, by verdict"),
            run_duration: with.seconds("run_duration", "From the begin of an attempt to its end", runs()),
            runs_in_phase: with.number("runs_in_phase", "Runs there are now, by phase"),
            phases: Arc::default(),
            schedules: with
                .number("schedules", "Schedules there are now, by their conditions Ready and Healthy"),
            schedule_states: Arc::default(),
            queue_length: with.number("queue_length", "Runs that wait for their turn now"),
            queue_wait: with.seconds("queue_wait", "How long runs waited for their turn", runs()),
            tests: with.number("tests", "Tests that ended, by scenario and outcome"),
            test_duration: with.seconds("test_duration", "How long tests took", waits()),
            propagation: with.seconds(
                "propagation",
                "From an accepted change to the truth at every name server",
                Family::new_with_constructor(waits as fn() -> Histogram),
            ),
            leaks: with
                .number("leaks", "Things found after undoing, by service and whether they could be removed"),
            requests: with
                .number("openstack_requests", "Requests to OpenStack services, by status class or error"),
            request_duration: with.seconds(
                "openstack_request_duration",
                "From sending a request to the last byte of its answer",
                Family::new_with_constructor(answers as fn() -> Histogram),
            ),
            status_writes: with.number("status_writes", "Writes of a run's status"),
            status_write_conflicts: with
                .number("status_write_conflicts", "Writes refused because somebody else wrote first"),
            status_write_errors: with.number("status_write_errors", "Writes that failed for another reason"),
            reconcile_duration: with.seconds("reconcile_duration", "How long looks at a run took", answers()),
            reconcile_errors: with.number("reconcile_errors", "Looks that Kubernetes trouble ended"),
            leader: with.number("leader", "Whether this replica leads"),
            registry: Arc::new(registry),
        };
        metrics.begin_at_zero();
        metrics
    }
}

/// Registers what it hands out.
struct Registering<'a>(&'a mut Registry);

impl Registering<'_> {
    fn number<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        let metric = M::default();
        self.0.register(name, help, metric.clone());
        metric
    }

    fn seconds<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register_with_unit(name, help, Unit::Seconds, metric.clone());
        metric
    }
}

impl Metrics {
    /// What alerts ask for is there before anything happens: of a count that begins at 1, `increase` sees nothing.
    fn begin_at_zero(&self) {
        for verdict in Verdict::ALL {
            let _ = self.runs.get_or_create(&vec![("verdict", verdict.to_string())]);
        }
        for (service, removed) in Service::ALL.iter().flat_map(|service| [(service, true), (service, false)])
        {
            let _ = self.leaks.get_or_create(&of_leaks(service.service_type(), removed));
        }
        for published in [true, false] {
            let _ = self.propagation.get_or_create(&of_propagation(published));
        }
    }

    /// A run ended; `took` is [`None`] when it never began.
    pub fn run_finished(&self, verdict: Verdict, took: Option<Duration>) {
        self.runs.get_or_create(&vec![("verdict", verdict.to_string())]).inc();
        if let Some(took) = took {
            self.run_duration.observe(took.as_secs_f64());
        }
    }

    /// Who is asked for the runs of each phase whenever the metrics are read; the first one to be named stays.
    pub fn count_phases_by(&self, phases: impl Fn() -> Counts<1> + Send + Sync + 'static) {
        let _ = self.phases.set(Box::new(phases));
    }

    /// The same for the schedules of each status of their conditions `Ready` and `Healthy`.
    pub fn count_schedules_by(&self, states: impl Fn() -> Counts<2> + Send + Sync + 'static) {
        let _ = self.schedule_states.set(Box::new(states));
    }

    /// So many runs wait for their turn now.
    pub fn set_queue_length(&self, waiting: usize) {
        self.queue_length.set(saturating(waiting));
    }

    /// A run's turn came after this long.
    pub fn waited_in_queue(&self, time: Duration) {
        self.queue_wait.observe(time.as_secs_f64());
    }

    /// A test ended. A user's own scenarios share one label: their names are not a closed set.
    pub fn test_finished(&self, result: &TestResult) {
        let scenario = if result.name.starts_with("user/") { "user" } else { result.name.as_str() };
        let labels = vec![("scenario", scenario.to_owned()), ("outcome", result.outcome.to_string())];
        self.tests.get_or_create(&labels).inc();
        if result.was_executed() {
            self.test_duration.observe(seconds(result.duration_ms));
        }
        for one in &result.propagation {
            if let Some(all) = one.all_name_servers_ms {
                self.propagation.get_or_create(&of_propagation(one.published)).observe(seconds(all));
            }
        }
        self.leaked(&result.leaked);
    }

    /// These were found after undoing. By service: what kinds there are, a user's scenario decides.
    pub fn leaked(&self, leaks: &[Leak]) {
        for leak in leaks {
            self.leaks.get_or_create(&of_leaks(&leak.service, leak.removed)).inc();
        }
    }

    /// A status was written.
    pub fn status_written(&self) {
        self.status_writes.inc();
    }

    /// A status was not written: somebody else wrote first.
    pub fn status_conflicted(&self) {
        self.status_write_conflicts.inc();
    }

    /// A status was not written for another reason.
    pub fn status_write_failed(&self) {
        self.status_write_errors.inc();
    }

    /// A run was looked at, for this long.
    pub fn reconciled(&self, time: Duration) {
        self.reconcile_duration.observe(time.as_secs_f64());
    }

    /// A look ended in Kubernetes trouble.
    pub fn reconcile_failed(&self) {
        self.reconcile_errors.inc();
    }

    /// This replica leads, or no longer does.
    pub fn set_leader(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// All metrics in the `OpenMetrics` text format.
    pub fn text(&self) -> Result<String, fmt::Error> {
        take(&self.phases, ["phase"], &self.runs_in_phase);
        take(&self.schedule_states, ["ready", "healthy"], &self.schedules);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Asks for the objects of each state. While there is nobody to ask, there is no sample.
fn take<const LABELS: usize>(
    census: &OnceLock<Census<LABELS>>,
    labels: [&'static str; LABELS],
    into: &Family<Labels, Gauge>,
) {
    for (state, objects) in census.get().map(|census| census()).unwrap_or_default() {
        into.get_or_create(&labels.into_iter().zip(state).collect()).set(saturating(objects));
    }
}

fn of_leaks(service: &str, removed: bool) -> Labels {
    vec![("service", service.to_owned()), ("removed", removed.to_string())]
}

fn of_propagation(published: bool) -> Labels {
    vec![("change", if published { "published" } else { "withdrawn" }.to_owned())]
}

fn saturating(count: usize) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a duration of 2^53 milliseconds does not occur")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}

impl RequestObserver for Metrics {
    fn observed(&self, record: &RequestRecord) {
        let class = match record.status_or_error {
            Ok(status) => format!("{}xx", status / 100),
            Err(word) => word.to_owned(),
        };
        let service = ("service", record.service.service_type().to_owned());
        self.requests.get_or_create(&vec![service.clone(), ("status", class)]).inc();
        self.request_duration.get_or_create(&vec![service]).observe(record.elapsed.as_secs_f64());
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
