//! One entry of `clouds.yaml`, as text, and its meaning.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{CloudConfig, ConfigError};
use crate::openstack::auth::{Credentials, DomainRef, ProjectRef, Scope, UserRef};
use crate::openstack::endpoint::versioned_root;
use crate::openstack::service::{Interface, Service};

/// Every scalar is kept as its text: a password of digits stays what it is.
#[derive(Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub auth: BTreeMap<String, Option<String>>,
    pub auth_type: Option<String>,
    pub region_name: Option<String>,
    pub interface: Option<String>,
    pub endpoint_type: Option<String>,
    pub verify: Option<String>,
    pub insecure: Option<String>,
    pub cacert: Option<String>,
    pub identity_api_version: Option<String>,
    pub identity_endpoint_override: Option<String>,
    pub compute_endpoint_override: Option<String>,
    pub network_endpoint_override: Option<String>,
    pub dns_endpoint_override: Option<String>,
    pub image_endpoint_override: Option<String>,
    pub orchestration_endpoint_override: Option<String>,
}

impl Entry {
    /// Lays `over` on top, key by key, as every client lays `secure.yaml` on `clouds.yaml`.
    pub fn merge(&mut self, over: Self) {
        self.auth.extend(over.auth);
        for (mine, over) in [
            (&mut self.auth_type, over.auth_type),
            (&mut self.region_name, over.region_name),
            (&mut self.interface, over.interface),
            (&mut self.endpoint_type, over.endpoint_type),
            (&mut self.verify, over.verify),
            (&mut self.insecure, over.insecure),
            (&mut self.cacert, over.cacert),
            (&mut self.identity_api_version, over.identity_api_version),
            (&mut self.identity_endpoint_override, over.identity_endpoint_override),
            (&mut self.compute_endpoint_override, over.compute_endpoint_override),
            (&mut self.network_endpoint_override, over.network_endpoint_override),
            (&mut self.dns_endpoint_override, over.dns_endpoint_override),
            (&mut self.image_endpoint_override, over.image_endpoint_override),
            (&mut self.orchestration_endpoint_override, over.orchestration_endpoint_override),
        ] {
            if over.is_some() {
                *mine = over;
            }
        }
    }

    /// The entry's meaning; `ca_pem` was found by whoever knows where certificates may come from.
    pub fn resolve(self, name: &str, ca_pem: Option<String>) -> Result<CloudConfig, ConfigError> {
        let fields = Fields { cloud: name, auth: &self.auth };
        if let Some(version) = &self.identity_api_version
            && !version.trim_start_matches('v').starts_with('3')
        {
            return Err(fields.invalid("identity_api_version", "only version 3 is supported"));
        }
        let auth_url = versioned_root(Service::Identity, fields.need("auth_url", "auth.auth_url")?, None)
            .map_err(|_| {
                fields.invalid("auth.auth_url", "it is not an http or https address without user information")
            })?;
        let credentials = credentials(&fields, self.auth_type.as_deref())?;
        let scope = scope(&fields)?;
        let interface = self.interface.as_deref().or(self.endpoint_type.as_deref()).map_or(
            Ok(Interface::Public),
            |text| {
                text.parse().map_err(|_| fields.invalid("interface", "it is not public, internal or admin"))
            },
        )?;
        let insecure = fields.flag("verify", self.verify.as_deref())? == Some(false)
            || fields.flag("insecure", self.insecure.as_deref())? == Some(true);
        let overrides = [
            (Service::Identity, self.identity_endpoint_override),
            (Service::Compute, self.compute_endpoint_override),
            (Service::Network, self.network_endpoint_override),
            (Service::Dns, self.dns_endpoint_override),
            (Service::Image, self.image_endpoint_override),
            (Service::Orchestration, self.orchestration_endpoint_override),
        ];
        Ok(CloudConfig {
            name: name.to_owned(),
            auth_url,
            credentials,
            scope,
            region: self.region_name.filter(|region| !region.is_empty()),
            interface,
            ca_pem,
            insecure,
            endpoint_overrides: overrides
                .into_iter()
                .filter_map(|(service, url)| Some((service, url.filter(|u| !u.is_empty())?)))
                .collect(),
        })
    }
}

