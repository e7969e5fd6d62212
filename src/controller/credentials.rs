//! A run's credentials: the Secret, whether it may be used, and what it says. Read by `get`, never listed.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::decide::Credentials;
use crate::api::tempest_run::TempestRun;
use crate::openstack::{CaSource, CloudConfig, CloudsFile, CredentialSource};
use crate::outcome::Role;
use crate::plan::{self, CloudRequest};
use crate::scenario::catalogue::Catalogue;
use crate::scenario::{Scenario, USER};

/// The type of a Secret that is made for runs.
pub const SECRET_TYPE: &str = "crossservice.dev/openstack-clouds";
/// The label that lets runs use a Secret of another type.
pub const SECRET_LABEL: &str = "crossservice.dev/usable-by-runs";

/// The annotation of a Secret with the roles (`admin`, `reader`) that users' own scenarios may act as, too.
pub const USER_ROLES: &str = "crossservice.dev/user-scenarios-may-act-as";

/// What a usable Secret gives.
pub struct Usable {
    /// One entry of clouds.yaml a role.
    pub clouds: Clouds,
    /// What of the cloud is wanted.
    pub request: CloudRequest,
    /// The scenarios that the run may choose from.
    pub catalogue: Catalogue,
}

/// Reads the Secret of a run; with `catalogue`, the scenarios that it may choose from.
///
/// # Errors
/// Only Kubernetes trouble; everything that is wrong with the Secret is a [`Credentials`].
pub async fn read(
    secrets: &Api<Secret>,
    run: &TempestRun,
    catalogue: Catalogue,
) -> Result<Result<Usable, Credentials>, kube::Error> {
    let Some(name) = run.spec.cloud.secret_ref.as_ref().map(|reference| reference.name.as_str()) else {
        let message = "spec.cloud.secretRef is missing".to_owned();
        return Ok(Err(Credentials::BadSpec { message }));
    };
    let Some(secret) = secrets.get_opt(name).await? else {
        let message =
            format!("there is no Secret '{name}' in this namespace; make it with a key clouds.yaml");
        return Ok(Err(Credentials::Unusable { reason: "SecretNotFound", message }));
    };
    Ok(judge(name, &secret, run).map(|(clouds, request)| Usable {
        clouds,
        request,
        catalogue: with_rights(catalogue, name, &secret),
    }))
}

/// Closes those of users' scenarios that act as somebody whom the Secret's owner does not let them act as.
fn with_rights(catalogue: Catalogue, name: &str, secret: &Secret) -> Catalogue {
    let allowed = secret.metadata.annotations.as_ref().and_then(|all| all.get(USER_ROLES));
    let allowed: Vec<&str> =
        allowed.map(String::as_str).unwrap_or_default().split(',').map(str::trim).collect();
    let refused = |role: &&Role| {
        matches!(role, Role::Admin | Role::Reader) && !allowed.contains(&role.to_string().as_str())
    };
    let closed: Vec<Scenario> = catalogue
        .iter()
        .filter(|scenario| scenario.name.starts_with(USER))
        .filter_map(|scenario| {
            // A step behind a condition may act without being a gate.
            let acting = scenario.steps.iter().map(|step| &step.role);
            let role = acting.chain(&scenario.gates.credentials).find(refused)?;
            let message = format!(
                "it acts as {role}, which users' scenarios may do only if Secret '{name}' has the annotation \
                 {USER_ROLES}: {role}"
            );
            let mut scenario = Scenario::clone(scenario);
            scenario.gates.closed = Some(message);
            Some(scenario)
        })
        .collect();
    catalogue.with(closed)
}

type Clouds = BTreeMap<Role, CloudConfig>;

fn judge(name: &str, secret: &Secret, run: &TempestRun) -> Result<(Clouds, CloudRequest), Credentials> {
    let unusable = |reason, message| Credentials::Unusable { reason, message };
    if !may_be_used(secret) {
        let message = format!(
            "Secret '{name}' may not be used by runs: give it the type {SECRET_TYPE} or the label {SECRET_LABEL}=true"
        );
        return Err(unusable("SecretNotAllowed", message));
    }
    let malformed = |message: String| unusable("SecretMalformed", format!("Secret '{name}': {message}"));
    let text = |key: &str| -> Result<Option<&str>, Credentials> {
        let Some(bytes) = secret.data.as_ref().and_then(|data| data.get(key)) else { return Ok(None) };
        std::str::from_utf8(&bytes.0).map(Some).map_err(|_| malformed(format!("key '{key}' is not text")))
    };
    let clouds = text("clouds.yaml")?.ok_or_else(|| {
        malformed("it has no key 'clouds.yaml', the file that every OpenStack client reads".to_owned())
    })?;
    let file =
        CloudsFile::parse(clouds, text("secure.yaml")?).map_err(|error| malformed(error.to_string()))?;
    let names: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
    let request = plan::cloud_request(&run.spec.cloud, &names)
        .map_err(|error| Credentials::BadSpec { message: error.to_string() })?;
    let ca = text("cacert")?;
    let clouds = request
        .entries
        .iter()
        .map(|(role, entry)| {
            let cloud =
                file.cloud(entry, CaSource::Inline(ca)).map_err(|error| malformed(error.to_string()))?;
            Ok((*role, cloud))
        })
        .collect::<Result<Clouds, Credentials>>()?;
    Ok((clouds, request))
}

/// The Secret of a run, read again when Keystone refuses what was read before.
#[derive(Debug)]
pub struct SecretCredentials {
    secrets: Api<Secret>,
    run: Arc<TempestRun>,
}

