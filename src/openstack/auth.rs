//! Who somebody is and what they want to act on, and the request body that says so to Keystone (v3).

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// A domain, by id or by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainRef {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

impl DomainRef {
    fn body(&self) -> Value {
        match self {
            Self::Id(id) => json!({ "id": id }),
            Self::Name(name) => json!({ "name": name }),
        }
    }
}

/// A user, by id or by name within a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRef {
    /// By id.
    Id(String),
    /// By name.
    Named {
        /// The user's name.
        name: String,
        /// The domain that the user belongs to.
        domain: DomainRef,
    },
}

impl UserRef {
    fn body(&self) -> Value {
        match self {
            Self::Id(id) => json!({ "id": id }),
            Self::Named { name, domain } => json!({ "name": name, "domain": domain.body() }),
        }
    }
}

impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(text) | Self::Named { name: text, .. } => f.write_str(text),
        }
    }
}

/// A project, by id or by name within a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectRef {
    /// By id.
    Id(String),
    /// By name.
    Named {
        /// The project's name.
        name: String,
        /// The domain that the project belongs to.
        domain: DomainRef,
    },
}

/// What proves who somebody is.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A user's password.
    Password {
        /// The user.
        user: UserRef,
        /// The password.
        password: SecretString,
    },
    /// An application credential by id. Its project is the scope; Heat cannot create trusts with it.
    ApplicationCredential {
        /// The credential's id.
        id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// An application credential by name, of a user.
    NamedApplicationCredential {
        /// The credential's name.
        name: String,
        /// The user that it belongs to.
        user: UserRef,
        /// Its secret.
        secret: SecretString,
    },
    /// A token that somebody else got.
    Token(SecretString),
}

impl Credentials {
    /// The secret, to be struck out of texts that come back.
    pub(super) fn secret(&self) -> &SecretString {
        match self {
            Self::Password { password, .. } => password,
            Self::ApplicationCredential { secret, .. } | Self::NamedApplicationCredential { secret, .. } => {
                secret
            }
            Self::Token(token) => token,
        }
    }

    pub(super) fn is_application_credential(&self) -> bool {
        matches!(self, Self::ApplicationCredential { .. } | Self::NamedApplicationCredential { .. })
    }
}

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// A project: the usual case, and the only one that the other services take.
    Project(ProjectRef),
    /// A domain.
    Domain(DomainRef),
    /// The whole system.
    System,
    /// Whatever the credentials bring along (application credentials), or nothing.
    Unscoped,
}

/// The body of `POST /v3/auth/tokens`. It holds the secret: it is sent and dropped, never kept or shown.
pub(super) fn token_request(credentials: &Credentials, scope: &Scope) -> Value {
    let identity = match credentials {
        Credentials::Password { user, password } => {
            let mut user = user.body();
            user["password"] = json!(password.expose_secret());
            json!({ "methods": ["password"], "password": { "user": user } })
        }
        Credentials::ApplicationCredential { id, secret } => json!({
            "methods": ["application_credential"],
            "application_credential": { "id": id, "secret": secret.expose_secret() },
        }),
        Credentials::NamedApplicationCredential { name, user, secret } => json!({
            "methods": ["application_credential"],
            "application_credential": {
                "name": name, "user": user.body(), "secret": secret.expose_secret(),
            },
        }),
        Credentials::Token(token) => json!({
            "methods": ["token"], "token": { "id": token.expose_secret() },
        }),
    };
    let mut auth = json!({ "identity": identity });
    // Keystone refuses a scope beside an application credential.
    if !credentials.is_application_credential() {
        match scope {
            Scope::Project(ProjectRef::Id(id)) => {
                auth["scope"] = json!({ "project": { "id": id } });
            }
            Scope::Project(ProjectRef::Named { name, domain }) => {
                auth["scope"] = json!({ "project": { "name": name, "domain": domain.body() } });
            }
            Scope::Domain(domain) => auth["scope"] = json!({ "domain": domain.body() }),
            Scope::System => auth["scope"] = json!({ "system": { "all": true } }),
            Scope::Unscoped => {}
        }
    }
    json!({ "auth": auth })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> UserRef {
        UserRef::Named { name: "demo".into(), domain: DomainRef::Name("Default".into()) }
    }

    fn project() -> Scope {
        Scope::Project(ProjectRef::Named { name: "demo".into(), domain: DomainRef::Id("default".into()) })
    }

    #[test]
    fn a_password_by_name_with_a_project_by_name() {
        let body =
            token_request(&Credentials::Password { user: named(), password: "pa55".into() }, &project());
        assert_eq!(
            body,
            json!({ "auth": {
                "identity": { "methods": ["password"], "password": { "user": {
                    "name": "demo", "domain": { "name": "Default" }, "password": "pa55",
                } } },
                "scope": { "project": { "name": "demo", "domain": { "id": "default" } } },
            } })
        );
    }

    #[test]
    fn ids_and_the_other_scopes() {
        let by_id = Credentials::Password { user: UserRef::Id("u1".into()), password: "pa55".into() };
        let cases = [
            (Scope::Project(ProjectRef::Id("p1".into())), json!({ "project": { "id": "p1" } })),
            (Scope::Domain(DomainRef::Name("d".into())), json!({ "domain": { "name": "d" } })),
            (Scope::System, json!({ "system": { "all": true } })),
            (Scope::Unscoped, Value::Null),
        ];
        for (scope, wanted) in cases {
            let body = token_request(&by_id, &scope);
            assert_eq!(body["auth"]["scope"], wanted);
            assert_eq!(
                body["auth"]["identity"]["password"]["user"],
                json!({ "id": "u1", "password": "pa55" })
            );
        }
    }

    #[test]
    fn application_credentials_never_carry_a_scope() {
        let by_id = Credentials::ApplicationCredential { id: "ac".into(), secret: "s3".into() };
        assert_eq!(
            token_request(&by_id, &project()),
            json!({ "auth": { "identity": {
                "methods": ["application_credential"],
                "application_credential": { "id": "ac", "secret": "s3" },
            } } })
        );
        let by_name =
            Credentials::NamedApplicationCredential { name: "ci".into(), user: named(), secret: "s3".into() };
        assert_eq!(
            token_request(&by_name, &project())["auth"],
            json!({ "identity": {
                "methods": ["application_credential"],
                "application_credential": {
                    "name": "ci", "secret": "s3",
                    "user": { "name": "demo", "domain": { "name": "Default" } },
                },
            } })
        );
    }

    #[test]
    fn a_token_is_rescoped() {
        let body = token_request(&Credentials::Token("t0".into()), &project());
        assert_eq!(body["auth"]["identity"], json!({ "methods": ["token"], "token": { "id": "t0" } }));
        assert!(body["auth"]["scope"]["project"].is_object());
    }

    #[test]
    fn debug_hides_secrets() {
        for credentials in [
            Credentials::Password { user: named(), password: "fake-secret".into() },
            Credentials::ApplicationCredential { id: "ac".into(), secret: "fake-secret".into() },
            Credentials::NamedApplicationCredential {
                name: "ci".into(),
                user: named(),
                secret: "fake-secret".into(),
            },
            Credentials::Token("fake-secret".into()),
        ] {
            assert!(!format!("{credentials:?}").contains("fake-secret"));
        }
    }
}
