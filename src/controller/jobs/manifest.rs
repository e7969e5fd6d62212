//! The Job of an attempt: pure. Its pod keeps the restricted standard, has no more than a token of its service account,
//! and is made once: what it leaves when it is lost is for the operator to decide. It has no deadline: Kubernetes' clock
//! runs on while a pod waits for a node and while its run is suspended, and the run ends by its own.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, LocalObjectReference, PodSecurityContext, PodSpec, PodTemplateSpec,
    ResourceRequirements, SeccompProfile, SecurityContext, Toleration,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};

use super::{JobConfig, RUN_ID, name};
use crate::api::executor::{self, Amount, Amounts, JobOptions, Resources};
use crate::api::tempest_run::TempestRun;
use crate::controller::FIELD_MANAGER;
use crate::controller::maps::MANAGED_BY;
use crate::runner::CloudIdentity;

/// How long an ended Job stays, for its log.
const KEPT: i32 = 3600;
/// How long a pod that is told to stop may undo; somewhat less than that is the pod's own limit.
const GRACE: i64 = 60;
/// On a Job: the cloud and the project that it plays in.
const CLOUD: &str = "crossservice.dev/cloud";
const PROJECT: &str = "crossservice.dev/project";

/// The Job that plays an attempt of `run`, which is called `run_id` in clouds.
pub fn job(
    run: &TempestRun,
    attempt: u32,
    run_id: &str,
    cloud: &CloudIdentity,
    image: &str,
    config: &JobConfig,
) -> Job {
    let options = run.spec.execution.job.clone().unwrap_or_default();
    let labels: BTreeMap<String, String> = [
        ("app.kubernetes.io/name", "tempest-operator"),
        ("app.kubernetes.io/component", "run"),
        (MANAGED_BY, FIELD_MANAGER),
        (RUN_ID, run_id),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    // Ours win: others find pods by them.
    let of_the_pod = options.labels.clone().into_iter().chain(labels.clone()).collect();
    let identity = [(CLOUD, &cloud.endpoint), (PROJECT, &cloud.project_id)];
    Job {
        metadata: ObjectMeta {
            name: Some(name(run, attempt)),
            labels: Some(labels),
            annotations: Some(identity.map(|(key, value)| (key.to_owned(), value.clone())).into()),
            owner_references: run.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        spec: Some(JobSpec {
            parallelism: Some(1),
            completions: Some(1),
            backoff_limit: Some(0),
            pod_replacement_policy: Some("Failed".to_owned()),
            ttl_seconds_after_finished: Some(KEPT),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(of_the_pod),
                    annotations: Some(options.annotations.clone()).filter(|all| !all.is_empty()),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(run, attempt, image, &options, config)),
            },
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// The cloud and the project that a Job plays in, as [`job`] wrote them down.
pub fn cloud_of(job: &Job) -> CloudIdentity {
    let noted = |key: &str| job.annotations().get(key).cloned().unwrap_or_default();
    CloudIdentity { endpoint: noted(CLOUD), project_id: noted(PROJECT) }
}

fn pod(run: &TempestRun, attempt: u32, image: &str, options: &JobOptions, config: &JobConfig) -> PodSpec {
    let mut arguments = vec![
        "play".to_owned(),
        format!("--namespace={}", run.namespace().unwrap_or_default()),
        format!("--run={}", run.name_any()),
        format!("--uid={}", run.uid().unwrap_or_default()),
        format!("--attempt={attempt}"),
    ];
    arguments.extend(config.arguments.iter().cloned());
    let account = options.service_account_name.as_ref().unwrap_or(&config.service_account);
    let secrets = config.pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() });
    PodSpec {
        restart_policy: Some("Never".to_owned()),
        service_account_name: Some(account.clone()),
        automount_service_account_token: Some(true),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(GRACE),
        image_pull_secrets: Some(secrets.collect()),
        node_selector: Some(options.node_selector.clone()).filter(|all| !all.is_empty()),
        tolerations: Some(options.tolerations.iter().map(toleration).collect()),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        containers: vec![Container {
            name: "run".to_owned(),
            image: Some(image.to_owned()),
            image_pull_policy: config.pull_policy.clone(),
            args: Some(arguments),
            resources: Some(resources(options)),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                run_as_non_root: Some(true),
                capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
                ..SecurityContext::default()
            }),
            ..Container::default()
        }],
        ..PodSpec::default()
    }
}

fn resources(options: &JobOptions) -> ResourceRequirements {
    let default = || Resources {
        requests: Some(Amounts { cpu: Some(amount("50m")), memory: Some(amount("64Mi")) }),
        limits: Some(Amounts { cpu: None, memory: Some(amount("256Mi")) }),
    };
    let given = options.resources.clone().unwrap_or_else(default);
    let quantities = |Amounts { cpu, memory }: Amounts| {
        let all = [("cpu", cpu), ("memory", memory)].into_iter();
        all.filter_map(|(name, amount)| Some((name.to_owned(), Quantity(amount?.0)))).collect()
    };
    ResourceRequirements {
        requests: given.requests.map(quantities),
        limits: given.limits.map(quantities),
        ..ResourceRequirements::default()
    }
}

