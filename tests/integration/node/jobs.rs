//! Runs in pods of their own on the node: under the chart's roles, of the image, started and killed by a kubelet.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempest_operator::simcloud::SimOptions;

use super::bed::Bed;
use super::real::RealCloud;
use crate::kube::namespace::{condition, row};
use crate::kube::simulated::Cloud;
use crate::support::{
    cloud_for_oneself, finish, leavings, nothing_is_left, repository, testbed, told, wait_until,
};

const LONG: Duration = Duration::from_mins(10);
const ZONE: &str = "heat_zone_lifecycle";

/// The pod that plays the current attempt of a run.
fn pod(bed: &Bed, run: &str) -> Value {
    let run_id = bed.run(run)["status"]["runId"].as_str().expect("the attempt has begun").to_owned();
    let label = format!("crossservice.dev/run-id={run_id}");
    let pods: Value =
        serde_json::from_str(&bed.kubectl(&["get", "pods", "-l", &label, "-o", "json"])).unwrap();
    pods["items"][0].clone()
}

/// Kills the processes of a pod's container, as a node does that is out of memory.
fn kill(pod: &Value) {
    let id = pod["status"]["containerStatuses"][0]["containerID"].as_str().expect("the container runs");
    let id = id.trim_start_matches("containerd://");
    let mut inside = Command::new(repository("tests/testbed/kube"));
    let killed =
        finish(inside.args(["node", "enter", "ctr", "-n", "k8s.io", "task", "kill", "-s", "SIGKILL", id]));
    assert!(killed.status.success(), "{}", told(&killed));
}

/// Of the run nothing is left but its reports.
fn only_reports_are_left(bed: &Bed, run: &str) {
    let own = format!("configmap/{run}-");
    wait_until("only reports are left", Duration::from_mins(1), || {
        let maps = bed.kubectl(&["get", "configmaps", "-o", "name"]);
        maps.lines().filter(|map| map.starts_with(&own)).all(|map| map.contains("-report-"))
    });
}

/// The run was interrupted and played again, and that is told.
fn was_played_again(bed: &Bed, run: &Value) {
    assert_eq!(row(run), ["False", "False", "True", "True", "True"], "{run:#}");
    assert_eq!(run["status"]["attempt"], 2, "{run:#}");
    assert!(run["status"]["history"][0]["verdict"].is_null(), "{run:#}");
    let events = bed.kubectl(&["get", "events.events.k8s.io", "-o", "json"]);
    assert!(events.contains("PodLost") && events.contains("the pod that played it"), "{events}");
}

#[test]
#[ignore = "needs a node and the OpenStack test bed: tests/run node"]
fn a_pod_of_its_own_proves_the_real_cloud_and_so_does_the_next_when_it_is_killed() {
    let _alone = cloud_for_oneself();
    let cloud = RealCloud::reachable();
    let bed = Bed::install("jobs", &[]);
    cloud.secret(&bed);

    bed.play("whole", &cloud.spec(ZONE, "executor: Job"));
    let run = bed.finished("whole", LONG);
    assert_eq!(row(&run), ["False", "False", "True", "True", "True"], "{run:#}");
    assert_eq!((&run["status"]["verdict"], &run["status"]["attempt"]), (&"Passed".into(), &1.into()));
    nothing_is_left();
    only_reports_are_left(&bed, "whole");
    let report = run["status"]["report"]["configMap"].as_str().unwrap();
    let report: Value =
        serde_json::from_str(&bed.kubectl(&["get", "configmap", report, "-o", "json"])).unwrap();
    let junit = report["data"]["junit.xml"].as_str().unwrap();
    assert!(
        junit.contains(&format!("<testcase name=\"{ZONE}\"")) && junit.contains("failures=\"0\""),
        "{junit}"
    );
    wait_until("the pod ends", Duration::from_mins(1), || {
        pod(&bed, "whole")["status"]["phase"] == "Succeeded"
    });
    let name = pod(&bed, "whole")["metadata"]["name"].as_str().unwrap().to_owned();
    let log = bed.kubectl(&["logs", &name]);
    assert!(log.contains("\"run\":\"whole\""), "{log}");

    bed.play("killed", &cloud.spec(ZONE, "executor: Job"));
    wait_until("it made something", LONG, || !leavings().is_empty());
    kill(&pod(&bed, "killed"));
    was_played_again(&bed, &bed.finished("killed", LONG));
    nothing_is_left();
    only_reports_are_left(&bed, "killed");
    bed.kubectl(&["delete", "tempestruns", "--all", "--timeout=60s"]);
}

#[test]
#[ignore = "needs a node: tests/run node"]
fn a_pod_that_is_deleted_by_force_is_an_interruption() {
    let host = testbed("TESTBED_NODE_HOST").parse().unwrap();
    let cloud = Cloud::unhurried(SimOptions { listen: host, ..SimOptions::default() });
    let bed = Bed::install("forced", &[]);
    bed.secret(&cloud.clouds_yaml());
    let interrupted = |name: &str, on_interruption: &str| {
        let (cloud_spec, execution) =
            (cloud.spec(), format!("executor: Job, onInterruption: {on_interruption}"));
        bed.play(
            name,
            &format!(
                "cloud: {{secretRef: {{name: cloud}}, primary: demo, {cloud_spec}}}, scenarios: {{include: [{ZONE}]}}, \
                 execution: {{{execution}}}"
            ),
        );
        cloud.until_something_is_made();
        let pod = pod(&bed, name);
        let pod = pod["metadata"]["name"].as_str().unwrap();
        bed.kubectl(&["delete", "pod", pod, "--grace-period=0", "--force"]);
        let run = bed.finished(name, LONG);
        cloud.is_clean();
        only_reports_are_left(&bed, name);
        run
    };
    was_played_again(&bed, &interrupted("again", "Restart"));
    let run = interrupted("once", "Fail");
    assert_eq!(row(&run), ["False", "True", "False", "False", "True"], "{run:#}");
    let stalled = condition(&run, "Stalled");
    assert_eq!(stalled["reason"], "Interrupted");
    assert!(stalled["message"].as_str().unwrap().contains("the pod that played it"), "{stalled:#}");
    bed.kubectl(&["delete", "tempestruns", "--all", "--timeout=60s"]);
}
