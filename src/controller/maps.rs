//! The `ConfigMap`s that go with a run: its ledger, its reports, and what its pods tell. Their names follow from the
//! run's, so somebody else's may be there first. Such a one is neither written over nor deleted.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt};

use super::FIELD_MANAGER;
use crate::api::tempest_run::TempestRun;

/// What marks our objects.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// How often a write is tried when somebody makes, changes or deletes the `ConfigMap` at the same time.
const TRIES: u32 = 5;

/// Why a `ConfigMap` was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// It was made by somebody else.
    #[error("the ConfigMap '{name}' is somebody else's; delete it, or give the run another name")]
    Foreign {
        /// Its name.
        name: String,
    },
    /// The API server refused or did not answer.
    #[error("the Kubernetes API cannot be used")]
    Kubernetes(#[from] kube::Error),
}

/// The `ConfigMap`s of one run.
#[derive(Clone)]
pub struct Maps {
    api: Api<ConfigMap>,
    metadata: ObjectMeta,
}

impl Maps {
    /// Those of `run`; nothing is read or written yet.
    pub fn of(client: Client, run: &TempestRun) -> Self {
        let metadata = ObjectMeta {
            labels: Some([(MANAGED_BY.to_owned(), FIELD_MANAGER.to_owned())].into()),
            owner_references: run.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        };
        Self { api: Api::namespaced(client, &run.namespace().unwrap_or_default()), metadata }
    }

    /// All of the namespace, for whoever checks what it finds itself.
    pub fn api(&self) -> &Api<ConfigMap> {
        &self.api
    }

    /// How one of this name is marked as the run's.
    pub fn metadata(&self, name: &str) -> ObjectMeta {
        ObjectMeta { name: Some(name.to_owned()), ..self.metadata.clone() }
    }

    /// Whether this one is of the run itself: not of an earlier object of its name, nor of anybody else.
    pub fn owns(&self, map: &ObjectMeta) -> bool {
        let uids = |of: &ObjectMeta| -> Vec<String> {
            of.owner_references.iter().flatten().map(|owner| owner.uid.clone()).collect()
        };
        let ours = uids(&self.metadata);
        uids(map).iter().any(|uid| ours.contains(uid))
    }

    /// Whether this one may be written over: the operator made it. That of an object of this name that is gone is
    /// garbage not yet collected.
    pub fn may_write_over(&self, map: &ObjectMeta) -> bool {
        let label = map.labels.as_ref().and_then(|labels| labels.get(MANAGED_BY));
        label.is_some_and(|label| label == FIELD_MANAGER) || self.owns(map)
    }

    /// One of the run itself.
    pub async fn get(&self, name: &str) -> Result<Option<ConfigMap>, kube::Error> {
        Ok(self.api.get_opt(name).await?.filter(|map| self.owns(&map.metadata)))
    }

    /// Fails if one of these names is somebody else's.
    pub async fn are_free(&self, names: &[String]) -> Result<(), MapError> {
        for name in names {
            let found = self.api.get_metadata_opt(name).await?;
            if found.is_some_and(|found| !self.may_write_over(&found.metadata)) {
                return Err(MapError::Foreign { name: name.clone() });
            }
        }
        Ok(())
    }

    /// Writes one, whatever was in it before.
    pub async fn write(&self, name: &str, data: BTreeMap<String, String>) -> Result<(), MapError> {
        let mut map = ConfigMap { metadata: self.metadata(name), data: Some(data), ..ConfigMap::default() };
        let mut tries = 0;
        loop {
            tries += 1;
            let found = self.api.get_metadata_opt(name).await?;
            let written = match found {
                None => {
                    map.metadata.resource_version = None;
                    let params =
                        PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
                    self.api.create(&params, &map).await
                }
                Some(found) if self.may_write_over(&found.metadata) => {
                    // As it was looked at: nobody else's takes its place meanwhile.
                    map.metadata.resource_version = found.resource_version();
                    let params = PatchParams::apply(FIELD_MANAGER).force();
                    self.api.patch(name, &params, &Patch::Apply(&map)).await
                }
                Some(_) => return Err(MapError::Foreign { name: name.to_owned() }),
            };
            match written {
                Err(kube::Error::Api(answer)) if matches!(answer.code, 404 | 409) && tries < TRIES => {}
                written => return Ok(written.map(drop)?),
            }
        }
    }

    /// Deletes one of the run itself.
    pub async fn delete(&self, name: &str) -> Result<(), kube::Error> {
        let found = self.api.get_metadata_opt(name).await?.filter(|found| self.owns(&found.metadata));
        let Some(found) = found else { return Ok(()) };
        self.delete_version(name, found.uid(), found.resource_version()).await
    }

    /// Deletes one that was looked at before, unless it is another one by now.
    pub async fn delete_version(
        &self,
        name: &str,
        uid: Option<String>,
        resource_version: Option<String>,
    ) -> Result<(), kube::Error> {
        let seen = Preconditions { uid, resource_version };
        match self.api.delete(name, &DeleteParams::default().preconditions(seen)).await {
            Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
            deleted => deleted.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;
    use rstest::rstest;
    use serde_json::{Value, json};
    use tower::service_fn;

    use super::*;

    const UID: &str = "11111111-2222-4333-8444-555566667777";

    fn maps() -> Maps {
        let nobody =
            service_fn(|_: Request<Body>| async { Ok::<_, kube::Error>(Response::new(Body::empty())) });
        let mut run = TempestRun::new("one", crate::api::tempest_run::TempestRunSpec::default());
        run.metadata.uid = Some(UID.to_owned());
        Maps::of(Client::new(nobody, "default"), &run)
    }

    fn owner(uid: &str) -> Value {
        json!([{ "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun", "name": "one", "uid": uid }])
    }

    #[rstest]
    #[case::the_runs(json!({ "labels": { MANAGED_BY: FIELD_MANAGER }, "ownerReferences": owner(UID) }), true, true)]
    #[case::without_its_labels(json!({ "ownerReferences": owner(UID) }), true, true)]
    #[case::of_a_run_that_is_gone(json!({ "labels": { MANAGED_BY: FIELD_MANAGER }, "ownerReferences": owner("a") }), true, false)]
    #[case::of_somebody_else(json!({ "labels": { MANAGED_BY: "Helm" } }), false, false)]
    #[case::of_another_owner(json!({ "ownerReferences": owner("a") }), false, false)]
    #[case::of_nobody(json!({}), false, false)]
    #[tokio::test]
    async fn only_what_the_operator_made_is_written_over_and_only_the_runs_own_deleted(
        #[case] metadata: Value,
        #[case] write: bool,
        #[case] delete: bool,
    ) {
        let metadata = serde_json::from_value(metadata).unwrap();
        assert_eq!((maps().may_write_over(&metadata), maps().owns(&metadata)), (write, delete));
    }
}
