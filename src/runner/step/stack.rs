//! The `stack` step: a Heat stack is created, updated or deleted, and its final state awaited.

use futures::FutureExt;
use serde_json::{Map, Value, json};

use super::zones;
use crate::openstack::heat::{NewStack, Stack, StackRef};
use crate::openstack::{Error, Session};
use crate::outcome::{Evidence, Reason};
use crate::runner::cloud::{evidence_of, fault_of, is_ambiguous, with_sources};
use crate::runner::context::{StackHandle, StepContext};
use crate::runner::fault::{StepEnd, StepFault};
use crate::runner::hints;
use crate::runner::ledger::Undo;
use crate::runner::poll::{Observation, Pending};
use crate::scenario::document::{StackAction, StackChange, StackState};
use crate::scenario::expression::Template;

/// What the types of Heat's resources in Designate begin with.
const ZONE_TYPES: &str = "OS::Designate::";

/// Plays it.
pub async fn play(context: &StepContext<'_>, action: &StackAction) -> Result<StepEnd, StepFault> {
    let session = context.session()?;
    match &action.change {
        StackChange::Create { template, parameters, disable_rollback } => {
            create(context, session, action, template, parameters, *disable_rollback).await?;
        }
        StackChange::Update { template, parameters, disable_rollback } => {
            update(context, session, action, template.as_deref(), parameters, *disable_rollback).await?;
        }
        StackChange::Delete => {
            let handle = handle(context, &action.name)?;
            let answer = session.heat().delete_stack(&handle.reference()).await;
            answer.or_else(ignore_not_found).map_err(|error| refused(context, "delete", &handle, &error))?;
            note(context, &action.name, StackHandle { action: "DELETE", ..handle });
            context.test.changed_now();
        }
        StackChange::Await => {}
    }
    if action.wait { await_state(context, session, action).await } else { Ok(StepEnd::Done) }
}

impl StackHandle {
    fn reference(&self) -> StackRef {
        StackRef { id: self.id.clone(), name: self.name.clone() }
    }
}

fn handle(context: &StepContext<'_>, name: &str) -> Result<StackHandle, StepFault> {
    context.test.state().stacks.get(name).cloned().ok_or_else(|| {
        // The checker knows that a step before creates it, but that step may have been left out by its `when`.
        StepFault::errored(Reason::ExpressionFailed, format!("no step has created stack '{name}'"))
    })
}

fn note(context: &StepContext<'_>, name: &str, handle: StackHandle) {
    let mut state = context.test.state();
    let known = json!({ "id": handle.id, "name": handle.name, "outputs": {} });
    if state.scope.get("stacks").and_then(|stacks| stacks.get(name)).is_none() {
        state.scope.set_in("stacks", name, known);
    }
    state.stacks.insert(name.to_owned(), handle);
}

fn parameters(context: &StepContext<'_>, template: &Template) -> Result<Map<String, Value>, StepFault> {
    match context.value(template)? {
        Value::Object(parameters) => Ok(parameters),
        other => Err(StepFault::errored(
            Reason::ExpressionFailed,
            format!("the parameters of step '{}' are not an object: {other}", context.label),
        )),
    }
}

async fn create(
    context: &StepContext<'_>,
    session: &Session,
    action: &StackAction,
    template: &str,
    given: &Template,
    disable_rollback: bool,
) -> Result<(), StepFault> {
    let run = context.run();
    let prefix = &context.test.test.prefix;
    let name = format!("{prefix}-{}", action.name.replace('_', "-"));
    let parameters = parameters(context, given)?;
    let text = context.test.scenario.templates.get(template).cloned().unwrap_or_default();
    let new = NewStack {
        name: name.clone(),
        template: text,
        parameters: parameters.clone(),
        tags: run.plan.run.stack_tags(),
        timeout_minutes: Some(minutes(context)),
        disable_rollback,
        environment: None,
    };
    let undo = Undo::Stack { name: name.clone(), id: None };
    let entry = run.ledger.intend(prefix, &context.step.name, context.step.role, undo).await;
    let entry = entry.map_err(|error| {
        let why = with_sources(&error);
        let message = format!("nothing was created, because it could not be written down first: {why}");
        StepFault::errored(Reason::LedgerUnavailable, message)
    })?;
    context.test.state().entries.entry(context.step.name.clone()).or_default().push(entry.number);
    context.test.changed_now();
    let made = match session.heat().create_stack(&new).await {
        Err(error) if is_ambiguous(&error) => adopt(session, &name, error).await,
        answer => answer,
    };
    let mut handle = StackHandle {
        name,
        id: String::new(),
        template: template.to_owned(),
        parameters,
        entry: entry.number,
        action: "CREATE",
    };
    let made = made.map_err(|error| refused(context, "create", &handle, &error))?;
    context.test.changed_now();
    run.ledger.made(entry.number, &made.id).await;
    handle.id = made.id;
    note(context, &action.name, handle);
    Ok(())
}

