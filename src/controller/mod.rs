//! The Kubernetes controller: observe, decide, act, supervise, publish. The only user of the Kubernetes client.
//!
//! `reconcile` looks at one run, [`decide`] gives the one next step, and what takes long is a task that
//! `supervise` owns, whose events `publish` writes into the status. Of several replicas the one that holds the `lease`
//! acts, and `fence` sees to that. Needed of the API server: `tempestruns` (get, list, watch, create, patch, delete) with
//! `tempestruns/status` (patch) and `tempestruns/finalizers` (update), `secrets` (get only), `configmaps` (get, create,
//! update, patch, delete) for ledgers and reports, `jobs` (get, create, delete) for runs in a pod of their own,
//! `events.events.k8s.io` (create, patch), `leases` (get, create, update).

mod admission;
mod attempts;
pub mod conditions;
pub mod credentials;
pub mod decide;
mod fence;
pub mod jobs;
pub mod lease;
pub mod ledger;
pub mod maps;
mod notes;
mod notify;
mod observe;
mod pace;
pub mod player;
mod publish;
pub mod queue;
mod reconcile;
pub mod reports;
mod scenarios;
mod schedules;
mod selection;
mod status_writer;
mod supervise;
mod tasks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::{FutureExt, StreamExt};
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::Controller;
use kube::runtime::controller::Action;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::Store;
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{PredicateConfig, WatchStreamExt, predicates, reflector};
use kube::{Api, Client, ResourceExt};
use tokio_util::sync::CancellationToken;

use crate::api::scenario::TempestScenario;
use crate::api::schedule::TempestSchedule;
use crate::api::tempest_run::{Phase, TempestRun};
use crate::openstack::{EndpointPolicy, SessionOptions};
use crate::runner::{Clock, Locks, Rhythm};
use crate::scenario::catalogue::{Catalogue, CatalogueError};
use crate::telemetry::{Counts, Health, Metrics, serve};
use admission::Admissions;
pub use fence::connect;
use fence::{fenced, patient};
use jobs::JobConfig;
use lease::{ApiLeases, Elector, LeaseOptions};
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
    /// Where clouds and name servers may be.
    pub endpoints: EndpointPolicy,
    /// On everything that it makes in clouds.
    pub installation: String,
    /// How many runs may play at once.
    pub limits: Limits,
    /// Which Lease decides who acts.
    pub lease: LeaseConfig,
    /// What the pods of runs have in common.
    pub jobs: JobConfig,
}

/// Which Lease decides who of several replicas acts.
#[derive(Clone, Debug)]
pub struct LeaseConfig {
    /// Its namespace; [`None`]: the one that the operator runs in.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Who this replica is, and how long the others wait for it.
    pub options: LeaseOptions,
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
    /// Another replica leads, or may.
    #[error("this replica does not lead any more; it ends so that it cannot act beside another one")]
    LeadershipLost,
}

/// Runs the operator until `shutdown`: waits until it leads, then plays. In the end its runs are handed over: what is
/// under way is undone within a grace period, and whoever leads next goes on with them.
pub async fn run(
    options: ControllerOptions,
    client: Client,
    shutdown: CancellationToken,
) -> Result<(), ControllerError> {
    run_with(options, client, shutdown, Arc::new(Runner)).await
}

