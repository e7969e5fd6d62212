//! The custom resource definitions as they are installed: what the derive makes, and what it cannot say.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
    ValidationRule,
};
use kube::CustomResourceExt;
use serde_json::json;

use super::scenario::TempestScenario;
use super::schedule::TempestSchedule;
use super::tempest_run::TempestRun;

/// Every definition that the operator serves.
pub fn definitions() -> Vec<CustomResourceDefinition> {
    vec![
        tempest_run(),
        finished(TempestScenario::crd(), &[], &[]),
        finished(TempestSchedule::crd(), &[], &schedule_rules()),
    ]
}

fn tempest_run() -> CustomResourceDefinition {
    finished(TempestRun::crd(), &["scenarios", "execution"], &run_rules())
}

/// Adds what the derive cannot say; `inputs` are the objects of the spec that may be left out.
fn finished(
    mut crd: CustomResourceDefinition,
    inputs: &[&str],
    rules: &[ValidationRule],
) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) else {
            continue;
        };
        root.x_kubernetes_validations = Some(rules.to_vec()).filter(|rules| !rules.is_empty());
        drop_foreign_formats(root);
        let Some(properties) = root.properties.as_mut() else { continue };
        if let Some(status) = properties.get_mut("status") {
            // A new object counts as in progress (kstatus), and readers find a status that is never null.
            status.default = Some(JSON(json!({ "observedGeneration": -1 })));
            status.nullable = None;
        }
        let spec = properties.get_mut("spec").and_then(|spec| spec.properties.as_mut());
        for (_, input) in spec.into_iter().flatten().filter(|(name, _)| inputs.contains(&name.as_str())) {
            input.default = Some(JSON(json!({})));
        }
    }
    crd
}

/// The file that a definition is kept in.
pub fn file_name(definition: &CustomResourceDefinition) -> String {
    format!("{}.yaml", definition.spec.names.plural)
}

/// Takes out the formats of unsigned integers, which the API server does not know and warns of.
fn drop_foreign_formats(schema: &mut JSONSchemaProps) {
    schema.format = schema.format.take().filter(|format| !format.starts_with("uint"));
    schema.properties.iter_mut().flatten().for_each(|(_, inner)| drop_foreign_formats(inner));
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        drop_foreign_formats(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        drop_foreign_formats(values);
    }
}

fn rule(rule: &str, message: &str) -> ValidationRule {
    ValidationRule { rule: rule.to_owned(), message: Some(message.to_owned()), ..ValidationRule::default() }
}

fn schedule_rules() -> Vec<ValidationRule> {
    vec![
        rule(
            "has(self.spec.runTemplate.spec.cloud.secretRef)",
            "spec.runTemplate.spec.cloud.secretRef is required: the Secret with clouds.yaml, in the same namespace",
        ),
        // What it makes has its name with a time behind it, and is labelled with it.
        rule("size(self.metadata.name) <= 52", "metadata.name may have 52 characters at most"),
    ]
}

/// Rules that see the whole object: its spec and its status, before and after.
fn run_rules() -> Vec<ValidationRule> {
    let underway = "has(oldSelf.status) && has(oldSelf.status.phase) && \
                    oldSelf.status.phase in ['Queued', 'Running', 'CleaningUp', 'Suspended']";
    let frozen = |field: &str| {
        rule(
            &format!("!({underway}) || self.spec.{field} == oldSelf.spec.{field}"),
            &format!("spec.{field} cannot change while the run is under way; cancel it, or make another one"),
        )
    };
    vec![
        rule(
            "has(self.spec.cloud.secretRef)",
            "spec.cloud.secretRef is required: the Secret with clouds.yaml, in the same namespace",
        ),
        rule(
            "!has(self.spec.execution.job) || (has(self.spec.execution.executor) && self.spec.execution.executor == 'Job')",
            "spec.execution.job says what the pod of executor: Job is like, and means nothing otherwise",
        ),
        frozen("cloud"),
        frozen("scenarios"),
        frozen("execution"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo run -- crds --output-dir charts/tempest-operator/files/crds` writes them anew.
    #[test]
    fn the_committed_definitions_are_the_generated_ones() {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/tempest-operator/files/crds");
        for definition in definitions() {
            let committed = std::fs::read_to_string(folder.join(file_name(&definition))).unwrap();
            let committed: serde_json::Value = serde_saphyr::from_str(&committed).unwrap();
            // Each is longer than anybody reads.
            assert!(
                committed == serde_json::to_value(&definition).unwrap(),
                "{} is of another state",
                file_name(&definition)
            );
        }
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), definitions().len());
    }

    #[test]
    fn a_new_object_has_a_status_and_its_inputs() {
        let crd = serde_json::to_value(tempest_run()).unwrap();
        let root = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        assert_eq!(root["properties"]["status"]["default"]["observedGeneration"], -1);
        assert!(root["properties"]["status"].get("nullable").is_none());
        for input in ["scenarios", "execution"] {
            assert_eq!(root["properties"]["spec"]["properties"][input]["default"], json!({}), "{input}");
        }
    }
}
