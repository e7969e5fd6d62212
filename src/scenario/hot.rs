//! HOT templates: what they take, make and give, and what is wrong with them before Heat sees them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ServiceType;
use super::fault::suggestion;
use super::yaml;

/// Largest template, in bytes; Heat's own default limit is 512 KiB.
pub const MAX_TEMPLATE: usize = 128 * 1024;

/// What a template takes, makes and gives.
#[derive(Clone, Debug, Default)]
pub struct Hot {
    /// Its parameters; `true` for those that have a default.
    pub parameters: BTreeMap<String, bool>,
    /// The names of its outputs.
    pub outputs: BTreeSet<String>,
    /// The types of its resources, those inside others included.
    pub types: BTreeSet<String>,
}

/// Something wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotFault {
    /// Line of the template.
    pub line: Option<u64>,
    /// Path inside the template.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
}

/// Resource types that Heat hides: it accepts them, makes nothing and says that it is complete; or it refuses them.
const REMOVED: [(&str, &str); 12] = [
    ("OS::Designate::Domain", "OS::Designate::Zone"),
    ("OS::Designate::Record", "OS::Designate::RecordSet"),
    ("OS::Nova::FloatingIPAssociation", "OS::Neutron::FloatingIPAssociation"),
    ("OS::Nova::FloatingIP", "OS::Neutron::FloatingIP"),
    ("OS::Neutron::LoadBalancer", "OS::Octavia::LoadBalancer"),
    ("OS::Neutron::PoolMember", "OS::Octavia::PoolMember"),
    ("OS::Neutron::Pool", "OS::Octavia::Pool"),
    ("OS::Neutron::HealthMonitor", "OS::Octavia::HealthMonitor"),
    ("OS::Heat::HARestarter", "OS::Heat::AutoScalingGroup"),
    ("OS::Heat::CWLiteAlarm", "OS::Aodh::GnocchiAggregationByResourcesAlarm"),
    ("OS::Ceilometer::Alarm", "OS::Aodh::GnocchiAggregationByResourcesAlarm"),
    ("OS::Nova::Keypair", "OS::Nova::KeyPair"),
];

/// Resource types that take a template as a text, or types by their names: what is in there is not seen here.
const NESTING: [&str; 2] = ["OS::Heat::Stack", "OS::Heat::ResourceChain"];

/// The service that a resource type belongs to.
pub fn service_of(resource_type: &str) -> Option<ServiceType> {
    match resource_type.split("::").nth(1)? {
        "Designate" => Some(ServiceType::Dns),
        "Neutron" => Some(ServiceType::Network),
        "Nova" => Some(ServiceType::Compute),
        "Glance" => Some(ServiceType::Image),
        "Keystone" => Some(ServiceType::Identity),
        _ => None,
    }
}

/// Reads a template and says all that is wrong with it.
pub fn read(text: &str) -> (Hot, Vec<HotFault>) {
    let mut reader = Reader { document: None, hot: Hot::default(), faults: Vec::new() };
    reader.read(text);
    (reader.hot, reader.faults)
}

struct Reader {
    document: Option<yaml::Document>,
    hot: Hot,
    faults: Vec<HotFault>,
}

impl Reader {
    fn fault(&mut self, path: &str, message: String, help: String) {
        let line = self.document.as_ref().and_then(|document| document.line(path));
        self.faults.push(HotFault { line, path: path.to_owned(), message, help });
    }

