//! The `TempestRun` resource: what to verify, and how it went.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::executor::{Executor, JobOptions};
use super::scenario::Thresholds;
use crate::outcome::{
    Evidence, Finding, Leak, Outcome, PropagationSummary, Reason, SkippedStep, Summary, Verdict,
};

/// One verification of one cloud.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "crossservice.dev",
    version = "v1alpha1",
    kind = "TempestRun",
    plural = "tempestruns",
    shortname = "trun",
    category = "tempest",
    namespaced,
    status = "TempestRunStatus",
    derive = "PartialEq",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Verdict","type":"string","jsonPath":".status.verdict"}"#,
    printcolumn = r#"{"name":"Progress","type":"string","jsonPath":".status.progress"}"#,
    printcolumn = r#"{"name":"Passed","type":"integer","jsonPath":".status.summary.passed"}"#,
    printcolumn = r#"{"name":"Failed","type":"integer","jsonPath":".status.summary.failed"}"#,
    printcolumn = r#"{"name":"Skipped","type":"integer","jsonPath":".status.summary.skipped"}"#,
    printcolumn = r#"{"name":"Duration","type":"string","jsonPath":".status.duration"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TempestRunSpec {
    /// Which cloud, and what of it may be used.
    pub cloud: CloudSpec,
    /// Which scenarios.
    #[serde(default)]
    pub scenarios: ScenariosSpec,
    /// How they are played.
    #[serde(default)]
    pub execution: ExecutionSpec,
    /// Stops the run: what is under way is cancelled and undone.
    #[serde(default)]
    pub cancel: bool,
    /// Starts no new test; those under way go on to their end. A run that has not begun does not begin.
    #[serde(default)]
    pub suspend: bool,
    /// A run that has ended runs again when this changes; any text, such as a date or a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub run_token: Option<String>,
    /// What a changed `runToken` plays; default `All`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<Rerun>,
    /// Deletes the object this many seconds after its end; default never. What a GitOps tool applied, it makes and runs
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_finished: Option<u32>,
}

/// What is played again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Rerun {
    /// All tests.
    #[default]
    All,
    /// Those that did not pass; the others keep their outcome.
    Failed,
}

/// Which cloud, and what of it may be used. What is left out is discovered; the status says what was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudSpec {
    /// The Secret, in the same namespace, with `clouds.yaml` and optionally `secure.yaml` and `cacert`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// Entry of clouds.yaml to act as; may be left out when there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub primary: Option<String>,
    /// Entry of a member of another project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub alternate: Option<String>,
    /// Entry of an administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub admin: Option<String>,
    /// Entry of a reader of the primary's project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub reader: Option<String>,
    /// Region; default that of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub region: Option<String>,
    /// Interface of the catalogue: `public`, `internal` or `admin`; default that of the entry, else `public`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Interface>,
    /// Everything the run makes in DNS lies under this domain, such as `verify.example.org.`.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+$"))]
    pub zone_suffix: String,
    /// Image to boot, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub image: Option<String>,
    /// Flavor, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub flavor: Option<String>,
    /// External network for floating IPs, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub floating_network: Option<String>,
    /// Network whose ports' fixed addresses are published, by name or id. It cannot be discovered: the
    /// attributes that tell are the administrator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub published_network: Option<String>,
    /// Authoritative name servers as `host`, `address` or `address:port`; default the zone's NS set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 260)))]
    pub nameservers: Vec<String>,
    /// What the cloud offers, as its owner declares it.
    #[serde(default)]
    pub features: Features,
}

/// A Secret of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// An interface of the service catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are Keystone's own")]
pub enum Interface {
    Public,
    Internal,
    Admin,
}

impl Interface {
    /// The word in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

/// What the cloud's owner declares of behaviours that no API declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Features {
    /// Reverse records of published addresses.
    pub ptr: FeatureMode,
    /// Floating IPs published in Designate.
    pub floating_ip_dns: FeatureMode,
    /// Guests that boot and print to their console.
    pub guest: FeatureMode,
}

/// Whether a feature must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FeatureMode {
    /// Its absence is a failure.
    Required,
    /// It is not offered; what needs it is left out.
    NotOffered,
    /// A guest that does not boot is left out; everything else is a failure.
    #[default]
    Auto,
}

