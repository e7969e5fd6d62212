//! The examples of CI jobs call what there is; `kube::verify` has their script run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use regex::Regex;
use rstest::rstest;
use serde_json::Value;

use crate::support::{finish, repository, told};

const GITHUB: &str = "github-actions.yaml";
const GITLAB: &str = "gitlab-ci.yaml";
const CLUSTER: &str = "kind-in-gitlab.yaml";

fn text(file: &str) -> String {
    fs::read_to_string(repository("examples/ci").join(file)).unwrap()
}

fn document(file: &str) -> Value {
    serde_saphyr::from_str(&text(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What a shell runs in this job.
fn scripts(file: &str) -> Vec<String> {
    let document = document(file);
    let lines = match file {
        GITHUB => {
            let steps = document["jobs"]["verify"]["steps"].as_array().unwrap();
            steps.iter().map(|step| &step["run"]).collect::<Vec<_>>()
        }
        _ => ["before_script", "script"]
            .iter()
            .flat_map(|part| document["verify-cloud"][part].as_array().unwrap())
            .collect(),
    };
    lines.into_iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

#[rstest]
#[case(GITHUB)]
#[case(GITLAB)]
fn its_scripts_can_be_read_and_name_what_is_there(#[case] file: &str) {
    let scripts = scripts(file);
    let verify = scripts.iter().find(|script| script.contains("examples/ci/verify.sh"));
    assert!(verify.is_some(), "{scripts:#?}");
    let named = Regex::new(r"\bexamples/[\w./-]+").unwrap();
    for script in &scripts {
        let read = finish(Command::new("sh").args(["-n", "-c", script]));
        assert!(read.status.success(), "{script}: {}", told(&read));
        for path in named.find_iter(script) {
            assert!(repository(path.as_str()).is_file(), "there is no {}", path.as_str());
        }
    }
    let mode = fs::metadata(repository("examples/ci/verify.sh")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "verify.sh is a program");
}

/// Variables that a job sets and nobody reads would be misspelt.
#[rstest]
#[case(GITHUB)]
#[case(GITLAB)]
fn its_script_reads_what_it_sets(#[case] file: &str) {
    let (job, verify) = (text(file), text("verify.sh"));
    for variable in ["CLOUDS_YAML", "ZONE_SUFFIX", "IMAGE"] {
        assert!(job.contains(variable) && verify.contains(variable), "{variable}");
    }
}

#[test]
fn the_job_of_gitlab_reaches_its_cluster_by_a_name_that_the_certificate_has() {
    let cluster = document(CLUSTER);
    assert_eq!(
        (&cluster["apiVersion"], &cluster["kind"]),
        (&"kind.x-k8s.io/v1alpha4".into(), &"Cluster".into())
    );
    let address = cluster["networking"]["apiServerAddress"].as_str().unwrap();
    assert_eq!(address, "0.0.0.0", "loopback is that of the service container");

    // What kind writes, and the job's own line for it.
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".kube")).unwrap();
    let config = home.path().join(".kube/config");
    fs::write(&config, format!("clusters:\n- cluster:\n    server: https://{address}:40781\n")).unwrap();
    let line = scripts(GITLAB).into_iter().find(|line| line.starts_with("sed ")).unwrap();
    let ended = finish(Command::new("sh").args(["-c", &line]).env("HOME", home.path()));
    assert!(ended.status.success(), "{}", told(&ended));
    let config: Value = serde_saphyr::from_str(&fs::read_to_string(config).unwrap()).unwrap();
    let server = config["clusters"][0]["cluster"]["server"].as_str().unwrap();
    let host = server.strip_prefix("https://").and_then(|rest| rest.strip_suffix(":40781")).unwrap();

    assert_eq!(document(GITLAB)["verify-cloud"]["services"][0]["alias"], host);
    let patch: Value = serde_saphyr::from_str(cluster["kubeadmConfigPatches"][0].as_str().unwrap()).unwrap();
    assert_eq!(patch["kind"], "ClusterConfiguration");
    let names = patch["apiServer"]["certSANs"].as_array().unwrap();
    assert!(names.iter().any(|name| name == host), "{host} is not in {names:?}");
}
