//! Plays a run plan and streams events: steps, waiting, the ledger, cancelling.