/// Which scenarios are played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScenariosSpec {
    /// Globs over names; default all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 200)))]
    pub include: Vec<String>,
    /// Those to leave out, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub exclude: Vec<Exclusion>,
    /// Users' own scenarios besides the built-in ones: the `TempestScenario` objects of the namespace with these labels,
    /// as `user/NAME`; `{}` selects all, default none. `include: ["user/*"]` leaves the built-in ones out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<ScenarioSelector>,
    /// Only scenarios with at least one of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 63)))]
    pub tags: Vec<String>,
    /// Those that are known to fail, each with its reason; they are played, and their failure counts as passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub expected_failures: Vec<Expectation>,
    /// Globs over names that must not be skipped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 200)))]
    pub required: Vec<String>,
    /// A test that was expected to fail and passed counts as failed.
    pub strict: bool,
    /// Fewer executed tests than this make the run `Errored`; default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub min_executed: Option<u32>,
}

/// Selects objects by their labels, as everywhere in Kubernetes: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScenarioSelector {
    /// Labels and their values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 20))]
    pub match_labels: BTreeMap<String, String>,
    /// Further requirements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub match_expressions: Vec<SelectorRequirement>,
}

/// A requirement of a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)")
    .message("values are needed by In and NotIn, and belong to no other operator"))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelectorRequirement {
    /// The label.
    #[schemars(length(min = 1, max = 317))]
    pub key: String,
    /// How it relates to the values.
    pub operator: SelectorOperator,
    /// The values, for `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label relates to values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are Kubernetes' own")]
pub enum SelectorOperator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl ScenarioSelector {
    /// Whether an object with these labels is selected. As in Kubernetes, `NotIn` also holds for an object without the
    /// label.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
        self.match_labels.iter().all(has)
            && self.match_expressions.iter().all(|one| {
                let value = labels.get(&one.key);
                match one.operator {
                    SelectorOperator::In => value.is_some_and(|value| one.values.contains(value)),
                    SelectorOperator::NotIn => value.is_none_or(|value| !one.values.contains(value)),
                    SelectorOperator::Exists => value.is_some(),
                    SelectorOperator::DoesNotExist => value.is_none(),
                }
            })
    }
}

/// Scenarios that are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exclusion {
    /// A glob over names.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Why.
    #[schemars(length(min = 1, max = 300))]
    pub reason: String,
    /// The last day (`YYYY-MM-DD`, UTC) on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Option<String>,
}

/// Scenarios that are known to fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// A glob over names.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Why, such as the number of a bug.
    #[schemars(length(min = 1, max = 300))]
    pub reason: String,
    /// The last day (`YYYY-MM-DD`, UTC) on which a failure is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Option<String>,
}

/// How scenarios are played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExecutionSpec {
    /// Who plays the run: `InProcess`, the operator itself, or `Job`, a pod of its own; default `InProcess`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<Executor>,
    /// What that pod is like, for `executor: Job`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobOptions>,
    /// How many tests run at once; default 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub max_parallel: Option<u32>,
    /// How often a test that did not pass is tried again; it is `Flaky` when it passes then. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 5))]
    pub retries: Option<u32>,
    /// The run's time, not counting that in the queue and that suspended; default 3600.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 86_400))]
    pub timeout_seconds: Option<u32>,
    /// One test's time, clean-up not included; default 1200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 86_400))]
    pub scenario_timeout_seconds: Option<u32>,
    /// Lengthens or shortens every step's deadline; default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 2000))]
    pub timeout_scale_percent: Option<u32>,
    /// Starts no further test after the first that failed.
    pub fail_fast: bool,
    /// How long to wait for a usable Secret; default 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub start_deadline_seconds: Option<u32>,
    /// How long DNS may take to be true, in every test: the percentiles over what one test measured. A test that took
    /// longer has failed; a scenario's own thresholds hold besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// What is done when a test did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// What becomes of the run when the process that plays it ends before it does; default `Restart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_interruption: Option<OnInterruption>,
    /// What something left behind means; default `Fail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_leak: Option<OnLeak>,
}

/// What is done when a test did not pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OnFailure {
    /// What the test made is kept this long after the run's end, for a look at it; default 0. Deleting the run ends that.
    #[schemars(range(min = 0, max = 604_800))]
    pub keep_resources_seconds: u32,
}

