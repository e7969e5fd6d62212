//! Plays a run plan and streams events: steps, waiting, the ledger, cancelling. Knows nothing of Kubernetes.
//!
//! [`run::verify`] is the way in. A `context` is what run, test and step share; `play` plays one test with a
//! file a kind of `step`; everything that waits does so with [`poll`]; everything made is in the [`ledger`]
//! first, and taken back by [`undo`]; `audit` looks for what nobody wrote down.

mod admission;
mod audit;
pub mod clock;
mod cloud;
mod context;
mod control;
mod deadline;
mod discover;
pub mod event;
pub mod fault;
pub mod file_ledger;
mod hints;
pub mod ledger;
mod locks;
mod play;
mod poll;
mod repeat;
mod rhythm;
mod run;
mod spans;
mod step;
mod sweep;
mod thresholds;
mod tries;
mod undo;

pub use admission::{Admission, CloudIdentity, Leave};
pub use clock::Clock;
pub use control::{Control, Suspension};
pub use fault::StepFault;
pub use locks::Locks;
pub use poll::{Observation, Pending, Wait, poll};
pub use rhythm::Rhythm;
pub use run::{Planner, RunInputs, identify, preflight, refused_templates, sweep, undo, verify};
pub use spans::{record_verdict, run_span};
pub use sweep::SweepFirst;
