//! From arguments and files to what a run starts from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tempest_operator::api::tempest_run::{CloudSpec, Exclusion, OnLeak, TempestRunSpec};
use tempest_operator::openstack::{CloudConfig, SessionOptions};
use tempest_operator::outcome::{Role, VerdictPolicy};
use tempest_operator::plan::{CloudRequest, RunIdentity};
use tempest_operator::runner::file_ledger::Origin;
use tempest_operator::runner::{Rhythm, RunInputs};
use uuid::Uuid;

use super::args::{CloudArgs, SelectArgs};
use super::credentials::{self, Credentials};
use super::manifest::{self, Manifest};
use super::parts::plan;
use super::problem::Problem;
use super::terminal;

/// A name that means nothing to anybody else: `.example` is reserved (RFC 2606), and what is made under it is
/// only ever asked of the cloud's own name servers.
const ZONE_SUFFIX: &str = "tempest.example.";

/// What is asked for, complete.
pub struct Request {
    /// As in Kubernetes.
    pub spec: TempestRunSpec,
    clouds: BTreeMap<Role, CloudConfig>,
    request: CloudRequest,
    options: SessionOptions,
}

impl Request {
    /// Reads what the arguments name.
    pub fn read(cloud: &CloudArgs, select: &SelectArgs) -> Result<Self, Problem> {
        let manifest = cloud.file.as_deref().map(manifest::read).transpose()?;
        for ignored in manifest.iter().flat_map(|manifest| &manifest.ignored) {
            terminal::err(&format!("note: {ignored} means nothing here and is left out\n"));
        }
        let (mut spec, secret) = match manifest {
            Some(Manifest { spec, secret, .. }) => (spec, secret),
            None => (empty_spec(), None),
        };
        choose(&mut spec, select)?;
        lay_over(&mut spec.cloud, cloud)?;
        let credentials = Credentials::of(&spec.cloud, secret.as_ref(), cloud)?;
        Self::complete(spec, &credentials, &cloud.deny)
    }

    /// What is asked of a cloud whose description is at hand.
    pub fn of_text(spec: TempestRunSpec, clouds_yaml: &str) -> Result<Self, Problem> {
        Self::complete(spec, &Credentials::of_text(clouds_yaml)?, &[])
    }

    fn complete(
        mut spec: TempestRunSpec,
        credentials: &Credentials,
        deny: &[String],
    ) -> Result<Self, Problem> {
        let names = credentials.names(&mut spec.cloud)?;
        let request = plan::cloud_request(&spec.cloud, &names)?;
        let clouds = request
            .entries
            .iter()
            .map(|(role, entry)| Ok((*role, credentials.cloud(entry)?)))
            .collect::<Result<_, Problem>>()?;
        Ok(Self { spec, clouds, request, options: credentials::options(deny)? })
    }

    /// Where what is made will live.
    pub fn origin(&self) -> Origin {
        self.clouds.get(&Role::Primary).map_or_else(Origin::default, |cloud| Origin {
            cloud: cloud.name.clone(),
            auth_url: Some(cloud.auth_url.to_string()),
        })
    }

    /// The inputs of the runner for the run of this name.
    pub fn inputs(&self, run: RunIdentity) -> RunInputs {
        RunInputs {
            run,
            clouds: self.clouds.clone(),
            request: self.request.clone(),
            options: self.options.clone(),
            rhythm: Rhythm::default(),
        }
    }

    /// What counts as a failure.
    pub fn policy(&self) -> VerdictPolicy {
        VerdictPolicy {
            fail_on_leak: self.spec.execution.on_leak.unwrap_or_default() == OnLeak::Fail,
            min_executed: self.spec.scenarios.min_executed.unwrap_or(1) as usize,
            ..VerdictPolicy::default()
        }
    }
}

/// A new run of this installation.
pub fn new_run(installation: &str) -> RunIdentity {
    RunIdentity::new(installation, Uuid::new_v4(), 1, Timestamp::now())
}

