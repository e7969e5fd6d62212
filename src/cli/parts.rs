//! Where the commands meet the other parts; those that are still being written stand here with their signatures.

#![allow(
    dead_code,
    clippy::unused_async,
    clippy::needless_pass_by_value,
    reason = "stands in for parts to come"
)]

use super::problem::Problem;

fn missing<T>(what: &str) -> Result<T, Problem> {
    Err(Problem::unable(format!("{what} is not part of this build yet")))
}

pub mod plan {
    use std::time::Duration;

    use tempest_operator::api::tempest_run::{CloudSpec, TempestRunSpec};
    use tempest_operator::outcome::{Role, VerdictPolicy};
    use tempest_operator::plan::{CloudFacts, CloudRequest, PlanError, RunIdentity, RunPlan, Settings};

    use super::scenario::Catalogue;
    use crate::cli::problem::Problem;

    pub fn cloud_request(cloud: &CloudSpec, names: &[String]) -> Result<CloudRequest, Problem> {
        let primary = match (&cloud.primary, names) {
            (Some(primary), _) => primary.clone(),
            (None, [only]) => only.clone(),
            (None, _) => {
                return Err(Problem::input(format!("which cloud? there are {}", names.join(", ")))
                    .next("name its entry with 'primary'"));
            }
        };
        let others = [
            (Role::Primary, Some(primary)),
            (Role::Alternate, cloud.alternate.clone()),
            (Role::Admin, cloud.admin.clone()),
            (Role::Reader, cloud.reader.clone()),
        ];
        Ok(CloudRequest {
            entries: others
                .into_iter()
                .filter_map(|(role, entry)| entry.map(|entry| (role, entry)))
                .collect(),
            ..CloudRequest::default()
        })
    }

    pub fn make(
        spec: &TempestRunSpec,
        _catalogue: &Catalogue,
        facts: CloudFacts,
        run: RunIdentity,
    ) -> Result<RunPlan, PlanError> {
        let settings = Settings {
            max_parallel: 1,
            run_timeout: Duration::from_secs(60),
            test_timeout: Duration::from_secs(60),
            timeout_scale: 1.0,
            fail_fast: false,
            guest_required: false,
            guest_offered: true,
            ptr_offered: true,
            verdict: VerdictPolicy::default(),
        };
        Ok(RunPlan { run, settings, facts, zone_suffix: spec.cloud.zone_suffix.clone(), tests: Vec::new() })
    }
}

pub mod scenario {
    use super::missing;
    use crate::cli::problem::Problem;

    #[derive(Clone, Debug)]
    pub struct Catalogue;

    /// One line of the list.
    pub struct Listed {
        pub name: String,
        pub title: String,
        pub tags: Vec<String>,
    }

    /// One fault of a document.
    pub struct Fault {
        pub line: Option<u64>,
        pub path: String,
        pub message: String,
    }

    pub fn built_in() -> Result<Catalogue, Problem> {
        Ok(Catalogue)
    }

    pub fn list(_catalogue: &Catalogue) -> Result<Vec<Listed>, Problem> {
        missing("the built-in suite")
    }

    pub fn show(_catalogue: &Catalogue, _name: &str) -> Result<Option<String>, Problem> {
        missing("the built-in suite")
    }

    pub fn check(_file: &str, _text: &str) -> Result<Vec<Fault>, Problem> {
        missing("checking scenarios")
    }
}

pub mod simcloud {
    use super::missing;
    use crate::cli::args::Latency;
    use crate::cli::problem::Problem;

    pub struct SimCloud;

    impl SimCloud {
        pub async fn start(_latency: Latency) -> Result<Self, Problem> {
            missing("the simulated cloud")
        }

        pub fn clouds_yaml(&self) -> String {
            String::new()
        }

        pub fn name_servers(&self) -> Vec<String> {
            Vec::new()
        }

        pub fn zone_suffix(&self) -> String {
            String::new()
        }
    }
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
            .map(|documents| documents.iter().map(|document| format!("---\n{document}")).collect())
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
