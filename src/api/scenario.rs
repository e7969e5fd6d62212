//! The scenario document as it is written: a `TempestScenario` object, also the form of the built-in suite.
//!
//! These types only describe the YAML. [`crate::scenario`] turns them into something that can be played and
//! says what is wrong with them. A step is a struct of optional payloads with one exactly-one-of rule, because
//! a tagged enum with differing fields does not make a structural schema.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::outcome::Role;

/// A scenario: a trajectory of cloud states, and after each step DNS must tell exactly the truth.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "crossservice.dev",
    version = "v1alpha1",
    kind = "TempestScenario",
    plural = "tempestscenarios",
    shortname = "tscn",
    category = "tempest",
    namespaced,
    status = "TempestScenarioStatus",
    derive = "PartialEq",
    printcolumn = r#"{"name":"Valid","type":"string","jsonPath":".status.conditions[?(@.type=='Valid')].status"}"#,
    printcolumn = r#"{"name":"Title","type":"string","jsonPath":".spec.title"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TempestScenarioSpec {
    /// Stable id (a UUID) that survives renames; required for the built-in suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub id: Option<String>,
    /// What it proves, in one line.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// What it proves, at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4000))]
    pub description: Option<String>,
    /// Words to select it by: `smoke`, `core`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 63)))]
    pub tags: Vec<String>,
    /// Which upstream test or documented use case it covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(max = 300)))]
    pub source: Vec<String>,
    /// What the cloud must declare for it to be played.
    #[serde(default)]
    pub needs: Needs,
    /// Where no other test may be played beside it; default: others may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<Exclusive>,
    /// Names that only one test at a time may hold in a cloud, such as `designate-quota`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(min = 1, max = 63)))]
    pub locks: Vec<String>,
    /// Plays the whole scenario several times, for times that mean something; default once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<RepeatSpec>,
    /// How long DNS may take to be true, over all that the test measured; it fails when it took longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Names for values that several steps use, evaluated in this order when the test starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    pub variables: Vec<Variable>,
    /// HOT templates by name. Expressions are not expanded in them: values go in as HOT parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 20))]
    pub templates: BTreeMap<String, String>,
    /// What is done and checked, in order.
    #[schemars(length(min = 1, max = 60))]
    pub steps: Vec<StepSpec>,
}

/// What the operator says of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TempestScenarioStatus {
    /// The generation that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Valid`; and `Ready` and `Stalled`, which say the same to tools that wait.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Where a test is played alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exclusive {
    /// In its project: it changes a quota or the like.
    Project,
    /// In the whole cloud.
    Cloud,
}

/// How often a scenario is played within one test. Each time it makes its own things, under a `test.prefix` of its own,
/// and undoes them; the first time that does not pass ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepeatSpec {
    /// How often.
    #[schemars(range(min = 2, max = 99))]
    pub count: u32,
    /// How many at the same time; default 1: one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 16))]
    pub concurrency: Option<u32>,
}

/// How long DNS may take to be true: from the moment the cloud accepted a change until every name server answered
/// accordingly. Given for percentiles (nearest rank) over all record sets that a test measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Thresholds {
    /// Of record sets that were published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Limits>,
    /// Of record sets that were withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Limits>,
}

/// The most that percentiles may be, in milliseconds, under the names that they have in the status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Median.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400_000))]
    pub p50_ms: Option<u64>,
    /// 95th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400_000))]
    pub p95_ms: Option<u64>,
    /// The longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400_000))]
    pub max_ms: Option<u64>,
}

/// Preconditions that a live cloud *declares*; behaviour is never one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Needs {
    /// Services that must be in the catalogue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 6))]
    pub services: Vec<ServiceType>,
    /// Aliases of Neutron extensions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 100)))]
    pub extensions: Vec<String>,
    /// Heat resource types; those of the document's templates are added by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40), inner(length(max = 100)))]
    pub resource_types: Vec<String>,
    /// Things given in the run's spec or discovered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub facts: Vec<NeededFact>,
    /// Credentials besides `primary`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub credentials: Vec<Role>,
    /// Features that the run's owner may declare as not offered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub features: Vec<Feature>,
}

/// A service by its official type in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServiceType {
    /// Keystone.
    Identity,
    /// Heat.
    Orchestration,
    /// Neutron.
    Network,
    /// Nova.
    Compute,
    /// Designate.
    Dns,
    /// Glance.
    Image,
}

impl ServiceType {
    /// The type as in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Orchestration => "orchestration",
            Self::Network => "network",
            Self::Compute => "compute",
            Self::Dns => "dns",
            Self::Image => "image",
        }
    }
}

/// A fact about the cloud that a scenario cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NeededFact {
    /// An image to boot.
    Image,
    /// A flavor to boot it with.
    Flavor,
    /// An external network with an IPv4 subnet.
    FloatingNetwork,
    /// A network whose ports' fixed addresses are published.
    PublishedNetwork,
    /// The addresses of the authoritative name servers.
    NameServers,
}