    fn read(&mut self, text: &str) {
        if text.len() > MAX_TEMPLATE {
            let message =
                format!("the template is {} bytes long; at most {MAX_TEMPLATE} are sent", text.len());
            return self.fault("", message, "make it smaller".to_owned());
        }
        let value = match yaml::parse(text) {
            Ok(documents) => {
                let Ok([document]) = <[yaml::Document; 1]>::try_from(documents) else {
                    let message = "the template is not one YAML document".to_owned();
                    return self.fault("", message, "write exactly one".to_owned());
                };
                self.document.insert(document).value.clone()
            }
            Err(error) => {
                let fault = HotFault {
                    line: error.line,
                    path: String::new(),
                    message: format!("the template is no YAML: {error}"),
                    help: String::new(),
                };
                return self.faults.push(fault);
            }
        };
        if value.get("heat_template_version").is_none() {
            let help = "begin it with 'heat_template_version: 2021-04-16'".to_owned();
            self.fault("", "the template has no heat_template_version".to_owned(), help);
        }
        let resources = value.get("resources").and_then(Value::as_object).cloned().unwrap_or_default();
        if resources.is_empty() {
            self.fault("", "the template has no resources".to_owned(), "add at least one".to_owned());
        }
        self.read_parameters(&value);
        if let Some(outputs) = value.get("outputs").and_then(Value::as_object) {
            self.hot.outputs = outputs.keys().cloned().collect();
        }
        let names: BTreeSet<String> = resources.keys().cloned().collect();
        for name in
            names.iter().filter(|name| self.hot.parameters.contains_key(*name)).cloned().collect::<Vec<_>>()
        {
            let message = format!("'{name}' is both a parameter and a resource, which Heat refuses");
            self.fault(&yaml::field("resources", &name), message, "rename one of them".to_owned());
        }
        for (name, resource) in &resources {
            let path = yaml::field("resources", name);
            if resource.get("type").and_then(Value::as_str).is_none() {
                self.fault(&path, format!("resource '{name}' has no type"), "give it one".to_owned());
            }
            self.read_resource(resource, &path, &names);
        }
        for section in ["resources", "outputs", "conditions"] {
            if let Some(part) = value.get(section) {
                self.read_functions(part, section, &names, 0);
            }
        }
    }

    fn read_parameters(&mut self, value: &Value) {
        let Some(parameters) = value.get("parameters").and_then(Value::as_object) else { return };
        self.hot.parameters = parameters
            .iter()
            .map(|(name, parameter)| (name.clone(), parameter.get("default").is_some()))
            .collect();
    }