/// The same with another player.
pub async fn run_with(
    options: ControllerOptions,
    client: Client,
    shutdown: CancellationToken,
    player: Arc<dyn Player>,
) -> Result<(), ControllerError> {
    let catalogue = Catalogue::built_in()?;
    let metrics = Metrics::default();
    let health = Health::default();
    let listener = tokio::net::TcpListener::bind(options.bind)
        .await
        .map_err(|source| ControllerError::Listen { address: options.bind, source })?;
    // It answers to the very end: who hands over is still alive.
    let serving = tokio::spawn(serve(listener, metrics.clone(), health.clone(), CancellationToken::new()));
    for api in apis::<TempestRun>(&options, &patient(client.clone())) {
        api.list(&kube::api::ListParams::default().limit(1)).await.map_err(ControllerError::NotInstalled)?;
    }
    health.set_ready(true);
    let held = tokio::select! {
        held = elector(&options, &client).acquire() => held,
        () = shutdown.cancelled() => return Ok(()),
    };
    let leadership = held.leadership().clone();
    metrics.set_leader(true);
    let client = fenced(client, leadership.clone());
    let supervisor = Supervisor::default();
    let context = Arc::new(Context {
        recorder: Recorder::new(
            client.clone(),
            Reporter { controller: FIELD_MANAGER.to_owned(), instance: None },
        ),
        client,
        player,
        supervisor: supervisor.clone(),
        admissions: Admissions::new(options.limits, metrics.clone()),
        locks: Locks::default(),
        catalogue,
        installation: options.installation.clone(),
        options: SessionOptions {
            policy: options.endpoints.clone(),
            gate: Some(Arc::new(leadership.clone())),
            observer: Some(Arc::new(metrics.clone())),
            ..SessionOptions::default()
        },
        rhythm: Rhythm::default(),
        clock: Clock::system(),
        jobs: options.jobs.clone(),
        metrics: metrics.clone(),
        stopping: shutdown.clone(),
    });
    tracing::info!(namespaces = ?options.namespaces, installation = %options.installation, "serving");
    tokio::select! {
        () = control(&options, &context, &shutdown) => {}
        () = leadership.lost().cancelled() => {
            supervisor.abandon_all();
            return Err(ControllerError::LeadershipLost);
        }
    }
    health.set_ready(false);
    tokio::select! {
        () = supervisor.hand_over() => {}
        () = tokio::time::sleep(GRACE) => {
            tracing::warn!("not everything was undone in time; the rest is in the ledgers");
        }
        () = leadership.lost().cancelled() => {}
    }
    supervisor.abandon_all();
    metrics.set_leader(false);
    held.release().await;
    serving.abort();
    Ok(())
}

/// The objects of one kind in all namespaces that are served.
fn apis<K>(options: &ControllerOptions, client: &Client) -> Vec<Api<K>>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    if options.namespaces.is_empty() {
        return vec![Api::all(client.clone())];
    }
    options.namespaces.iter().map(|namespace| Api::namespaced(client.clone(), namespace)).collect()
}

fn elector(options: &ControllerOptions, client: &Client) -> Elector {
    let LeaseConfig { namespace, name, options } = &options.lease;
    let namespace = namespace.as_deref().unwrap_or(client.default_namespace());
    let leases = Arc::new(ApiLeases::new(client.clone(), namespace, name));
    Elector::new(leases, options.clone(), Clock::system())
}

