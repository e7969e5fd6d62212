//! Where clouds are described: in a Secret's text, or on this machine.

use std::path::Path;

use tempest_operator::api::tempest_run::CloudSpec;
use tempest_operator::openstack::{
    CaSource, Cidr, CloudConfig, CloudsFile, ConfigError, EndpointPolicy, SessionOptions, local_cloud,
};

use super::args::CloudArgs;
use super::manifest::SecretData;
use super::problem::Problem;

/// Where clouds are described.
pub enum Credentials {
    /// In the text of a Secret: nothing outside it is read.
    Text {
        /// Its clouds.yaml and secure.yaml.
        clouds: CloudsFile,
        /// Its certificate authorities.
        cacert: Option<String>,
    },
    /// On this machine, as for every `OpenStack` client.
    Local,
}

impl Credentials {
    /// Those that a run's Secret or the arguments name.
    pub fn of(spec: &CloudSpec, secret: Option<&SecretData>, args: &CloudArgs) -> Result<Self, Problem> {
        let Some(wanted) = spec.secret_ref.as_ref().filter(|_| args.os_cloud.is_none()) else {
            return Ok(Self::Local);
        };
        let file = args.file.as_deref().unwrap_or(Path::new("the file")).display();
        let Some(secret) = secret else {
            return Err(Problem::input(format!(
                "{file} names the Secret '{}', which is not in it",
                wanted.name
            ))
            .next(
                "add the Secret to the file as a further document, or name a local cloud with --os-cloud",
            ));
        };
        let Some(clouds) = secret.get("clouds.yaml") else {
            return Err(Problem::input(format!(
                "the Secret '{}' in {file} has no 'clouds.yaml'",
                wanted.name
            ))
            .next("put the clouds.yaml into its stringData under that key"));
        };
        let clouds = CloudsFile::parse(clouds, secret.get("secure.yaml")).map_err(|error| {
            let next = next(&error);
            Problem::input(format!("the Secret '{}' in {file} cannot be used", wanted.name))
                .because(error)
                .next(next)
        })?;
        Ok(Self::Text { clouds, cacert: secret.get("cacert").map(ToOwned::to_owned) })
    }

    /// Those of a description at hand.
    pub fn of_text(clouds_yaml: &str) -> Result<Self, Problem> {
        CloudsFile::parse(clouds_yaml, None)
            .map(|clouds| Self::Text { clouds, cacert: None })
            .map_err(problem)
    }

    /// The entries there are. Of this machine's, the one that would be used is chosen.
    pub fn names(&self, spec: &mut CloudSpec) -> Result<Vec<String>, Problem> {
        match self {
            Self::Text { clouds, .. } => Ok(clouds.names().into_iter().map(ToOwned::to_owned).collect()),
            Self::Local => {
                let primary = local(spec.primary.as_deref())?.name;
                spec.primary = Some(primary.clone());
                let others = [&spec.alternate, &spec.admin, &spec.reader];
                Ok(others.into_iter().flatten().cloned().chain([primary]).collect())
            }
        }
    }

    /// The cloud that an entry describes.
    pub fn cloud(&self, entry: &str) -> Result<CloudConfig, Problem> {
        match self {
            Self::Text { clouds, cacert } => {
                clouds.cloud(entry, CaSource::Inline(cacert.as_deref())).map_err(problem)
            }
            Self::Local => local(Some(entry)),
        }
    }
}

fn local(name: Option<&str>) -> Result<CloudConfig, Problem> {
    let directory = std::env::current_dir()
        .map_err(|error| Problem::unable("the current directory is gone").because(error))?;
    local_cloud(name, &|variable| std::env::var(variable).ok(), &directory).map_err(problem)
}

fn problem(error: ConfigError) -> Problem {
    let next = next(&error);
    Problem::input("the cloud's description cannot be used").because(error).next(next)
}

fn next(error: &ConfigError) -> &'static str {
    match error {
        ConfigError::Malformed { .. } => "correct the file at that place",
        ConfigError::UnknownCloud { .. } => {
            "give one that exists, or set OS_CLIENT_CONFIG_FILE to the clouds.yaml that has it"
        }
        ConfigError::NoCloud => "name an entry of your clouds.yaml with --os-cloud",
        ConfigError::CaPath { .. } | ConfigError::BadCa => {
            "put the certificates in PEM form under 'cacert', in the Secret beside clouds.yaml"
        }
        ConfigError::File { .. } => "see that the file is there and that you may read it",
        _ => "correct the entry; 'openstack --os-cloud NAME token issue' tells whether it works",
    }
}

/// How sessions of the command line behave: a person may speak to this machine, which an operator may not.
pub fn options(deny: &[Cidr]) -> SessionOptions {
    let policy = EndpointPolicy { denied: deny.to_vec(), ..EndpointPolicy::allowing_loopback() };
    SessionOptions { policy, ..SessionOptions::default() }
}
