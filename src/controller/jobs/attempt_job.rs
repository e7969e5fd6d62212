//! The Job of one attempt, in the cluster.

use k8s_openapi::api::batch::v1::Job;
use kube::api::{DeleteParams, PostParams, PropagationPolicy};
use kube::{Api, Client, ResourceExt};

use super::fate::JobState;
use crate::api::tempest_run::TempestRun;

/// Makes, finds and deletes it.
#[derive(Debug)]
pub struct AttemptJob {
    api: Api<Job>,
    name: String,
    run_uid: Option<String>,
}

/// Why there is no Job.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The API server does not take it, whenever it is asked.
    #[error("the Job cannot be made: {0}")]
    Refused(String),
    /// It may take it later.
    #[error(transparent)]
    Kubernetes(#[from] kube::Error),
}

impl AttemptJob {
    /// That of attempt `attempt` of `run`.
    pub fn of(client: Client, run: &TempestRun, attempt: u32) -> Self {
        Self {
            api: Api::namespaced(client, &run.namespace().unwrap_or_default()),
            name: super::name(run, attempt),
            run_uid: run.uid(),
        }
    }

    /// Makes it, unless it is there.
    pub async fn make(&self, job: &Job) -> Result<(), MakeError> {
        match self.api.create(&PostParams::default(), job).await {
            Err(kube::Error::Api(answer)) if answer.code == 409 => Ok(()),
            Err(kube::Error::Api(answer)) if matches!(answer.code, 400 | 403 | 404 | 422) => {
                Err(MakeError::Refused(answer.message.clone()))
            }
            made => Ok(made.map(drop)?),
        }
    }

    /// Looks for it; one of its name which is somebody else's is none.
    pub async fn find(&self) -> Result<Option<Job>, kube::Error> {
        let is_ours =
            |job: &Job| job.owner_references().iter().any(|one| Some(&one.uid) == self.run_uid.as_ref());
        Ok(self.api.get_opt(&self.name).await?.filter(is_ours))
    }

    /// Deletes it, with its pods; one that is gone is as good as deleted.
    pub async fn delete(&self) -> Result<(), kube::Error> {
        let how = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        match self.api.delete(&self.name, &how).await {
            Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
            deleted => deleted.map(drop),
        }
    }
}

/// How it stands with what was found.
pub fn state(job: Option<&Job>) -> JobState {
    let Some(job) = job.filter(|job| job.metadata.deletion_timestamp.is_none()) else {
        return JobState::Gone;
    };
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ends =
        conditions.filter(|one| one.status == "True" && matches!(one.type_.as_str(), "Complete" | "Failed"));
    match ends.next() {
        None => JobState::Active,
        Some(end) if end.type_ == "Complete" => {
            JobState::Ended { why: "it ended without telling how".to_owned() }
        }
        Some(end) => {
            let reason = end.reason.as_deref().unwrap_or("Failed");
            let message = end.message.as_deref().unwrap_or_default();
            JobState::Ended { why: format!("its Job failed ({reason}): {message}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_jobs_state_is_what_its_conditions_say() {
        let job = |status: serde_json::Value, deleted: bool| -> Job {
            let mut metadata = json!({ "name": "one" });
            if deleted {
                metadata["deletionTimestamp"] = json!("2026-11-28T12:00:00Z");
            }
            serde_json::from_value(json!({ "metadata": metadata, "status": status })).unwrap()
        };
        let failed = json!({ "conditions": [
            { "type": "FailureTarget", "status": "True" },
            { "type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long" },
        ] });
        assert_eq!(state(None), JobState::Gone);
        assert_eq!(state(Some(&job(json!({ "active": 1 }), true))), JobState::Gone);
        assert_eq!(state(Some(&job(json!({ "active": 1 }), false))), JobState::Active);
        let JobState::Ended { why } = state(Some(&job(failed, false))) else { panic!("it ended") };
        assert!(why.contains("DeadlineExceeded") && why.contains("too long"), "{why}");
    }
}