impl SecretCredentials {
    /// The Secret that the run names.
    pub fn of(secrets: Api<Secret>, run: Arc<TempestRun>) -> Self {
        Self { secrets, run }
    }

    async fn clouds(&self) -> Option<Clouds> {
        let name = &self.run.spec.cloud.secret_ref.as_ref()?.name;
        let secret = self.secrets.get_opt(name).await.unwrap_or_else(|error| {
            tracing::warn!(%error, name, "the Secret could not be read again");
            None
        })?;
        judge(name, &secret, &self.run).ok().map(|(clouds, _)| clouds)
    }
}

#[async_trait]
impl CredentialSource for SecretCredentials {
    async fn current(&self, entry: &str) -> Option<CloudConfig> {
        self.clouds().await?.into_values().find(|cloud| cloud.name == entry)
    }
}

/// Creating runs must not mean reading every Secret of the namespace.
fn may_be_used(secret: &Secret) -> bool {
    let labels = secret.metadata.labels.as_ref();
    secret.type_.as_deref() == Some(SECRET_TYPE)
        || labels.and_then(|labels| labels.get(SECRET_LABEL)).is_some_and(|value| value == "true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::ByteString;
    use rstest::rstest;
    use serde_json::json;

    const CLOUDS: &str = "clouds:\n  demo:\n    auth: {auth_url: 'http://192.0.2.1/v3', username: u, password: hush-hush, \
                          project_name: p, user_domain_name: d, project_domain_name: d}\n";

    fn run() -> TempestRun {
        let spec = json!({ "cloud": { "secretRef": { "name": "s" }, "zoneSuffix": "t.example." } });
        TempestRun::new("r", serde_json::from_value(spec).unwrap())
    }

    fn secret(kind: Option<&str>, label: Option<&str>, data: &[(&str, &str)]) -> Secret {
        let mut secret = Secret { type_: kind.map(str::to_owned), ..Secret::default() };
        secret.metadata.labels = label.map(|value| [(SECRET_LABEL.to_owned(), value.to_owned())].into());
        secret.data = Some(
            data.iter()
                .map(|(key, text)| ((*key).to_owned(), ByteString(text.as_bytes().to_vec())))
                .collect(),
        );
        secret
    }

    #[rstest]
    #[case::own_type(Some(SECRET_TYPE), None)]
    #[case::label(Some("Opaque"), Some("true"))]
    fn a_secret_that_is_meant_for_runs_is_used(#[case] kind: Option<&str>, #[case] label: Option<&str>) {
        let usable = judge("s", &secret(kind, label, &[("clouds.yaml", CLOUDS)]), &run());
        assert_eq!(usable.ok().unwrap().1.entries[&Role::Primary], "demo");
    }

    #[rstest]
    #[case::not_allowed(None, &["user/as_admin", "user/as_admin_perhaps", "user/as_reader"])]
    #[case::one_of_them(Some("reader"), &["user/as_admin", "user/as_admin_perhaps"])]
    #[case::both(Some("admin, reader"), &[])]
    fn users_scenarios_act_as_whom_the_secret_lets_them(
        #[case] allowed: Option<&str>,
        #[case] closed: &[&str],
    ) {
        let playing = |name: &str, role: Role, when: Option<&str>| {
            let spec = json!({ "title": "t", "steps": [
                { "name": "look", "as": role, "when": when,
                  "expect": { "service": "dns", "path": "/zones", "that": ["true"] } },
            ] });
            crate::scenario::check(name, &serde_json::from_value(spec).unwrap()).unwrap()
        };
        let scenario = |name: &str, role: Role| playing(name, role, None);
        let catalogue = Catalogue::of(vec![
            scenario("user/as_admin", Role::Admin),
            playing("user/as_admin_perhaps", Role::Admin, Some("facts.primary.projectId != ''")),
            scenario("user/as_reader", Role::Reader),
            scenario("user/as_alternate", Role::Alternate),
            scenario("built_in_as_admin", Role::Admin),
        ]);
        let mut secret = secret(None, Some("true"), &[("clouds.yaml", CLOUDS)]);
        secret.metadata.annotations = allowed.map(|roles| [(USER_ROLES.to_owned(), roles.to_owned())].into());
        let judged = with_rights(catalogue, "s", &secret);
        let closed_now: Vec<&str> = judged
            .iter()
            .filter(|scenario| scenario.gates.closed.as_ref().is_some_and(|why| why.contains(USER_ROLES)))
            .map(|scenario| scenario.name.as_str())
            .collect();
        assert_eq!(closed_now, closed);
    }

    #[rstest]
    #[case::wrong_type(secret(Some("Opaque"), None, &[("clouds.yaml", CLOUDS)]), "SecretNotAllowed", SECRET_LABEL)]
    #[case::label_says_no(secret(None, Some("false"), &[("clouds.yaml", CLOUDS)]), "SecretNotAllowed", SECRET_TYPE)]
    #[case::no_key(secret(Some(SECRET_TYPE), None, &[("cloud.yaml", CLOUDS)]), "SecretMalformed", "clouds.yaml")]
    #[case::broken(secret(Some(SECRET_TYPE), None, &[("clouds.yaml", "clouds: [hush-hush")]), "SecretMalformed", "line")]
    fn a_secret_that_cannot_be_used_says_why_and_nothing_more(
        #[case] secret: Secret,
        #[case] reason: &str,
        #[case] word: &str,
    ) {
        let Err(Credentials::Unusable { reason: told, message }) = judge("s", &secret, &run()) else {
            panic!("usable")
        };
        assert_eq!(told, reason);
        assert!(message.contains(word) && message.contains("'s'"), "{message}");
        assert!(!message.contains("hush-hush"), "{message}");
    }
}