fn credentials(fields: &Fields<'_>, auth_type: Option<&str>) -> Result<Credentials, ConfigError> {
    let given = fields.get("application_credential_id").is_some()
        || fields.get("application_credential_name").is_some();
    let kind = match auth_type {
        None if given => "v3applicationcredential",
        None if fields.get("token").is_some() => "token",
        None => "password",
        Some(kind) => kind,
    };
    match kind {
        "password" | "v3password" => Ok(Credentials::Password {
            user: user(fields)?,
            password: fields.need("password", "auth.password")?.into(),
        }),
        "v3applicationcredential" => {
            let secret =
                fields.need("application_credential_secret", "auth.application_credential_secret")?.into();
            if let Some(id) = fields.get("application_credential_id") {
                return Ok(Credentials::ApplicationCredential { id: id.to_owned(), secret });
            }
            let name = fields.need(
                "application_credential_name",
                "auth.application_credential_id or application_credential_name",
            )?;
            Ok(Credentials::NamedApplicationCredential { name: name.to_owned(), user: user(fields)?, secret })
        }
        "token" | "v3token" => Ok(Credentials::Token(fields.need("token", "auth.token")?.into())),
        _ => Err(fields.invalid(
            "auth_type",
            "it is not password, v3password, v3applicationcredential, token or v3token",
        )),
    }
}

fn user(fields: &Fields<'_>) -> Result<UserRef, ConfigError> {
    if let Some(id) = fields.get("user_id") {
        return Ok(UserRef::Id(id.to_owned()));
    }
    let name = fields.need("username", "auth.username or user_id")?;
    let domain = fields
        .domain("user_domain")
        .or_else(|| fields.domain("default_domain"))
        .or_else(|| fields.domain("domain"))
        .or_else(|| fields.domain("project_domain"))
        .ok_or_else(|| fields.missing("auth.user_domain_name or user_domain_id"))?;
    Ok(UserRef::Named { name: name.to_owned(), domain })
}

fn scope(fields: &Fields<'_>) -> Result<Scope, ConfigError> {
    if let Some(scope) = fields.get("system_scope") {
        return if scope == "all" {
            Ok(Scope::System)
        } else {
            Err(fields.invalid("auth.system_scope", "the only system scope is all"))
        };
    }
    let either = |a: &str, b: &str| fields.get(a).or_else(|| fields.get(b)).map(str::to_owned);
    if let Some(id) = either("project_id", "tenant_id") {
        return Ok(Scope::Project(ProjectRef::Id(id)));
    }
    if let Some(name) = either("project_name", "tenant_name") {
        let domain = fields
            .domain("project_domain")
            .or_else(|| fields.domain("default_domain"))
            .or_else(|| fields.domain("user_domain"))
            .ok_or_else(|| fields.missing("auth.project_domain_name or project_domain_id"))?;
        return Ok(Scope::Project(ProjectRef::Named { name, domain }));
    }
    Ok(fields.domain("domain").map_or(Scope::Unscoped, Scope::Domain))
}

/// The `auth` part, with the entry's name for errors.
struct Fields<'a> {
    cloud: &'a str,
    auth: &'a BTreeMap<String, Option<String>>,
}

impl<'a> Fields<'a> {
    fn get(&self, key: &str) -> Option<&'a str> {
        self.auth.get(key)?.as_deref().filter(|v| !v.is_empty())
    }

    fn need(&self, key: &str, field: &'static str) -> Result<&'a str, ConfigError> {
        self.get(key).ok_or_else(|| self.missing(field))
    }

    fn domain(&self, prefix: &str) -> Option<DomainRef> {
        // `default_domain` alone is an id.
        let bare = || (prefix == "default_domain").then(|| self.get(prefix)).flatten();
        self.get(&format!("{prefix}_id"))
            .or_else(bare)
            .map(|id| DomainRef::Id(id.to_owned()))
            .or_else(|| self.get(&format!("{prefix}_name")).map(|name| DomainRef::Name(name.to_owned())))
    }

    fn flag(&self, field: &'static str, value: Option<&str>) -> Result<Option<bool>, ConfigError> {
        match value.map(str::to_ascii_lowercase).as_deref() {
            None | Some("") => Ok(None),
            Some("true" | "yes" | "on" | "1") => Ok(Some(true)),
            Some("false" | "no" | "off" | "0") => Ok(Some(false)),
            Some(_) => Err(self.invalid(field, "it is neither true nor false")),
        }
    }

    fn missing(&self, field: &'static str) -> ConfigError {
        ConfigError::Missing { cloud: self.cloud.to_owned(), field }
    }

    fn invalid(&self, field: &'static str, reason: &str) -> ConfigError {
        ConfigError::Invalid { cloud: self.cloud.to_owned(), field, reason: reason.to_owned() }
    }
}
