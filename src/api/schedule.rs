//! The `TempestSchedule` resource: when a cloud is verified again, and how that has been going.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tempest_run::{TempestRunSpec, in_whole_seconds};
use crate::outcome::Verdict;

/// Verification of one cloud, again and again.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "crossservice.dev",
    version = "v1alpha1",
    kind = "TempestSchedule",
    plural = "tempestschedules",
    shortname = "tsched",
    category = "tempest",
    namespaced,
    status = "TempestScheduleStatus",
    derive = "PartialEq",
    printcolumn = r#"{"name":"Schedule","type":"string","jsonPath":".spec.schedule"}"#,
    printcolumn = r#"{"name":"Suspend","type":"boolean","jsonPath":".spec.suspend"}"#,
    printcolumn = r#"{"name":"Verdict","type":"string","jsonPath":".status.lastVerdict"}"#,
    printcolumn = r#"{"name":"Streak","type":"string","jsonPath":".status.streak"}"#,
    printcolumn = r#"{"name":"Active","type":"string","jsonPath":".status.active"}"#,
    printcolumn = r#"{"name":"Next","type":"string","jsonPath":".status.nextScheduleTime"}"#,
    printcolumn = r#"{"name":"Last","type":"date","jsonPath":".status.lastScheduleTime"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TempestScheduleSpec {
    /// When: the five fields of cron (minute, hour, day of month, month, day of week), or `@hourly`, `@daily`, `@weekly`,
    /// `@monthly`.
    #[schemars(length(min = 1, max = 200))]
    pub schedule: String,
    /// Where that time is: a name of the IANA time zone database, such as `Europe/Berlin`; default `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub time_zone: Option<String>,
    /// Starts nothing; the times that go by are not made up for.
    #[serde(default)]
    pub suspend: bool,
    /// What happens when a time comes and an earlier run is still under way; default `Forbid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_policy: Option<ConcurrencyPolicy>,
    /// How late a run may begin, in seconds, when nobody was there to start it in time; default: however late. Of several
    /// times that were missed only the last is made up for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31_536_000))]
    pub starting_deadline_seconds: Option<u32>,
    /// Starts a run now when this changes, suspended or not; any text, such as a date or a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub run_token: Option<String>,
    /// How many passed runs are kept; default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub successful_runs_history_limit: Option<u32>,
    /// How many other ended runs are kept; default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub failed_runs_history_limit: Option<u32>,
    /// After so many runs in a row that did not pass, the condition `Healthy` is false; default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub failure_threshold: Option<u32>,
    /// The run that is made each time.
    pub run_template: RunTemplate,
}

/// A `TempestRun` to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunTemplate {
    /// Its labels and annotations. Those of the schedule are not copied: a GitOps tool would take the run for its own.
    #[serde(default, skip_serializing_if = "RunMetadata::is_empty")]
    pub metadata: RunMetadata,
    /// Its spec.
    pub spec: TempestRunSpec,
}

/// Labels and annotations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RunMetadata {
    /// To select runs by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// For other tools.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl RunMetadata {
    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }
}

/// What happens when a time comes and an earlier run is still under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConcurrencyPolicy {
    /// The time is skipped.
    #[default]
    Forbid,
    /// Another run begins.
    Allow,
    /// The earlier run is cancelled, and another one begins.
    Replace,
}

/// What the operator says of a schedule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TempestScheduleStatus {
    /// The generation that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: the schedule is valid; `Stalled`: it is not; `Healthy`: its last runs passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The schedule and time zone that the times below are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Every scheduled time until then was started, skipped, or missed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub handled_until: Option<Timestamp>,
    /// The next time.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub next_schedule_time: Option<Timestamp>,
    /// The last time for which a run was made.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub last_schedule_time: Option<Timestamp>,
    /// When a run passed last.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub last_successful_time: Option<Timestamp>,
    /// The `runToken` that a run was made for last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_token: Option<String>,
    /// The verdict of the last run that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_verdict: Option<Verdict>,
    /// How many runs in a row ended alike, such as `3 failed` or `12 passed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streak: Option<String>,
    /// How many runs in a row passed.
    pub consecutive_passes: u32,
    /// How many runs in a row did not pass; one that was cancelled counts neither way.
    pub consecutive_failures: u32,
    /// The runs that have not ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub active: Vec<String>,
    /// How many times went by because nobody was there to start a run in time.
    pub missed: u32,
    /// How many times went by because an earlier run was still under way.
    pub skipped: u32,
    /// The last runs that ended, newest first; their objects may be gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<RunResult>,
    /// How long runs that pass take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
}

/// How one run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// The run's name.
    pub run: String,
    /// The time that it was made for; none of one that was asked for by `runToken`.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub schedule_time: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "in_whole_seconds")]
    pub completion_time: Option<Timestamp>,
    /// What it says of the cloud.
    pub verdict: Verdict,
    /// How long it took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// How many of its tests passed, of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<String>,
}

/// How long runs that pass take, of those in `results`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trend {
    /// The last one, in seconds.
    pub last_seconds: u64,
    /// The median of those before it, in seconds.
    pub median_seconds: u64,
    /// How much longer (or shorter, below zero) the last one took, in percent.
    pub change_percent: i64,
}
