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

pub mod openstack {
    use std::path::Path;

    use url::Url;

    use super::missing;
    use crate::cli::problem::Problem;

    #[derive(Clone, Debug)]
    pub struct CloudConfig {
        pub name: String,
        pub auth_url: Url,
    }

    pub fn names_in_secret(_clouds: &str, _secure: Option<&str>) -> Result<Vec<String>, Problem> {
        missing("reading clouds.yaml")
    }

    pub fn cloud_in_secret(
        _clouds: &str,
        _secure: Option<&str>,
        _cacert: Option<&str>,
        _entry: &str,
    ) -> Result<CloudConfig, Problem> {
        missing("reading clouds.yaml")
    }

    pub fn local_cloud(
        _name: Option<&str>,
        _env: &dyn Fn(&str) -> Option<String>,
        _directory: &Path,
    ) -> Result<CloudConfig, Problem> {
        missing("reading clouds.yaml")
    }

    #[derive(Clone, Debug, Default)]
    pub struct SessionOptions;

    pub fn session_options(_deny: &[String]) -> Result<SessionOptions, Problem> {
        Ok(SessionOptions)
    }
}

pub mod plan {
    use std::collections::BTreeMap;

    use tempest_operator::api::tempest_run::{CloudSpec, TempestRunSpec};
    use tempest_operator::outcome::Role;
    use tempest_operator::plan::{CloudFacts, RunIdentity, RunPlan};

    use super::missing;
    use super::scenario::Catalogue;
    use crate::cli::problem::Problem;

    #[derive(Clone, Debug, Default)]
    pub struct CloudRequest {
        pub entries: BTreeMap<Role, String>,
    }

    pub fn cloud_request(_cloud: &CloudSpec, _names: &[String]) -> Result<CloudRequest, Problem> {
        missing("planning")
    }

    pub fn make(
        _spec: &TempestRunSpec,
        _catalogue: &Catalogue,
        _facts: CloudFacts,
        _run: RunIdentity,
    ) -> Result<RunPlan, Problem> {
        missing("planning")
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

pub mod runner {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use jiff::Timestamp;
    use tempest_operator::outcome::{Leak, Role, RunFault};
    use tempest_operator::plan::{CloudFacts, RunIdentity, RunPlan};
    use tempest_operator::runner::Clock;
    use tempest_operator::runner::event::{EventKind, EventSink, RunEnd};
    use tempest_operator::runner::ledger::Ledger;
    use tokio_util::sync::CancellationToken;

    use super::openstack::{CloudConfig, SessionOptions};
    use super::plan::CloudRequest;
    use crate::cli::problem::Problem;

    #[derive(Clone)]
    pub struct RunInputs {
        pub run: RunIdentity,
        pub clouds: BTreeMap<Role, CloudConfig>,
        pub request: CloudRequest,
        pub options: SessionOptions,
    }

    #[derive(Clone, Debug, Default)]
    pub struct Control {
        pub cancel: CancellationToken,
        pub abandon: CancellationToken,
    }

    pub type Planner = Box<dyn FnOnce(CloudFacts) -> Result<RunPlan, Problem> + Send>;

    fn fault() -> RunFault {
        RunFault {
            reason: tempest_operator::outcome::Reason::RunnerPanicked,
            message: "playing is not part of this build yet".to_owned(),
            evidence: tempest_operator::outcome::Evidence::default(),
        }
    }

    pub async fn verify(
        inputs: RunInputs,
        _planner: Planner,
        _ledger: Arc<Ledger>,
        events: EventSink,
        _control: Control,
        clock: Clock,
    ) -> RunEnd {
        events.send(clock.now(), EventKind::RunStarted { run: inputs.run });
        let end = RunEnd { fault: Some(fault()), leaked: Vec::new() };
        events.send(clock.now(), EventKind::RunFinished { end: Box::new(end.clone()) });
        end
    }

    pub async fn preflight(_inputs: &RunInputs) -> Result<CloudFacts, RunFault> {
        Err(fault())
    }

    pub async fn undo(
        _inputs: &RunInputs,
        _ledger: &Ledger,
        _control: &Control,
    ) -> Result<Vec<Leak>, RunFault> {
        Err(fault())
    }

    pub async fn sweep(
        _inputs: &RunInputs,
        _before: Timestamp,
        _dry_run: bool,
        _control: &Control,
    ) -> Result<Vec<Leak>, RunFault> {
        Err(fault())
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
