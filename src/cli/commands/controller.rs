//! `controller`: the operator.

use std::net::IpAddr;
use std::time::Duration;

use clap::ValueEnum;
use kube::config::{Config, InferConfigError};
use tempest_operator::controller::jobs::JobConfig;
use tempest_operator::controller::lease::LeaseOptions;
use tempest_operator::controller::queue::Limits;
use tempest_operator::controller::{self, ControllerOptions, LeaseConfig};
use tempest_operator::openstack::{Cidr, EndpointPolicy};

use crate::cli::args::ControllerArgs;
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::{signals, state};

/// Runs the command until it is told to end.
pub async fn run(args: ControllerArgs, log: Option<&str>) -> Result<Exit, Problem> {
    state::check_id(&args.installation)?;
    let signals = signals::listen()?;
    let (client, api_server) = cluster().await?;
    let options = ControllerOptions {
        jobs: jobs(&args, log),
        lease: LeaseConfig {
            namespace: args.lease_namespace,
            name: args.lease_name,
            options: lease(args.lease_duration),
        },
        namespaces: args.namespace,
        bind: args.bind,
        endpoints: endpoints(args.allow_loopback_endpoints, &args.deny, &api_server),
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

/// The cluster that this process serves or belongs to, and where its API server is.
pub async fn cluster() -> Result<(kube::Client, Vec<IpAddr>), Problem> {
    let config = Config::infer().await.map_err(|error: InferConfigError| {
        Problem::input("there is no Kubernetes to serve")
            .because(error)
            .next("run in a cluster, or set KUBECONFIG")
    })?;
    let api_server = api_server(&config).await;
    let client = controller::connect(config)
        .map_err(|error| Problem::input("the Kubernetes configuration cannot be used").because(error))?;
    Ok((client, api_server))
}

/// Where clouds of runs may be: loopback only when allowed, never the cluster's own API.
pub fn endpoints(allow_loopback: bool, deny: &[Cidr], api_server: &[IpAddr]) -> EndpointPolicy {
    // On loopback the API server is one of several things behind one address; allowing loopback allows that.
    let api_server =
        api_server.iter().filter(|address| !address.is_loopback()).map(|address| (*address).into());
    EndpointPolicy { allow_loopback, denied: deny.iter().copied().chain(api_server).collect() }
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

/// Who this process is, and how long others wait for it.
pub fn lease(duration: Duration) -> LeaseOptions {
    // The kubelet makes the pod's name the host's; the rest tells a container from its restarted self.
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "tempest-operator".to_owned());
    LeaseOptions { identity: format!("{host}_{}", uuid::Uuid::new_v4()), duration }
}

/// What pods of runs are told besides their run: what this process was told itself.
fn jobs(args: &ControllerArgs, log: Option<&str>) -> JobConfig {
    let format = args.log_format.to_possible_value();
    let mut arguments = vec![
        format!("--installation={}", args.installation),
        format!("--lease-duration={}s", args.lease_duration.as_secs()),
    ];
    arguments.extend(format.map(|format| format!("--log-format={}", format.get_name())));
    arguments.extend(log.map(|filter| format!("--log={filter}")));
    arguments.extend(args.deny.iter().map(|range| format!("--deny={range}")));
    if args.allow_loopback_endpoints {
        arguments.push("--allow-loopback-endpoints".to_owned());
    }
    JobConfig {
        image: args.job_image.clone().filter(|image| !image.is_empty()),
        pull_policy: args.job_image_pull_policy.clone(),
        service_account: args.job_service_account.clone(),
        pull_secrets: args.job_image_pull_secret.clone(),
        arguments,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Cli, Command};

    #[test]
    fn no_cloud_may_be_where_the_api_server_is_or_where_it_is_denied() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let policy = endpoints(
            true,
            &["10.96.0.0/12".parse().unwrap()],
            &[address("192.0.2.1"), address("127.0.0.1")],
        );
        for (there, may) in
            [("192.0.2.1", false), ("10.100.0.1", false), ("192.0.2.2", true), ("127.0.0.1", true)]
        {
            assert_eq!(policy.check(address(there)).is_ok(), may, "{there}");
        }
    }

    #[test]
    fn pods_are_told_what_they_understand() {
        let given = [
            "tempest-operator",
            "--log",
            "debug",
            "controller",
            "--job-image",
            "i",
            "--job-image-pull-policy",
            "Always",
            "--installation",
            "mine",
        ];
        let all = given.iter().chain(&[
            "--allow-loopback-endpoints",
            "--log-format",
            "json",
            "--lease-duration",
            "9s",
            "--deny",
            "10.96.0.0/12,fd00::/8",
        ]);
        let cli = Cli::try_parse_from(all).unwrap();
        let Command::Controller(args) = cli.command else { panic!() };
        let config = jobs(&args, cli.log.as_deref());
        assert_eq!(config.pull_policy.as_deref(), Some("Always"));
        let told = config.arguments;
        let of_the_run = ["tempest-operator", "play", "--namespace=n", "--run=r", "--uid=u", "--attempt=1"];
        let all = of_the_run.iter().map(|one| (*one).to_owned()).chain(told);
        let cli = Cli::try_parse_from(all).unwrap();
        assert_eq!(cli.log.as_deref(), Some("debug"));
        let Command::Play(play) = cli.command else { panic!() };
        assert_eq!((play.installation.as_str(), play.lease_duration), ("mine", Duration::from_secs(9)));
        assert_eq!(play.deny, args.deny);
        assert_eq!(play.deny.len(), 2);
        assert!(play.allow_loopback_endpoints && play.log_format == args.log_format);
    }
}
