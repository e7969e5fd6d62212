//! The Kubernetes controller: observe, decide, act, supervise, publish. The only user of the Kubernetes client.
//!
//! `reconcile` looks at one run, [`decide`] gives the one next step, and what takes long is a task that
//! `supervise` owns, whose events `publish` writes into the status. Needed of the API server: `tempestruns`
//! (get, list, watch, patch, delete) with `tempestruns/status` (patch) and `tempestruns/finalizers` (update), `secrets` (get
//! only), `configmaps` (get, create, patch, delete) for ledgers, `events.events.k8s.io` (create, patch).

mod admission;
mod attempts;
pub mod conditions;
pub mod credentials;
pub mod decide;
pub mod ledger;
mod notify;
mod pace;
pub mod player;
mod publish;
pub mod queue;
mod reconcile;
pub mod reports;
mod status_writer;
mod supervise;
mod tasks;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use kube::runtime::Controller;
use kube::runtime::controller::Action;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::watcher;
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use crate::api::tempest_run::TempestRun;
use crate::openstack::{Cidr, EndpointPolicy, SessionOptions};
use crate::runner::{Clock, Rhythm};
use crate::scenario::catalogue::{Catalogue, CatalogueError};
use crate::telemetry::{Health, Metrics, serve};
use admission::Admissions;
use player::{Player, Runner};
use queue::Limits;
use reconcile::{Context, ReconcileError, reconcile};
use supervise::Supervisor;

/// Owns the fields that the operator writes.
pub const FIELD_MANAGER: &str = "tempest-operator";
/// How long the tasks may take to undo when the process is told to stop; what is left is in the ledger.
const GRACE: Duration = Duration::from_secs(25);

/// How the operator runs.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// Namespaces to serve; none: all.
    pub namespaces: Vec<String>,
    /// Where health and metrics are served.
    pub bind: SocketAddr,
    /// Clouds and name servers on loopback may be spoken to.
    pub allow_loopback_endpoints: bool,
    /// On everything that it makes in clouds.
    pub installation: String,
    /// How many runs may play at once.
    pub limits: Limits,
}

/// Why the operator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The built-in suite is broken.
    #[error("the built-in suite cannot be loaded")]
    Catalogue(#[from] CatalogueError),
    /// Health and metrics cannot be served.
    #[error("cannot listen on {address} for health and metrics")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The custom resource is not installed, or may not be read.
    #[error(
        "tempestruns.crossservice.dev cannot be listed; apply the output of 'tempest-operator crds', and the roles"
    )]
    NotInstalled(#[source] kube::Error),
}

/// Runs the operator until `shutdown`; then every run is cancelled and undone, within a grace period.
pub async fn run(
    options: ControllerOptions,
    client: Client,
    api_server: Option<IpAddr>,
    shutdown: CancellationToken,
) -> Result<(), ControllerError> {
    run_with(options, client, api_server, shutdown, Arc::new(Runner)).await
}

/// The same with another player.
pub async fn run_with(
    options: ControllerOptions,
    client: Client,
    api_server: Option<IpAddr>,
    shutdown: CancellationToken,
    player: Arc<dyn Player>,
) -> Result<(), ControllerError> {
    let catalogue = Catalogue::built_in()?;
    let metrics = Metrics::default();
    let health = Health::default();
    let listener = tokio::net::TcpListener::bind(options.bind)
        .await
        .map_err(|source| ControllerError::Listen { address: options.bind, source })?;
    let serving = tokio::spawn(serve(listener, metrics.clone(), health.clone(), shutdown.clone()));
    let apis: Vec<Api<TempestRun>> = if options.namespaces.is_empty() {
        vec![Api::all(client.clone())]
    } else {
        options.namespaces.iter().map(|namespace| Api::namespaced(client.clone(), namespace)).collect()
    };
    for api in &apis {
        api.list(&kube::api::ListParams::default().limit(1)).await.map_err(ControllerError::NotInstalled)?;
    }
    let supervisor = Supervisor::default();
    let context = Arc::new(Context {
        recorder: Recorder::new(
            client.clone(),
            Reporter { controller: FIELD_MANAGER.to_owned(), instance: None },
        ),
        client,
        player,
        supervisor: supervisor.clone(),
        admissions: Admissions::new(options.limits),
        catalogue,
        installation: options.installation.clone(),
        options: SessionOptions {
            policy: policy(&options, api_server),
            observer: Some(Arc::new(metrics.clone())),
            ..SessionOptions::default()
        },
        rhythm: Rhythm::default(),
        clock: Clock::system(),
        metrics,
        stopping: shutdown.clone(),
    });
    health.set_ready(true);
    tracing::info!(namespaces = ?options.namespaces, installation = %options.installation, "serving");
    let controllers = apis.into_iter().map(|api| {
        let stop = shutdown.clone();
        Controller::new(api, watcher::Config::default())
            .graceful_shutdown_on(async move { stop.cancelled().await })
            .run(reconcile, on_error, Arc::clone(&context))
            .for_each(|_| futures::future::ready(()))
    });
    join_all(controllers).await;
    health.set_ready(false);
    if tokio::time::timeout(GRACE, supervisor.hand_over()).await.is_err() {
        tracing::warn!("not everything was undone in time; the rest is in the ledgers");
    }
    let _ = serving.await;
    Ok(())
}

/// Whom clouds of runs may be: never link-local, never the cluster's own API, loopback only when allowed.
fn policy(options: &ControllerOptions, api_server: Option<IpAddr>) -> EndpointPolicy {
    let mut policy =
        EndpointPolicy { allow_loopback: options.allow_loopback_endpoints, ..EndpointPolicy::default() };
    // On loopback the API server is one of several things behind one address; allowing loopback allows that.
    if let Some(address) = api_server.filter(|address| !address.is_loopback()) {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        policy.denied.extend(format!("{address}/{bits}").parse::<Cidr>().ok());
    }
    policy
}

#[expect(clippy::needless_pass_by_value, reason = "the controller's own signature")]
fn on_error(run: Arc<TempestRun>, error: &ReconcileError, context: Arc<Context>) -> Action {
    context.metrics.reconcile_failed();
    tracing::warn!(error = error as &dyn std::error::Error, run = ?run.metadata.name, "reconciling failed");
    Action::requeue(Duration::from_secs(5))
}
