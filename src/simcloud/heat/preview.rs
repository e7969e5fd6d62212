//! What a stack would be if it were made.

use serde_json::{Map, Value, json};

use super::{
    Refusal, Reply, actions,
    drafts::{check_name, draft, given_parameters, template_of},
    functions::{Resolver, is_static},
    groups,
    parts::required_by,
    resources::Schema,
    stack::{COMPLETE, Stack},
    template::Definition,
    views,
};
use crate::simcloud::{wire::Call, world::World};

pub(super) fn preview(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let name = call.body["stack_name"].as_str().unwrap_or_default().to_owned();
    check_name(&name)?;
    let template = template_of(&call.body)?;
    let draft = draft(world, call, template, given_parameters(&call.body)?, &name)?;
    let stack = Stack {
        name,
        owner: call.caller.clone(),
        tags: actions::tags(&call.body["tags"]),
        template: draft.template,
        parameters: draft.parameters,
        given: draft.given,
        action: "CREATE",
        status: COMPLETE,
        created: world.timestamp(),
        disable_rollback: true,
        ..Stack::default()
    };
    let mut view = views::show(world, &stack, false);
    let own = stack.template.resources.iter().filter(|(name, _)| !groups::is_member(name));
    view["resources"] = own.map(|(name, definition)| resource(world, &stack, name, definition)).collect();
    // There is no stack yet, and Python prints what is not there.
    view["id"] = json!("None");
    view["parameters"]["OS::stack_id"] = json!("None");
    view["outputs"] = json!([]);
    view["stack_user_project_id"] = Value::Null;
    if let Some(view) = view.as_object_mut() {
        view.remove("stack_status");
        view.remove("stack_status_reason");
    }
    Ok(Reply::ok(json!({"stack": view})))
}

fn resource(world: &mut World, stack: &Stack, name: &str, definition: &Definition) -> Value {
    let known = |(name, value): (&String, &Value)| {
        // What is not known yet stays as it is written.
        let known = is_static(value).then(|| Resolver::new(world, stack).resolve(value).ok()).flatten();
        (name.clone(), known.unwrap_or_else(|| value.clone()))
    };
    let given: Map<String, Value> =
        definition.properties.as_object().into_iter().flatten().map(known).collect();
    let identity = |path: String| {
        json!({"stack_name": stack.name, "stack_id": "None", "path": path,
            "tenant": stack.owner.project_id})
    };
    let attributes = match definition.kind.as_str() {
        "OS::Heat::Value" => json!({"value": given.get("value")}),
        _ => json!({}),
    };
    let mut properties: Map<String, Value> = Schema::of(&definition.kind)
        .into_iter()
        .flat_map(Schema::shown)
        .map(|property| (property.name.to_owned(), Value::Null))
        .collect();
    properties.extend(given);
    json!({"resource_name": name, "resource_type": definition.kind, "resource_action": "INIT",
        "resource_status": COMPLETE, "resource_status_reason": "", "physical_resource_id": "",
        "properties": properties, "attributes": attributes, "required_by": required_by(stack, name),
        "description": "", "metadata": {}, "creation_time": null, "updated_time": null,
        "resource_identity": identity(format!("/resources/{name}")),
        "stack_identity": identity(String::new()), "stack_name": stack.name})
}