/// Asks for everything, of no cloud in particular.
pub fn empty_spec() -> TempestRunSpec {
    TempestRunSpec {
        cloud: CloudSpec { zone_suffix: ZONE_SUFFIX.to_owned(), ..CloudSpec::default() },
        scenarios: Default::default(),
        execution: Default::default(),
        cancel: false,
    }
}

fn choose(spec: &mut TempestRunSpec, select: &SelectArgs) -> Result<(), Problem> {
    if !select.include.is_empty() {
        spec.scenarios.include.clone_from(&select.include);
    }
    if !select.tags.is_empty() {
        spec.scenarios.tags.clone_from(&select.tags);
    }
    for exclusion in &select.exclude {
        let (name, reason) = exclusion.split_once('=').unwrap_or((exclusion, "excluded on the command line"));
        if name.is_empty() || reason.is_empty() {
            return Err(Problem::input(format!("'{exclusion}' excludes nothing")).next(
                "give --exclude a glob, and after '=' a reason if you like: 'floating_*=no floating IPs'",
            ));
        }
        spec.scenarios.exclude.push(Exclusion {
            name: name.to_owned(),
            reason: reason.to_owned(),
            until: None,
        });
    }
    Ok(())
}

/// Lays what was given as arguments over what the file says.
fn lay_over(spec: &mut CloudSpec, args: &CloudArgs) -> Result<(), Problem> {
    let given = [
        (&mut spec.primary, &args.os_cloud),
        (&mut spec.alternate, &args.alternate),
        (&mut spec.admin, &args.admin),
        (&mut spec.reader, &args.reader),
        (&mut spec.image, &args.image),
        (&mut spec.flavor, &args.flavor),
        (&mut spec.floating_network, &args.floating_network),
        (&mut spec.published_network, &args.published_network),
    ];
    for (field, argument) in given {
        if argument.is_some() {
            field.clone_from(argument);
        }
    }
    if !args.nameserver.is_empty() {
        spec.nameservers.clone_from(&args.nameserver);
    }
    if let Some(suffix) = &args.zone_suffix {
        spec.zone_suffix.clone_from(suffix);
    }
    spec.zone_suffix = zone_suffix(&spec.zone_suffix)?;
    Ok(())
}

fn zone_suffix(text: &str) -> Result<String, Problem> {
    let name = text.to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() < 200 && name.split('.').all(is_label) {
        return Ok(format!("{name}."));
    }
    Err(Problem::input(format!("'{text}' is no DNS domain"))
        .next("give --zone-suffix (zoneSuffix in a file) a domain such as verify.example.org."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_suffix_becomes_absolute() {
        assert_eq!(zone_suffix("Verify.example.org").unwrap(), "verify.example.org.");
        assert_eq!(zone_suffix("a.").unwrap(), "a.");
        for wrong in ["", ".", "a..b", "-a.b", "a b", "ü.org", &"a.".repeat(120)] {
            assert!(zone_suffix(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn arguments_win_over_the_file() {
        let mut spec = empty_spec();
        spec.cloud.image = Some("of the file".into());
        spec.cloud.flavor = Some("of the file".into());
        spec.scenarios.include = vec!["of_the_file".into()];
        let args = CloudArgs { image: Some("given".into()), ..CloudArgs::default() };
        let select = SelectArgs {
            include: vec!["given_*".into()],
            exclude: vec!["a*=why".into()],
            ..SelectArgs::default()
        };
        choose(&mut spec, &select).unwrap();
        lay_over(&mut spec.cloud, &args).unwrap();
        assert_eq!(spec.cloud.image.as_deref(), Some("given"));
        assert_eq!(spec.cloud.flavor.as_deref(), Some("of the file"));
        assert_eq!(spec.scenarios.include, ["given_*"]);
        assert_eq!(
            (spec.scenarios.exclude[0].name.as_str(), spec.scenarios.exclude[0].reason.as_str()),
            ("a*", "why")
        );
    }
}