fn amount(text: &str) -> Amount {
    Amount(text.to_owned())
}

fn toleration(given: &executor::Toleration) -> Toleration {
    Toleration {
        key: given.key.clone(),
        operator: given.operator.map(|operator| format!("{operator:?}")),
        value: given.value.clone(),
        effect: given.effect.map(|effect| format!("{effect:?}")),
        toleration_seconds: given.toleration_seconds.map(i64::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn made(execution: &Value) -> Value {
        let run = json!({
            "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun",
            "metadata": { "name": "one", "namespace": "verify", "uid": "11111111-2222-4333-8444-555566667777" },
            "spec": { "cloud": { "zoneSuffix": "a.example." }, "execution": execution },
        });
        let run: TempestRun = serde_json::from_value(run).unwrap();
        let config = JobConfig {
            image: Some("unused".to_owned()),
            pull_policy: Some("Never".to_owned()),
            service_account: "player".to_owned(),
            pull_secrets: vec!["pull".to_owned()],
            arguments: vec!["--installation=i".to_owned()],
        };
        let cloud = CloudIdentity { endpoint: "https://cloud".to_owned(), project_id: "p".to_owned() };
        let job = job(&run, 2, "556666777702", &cloud, "image:1", &config);
        assert_eq!(cloud_of(&job), cloud);
        serde_json::to_value(job).unwrap()
    }

    #[test]
    fn a_job_makes_one_pod_for_one_attempt_and_belongs_to_its_run() {
        let job = made(&json!({ "executor": "Job", "timeoutSeconds": 600 }));
        assert_eq!(job["metadata"]["name"], "one-5566667777-2");
        assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], "11111111-2222-4333-8444-555566667777");
        let spec = &job["spec"];
        assert_eq!((&spec["backoffLimit"], &spec["completions"]), (&json!(0), &json!(1)));
        assert!(spec["activeDeadlineSeconds"].is_null(), "it would end a run that is suspended");
        assert_eq!(spec["template"]["spec"]["restartPolicy"], "Never");
        assert_eq!(
            spec["template"]["spec"]["containers"][0]["args"],
            json!([
                "play",
                "--namespace=verify",
                "--run=one",
                "--uid=11111111-2222-4333-8444-555566667777",
                "--attempt=2",
                "--installation=i"
            ])
        );
        assert_eq!(spec["template"]["spec"]["imagePullSecrets"], json!([{ "name": "pull" }]));
        assert_eq!(spec["template"]["spec"]["containers"][0]["imagePullPolicy"], "Never");
    }

    /// The standard: <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>.
    #[test]
    fn its_pod_keeps_the_restricted_standard() {
        let pod = &made(&json!({ "executor": "Job" }))["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for loosened in ["hostNetwork", "hostPID", "hostIPC", "volumes", "initContainers"] {
            assert!(pod[loosened].is_null(), "{loosened}");
        }
        let container = &pod["containers"][0];
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false);
        assert_eq!(context["capabilities"], json!({ "drop": ["ALL"] }));
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert!(container["env"].is_null() && container["envFrom"].is_null(), "nothing of a Secret is in it");
        assert_eq!(container["resources"]["limits"], json!({ "memory": "256Mi" }));
    }

    #[test]
    fn what_is_given_is_taken_and_our_own_labels_stay() {
        let job = made(&json!({ "executor": "Job", "job": {
            "serviceAccountName": "mine",
            "resources": { "requests": { "cpu": 1 }, "limits": { "memory": "1Gi", "cpu": "2" } },
            "nodeSelector": { "zone": "a" },
            "tolerations": [{ "key": "only", "operator": "Exists", "effect": "NoSchedule" }],
            "labels": { "net": "b", "app.kubernetes.io/component": "operator" },
            "annotations": { "networks": "c" },
        } }));
        let template = &job["spec"]["template"];
        let pod = &template["spec"];
        assert_eq!(
            (&pod["serviceAccountName"], &pod["nodeSelector"]),
            (&json!("mine"), &json!({ "zone": "a" }))
        );
        assert_eq!(
            pod["containers"][0]["resources"],
            json!({ "requests": { "cpu": "1" }, "limits": { "cpu": "2", "memory": "1Gi" } })
        );
        assert_eq!(
            pod["tolerations"],
            json!([{ "key": "only", "operator": "Exists", "effect": "NoSchedule" }])
        );
        let labels = &template["metadata"]["labels"];
        assert_eq!((&labels["net"], &labels["app.kubernetes.io/component"]), (&json!("b"), &json!("run")));
        assert_eq!(template["metadata"]["annotations"], json!({ "networks": "c" }));
        assert!(job["metadata"]["labels"]["net"].is_null());
    }
}