/// A create whose answer was lost may have happened: the name tells.
async fn adopt(session: &Session, name: &str, error: Error) -> Result<StackRef, Error> {
    session.heat().find_stack(name).await.map(|found| found.reference()).map_err(|_| error)
}

/// Heat's own time-out is a little longer than ours, so that ours is the one that is reported.
fn minutes(context: &StepContext<'_>) -> u32 {
    let seconds = context.test.scaled(context.step.within).as_secs();
    u32::try_from(seconds / 60 + 2).unwrap_or(u32::MAX).min(1440)
}

async fn update(
    context: &StepContext<'_>,
    session: &Session,
    action: &StackAction,
    template: Option<&str>,
    given: &Template,
    disable_rollback: bool,
) -> Result<(), StepFault> {
    let mut handle = handle(context, &action.name)?;
    if let Some(template) = template {
        template.clone_into(&mut handle.template);
    }
    handle.parameters.extend(parameters(context, given)?);
    handle.action = "UPDATE";
    let text = context.test.scenario.templates.get(&handle.template).cloned().unwrap_or_default();
    let reference = handle.reference();
    let to = NewStack {
        name: handle.name.clone(),
        template: text,
        parameters: handle.parameters.clone(),
        tags: context.run().plan.run.stack_tags(),
        timeout_minutes: Some(minutes(context)),
        disable_rollback,
        environment: None,
    };
    // A stack that is still busy answers 409: it is asked again until it is not.
    context
        .poll("stack:update", context.deadline, || {
            async {
                match session.heat().update_stack(&reference, &to).await {
                    Ok(()) => Observation::Done(()),
                    Err(error) if error.is_conflict() => {
                        Observation::Pending(Pending::fault(refused(context, "update", &handle, &error)))
                    }
                    Err(error) => Observation::Fault(refused(context, "update", &handle, &error)),
                }
            }
            .boxed()
        })
        .await?;
    context.test.changed_now();
    note(context, &action.name, handle);
    Ok(())
}

async fn await_state(
    context: &StepContext<'_>,
    session: &Session,
    action: &StackAction,
) -> Result<StepEnd, StepFault> {
    let handle = handle(context, &action.name)?;
    let reference = handle.reference();
    let general = format!("stack:{}", handle.action);
    let zones = zones::Watch::new(context, session);
    let template = context.test.scenario.templates.get(&handle.template);
    let makes_zones =
        handle.action != "DELETE" && template.is_some_and(|template| template.contains(ZONE_TYPES));
    let last = context
        .poll(&general, context.deadline, || {
            async {
                match session.heat().show_stack(&reference).await {
                    Ok(stack) => {
                        let seen = judge(&handle, action.until.as_ref(), stack);
                        if makes_zones && matches!(seen, Observation::Pending(_)) {
                            zones.look().await;
                        }
                        seen
                    }
                    Err(error) if error.is_not_found() && action.until.is_none() => Observation::Done(None),
                    Err(error) if error.is_not_found() => {
                        let fault =
                            StepFault::failed(Reason::StackFailed, format!("stack {} is gone", handle.name));
                        Observation::Fault(fault.with(evidence_of(&error)))
                    }
                    Err(error) => Observation::waiting(fault_of(&error)),
                }
            }
            .boxed()
        })
        .await;
    match last {
        Ok(Some(stack)) => {
            let outputs: Map<String, Value> =
                stack.outputs.into_iter().map(|output| (output.key, output.value)).collect();
            let known = json!({ "id": handle.id, "name": handle.name, "outputs": outputs });
            context.test.state().scope.set_in("stacks", &action.name, known);
        }
        Ok(None) => {
            context.test.state().stacks.remove(&action.name);
            // The stack is gone whatever the ledger says; a stale entry is harmless, undoing finds nothing.
            let _ = context.run().ledger.undone(handle.entry).await;
        }
        Err(fault) => return Err(Box::pin(explain(session, &reference, zones, fault)).await),
    }
    Ok(StepEnd::Done)
}

