//! `preflight`: looks whether a cloud can be tested, what is missing and why; changes nothing.

use serde::Serialize;
use tempest_operator::outcome::Reason;
use tempest_operator::plan::{CloudFacts, Decision, RunPlan};
use tempest_operator::report::json::{pretty, yaml};
use tempest_operator::report::{table, text};
use tempest_operator::runner::{self, Clock};

use super::sweep::broken;
use crate::cli::args::{Output, PreflightArgs};
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::request::{self, Request};
use crate::cli::terminal;

/// What a run would do, and with what.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Findings {
    cloud: CloudFacts,
    scenarios: Vec<Prospect>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused_templates: Vec<Refused>,
}

/// A template that Heat refuses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refused {
    scenario: String,
    template: String,
    message: String,
}

/// Whether a scenario would be played.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prospect {
    name: String,
    plays: bool,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Runs the command. It fails when a run could not pass: too little would be played, or a required test not.
pub async fn run(args: PreflightArgs) -> Result<Exit, Problem> {
    let request = Request::read(&args.cloud, &args.select)?;
    let identity = request::new_run("preflight");
    let planner = request.planner(identity.clone())?;
    let inputs = request.inputs(identity);
    let facts = runner::preflight(&inputs, &Clock::system()).await.map_err(|fault| broken(&fault))?;
    let plan = planner(facts).map_err(request::problem)?;
    let refused = if args.validate {
        runner::refused_templates(&inputs, &plan).await.map_err(|fault| broken(&fault))?
    } else {
        Vec::new()
    };
    let findings = Findings::of(plan, refused);

    let failed = |error| Problem::unable("the findings cannot be shown").because(error);
    let rendered = match args.output {
        Output::Table => findings.table(terminal::width()),
        Output::Json => pretty(&findings).map_err(failed)?,
        Output::Yaml => yaml(&findings).map_err(failed)?,
    };
    terminal::out(&rendered)?;
    let can_pass = findings.can_pass(request.policy().min_executed);
    Ok(if can_pass { Exit::Passed } else { Exit::Failed })
}

impl Findings {
    fn of(plan: RunPlan, refused: Vec<(String, String, String)>) -> Self {
        let scenarios = plan
            .tests
            .into_iter()
            .map(|test| {
                let (reason, message) = match test.decision {
                    Decision::Play(_) => (None, None),
                    Decision::Skip { reason, message } => (Some(reason), Some(message)),
                };
                Prospect {
                    name: test.name,
                    plays: reason.is_none(),
                    required: test.required,
                    reason,
                    message,
                }
            })
            .collect();
        let refused = refused.into_iter();
        let refused_templates =
            refused.map(|(scenario, template, message)| Refused { scenario, template, message }).collect();
        Self { cloud: plan.facts, scenarios, refused_templates }
    }

    fn can_pass(&self, min_executed: usize) -> bool {
        let played = self.scenarios.iter().filter(|scenario| scenario.plays).count();
        played >= min_executed
            && self.refused_templates.is_empty()
            && self.scenarios.iter().all(|scenario| scenario.plays || !scenario.required)
    }

    fn table(&self, width: Option<u16>) -> String {
        let mut sections = vec![
            format!("Cloud\n{}", table::plain(&["WHAT", "FOUND", "WHY"], self.found(), width)),
            format!("Scenarios\n{}", table::plain(&["NAME", "RUNS", "WHY"], self.prospects(), width)),
        ];
        if !self.cloud.warnings.is_empty() {
            let warnings: Vec<_> =
                self.cloud.warnings.iter().map(|warning| format!("  {}\n", text::line(warning))).collect();
            sections.push(format!("Warnings\n{}", warnings.concat()));
        }
        if !self.refused_templates.is_empty() {
            let refused: Vec<_> = self
                .refused_templates
                .iter()
                .map(|one| {
                    let said = format!("{} of {}: {}", one.template, one.scenario, one.message);
                    format!("  {}\n", text::line(&said))
                })
                .collect();
            sections.push(format!("Templates that Heat refuses\n{}", refused.concat()));
        }
        let played = self.scenarios.iter().filter(|scenario| scenario.plays).count();
        sections
            .push(format!("{played} of {} would be played\n", text::count(self.scenarios.len(), "scenario")));
        sections.join("\n")
    }

