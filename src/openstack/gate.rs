//! Leave to send: asked immediately before every exchange.

use std::fmt::Debug;

/// Says whether a call may be sent now. A process that has lost the right to act in a cloud must not send what it
/// prepared while it still had it. Questions to name servers change nothing and are not asked for.
pub trait CallGate: Debug + Send + Sync {
    /// Whether a call may be sent now. It must not block.
    fn is_open(&self) -> bool;
}
