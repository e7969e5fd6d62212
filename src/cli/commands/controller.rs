//! `controller`: the operator.

use std::net::IpAddr;

use kube::config::{Config, InferConfigError};
use tempest_operator::controller::lease::LeaseOptions;
use tempest_operator::controller::queue::Limits;
use tempest_operator::controller::{self, ControllerOptions, LeaseConfig};

use crate::cli::args::ControllerArgs;
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::{signals, state};

/// Runs the command until it is told to end.
pub async fn run(args: ControllerArgs) -> Result<Exit, Problem> {
    state::check_id(&args.installation)?;
    let signals = signals::listen()?;
    let config = Config::infer().await.map_err(|error: InferConfigError| {
        Problem::input("there is no Kubernetes to serve")
            .because(error)
            .next("run in a cluster, or set KUBECONFIG")
    })?;
    let api_server = api_server(&config).await;
    let client = kube::Client::try_from(config)
        .map_err(|error| Problem::input("the Kubernetes configuration cannot be used").because(error))?;
    let options = ControllerOptions {
        lease: lease(&args),
        namespaces: args.namespace,
        bind: args.bind,
        api_server,
        allow_loopback_endpoints: args.allow_loopback_endpoints,
        installation: args.installation,
        limits: Limits {
            runs: args.max_concurrent_runs.into(),
            runs_of_a_cloud: args.max_concurrent_runs_per_cloud.into(),
        },
    };
    // The first signal asks for an orderly end; whoever sends a second does not want to wait for it.
    tokio::select! {
        end = controller::run(options, client, signals.cancel.clone()) => {
            end.map(|()| Exit::Passed).map_err(|error| Problem::unable("the operator cannot run").because(error))
        }
        () = signals.abandon.cancelled() => Ok(Exit::Cancelled),
    }
}

/// The addresses of the API server: in a cluster a Service's address, and whatever the name in the configuration is.
async fn api_server(config: &Config) -> Vec<IpAddr> {
    let service = std::env::var("KUBERNETES_SERVICE_HOST").ok().and_then(|address| address.parse().ok());
    let host = config.cluster_url.host().unwrap_or_default().trim_matches(['[', ']']);
    let resolved = tokio::net::lookup_host((host, 0)).await;
    let resolved: Vec<IpAddr> = match resolved {
        Ok(all) => all.map(|address| address.ip()).collect(),
        Err(error) => {
            tracing::warn!(%error, host, "the API server's addresses are not known, so clouds may claim to be there");
            Vec::new()
        }
    };
    service.into_iter().chain(resolved).collect()
}

fn lease(args: &ControllerArgs) -> LeaseConfig {
    // The kubelet makes the pod's name the host's; the rest tells a container from its restarted self.
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "tempest-operator".to_owned());
    LeaseConfig {
        namespace: args.lease_namespace.clone(),
        name: args.lease_name.clone(),
        options: LeaseOptions {
            identity: format!("{host}_{}", uuid::Uuid::new_v4()),
            duration: args.lease_duration,
        },
    }
}
