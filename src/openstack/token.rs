//! A token as Keystone gave it.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::catalog::{Catalog, CatalogService};

/// How long before its end a token is replaced.
const MARGIN: Duration = Duration::from_mins(1);

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Named {
    /// The id.
    #[serde(default)]
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
}

/// A token, what it allows and how long.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub secret: SecretString,
    pub expires_at: Timestamp,
    /// When to get the next one, by this machine's monotonic clock: a wrong wall clock on either side does no harm.
    pub replace_at: Instant,
    pub user: Named,
    pub project: Option<Named>,
    pub roles: Vec<String>,
    pub application_credential: bool,
    /// Its id; older Keystones do not tell.
    pub application_credential_id: Option<String>,
    /// When the user's password ends, if it does.
    pub password_expires_at: Option<Timestamp>,
    pub catalog: Catalog,
}

#[derive(Deserialize)]
struct Wire {
    token: WireToken,
}

#[derive(Deserialize)]
struct WireToken {
    expires_at: Timestamp,
    issued_at: Option<Timestamp>,
    user: WireUser,
    project: Option<Named>,
    #[serde(default)]
    roles: Vec<Named>,
    #[serde(default)]
    methods: Vec<String>,
    application_credential: Option<Named>,
    #[serde(default)]
    catalog: Vec<CatalogService>,
}

#[derive(Deserialize)]
struct WireUser {
    #[serde(flatten)]
    named: Named,
    #[serde(default)]
    password_expires_at: Moment,
}

/// A moment that Keystone may write without an offset; it means UTC.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub(super) struct Moment(pub Option<Timestamp>);

impl From<Option<String>> for Moment {
    fn from(text: Option<String>) -> Self {
        // What cannot be read is not known: nothing but a warning depends on it.
        Self(text.and_then(|text| text.parse().or_else(|_| format!("{text}Z").parse()).ok()))
    }
}

impl Token {
    /// Reads the answer to `POST /v3/auth/tokens`.
    ///
    /// `now` is only used where the answer does not say when the token was issued; `received` is when it arrived.
    pub fn parse(
        secret: SecretString,
        body: Value,
        now: Timestamp,
        received: Instant,
    ) -> Result<Self, serde_json::Error> {
        let Wire { token } = serde_json::from_value(body)?;
        let issued = token.issued_at.unwrap_or(now);
        let lifetime = Duration::try_from(token.expires_at.duration_since(issued)).unwrap_or(Duration::ZERO);
        // A token that lives less than two minutes is replaced at half its life.
        let usable = lifetime.saturating_sub(MARGIN.min(lifetime / 2));
        Ok(Self {
            secret,
            expires_at: token.expires_at,
            replace_at: received + usable,
            user: token.user.named,
            project: token.project,
            roles: token.roles.into_iter().map(|role| role.name).collect(),
            application_credential: token.application_credential.is_some()
                || token.methods.iter().any(|m| m == "application_credential"),
            application_credential_id: token.application_credential.map(|credential| credential.id),
            password_expires_at: token.user.password_expires_at.0,
            catalog: Catalog::new(token.catalog),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("2026-11-23T01:00:00.000000Z", 3540)]
    #[case("2026-11-23T00:02:00Z", 60)]
    #[case("2026-11-23T00:01:00Z", 30)]
    #[case("2026-11-22T00:00:00Z", 0)]
    fn is_replaced_a_minute_before_its_end(#[case] expires: &str, #[case] seconds: u64) {
        let body = json!({ "token": {
            "expires_at": expires, "issued_at": "2026-11-23T00:00:00.000000Z",
            "user": { "id": "u", "name": "demo", "domain": { "id": "default" } },
            "project": { "id": "p", "name": "demo" },
            "roles": [ { "id": "r", "name": "member" } ],
            "methods": ["password"],
        } });
        let received = Instant::now();
        let token = Token::parse("gAAA-fake-token".into(), body, Timestamp::UNIX_EPOCH, received).unwrap();
        assert_eq!(
            token.replace_at - received,
            Duration::from_secs(seconds),
            "the wall clock here plays no part"
        );
        assert_eq!(token.roles, ["member"]);
        assert!(!token.application_credential);
        assert!(!format!("{token:?}").contains("gAAA-fake-token"));
    }

    #[test]
    fn an_application_credential_is_recognised() {
        let body = json!({ "token": {
            "expires_at": "2026-11-23T01:00:00Z", "user": { "id": "u" },
            "methods": ["application_credential"],
        } });
        let token = Token::parse("t".into(), body, Timestamp::UNIX_EPOCH, Instant::now()).unwrap();
        assert!(token.application_credential);
        assert_eq!((token.project, token.application_credential_id), (None, None));
    }

    #[rstest]
    #[case::not_at_all(json!(null), None)]
    #[case::without_an_offset(json!("2026-12-01T13:47:18.000000"), Some("2026-12-01T13:47:18Z"))]
    #[case::with_one(json!("2026-12-01T13:47:18.000000Z"), Some("2026-12-01T13:47:18Z"))]
    #[case::in_no_known_form(json!("soon"), None)]
    fn a_password_may_end(#[case] told: Value, #[case] ends: Option<&str>) {
        let body = json!({ "token": {
            "expires_at": "2026-11-23T01:00:00Z", "user": { "id": "u", "password_expires_at": told },
        } });
        let token = Token::parse("t".into(), body, Timestamp::UNIX_EPOCH, Instant::now()).unwrap();
        assert_eq!(token.password_expires_at, ends.map(|ends| ends.parse().unwrap()));
        assert_eq!(token.user.id, "u");
    }
}
