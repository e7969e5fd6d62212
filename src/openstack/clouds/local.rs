//! Clouds described on this machine, found as every `OpenStack` client finds them. The environment and the current
//! directory come in as arguments.

use std::path::{Path, PathBuf};

use super::entry::Entry;
use super::file::{CaSource, CloudsFile, certificates};
use super::{CloudConfig, ConfigError};

/// The name of a cloud that environment variables describe.
const ENVIRONMENT: &str = "envvars";

/// What was found on this machine.
#[derive(Debug, Clone)]
pub struct LocalClouds {
    /// The file that was read.
    pub path: PathBuf,
    /// Its entries.
    pub clouds: CloudsFile,
}

/// Finds and reads `clouds.yaml`: `OS_CLIENT_CONFIG_FILE`, then the current directory, `~/.config/openstack`
/// (`XDG_CONFIG_HOME` counts) and `/etc/openstack`; `secure.yaml` is read from beside it (or `OS_CLIENT_SECURE_FILE`).
///
/// # Errors
/// When a file exists and cannot be read. No file at all is `None`.
pub fn local_clouds(
    env: &dyn Fn(&str) -> Option<String>,
    directory: &Path,
) -> Result<Option<LocalClouds>, ConfigError> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let path = match set("OS_CLIENT_CONFIG_FILE") {
        Some(path) => PathBuf::from(path),
        None => match candidates(env, directory).into_iter().find(|p| p.is_file()) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let clouds = read(&path)?;
    let secure_path =
        set("OS_CLIENT_SECURE_FILE").map_or_else(|| path.with_file_name("secure.yaml"), PathBuf::from);
    let secure = if secure_path.is_file() { Some(read(&secure_path)?) } else { None };
    let clouds = CloudsFile::parse(&clouds, secure.as_deref())?;
    Ok(Some(LocalClouds { path, clouds }))
}

/// The cloud to use on this machine: the entry `name` (or `OS_CLOUD`); without either, what `OS_AUTH_URL` and its
/// companions describe, or the only entry of the file.
///
/// # Errors
/// [`ConfigError::NoCloud`] when nothing describes one.
pub fn local_cloud(
    name: Option<&str>,
    env: &dyn Fn(&str) -> Option<String>,
    directory: &Path,
) -> Result<CloudConfig, ConfigError> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let chosen = name.map(str::to_owned).or_else(|| set("OS_CLOUD"));
    let environment = set("OS_AUTH_URL").is_some();
    match chosen {
        Some(name) if name == ENVIRONMENT && environment => from_environment(env),
        None if environment => from_environment(env),
        chosen => {
            let found = local_clouds(env, directory)?.ok_or(ConfigError::NoCloud)?;
            let names = found.clouds.names();
            let name = match (&chosen, names.as_slice()) {
                (Some(name), _) => name.as_str(),
                (None, [only]) => only,
                (None, _) => return Err(ConfigError::NoCloud),
            };
            found.clouds.cloud(name, CaSource::Files)
        }
    }
}

fn candidates(env: &dyn Fn(&str) -> Option<String>, directory: &Path) -> Vec<PathBuf> {
    let user = env("XDG_CONFIG_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| env("HOME").map(|home| Path::new(&home).join(".config")));
    let mut all = vec![directory.join("clouds.yaml")];
    all.extend(user.map(|user| user.join("openstack/clouds.yaml")));
    all.push(PathBuf::from("/etc/openstack/clouds.yaml"));
    all
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| ConfigError::File { path: path.display().to_string(), reason: error.to_string() })
}

fn from_environment(env: &dyn Fn(&str) -> Option<String>) -> Result<CloudConfig, ConfigError> {
    const AUTH: [&str; 22] = [
        "auth_url",
        "username",
        "user_id",
        "password",
        "token",
        "project_id",
        "project_name",
        "tenant_id",
        "tenant_name",
        "user_domain_id",
        "user_domain_name",
        "project_domain_id",
        "project_domain_name",
        "domain_id",
        "domain_name",
        "default_domain",
        "default_domain_id",
        "default_domain_name",
        "system_scope",
        "application_credential_id",
        "application_credential_name",
        "application_credential_secret",
    ];
    let variable = |name: &str| env(&format!("OS_{}", name.to_ascii_uppercase()));
    let entry = Entry {
        auth: AUTH.iter().filter_map(|name| Some(((*name).to_owned(), Some(variable(name)?)))).collect(),
        auth_type: variable("auth_type"),
        region_name: variable("region_name"),
        interface: variable("interface"),
        endpoint_type: variable("endpoint_type"),
        verify: variable("verify"),
        insecure: variable("insecure"),
        cacert: variable("cacert"),
        identity_api_version: variable("identity_api_version"),
        identity_endpoint_override: variable("identity_endpoint_override"),
        compute_endpoint_override: variable("compute_endpoint_override"),
        network_endpoint_override: variable("network_endpoint_override"),
        dns_endpoint_override: variable("dns_endpoint_override"),
        image_endpoint_override: variable("image_endpoint_override"),
        orchestration_endpoint_override: variable("orchestration_endpoint_override"),
    };
    let ca_pem = certificates(ENVIRONMENT, entry.cacert.as_deref(), CaSource::Files)?;
    entry.resolve(ENVIRONMENT, ca_pem)
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
