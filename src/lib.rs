//! tempest-operator proves that an `OpenStack` cloud's services work together.
//!
//! The map of the crate; data flows one way, from top to bottom:
//!
//! | module | job |
//! |---|---|
//! | [`api`] | the custom resources and the scenario document's wire types |
//! | [`scenario`] | a document checked and ready to play; expressions; the built-in suite |
//! | [`plan`] | pure: spec + catalogue + cloud facts → what runs and what is skipped, and why |
//! | [`runner`] | plays a plan against a cloud; undoes everything; streams events |
//! | [`report`] | folds events into the status, JSON, `JUnit` XML and tables |
//! | [`controller`] | Kubernetes: observe, decide, act, supervise, publish |
//! | [`openstack`], [`dns`] | the clients; they know nothing of tests |
//! | [`simcloud`] | the cloud's double, on the far side of HTTP and DNS |
//! | [`telemetry`] | logs, metrics, health |
//! | [`outcome`] | the words all of them share |

pub mod api;
pub mod controller;
pub mod dns;
pub mod openstack;
pub mod outcome;
pub mod plan;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod simcloud;
pub mod telemetry;
