//! A Kubernetes cluster as a user of it sees it: access by kubeconfig, and its refusals told with the next step.

use std::path::PathBuf;

use clap::Args;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use tempest_operator::api::tempest_run::TempestRun;

use super::problem::Problem;

/// Which cluster, and which namespace of it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Kubernetes")]
pub struct ClusterArgs {
    /// The namespace [default: the one of the context]
    #[arg(long, short, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// The context of the kubeconfig [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig [default: $KUBECONFIG, else ~/.kube/config, else that of the pod]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

/// Access to the runs of one namespace.
pub struct Cluster {
    /// The client.
    pub client: Client,
    /// The namespace.
    pub namespace: String,
}

impl Cluster {
    /// Takes what the arguments and the environment say; asks nothing of the cluster yet.
    pub async fn access(args: &ClusterArgs) -> Result<Self, Problem> {
        let config = config(args).await?;
        let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config)
            .map_err(|error| Problem::input("the Kubernetes configuration cannot be used").because(error))?;
        Ok(Self { client, namespace })
    }

    /// The runs of the namespace.
    pub fn runs(&self) -> Api<TempestRun> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// A run as messages call it.
    pub fn named(&self, name: &str) -> String {
        format!("tempestrun/{name} in namespace {}", self.namespace)
    }

    /// A run that must exist.
    pub async fn run(&self, name: &str) -> Result<TempestRun, Problem> {
        let named = self.named(name);
        match self.runs().get_opt(name).await {
            Ok(Some(run)) => Ok(run),
            Ok(None) => Err(self.no_such(&named).await),
            Err(error) => Err(refused(format!("{named} cannot be read"), error, "get")),
        }
    }

    /// There is no such run; perhaps because the cluster knows no runs at all.
    pub async fn no_such(&self, named: &str) -> Problem {
        let any = self.runs().list_metadata(&kube::api::ListParams::default().limit(1)).await;
        if let Err(error) = any
            && is_not_found(&error)
        {
            return not_installed();
        }
        Problem::input(format!("there is no {named}"))
            .next(format!("look with: kubectl get tempestruns --namespace {}", self.namespace))
    }
}

async fn config(args: &ClusterArgs) -> Result<Config, Problem> {
    let nothing = |error: Box<dyn std::error::Error + Send + Sync>| {
        Problem::input("there is no Kubernetes to ask")
            .because(error)
            .next("set KUBECONFIG, or give --kubeconfig and --context")
    };
    let options = KubeConfigOptions { context: args.context.clone(), ..KubeConfigOptions::default() };
    let config = match (&args.kubeconfig, &args.context) {
        (Some(file), _) => {
            let kubeconfig = Kubeconfig::read_from(file).map_err(|error| nothing(error.into()))?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await
        }
        (None, Some(_)) => Config::from_kubeconfig(&options).await,
        (None, None) => return Config::infer().await.map_err(|error| nothing(error.into())),
    };
    config.map_err(|error| nothing(error.into()))
}

/// The cluster does not know what a `TempestRun` is.
pub fn not_installed() -> Problem {
    Problem::input("this cluster knows no tempestruns.crossservice.dev")
        .next("install the operator's chart, or apply the output of 'tempest-operator crds'")
}

fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// What the API server said no to, or why it did not answer; `verb` is what was tried with `tempestruns`.
pub fn refused(what: String, error: kube::Error, verb: &str) -> Problem {
    let kube::Error::Api(status) = &error else {
        return Problem::unable(what)
            .because(error)
            .next("see that the cluster answers: kubectl get --raw /readyz");
    };
    let said = std::io::Error::other(status.message.clone());
    match status.code {
        401 => Problem::unable(what).because(said).next("log in to the cluster again"),
        403 => Problem::unable(what)
            .because(said)
            .next(format!("ask for the right to {verb} tempestruns.crossservice.dev in the namespace")),
        // Of an object that does not exist the server tells the name.
        404 if status.details.as_ref().is_none_or(|details| details.name.is_empty()) => not_installed(),
        400 | 404 | 409 | 422 => {
            Problem::input(what).because(said).next("see: kubectl explain tempestrun.spec --recursive")
        }
        _ => Problem::unable(what).because(said).next("try again"),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;
    use kube::core::response::StatusDetails;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::not_logged_in(401, "", "log in")]
    #[case::no_access(403, "one", "the right to patch tempestruns")]
    #[case::no_definitions(404, "", "'tempest-operator crds'")]
    #[case::gone_meanwhile(404, "one", "kubectl explain")]
    #[case::not_valid(422, "one", "kubectl explain")]
    #[case::busy(503, "", "try again")]
    fn a_refusal_is_told_with_the_next_step(#[case] code: u16, #[case] name: &str, #[case] next: &str) {
        let details: StatusDetails = serde_json::from_value(serde_json::json!({ "name": name })).unwrap();
        let status = Status { code, details: Some(details), message: "said so".into(), ..Status::default() };
        let text = refused("it failed".into(), kube::Error::Api(Box::new(status)), "patch").text();
        assert!(text.contains(next), "{text}");
        assert_eq!(text.contains("said so"), !text.contains("knows no"), "{text}");
    }
}