    fn found(&self) -> Vec<Vec<String>> {
        let cloud = &self.cloud;
        let row =
            |what: &str, found: &str, why: &str| vec![what.to_owned(), text::line(found), text::line(why)];
        let mut rows = vec![row("region", &cloud.region, "")];
        for (role, who) in &cloud.identities {
            let kind = if who.application_credential { "application credential" } else { "" };
            let roles = who.roles.join(", ");
            let found = format!("{} in project {} ({roles})", who.user_name, who.project_name);
            rows.push(row(role.as_str(), &found, kind));
        }
        for (service, version) in &cloud.services {
            rows.push(row(service, version, ""));
        }
        for (what, choice) in [
            ("image", &cloud.image),
            ("flavor", &cloud.flavor),
            ("floating network", &cloud.floating_network),
            ("published network", &cloud.published_network),
        ] {
            let found = choice.name.as_deref().or(choice.id.as_deref()).unwrap_or("-");
            rows.push(row(what, found, &choice.why));
        }
        let servers: Vec<String> = cloud
            .name_servers
            .iter()
            .map(|server| format!("{} ({})", server.label, server.address))
            .collect();
        let servers = if servers.is_empty() { "-".to_owned() } else { servers.join(", ") };
        rows.push(row("name servers", &servers, &cloud.name_servers_why));
        rows
    }

    fn prospects(&self) -> Vec<Vec<String>> {
        self.scenarios
            .iter()
            .map(|scenario| {
                let runs = match (scenario.plays, scenario.required) {
                    (true, _) => "yes",
                    (false, false) => "no",
                    (false, true) => "no, though required",
                };
                let why = [scenario.reason.map(|reason| reason.to_string()), scenario.message.clone()];
                let why: Vec<String> = why.into_iter().flatten().collect();
                vec![text::line(&scenario.name), runs.to_owned(), text::line(&why.join(": "))]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use tempest_operator::outcome::Role;
    use tempest_operator::plan::facts::{Choice, Identity};

    use super::*;

    fn prospect(name: &str, message: Option<&str>, required: bool) -> Prospect {
        Prospect {
            name: name.into(),
            plays: message.is_none(),
            required,
            reason: message.map(|_| Reason::GateClosed),
            message: message.map(Into::into),
        }
    }

    fn findings() -> Findings {
        let who = Identity {
            project_name: "demo".into(),
            user_name: "demo".into(),
            roles: vec!["member".into()],
            application_credential: true,
            ..Identity::default()
        };
        Findings {
            cloud: CloudFacts {
                region: "RegionOne".into(),
                services: [("dns".to_owned(), "v2".to_owned())].into(),
                identities: [(Role::Primary, who)].into(),
                image: Choice {
                    name: Some("cirros".into()),
                    why: "the smallest".into(),
                    ..Choice::default()
                },
                published_network: Choice { why: "cannot be discovered".into(), ..Choice::default() },
                name_servers_why: "each zone's NS set".into(),
                warnings: vec!["Heat cannot make trusts with an application credential".into()],
                ..CloudFacts::default()
            },
            scenarios: vec![
                prospect("heat_zone_lifecycle", None, false),
                prospect("port_on_external_net_to_dns", Some("needs a published network"), false),
            ],
            refused_templates: Vec::new(),
        }
    }

    #[test]
    fn what_was_found_is_shown_with_its_reasons() {
        insta::assert_snapshot!(findings().table(None));
    }

    #[test]
    fn it_can_pass_when_enough_is_played_and_all_that_is_required() {
        let mut findings = findings();
        assert!(findings.can_pass(1));
        assert!(!findings.can_pass(2));
        findings.scenarios[1].required = true;
        assert!(!findings.can_pass(1));
        findings.scenarios[1].required = false;
        findings.refused_templates.push(Refused {
            scenario: "heat_zone_lifecycle".into(),
            template: "zone".into(),
            message: "Unknown Property ttk".into(),
        });
        assert!(!findings.can_pass(1));
        let table = findings.table(None);
        assert!(table.contains("zone of heat_zone_lifecycle: Unknown Property ttk"), "{table}");
    }
}
