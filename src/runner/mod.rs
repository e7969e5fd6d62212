//! Plays a run plan and streams events: steps, waiting, the ledger, cancelling. Knows nothing of Kubernetes.

pub mod clock;
pub mod event;
pub mod fault;
pub mod file_ledger;
pub mod ledger;
pub mod poll;
pub mod rhythm;

pub use clock::Clock;