/// What a cloud's owner may declare as not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Feature {
    /// Neutron publishes reverse records.
    Ptr,
    /// Neutron publishes floating IPs in Designate.
    FloatingIpDns,
    /// Guests boot and can look names up.
    Guest,
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variable {
    /// Used as `vars.NAME` in expressions.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Its value; expressions in `${ … }`.
    #[schemars(schema_with = "any")]
    pub value: Value,
}

/// One step: exactly one of `stack`, `request`, `expect`, `records`, `guest` and `undo`, and its modifiers.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.stack), has(self.request), has(self.expect), has(self.records), has(self.guest), has(self.undo)].filter(x, x).size() == 1").message("a step has exactly one of stack, request, expect, records, guest and undo"))]
pub struct StepSpec {
    /// Unique within the scenario.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// As whom it acts; default `primary`.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// A condition (CEL, without `${}`); the step is left out when it is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub when: Option<String>,
    /// A list; the step is played once for each `item`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any")]
    pub for_each: Option<Value>,
    /// The step's deadline, such as `300s` or `5m` (GEP-2257); default by kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"))]
    pub within: Option<String>,
    /// Neighbouring steps of one group run together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub group: Option<String>,
    /// A failed check is a finding, not a failure: for scenarios that describe what a cloud does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report: bool,
    /// Creates, updates or deletes a Heat stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<StackSpec>,
    /// Makes one REST call, for what Heat cannot express.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestSpec>,
    /// Polls a GET until assertions hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<ExpectSpec>,
    /// Polls Designate and every name server until DNS tells exactly the truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<RecordsSpec>,
    /// Reads a look-up's result from a booted guest's console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestSpec>,
    /// Takes something back ahead of the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoSpec>,
}

/// What a `stack` step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StackActionSpec {
    /// Creates it.
    Create,
    /// Updates it.
    Update,
    /// Deletes it; done when it is really gone.
    Delete,
    /// Waits for a state that an earlier step with `wait: false` started.
    Await,
}

/// A `stack` step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StackSpec {
    /// What is done.
    pub action: StackActionSpec,
    /// The stack's name within the scenario; its name in the cloud is `PREFIX-NAME`. Outputs are
    /// `stacks.NAME.outputs.KEY`.
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub name: String,
    /// Which of the document's templates; required for create, for update the last one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub template: Option<String>,
    /// HOT parameters; for update they are laid over the last ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "any_map")]
    pub parameters: BTreeMap<String, Value>,
    /// The wanted state, default `CREATE_COMPLETE`, `UPDATE_COMPLETE` or (delete) gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Z]+_(COMPLETE|FAILED)$"))]
    pub until: Option<String>,
    /// `false` starts it only; a later `await` step waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<bool>,
    /// Whether Heat leaves a failed create or update as it is; default `true` as in Heat's API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_rollback: Option<bool>,
}

/// A `request` step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestSpec {
    /// Which service.
    pub service: ServiceType,
    /// The method.
    pub method: HttpMethod,
    /// Path below the service's versioned root: `/ports`, `/zones/${…}`.
    #[schemars(length(min = 1, max = 500))]
    pub path: String,
    /// JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any")]
    pub body: Option<Value>,
    /// Wanted statuses; default any 2xx.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub expect_status: Vec<u16>,
    /// Conditions (CEL, without `${}`) that the answer must fulfil, over `status`, `body` and the test's values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 1000)))]
    pub that: Vec<String>,
    /// Names for values of the answer, each a CEL expression (without `${}`) over `status`, `body` and the test's
    /// values: `captures.NAME` afterwards.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 40))]
    pub capture: BTreeMap<String, String>,
    /// How it is taken back; required for POST, PUT and PATCH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<RequestUndoSpec>,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Creates, or acts.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes what this test made.
    Delete,
}

/// How a request is taken back: exactly one of the three.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.made), has(self.restore), has(self.none)].filter(x, x).size() == 1").message("undo has exactly one of made, restore and none"))]
pub struct RequestUndoSpec {
    /// The request makes something that is deleted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<MadeSpec>,
    /// The request changes something that is set back by another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<RestoreSpec>,
    /// Nothing is left to take back, with the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 300))]
    pub none: Option<String>,
}

/// What a POST makes: an item of a collection, found by its id or, when the answer was lost, by a field that
/// carries the test's prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MadeSpec {
    /// The collection's path, such as `/ports` or `/zones/${…}/recordsets`: that of the request.
    #[schemars(length(min = 1, max = 300))]
    pub collection: String,
    /// The field that carries `test.prefix`: `name`, `description`; for a stack `stack_name`.
    #[schemars(length(min = 1, max = 63))]
    pub marked_by: String,
}

