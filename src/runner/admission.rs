//! Leave to play: asked for once it is known whose cloud it is, before anything in it is looked at or changed.

use std::any::Any;

use async_trait::async_trait;

use crate::openstack::Session;
use crate::outcome::RunFault;

/// Whose cloud a run plays in: what limits and locks are about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloudIdentity {
    /// The cloud: where its Keystone is, as scheme, host and port.
    pub endpoint: String,
    /// The project's id, from the token: two names in two files may be one project.
    pub project_id: String,
}

impl CloudIdentity {
    /// The identity of a session.
    pub fn of(session: &Session) -> Self {
        Self {
            endpoint: session.auth_url().origin().ascii_serialization(),
            project_id: session.project_id().unwrap_or_default().to_owned(),
        }
    }
}

/// Leave to play; given back when it is dropped.
pub type Leave = Box<dyn Any + Send + Sync>;

/// Gives leave to play, one run after another.
#[async_trait]
pub trait Admission: Send + Sync {
    /// Waits for leave. Dropping the future gives up the place in the queue.
    ///
    /// # Errors
    /// Why this run will not be played; it ends with that.
    async fn admit(&self, identity: &CloudIdentity) -> Result<Leave, RunFault>;
}