/// Reconciles until `shutdown`.
async fn control(options: &ControllerOptions, context: &Arc<Context>, shutdown: &CancellationToken) {
    let controllers: Vec<_> = apis::<TempestRun>(options, &context.client)
        .into_iter()
        .map(|api| Controller::new(api, watcher::Config::default()))
        .collect();
    let stores: Vec<_> = controllers.iter().map(Controller::store).collect();
    context.metrics.count_phases_by(move || phases(&stores));
    let controllers = controllers.into_iter().map(|controller| {
        let (store, stop, context) = (controller.store(), shutdown.clone(), Arc::clone(context));
        async move {
            let asked = stop.clone();
            let serving = controller
                .graceful_shutdown_on(async move { asked.cancelled().await })
                .reconcile_on(context.supervisor.ends())
                .run(reconcile, on_error, context)
                .for_each(|_| futures::future::ready(()));
            // Asked to end before its first list is there, kube's controller waits for that list for ever.
            let unlisted = async {
                stop.cancelled().await;
                if store.wait_until_ready().now_or_never().is_some() {
                    futures::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = serving => {}
                () = unlisted => {}
            }
        }
    });
    tokio::join!(
        join_all(controllers),
        judge_scenarios(options, context, shutdown),
        keep_schedules(options, context, shutdown),
    );
}

/// Makes runs when their time comes, until `shutdown`.
async fn keep_schedules(options: &ControllerOptions, context: &Context, shutdown: &CancellationToken) {
    let controllers: Vec<_> = apis::<TempestSchedule>(options, &context.client)
        .into_iter()
        .map(|api| Controller::new(api, watcher::Config::default()))
        .collect();
    let stores: Vec<_> = controllers.iter().map(Controller::store).collect();
    context.metrics.count_schedules_by(move || schedule_states(&stores));
    let context = Arc::new(schedules::Context {
        client: context.client.clone(),
        recorder: context.recorder.clone(),
        clock: context.clock.clone(),
    });
    let controllers = controllers.into_iter().map(|controller| {
        controller
            .run(schedules::keep, schedules::on_error, Arc::clone(&context))
            .for_each(|_| futures::future::ready(()))
    });
    tokio::select! {
        _ = join_all(controllers) => {}
        () = shutdown.cancelled() => {}
    }
}

/// Says of users' scenarios whether they are valid, until `shutdown`. Nothing of a run depends on it.
async fn judge_scenarios(options: &ControllerOptions, context: &Context, shutdown: &CancellationToken) {
    let context =
        Arc::new(scenarios::Context { client: context.client.clone(), clock: context.clock.clone() });
    let controllers =
        apis::<PartialObjectMeta<TempestScenario>>(options, &context.client).into_iter().map(|api| {
            let (store, writer) = reflector::store();
            // Their metadata only: an object that cannot be read would end the watch of all others. What the status says
            // changes with the spec.
            let changed = reflector(writer, watcher(api, watcher::Config::default()))
                .default_backoff()
                .applied_objects()
                .predicate_filter(predicates::generation, PredicateConfig::default());
            Controller::for_stream(changed, store)
                .run(scenarios::judge, scenarios::on_error, Arc::clone(&context))
                .for_each(|_| futures::future::ready(()))
        });
    tokio::select! {
        _ = join_all(controllers) => {}
        () = shutdown.cancelled() => {}
    }
}

/// How many of the runs that are known here are in which phase.
fn phases(stores: &[Store<TempestRun>]) -> Counts<1> {
    let runs: Vec<_> = stores.iter().flat_map(Store::state).collect();
    let phase = |run: &TempestRun| run.status.as_ref().and_then(|status| status.phase);
    let now: Vec<Phase> = runs.iter().map(|run| phase(run).unwrap_or(Phase::Pending)).collect();
    let in_phase = |phase: &Phase| now.iter().filter(|one| *one == phase).count();
    Phase::ALL.iter().map(|phase| ([format!("{phase:?}")], in_phase(phase))).collect()
}

/// How many of the schedules that are known here are how `Ready` and how `Healthy`.
fn schedule_states(stores: &[Store<TempestSchedule>]) -> Counts<2> {
    const STATUSES: [&str; 3] = ["True", "False", "Unknown"];
    let status = |schedule: &TempestSchedule, type_: &str| {
        let mut conditions = schedule.status.iter().flat_map(|status| &status.conditions);
        conditions.find(|one| one.type_ == type_).map_or("Unknown", |one| one.status.as_str()).to_owned()
    };
    let now: Vec<[String; 2]> = stores
        .iter()
        .flat_map(Store::state)
        .map(|schedule| ["Ready", "Healthy"].map(|type_| status(&schedule, type_)))
        .collect();
    let all =
        STATUSES.iter().flat_map(|ready| STATUSES.map(|healthy| [*ready, healthy].map(ToOwned::to_owned)));
    all.map(|state| (state.clone(), now.iter().filter(|one| **one == state).count())).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the controller's own signature")]
fn on_error(run: Arc<TempestRun>, error: &ReconcileError, context: Arc<Context>) -> Action {
    context.metrics.reconcile_failed();
    let (namespace, name) = (run.namespace(), run.name_any());
    tracing::warn!(error = error as &dyn std::error::Error, namespace, run = name, "reconciling failed");
    Action::requeue(Duration::from_secs(5))
}