/// What becomes of an interrupted run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnInterruption {
    /// What it made is undone and its unfinished tests are played again, as its next attempt.
    #[default]
    Restart,
    /// What it made is undone and it has ended, as `Errored`.
    Fail,
}

/// What something left behind means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnLeak {
    /// The run has failed.
    #[default]
    Fail,
    /// It is reported only.
    Warn,
}

/// As `metav1.Time` is written: fractions of a second are nothing but noise in a diff.
#[expect(clippy::ref_option, reason = "serde's own signature")]
pub(super) fn in_whole_seconds<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let whole = time.map(|time| Timestamp::from_second(time.as_second()).unwrap_or(time));
    whole.serialize(serializer)
}

/// Where a run is; never how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Waiting for what it needs: a Secret that may be used.
    Pending,
    /// Waiting for its turn.
    Queued,
    /// Playing tests.
    Running,
    /// Undoing.
    CleaningUp,
    /// Starts no new test.
    Suspended,
    /// At its end.
    Completed,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Queued, Self::Running, Self::CleaningUp, Self::Suspended, Self::Completed];
}

/// How the run goes, and how it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TempestRunStatus {
    /// The generation that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// What it says of the cloud; set at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// `Reconciling`, `Stalled`, `Ready`, `Succeeded` and `Finished`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// On everything it makes in the cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Counts from 1: one more after each interruption and each changed `runToken`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The `runToken` that this attempt was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_token: Option<String>,
    /// Since when it waits for what it needs, such as its Secret; while it is `Pending`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub pending_since: Option<Timestamp>,
    /// Its place among those that wait, from 1; while it is `Queued`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<u32>,
    /// When it began to play.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub start_time: Option<Timestamp>,
    /// When this attempt began to play.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub attempt_start_time: Option<Timestamp>,
    /// Of the run's time, what attempts took that were interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub played_seconds: Option<u32>,
    /// Since when this attempt is suspended; its time stands still.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub suspended_since: Option<Timestamp>,
    /// How long this attempt was suspended before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_seconds: Option<u32>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub completion_time: Option<Timestamp>,
    /// How long it took from `startTime` to `completionTime`, such as `3m12s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// How many tests ended how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Ended tests of all, such as `7/12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// What is being played, as `test: step`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub current_steps: Vec<String>,
    /// What was found of the cloud, and chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<CloudStatus>,
    /// One entry a test.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub tests: Vec<TestStatus>,
    /// How long DNS took to be true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagation: Option<PropagationSummary>,
    /// What could not be undone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leaked: Vec<Leak>,
    /// What failed tests made is still there on purpose, and undone at this time.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub kept_until: Option<Timestamp>,
    /// Where the full report is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportStatus>,
    /// Earlier attempts, the last ten.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["attempt"]))]
    pub history: Vec<AttemptStatus>,
    /// Whether something was cut to keep the object small.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// Where a full report is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ReportStatus {
    /// The `ConfigMap` with `report.json` and `junit.xml`, in the run's namespace.
    pub config_map: String,
    /// Whether it was cut to fit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// An earlier attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AttemptStatus {
    /// Its number.
    pub attempt: u32,
    /// On what it made in the cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The `runToken` that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_token: Option<String>,
    /// What it said of the cloud; absent when it was interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// When it began to play.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub start_time: Option<Timestamp>,
    /// When it ended, or was found interrupted.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub completion_time: Option<Timestamp>,
    /// How many tests ended how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
}

/// What was found of the cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CloudStatus {
    /// Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Project of the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Services of the catalogue with the version found.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
    /// Neutron extensions that matter to DNS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// What was chosen and why, by what it is for: `image`, `flavor`, `floatingNetwork`, `publishedNetwork`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub choices: BTreeMap<String, ChoiceStatus>,
    /// Authoritative name servers asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nameservers: Vec<String>,
    /// What a person should know, such as the trap of application credentials with Heat.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Something chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ChoiceStatus {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why this one, or why none.
    pub why: String,
}

/// One test in the status: short when it passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestStatus {
    /// The scenario's name.
    pub name: String,
    /// The scenario's stable id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How it ended; absent while it is played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The same for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub start_time: Option<Timestamp>,
    /// How long it took, such as `41s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// How often it was played, when more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// The step that decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What was seen there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What was learned besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Steps that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_steps: Vec<SkippedStep>,
}