/// A request that sets a value back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreSpec {
    /// `PUT`, `PATCH` or `DELETE`.
    pub method: HttpMethod,
    /// Path below the service's versioned root.
    #[schemars(length(min = 1, max = 500))]
    pub path: String,
    /// JSON body; expressions are evaluated before the request is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any")]
    pub body: Option<Value>,
}

/// An `expect` step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectSpec {
    /// Which service.
    pub service: ServiceType,
    /// Path below the service's versioned root, query included.
    #[schemars(length(min = 1, max = 500))]
    pub path: String,
    /// Key of the list whose further pages are fetched and joined, such as `recordsets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub pages: Option<String>,
    /// Conditions (CEL, without `${}`) that must all hold, over `status`, `body` and the test's values.
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 1000)))]
    pub that: Vec<String>,
    /// They must hold for this whole period, from now on, instead of once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"))]
    pub holds: Option<String>,
    /// Names for values of the answer that held, each a CEL expression (without `${}`): `captures.NAME` afterwards.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 40))]
    pub capture: BTreeMap<String, String>,
}

/// A `records` step: the DNS truth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordsSpec {
    /// Name of the zone they belong to. Record sets under it are also looked up in the Designate API; others
    /// (reverse names, whose zone belongs to somebody else) on the wire only.
    #[schemars(length(min = 1, max = 300))]
    pub zone: String,
    /// Record sets that must be there, with exactly this data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    pub present: Vec<RecordSpec>,
    /// Record sets that must be gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    pub absent: Vec<NameSpec>,
    /// Record sets that must not appear during `hold`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    pub never: Vec<NameSpec>,
    /// How long `never` is watched; default `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"))]
    pub hold: Option<String>,
    /// The zone holds nothing but `present` and its own SOA and NS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
    /// The zone's serial must be greater than when an earlier step of this name noted it (RFC 1982), in the API
    /// and on every name server. The first `records` step of a zone notes it by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub serial_advanced: bool,
    /// Every name server must answer for `present` over UDP without cutting the answer: it honours the 1232 bytes that it
    /// is told to send at most (EDNS, RFC 6891). Without it, an answer that is cut is fetched over TCP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole_over_udp: bool,
    /// A zone of this run that every name server must answer for in the same round, so that REFUSED proves that
    /// a name is *not hosted*; default `zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 300))]
    pub control: Option<String>,
}

/// A record set that must be there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordSpec {
    /// Owner name, fully qualified with its final dot.
    #[schemars(length(min = 1, max = 500))]
    pub name: String,
    /// Record type.
    #[serde(rename = "type")]
    pub record_type: RecordTypeSpec,
    /// The data of every record of the set, in presentation format; one expression may give the whole list.
    #[schemars(schema_with = "any")]
    pub data: Value,
    /// TTL in seconds (a number or an expression); not compared when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "int_or_string")]
    pub ttl: Option<Value>,
    /// The record set is left out when this condition (CEL) is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub when: Option<String>,
}

/// A record set that must not be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NameSpec {
    /// Owner name, fully qualified with its final dot.
    #[schemars(length(min = 1, max = 500))]
    pub name: String,
    /// Record type.
    #[serde(rename = "type")]
    pub record_type: RecordTypeSpec,
    /// The record set is left out when this condition (CEL) is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub when: Option<String>,
}

/// A DNS record type (RFC 1035, 2782, 3403, 3596, 4255, 8659).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the RFCs' own")]
pub enum RecordTypeSpec {
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Ptr,
    Soa,
    Srv,
    Txt,
    Caa,
    Naptr,
    Sshfp,
}

impl RecordTypeSpec {
    /// The mnemonic.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
            Self::Caa => "CAA",
            Self::Naptr => "NAPTR",
            Self::Sshfp => "SSHFP",
        }
    }
}

/// A `guest` step: two markers on the console, first `booted`, then a line that begins with `result`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuestSpec {
    /// The server's id.
    #[schemars(length(min = 1, max = 300))]
    pub server: String,
    /// The marker that the boot script prints first. Without it in time the guest did not boot, and the step
    /// is left out unless the run requires guests.
    #[schemars(length(min = 1, max = 300))]
    pub booted: String,
    /// The marker at the beginning of the line with the result.
    #[schemars(length(min = 1, max = 300))]
    pub result: String,
    /// What must follow the marker on that line.
    #[schemars(length(min = 1, max = 500))]
    pub equals: String,
    /// How long the guest may take to boot; default `120s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"))]
    pub boot_within: Option<String>,
}

/// An `undo` step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UndoSpec {
    /// The name of the earlier `stack` or `request` step whose doing is taken back.
    #[schemars(length(min = 1, max = 63))]
    pub step: String,
}

/// Any JSON value, fields preserved.
fn any(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// A map of any JSON values.
fn any_map(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": { "x-kubernetes-preserve-unknown-fields": true },
        "maxProperties": 100,
    })
}

/// A number, or an expression that gives one.
fn int_or_string(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "x-kubernetes-int-or-string": true })
}
