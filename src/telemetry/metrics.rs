//! The operator's metrics; every label has a closed set of values.

use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::openstack::{RequestObserver, RequestRecord};
use crate::outcome::{TestResult, Verdict};

type Labels = Vec<(&'static str, String)>;

/// Counts what happens; clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    runs: Family<Labels, Counter>,
    tests: Family<Labels, Counter>,
    test_seconds: Histogram,
    propagation_seconds: Family<Labels, Histogram>,
    leaks: Counter,
    requests: Family<Labels, Counter>,
    status_writes: Counter,
    reconciles: Counter,
    reconcile_errors: Counter,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tempest_operator");
        let seconds = || Histogram::new(exponential_buckets(0.1, 2.0, 14));
        let metrics = Self {
            registry: Arc::default(),
            runs: Family::default(),
            tests: Family::default(),
            test_seconds: seconds(),
            propagation_seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.1, 2.0, 14))
            }),
            leaks: Counter::default(),
            requests: Family::default(),
            status_writes: Counter::default(),
            reconciles: Counter::default(),
            reconcile_errors: Counter::default(),
            leader: Gauge::default(),
        };
        registry.register("runs", "Runs that ended, by verdict", metrics.runs.clone());
        registry.register("tests", "Tests that ended, by scenario and outcome", metrics.tests.clone());
        registry.register("test_duration_seconds", "How long tests took", metrics.test_seconds.clone());
        registry.register(
            "propagation_seconds",
            "From an accepted change to the truth at every name server",
            metrics.propagation_seconds.clone(),
        );
        registry.register("leaks", "Things that were found after undoing", metrics.leaks.clone());
        registry.register(
            "openstack_requests",
            "Requests to OpenStack services, by service and status class",
            metrics.requests.clone(),
        );
        registry.register("status_writes", "Writes of a run's status", metrics.status_writes.clone());
        registry.register("reconciles", "Looks at a run", metrics.reconciles.clone());
        registry.register(
            "reconcile_errors",
            "Looks that Kubernetes trouble ended",
            metrics.reconcile_errors.clone(),
        );
        registry.register("leader", "Whether this replica leads", metrics.leader.clone());
        Self { registry: Arc::new(registry), ..metrics }
    }
}

impl Metrics {
    /// A run ended.
    pub fn run_finished(&self, verdict: Verdict) {
        self.runs.get_or_create(&vec![("verdict", verdict.to_string())]).inc();
    }

    /// A test ended. A user's own scenarios share one label: their names are not a closed set.
    pub fn test_finished(&self, result: &TestResult) {
        let scenario = if result.name.starts_with("user/") { "user" } else { result.name.as_str() };
        let labels = vec![("scenario", scenario.to_owned()), ("outcome", result.outcome.to_string())];
        self.tests.get_or_create(&labels).inc();
        if result.was_executed() {
            self.test_seconds.observe(seconds(result.duration_ms));
        }
        for one in &result.propagation {
            if let Some(all) = one.all_name_servers_ms {
                let change = if one.published { "published" } else { "withdrawn" };
                self.propagation_seconds
                    .get_or_create(&vec![("change", change.to_owned())])
                    .observe(seconds(all));
            }
        }
        self.leaks.inc_by(result.leaked.len() as u64);
    }

    /// A status was written.
    pub fn status_written(&self) {
        self.status_writes.inc();
    }

    /// A run was looked at.
    pub fn reconciled(&self) {
        self.reconciles.inc();
    }

    /// This replica leads, or no longer does.
    pub fn set_leader(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// A look ended in Kubernetes trouble.
    pub fn reconcile_failed(&self) {
        self.reconcile_errors.inc();
    }

    /// All metrics in the `OpenMetrics` text format.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
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
        let labels = vec![("service", record.service.service_type().to_owned()), ("status", class)];
        self.requests.get_or_create(&labels).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Outcome, Reason};

    #[test]
    fn a_users_scenario_names_are_no_labels() {
        let metrics = Metrics::default();
        let result =
            TestResult::not_started("user/mine", None, Outcome::Failed, Reason::RecordMissing, String::new());
        metrics.test_finished(&result);
        metrics.run_finished(Verdict::Failed);
        let text = metrics.text().unwrap();
        assert!(
            text.contains(r#"tempest_operator_tests_total{scenario="user",outcome="Failed"} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"tempest_operator_runs_total{verdict="Failed"} 1"#), "{text}");
    }
}
