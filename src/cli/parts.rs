//! Where the commands meet the other parts; those that are still being written stand here with their signatures.

#![allow(
    dead_code,
    clippy::unused_async,
    clippy::needless_pass_by_value,
    clippy::unused_self,
    reason = "stands in for parts to come"
)]

use super::problem::Problem;

fn missing<T>(what: &str) -> Result<T, Problem> {
    Err(Problem::unable(format!("{what} is not part of this build yet")))
}

pub mod controller {
    use tokio_util::sync::CancellationToken;

    use super::missing;
    use crate::cli::args::ControllerArgs;
    use crate::cli::problem::Problem;

    pub async fn run(_args: ControllerArgs, _shutdown: CancellationToken) -> Result<(), Problem> {
        missing("the operator")
    }

    pub fn crds() -> Result<String, Problem> {
        use kube::CustomResourceExt;
        use tempest_operator::api::scenario::TempestScenario;
        use tempest_operator::api::tempest_run::TempestRun;
        use tempest_operator::report::json::yaml;

        let documents: Result<Vec<String>, _> =
            [TempestRun::crd(), TempestScenario::crd()].iter().map(yaml).collect();
        documents
            .map(|documents| format!("---\n{}", documents.join("---\n")))
            .map_err(|error| Problem::unable("the definitions cannot be written").because(error))
    }
}

pub mod status {
    use tempest_operator::report::RunReport;

    /// The status that would be written.
    pub fn of(report: &RunReport) -> impl serde::Serialize + '_ {
        report
    }
}
