//! The custom resources and the scenario document's wire types: data only, no I/O.

pub mod definitions;
pub mod executor;
pub mod scenario;
pub mod schedule;
pub mod tempest_run;

/// The API group of every custom resource.
pub const GROUP: &str = "crossservice.dev";
/// The API version of every custom resource.
pub const VERSION: &str = "v1alpha1";
