//! `examples/ci/verify.sh` as a CI job runs it, with real Helm. No node runs pods: the operator is a process beside, under
//! the account of the release.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

use rstest::rstest;
use tempest_operator::simcloud::{Fault, Scope, Service, SimOptions};
use tempfile::TempDir;

use super::namespace::apply_definitions;
use super::simulated::Cloud;
use crate::chart::site::Site;
use crate::helm::{Helm, RELEASE};
use crate::operator::Operator;
use crate::support::{finish, repository, testbed, told};

/// A cluster, and a machine of CI with the programs that the script calls.
struct Job {
    site: Site,
    cloud: Cloud,
    _operator: Operator,
    folder: TempDir,
}

impl Job {
    fn new(name: &str) -> Self {
        apply_definitions();
        let (site, folder) = (Site::beside(name, Helm::Four), tempfile::tempdir().unwrap());
        site.release("install", &["crds.install=false"]);
        let access = fs::read_to_string(site.access(RELEASE, &folder)).unwrap();
        let operator = Operator::start_patient_as(&site.namespace, &access);
        operator.until_it_leads();
        let job = Self { site, cloud: Cloud::start(SimOptions::default()), _operator: operator, folder };
        fs::create_dir(job.path("bin")).unwrap();
        symlink(testbed("KUBECTL"), job.path("bin/kubectl")).unwrap();
        // Without a node, nobody's pods are ever ready.
        let helm = format!(
            "#!/usr/bin/env bash\nfor one; do [ \"$one\" = --wait ] || all+=(\"$one\"); done\nexec '{}' \"${{all[@]}}\"\n",
            testbed("HELM")
        );
        fs::write(job.path("bin/helm"), helm).unwrap();
        fs::set_permissions(job.path("bin/helm"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(job.path("values.yaml"), "crds: {install: false}\n").unwrap();
        job
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Verifies the simulated cloud with this clouds.yaml, as this entry of it.
    fn verify(&self, clouds: &str, entry: &str, timeout: &str) -> Output {
        fs::write(self.path("clouds.yaml"), clouds).unwrap();
        let servers: Vec<String> =
            self.cloud.name_servers().iter().map(|server| format!("'{server}'")).collect();
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut script = Command::new(repository("examples/ci/verify.sh"));
        script.env("PATH", path).env("NAMESPACE", &self.site.namespace).env("TIMEOUT", timeout);
        script.env("CLOUDS_YAML", self.path("clouds.yaml")).env("ZONE_SUFFIX", self.cloud.zone_suffix());
        script.env("CLOUD", format!("primary: {entry}, nameservers: [{}]", servers.join(", ")));
        script.env("HELM_VALUES", self.path("values.yaml")).env("JUNIT", self.path("junit.xml"));
        finish(&mut script)
    }

    fn junit(&self) -> Option<String> {
        fs::read_to_string(self.path("junit.xml")).ok()
    }

    /// Neither its run nor its Secret is left, nor anything in the cloud.
    fn is_clean(&self) {
        let left = self.site.kubectl(&["get", "tempestruns,secrets", "-o", "name"]);
        assert!(!left.contains("/ci-"), "{left}");
        self.cloud.is_clean();
    }
}

#[test]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run kube"]
fn a_cloud_that_is_well_passes_with_a_report() {
    let job = Job::new("verify-well");
    let ended = job.verify(&job.cloud.clouds_yaml(), "demo", "3m");
    assert!(ended.status.success(), "{}", told(&ended));
    let junit = job.junit().expect("there is a report");
    assert!(
        junit.contains("<testcase name=\"heat_zone_lifecycle\"") && junit.contains("failures=\"0\""),
        "{junit}"
    );
    job.is_clean();
}

#[test]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run kube"]
fn a_cloud_that_is_not_fails_the_job_with_a_report() {
    let job = Job::new("verify-ill");
    let stacks =
        Scope { service: Some(Service::Orchestration), method: Some(http::Method::POST), ..Scope::default() };
    job.cloud.faults().inject_in(Fault::Answer(413), stacks);
    let ended = job.verify(&job.cloud.clouds_yaml(), "demo", "3m");
    let words = told(&ended);
    assert!(ended.status.code() == Some(1) && words.contains("Succeeded=False TestsFailed: "), "{words}");
    let junit = job.junit().expect("there is a report");
    assert!(junit.contains("<failure"), "{junit}");
    job.is_clean();
}

#[rstest]
#[case::an_entry_that_is_not_there("entry", None, "nobody", "3m", &["Stalled=True InvalidSpec: ", "nobody"])]
#[case::no_yaml("yaml", Some("clouds: ["), "demo", "5s", &["Reconciling=True WaitingForCredentials: ", "line"])]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run kube"]
fn a_run_that_does_not_start_fails_the_job_and_why_is_told(
    #[case] name: &str,
    #[case] clouds: Option<&str>,
    #[case] entry: &str,
    #[case] timeout: &str,
    #[case] wanted: &[&str],
) {
    let job = Job::new(&format!("verify-{name}"));
    let clouds = clouds.map_or_else(|| job.cloud.clouds_yaml(), ToOwned::to_owned);
    let ended = job.verify(&clouds, entry, timeout);
    let words = told(&ended);
    assert_eq!(ended.status.code(), Some(1), "{words}");
    for one in wanted {
        assert!(words.contains(one), "{words}");
    }
    assert_eq!(job.junit(), None, "there is no report");
    job.is_clean();
}
