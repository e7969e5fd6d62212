//! `repeat` and `thresholds`: how often a scenario is played, and how long DNS may take.

use super::Checker;
use crate::api::scenario::TempestScenarioSpec;
use crate::scenario::Limits;
use crate::scenario::document::Repeat;

impl Checker {
    pub(super) fn check_repeat(&mut self, spec: &TempestScenarioSpec) -> Option<Repeat> {
        if let Some(thresholds) = &spec.thresholds {
            let given = [("published", &thresholds.published), ("withdrawn", &thresholds.withdrawn)];
            for (name, limits) in given {
                self.check_limits(limits.as_ref(), &format!("spec.thresholds.{name}"));
            }
            if spec.steps.iter().all(|step| step.records.is_none()) {
                let help = "add a records step: only there is measured how long DNS takes";
                self.fault("spec.thresholds", "nothing is measured", help);
            }
        }
        let repeat = spec.repeat?;
        let concurrency = repeat.concurrency.unwrap_or(1);
        if concurrency > repeat.count {
            let message = format!("is {concurrency}, but it is played only {} times", repeat.count);
            self.fault("spec.repeat.concurrency", message, "make it smaller, or count larger");
        }
        Some(Repeat { count: repeat.count, concurrency: usize::try_from(concurrency).unwrap_or(1) })
    }

    fn check_limits(&mut self, limits: Option<&Limits>, path: &str) {
        let Some(limits) = limits else { return };
        let given: Vec<(&str, u64)> =
            [("p50Ms", limits.p50_ms), ("p95Ms", limits.p95_ms), ("maxMs", limits.max_ms)]
                .into_iter()
                .filter_map(|(name, limit)| Some((name, limit?)))
                .collect();
        if given.is_empty() {
            self.fault(path, "limits nothing", "add p50Ms, p95Ms or maxMs");
        }
        for pair in given.windows(2) {
            let [(lower, of_lower), (higher, of_higher)] = pair else { continue };
            if of_lower > of_higher {
                let message = format!("{lower} is {of_lower} and {higher} only {of_higher}");
                self.fault(path, message, format!("{lower} is never more than {higher}"));
            }
        }
    }
}
