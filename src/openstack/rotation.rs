//! Credentials that are replaced while a session lives: whoever rotates them does not wait for a run's end.

use std::fmt::Debug;

use async_trait::async_trait;

use super::auth::token_request;
use super::clouds::CloudConfig;
use super::error::Error;
use super::login::authenticate;
use super::session::Session;
use super::token::Token;

/// Where an entry's credentials can be read again.
#[async_trait]
pub trait CredentialSource: Debug + Send + Sync {
    /// The entry as it is now; [`None`] when it cannot be had.
    async fn current(&self, entry: &str) -> Option<CloudConfig>;
}

impl Session {
    /// A token for the credentials in use; if those are refused, for the ones that have replaced them, which are in
    /// use from then on. They must be for the same project of the same cloud: what is under way stays where it is.
    pub(super) async fn authenticate_again(&self, in_use: &mut CloudConfig) -> Result<Token, Error> {
        let http = &self.inner.http;
        let refused = match authenticate(http, in_use).await {
            Err(refused @ Error::Auth { .. }) => refused,
            other => return other,
        };
        let Some(replacing) = self.replacing(in_use).await else { return Err(refused) };
        self.inner.keep_secret(&replacing);
        let elsewhere = |what: &str| Error::Auth {
            message: format!(
                "the credentials were replaced by ones for another {what} in the middle of a run"
            ),
            request_id: None,
        };
        if replacing.auth_url != in_use.auth_url {
            return Err(elsewhere("cloud"));
        }
        let token = authenticate(http, &replacing).await?;
        if token.project.as_ref().map(|project| project.id.as_str()) != self.project_id() {
            return Err(elsewhere("project"));
        }
        tracing::info!(cloud = in_use.name, "goes on with the credentials that replaced the refused ones");
        *in_use = replacing;
        Ok(token)
    }

    /// What has replaced the credentials in use, if anything has.
    async fn replacing(&self, in_use: &CloudConfig) -> Option<CloudConfig> {
        let now = self.inner.http.options().credentials.as_ref()?.current(&in_use.name).await?;
        let sent = |cloud: &CloudConfig| token_request(&cloud.credentials, &cloud.scope);
        (sent(&now) != sent(in_use) || now.auth_url != in_use.auth_url).then_some(now)
    }
}
