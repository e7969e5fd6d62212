//! Plays a run plan and streams events: steps, waiting, the ledger, cancelling. Knows nothing of Kubernetes.

pub mod event;
pub mod file_ledger;
pub mod ledger;