/// Whether a stack is where it should be. A final state of the action before is not this action's yet.
fn judge(handle: &StackHandle, until: Option<&StackState>, stack: Stack) -> Observation<Option<Stack>> {
    let status = stack.status.to_string();
    let wanted = until.map_or_else(
        || "gone".to_owned(),
        |state| format!("{}_{}", state.action, if state.complete { "COMPLETE" } else { "FAILED" }),
    );
    let evidence = Evidence {
        service: Some("orchestration".to_owned()),
        method: Some("GET".to_owned()),
        path: Some(format!("/stacks/{}/{}", stack.name, stack.id)),
        expected: Some(wanted.clone()),
        observed: Some(format!("{status}: {}", stack.status_reason)),
        ..Evidence::default()
    };
    match until {
        Some(_) if status == wanted => return Observation::Done(Some(stack)),
        None if stack.is_gone() => return Observation::Done(None),
        _ => {}
    }
    let rolls_back = until.is_some_and(|state| state.action == "ROLLBACK");
    let of_this_action = stack.status.action.to_string() == handle.action
        || (rolls_back && stack.status.action.to_string() == "ROLLBACK");
    let may_roll_back = rolls_back && stack.status.action.to_string() != "ROLLBACK";
    // A deletion that is complete is not over before its time is told.
    let going = until.is_none() && !stack.status.is_failed();
    if stack.status.is_settled() && of_this_action && !may_roll_back && !going {
        let reason = hints::explain(&stack.status_reason);
        let message = format!("stack {} is {status} instead of {wanted}: {reason}", handle.name);
        return Observation::Fault(StepFault::failed(Reason::StackFailed, message).with(evidence));
    }
    let message = format!("stack {} is still {status}, not {wanted}", handle.name);
    Observation::Pending(Pending {
        seen: status,
        fault: StepFault::failed(Reason::StackNotComplete, message).with(evidence),
        retry_after: None,
    })
}

/// Adds which resource a stack failed at, or still waits for: Heat's own reason often leaves that out.
async fn explain(
    session: &Session,
    reference: &StackRef,
    zones: zones::Watch<'_>,
    mut fault: StepFault,
) -> StepFault {
    if !matches!(fault.reason, Reason::StackNotComplete | Reason::TestTimedOut | Reason::StackFailed) {
        return fault;
    }
    let Ok(resources) = session.heat().list_resources(reference, 0).await else { return fault };
    let open: Vec<String> = resources
        .iter()
        .filter(|resource| is_open(&resource.status))
        .take(5)
        .map(|resource| {
            let why = if resource.status_reason.is_empty() { "" } else { ": " };
            format!(
                "{} ({}) {}{why}{}",
                resource.name, resource.resource_type, resource.status, resource.status_reason
            )
        })
        .collect();
    if !open.is_empty() {
        tracing::info!(resources = ?open, "stack not complete");
        if fault.reason != Reason::StackFailed {
            fault.message = format!("{}; waiting for {}", fault.message, open.join(", "));
        }
        fault.evidence.observed = Some(open.join(", "));
    }
    // Heat hides a zone's trouble: it makes the zone again, and calls it anything meanwhile.
    let of_zones: Vec<&str> = resources
        .iter()
        .filter(|resource| resource.resource_type.starts_with(ZONE_TYPES))
        .map(|resource| resource.status.as_str())
        .collect();
    if of_zones.is_empty() {
        return fault;
    }
    // One that is to be made again is gone for a moment.
    let lacks_some = of_zones.iter().any(|status| is_open(status) || *status == "DELETE_COMPLETE");
    zones.explain(fault, lacks_some).await
}

/// Whether a resource of a stack is not there yet: one that nobody has begun to make is `INIT_COMPLETE`.
fn is_open(status: &str) -> bool {
    status == "INIT_COMPLETE" || !status.ends_with("_COMPLETE")
}

/// Heat refused the request itself.
fn refused(context: &StepContext<'_>, verb: &str, handle: &StackHandle, error: &Error) -> StepFault {
    let fault = fault_of(error);
    if !matches!(error, Error::Api(_)) {
        return fault;
    }
    // Keystone refuses the trust with a 403, of which Heat tells only a 500 without words.
    let app_credential = context.session().is_ok_and(Session::uses_application_credential);
    let hint = if app_credential && verb == "create" { hints::APPLICATION_CREDENTIAL } else { "" };
    let message =
        format!("Heat did not {verb} stack {}: {}{hint}", handle.name, hints::explain(&fault.message));
    let reason = if fault.reason.is_check() { Reason::StackFailed } else { fault.reason };
    StepFault { reason, message, ..fault }
}

fn ignore_not_found(error: Error) -> Result<(), Error> {
    if error.is_not_found() { Ok(()) } else { Err(error) }
}
