//! From arguments and files to what a run starts from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tempest_operator::api::tempest_run::{CloudSpec, Exclusion, TempestRunSpec};
use tempest_operator::openstack::{Cidr, CloudConfig, SessionOptions};
use tempest_operator::outcome::{Role, VerdictPolicy};
use tempest_operator::plan::request::zone_suffix;
use tempest_operator::plan::{self, CloudRequest, PlanError, RunIdentity};
use tempest_operator::runner::file_ledger::Origin;
use tempest_operator::runner::{Locks, Planner, Rhythm, RunInputs};
use tempest_operator::scenario::{Catalogue, Scenario};
use uuid::Uuid;

use super::args::{CloudArgs, SelectArgs};
use super::credentials::{self, Credentials};
use super::manifest::{self, Manifest};
use super::problem::Problem;
use super::{scenario_files, terminal};

/// A name that means nothing to anybody else: `.example` is reserved (RFC 2606), and what is made under it is
/// only ever asked of the cloud's own name servers.
const ZONE_SUFFIX: &str = "tempest.example.";

/// What is asked for, complete.
pub struct Request {
    /// As in Kubernetes.
    pub spec: TempestRunSpec,
    scenarios: Vec<Scenario>,
    clouds: BTreeMap<Role, CloudConfig>,
    of_cloud: CloudRequest,
    options: SessionOptions,
}

impl Request {
    /// Reads what the arguments name.
    pub fn read(cloud: &CloudArgs, select: &SelectArgs) -> Result<Self, Problem> {
        let manifest = cloud.file.as_deref().map(manifest::read).transpose()?;
        for ignored in manifest.iter().flat_map(|manifest| &manifest.ignored) {
            terminal::err(&format!("note: {ignored} means nothing here and is left out\n"));
        }
        let (mut spec, secret, scenarios) = match manifest {
            Some(Manifest { spec, secret, scenarios, .. }) => (spec, secret, scenarios),
            None => (empty_spec(), None, Vec::new()),
        };
        let scenarios = choose(&mut spec, select, scenarios)?;
        lay_over(&mut spec.cloud, cloud)?;
        let credentials = Credentials::of(&spec.cloud, secret.as_ref(), cloud)?;
        Ok(Self { scenarios, ..Self::complete(spec, &credentials, &cloud.deny)? })
    }

    /// What is asked of a cloud whose description is at hand.
    pub fn of_text(
        mut spec: TempestRunSpec,
        select: &SelectArgs,
        clouds_yaml: &str,
    ) -> Result<Self, Problem> {
        let scenarios = choose(&mut spec, select, Vec::new())?;
        Ok(Self { scenarios, ..Self::complete(spec, &Credentials::of_text(clouds_yaml)?, &[])? })
    }

    fn complete(mut spec: TempestRunSpec, credentials: &Credentials, deny: &[Cidr]) -> Result<Self, Problem> {
        let names = credentials.names(&mut spec.cloud)?;
        let of_cloud = plan::cloud_request(&spec.cloud, &names).map_err(problem)?;
        let clouds = of_cloud
            .entries
            .iter()
            .map(|(role, entry)| Ok((*role, credentials.cloud(entry)?)))
            .collect::<Result<_, Problem>>()?;
        Ok(Self { spec, scenarios: Vec::new(), clouds, of_cloud, options: credentials::options(deny) })
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
            request: self.of_cloud.clone(),
            options: self.options.clone(),
            rhythm: Rhythm::default(),
            admission: None,
            carried_over: Vec::new(),
            interrupted: Vec::new(),
            locks: Locks::default(),
            sweep: None,
        }
    }

    /// What counts as a failure.
    pub fn policy(&self) -> VerdictPolicy {
        plan::settings(&self.spec).verdict
    }

    /// Judges what can be judged before a cloud is touched, and says how to plan once it is known.
    pub fn planner(&self, run: RunIdentity) -> Result<Planner, Problem> {
        let catalogue = catalogue()?.with(self.scenarios.iter().cloned());
        plan::check(&self.spec, &catalogue).map_err(problem)?;
        let spec = self.spec.clone();
        Ok(Box::new(move |facts| plan::make(&spec, &catalogue, facts, run)))
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
        ..TempestRunSpec::default()
    }
}

/// Lays the selection over that of the file; gives the scenarios that are there besides the built-in ones.
fn choose(
    spec: &mut TempestRunSpec,
    select: &SelectArgs,
    mut scenarios: Vec<Scenario>,
) -> Result<Vec<Scenario>, Problem> {
    let given = scenario_files::read(&select.scenario)?;
    if !select.include.is_empty() {
        spec.scenarios.include.clone_from(&select.include);
    } else if !given.is_empty() && select.tags.is_empty() {
        spec.scenarios.include = given.iter().map(|scenario| scenario.name.clone()).collect();
        spec.scenarios.tags.clear();
    }
    scenarios.retain(|one| given.iter().all(|other| other.name != one.name));
    scenarios.extend(given);
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
    Ok(scenarios)
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
    if !spec.zone_suffix.ends_with('.') {
        spec.zone_suffix.push('.');
    }
    spec.zone_suffix = zone_suffix(&spec.zone_suffix).map_err(problem)?;
    Ok(())
}

/// The built-in suite.
pub fn catalogue() -> Result<Catalogue, Problem> {
    Catalogue::built_in().map_err(|error| Problem::unable("the built-in suite cannot be read").because(error))
}

/// A plan's fault as a problem, with the options that mend it.
pub fn problem(error: PlanError) -> Problem {
    let next = match &error {
        PlanError::UnknownEntry { .. } | PlanError::NoPrimary { .. } | PlanError::NoEntries => {
            "name entries that exist: with --os-cloud, --alternate, --admin and --reader, or in the file"
        }
        PlanError::ZoneSuffix { .. } => {
            "give a domain such as verify.example.org. with --zone-suffix, or in the file"
        }
        PlanError::NotInTheCloud { .. } => {
            "give another name or an id, or leave it out; 'tempest-operator preflight' shows what is then chosen"
        }
        PlanError::BadDate { .. } => "correct the date in the file",
        _ => "'tempest-operator scenarios list' shows all names and tags",
    };
    Problem::input("the run cannot be planned").because(error).next(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_suffix_becomes_absolute() {
        let args = CloudArgs { zone_suffix: Some("Verify.example.org".into()), ..CloudArgs::default() };
        let mut spec = empty_spec().cloud;
        lay_over(&mut spec, &args).unwrap();
        assert_eq!(spec.zone_suffix, "verify.example.org.");
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
        choose(&mut spec, &select, Vec::new()).unwrap();
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