    fn read_resource(&mut self, resource: &Value, path: &str, names: &BTreeSet<String>) {
        if let Some(kind) = resource.get("type").and_then(Value::as_str) {
            self.read_type(kind, &yaml::field(path, "type"));
        }
        let after = match resource.get("depends_on") {
            Some(Value::String(name)) => vec![name.clone()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        for name in after.iter().filter(|name| !names.contains(*name)) {
            let help = suggestion(name, names.iter().map(String::as_str));
            self.fault(&yaml::field(path, "depends_on"), format!("there is no resource '{name}'"), help);
        }
        // Groups carry the definition of their members.
        if let Some(inner) =
            resource.pointer("/properties/resource_def").or_else(|| resource.pointer("/properties/resource"))
        {
            self.read_resource(inner, &yaml::field(path, "properties"), names);
        }
    }

    fn read_type(&mut self, kind: &str, path: &str) {
        // Heat takes every type that looks like a file's name or a URL for a template to fetch.
        if kind.contains(['/', '.']) {
            let help = "write the resources into this template".to_owned();
            return self.fault(path, format!("type '{kind}' would be read from a file or URL"), help);
        }
        if NESTING.contains(&kind) {
            let help =
                "write the resources into this template; OS::Heat::ResourceGroup makes several".to_owned();
            return self.fault(path, format!("type '{kind}' hides a template in a template"), help);
        }
        if let Some((_, instead)) = REMOVED.iter().find(|(removed, _)| *removed == kind) {
            let message = format!("Heat no longer makes anything of type '{kind}'");
            return self.fault(path, message, format!("use {instead}"));
        }
        self.hot.types.insert(kind.to_owned());
    }

    fn read_functions(&mut self, value: &Value, path: &str, names: &BTreeSet<String>, depth: usize) {
        if depth > 64 {
            return self.fault(
                path,
                "the template is nested too deeply".to_owned(),
                "make it flatter".to_owned(),
            );
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.read_functions(item, &format!("{path}[{index}]"), names, depth + 1);
                }
            }
            Value::Object(fields) => {
                for (name, inner) in fields {
                    let path = yaml::field(path, name);
                    self.read_function(name, inner, &path, names);
                    self.read_functions(inner, &path, names, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn read_function(&mut self, name: &str, argument: &Value, path: &str, names: &BTreeSet<String>) {
        let first = argument.as_str().or_else(|| argument.get(0).and_then(Value::as_str));
        match (name, first) {
            ("get_file", _) => {
                let help = "write the text into the template".to_owned();
                self.fault(path, "get_file reads from a file or URL, which is refused".to_owned(), help);
            }
            ("get_param", Some(wanted)) => {
                let known = self.hot.parameters.contains_key(wanted);
                if !known && !wanted.starts_with("OS::") && wanted != "item" {
                    let help = suggestion(wanted, self.hot.parameters.keys().map(String::as_str));
                    self.fault(path, format!("there is no parameter '{wanted}'"), help);
                }
            }
            ("get_resource" | "get_attr", Some(wanted)) if !names.contains(wanted) => {
                let help = suggestion(wanted, names.iter().map(String::as_str));
                self.fault(path, format!("there is no resource '{wanted}'"), help);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GOOD: &str = "
heat_template_version: 2021-04-16
parameters:
  zone_name: { type: string }
  ttl: { type: number, default: 60 }
resources:
  zone:
    type: OS::Designate::Zone
    properties: { name: { get_param: zone_name }, ttl: { get_param: ttl }, email: a@example.org }
outputs:
  id: { value: { get_resource: zone } }
  serial: { value: { get_attr: [zone, serial] } }
";

    #[test]
    fn a_template_says_what_it_takes_makes_and_gives() {
        let (hot, faults) = read(GOOD);
        assert_eq!(faults, []);
        assert_eq!(
            hot.parameters.into_iter().collect::<Vec<_>>(),
            [("ttl".into(), true), ("zone_name".into(), false)]
        );
        assert_eq!(hot.outputs.into_iter().collect::<Vec<_>>(), ["id", "serial"]);
        assert_eq!(hot.types.into_iter().collect::<Vec<_>>(), ["OS::Designate::Zone"]);
    }

    #[rstest]
    #[case("OS::Designate::Zone", "OS::Designate::Domain", "use OS::Designate::Zone")]
    #[case("OS::Designate::Zone", "https://example.org/x.yaml", "from a file or URL")]
    #[case("OS::Designate::Zone", "zone.yaml", "from a file or URL")]
    #[case("OS::Designate::Zone", "OS::Heat::Stack", "hides a template")]
    #[case(
        "outputs:",
        "  group: {type: OS::Heat::ResourceGroup, properties: {resource_def: {type: OS::Heat::ResourceChain}}}\noutputs:",
        "hides a template"
    )]
    #[case("email: a@example.org", "email: { get_file: /etc/passwd }", "get_file")]
    #[case("heat_template_version", "version", "no heat_template_version")]
    #[case("get_param: ttl", "get_param: tll", "did you mean 'ttl'?")]
    #[case("get_resource: zone", "get_resource: zne", "did you mean 'zone'?")]
    #[case("  zone:\n", "  ttl:\n", "both a parameter and a resource")]
    #[case("type: OS::Designate::Zone", "kind: x", "has no type")]
    #[case("properties:", "depends_on: other\n    properties:", "no resource 'other'")]
    #[case("outputs:", "outputs: [", "no YAML")]
    fn what_is_wrong_is_said(#[case] good: &str, #[case] bad: &str, #[case] part: &str) {
        let (_, faults) = read(&GOOD.replacen(good, bad, 1));
        let all: Vec<String> =
            faults.iter().map(|fault| format!("{} {}", fault.message, fault.help)).collect();
        assert!(all.iter().any(|text| text.contains(part)), "{all:?}");
        assert!(faults.iter().all(|fault| fault.line.is_some()), "{faults:?}");
    }
}
