//! Heat, the orchestration service (API v1).

mod status;
mod types;

use http::Method;
use serde_json::{Map, Value, json};

use super::error::Error;
use super::request::Request;
use super::service::Service;
use super::session::Session;

pub use status::{StackAction, StackState, StackStatus};
pub use types::{NewStack, Stack, StackEvent, StackOutput, StackRef, StackResource, TemplateSummary};

/// How many items a page has.
const PAGE: u32 = 200;

/// The typed calls of Heat.
#[derive(Debug, Clone)]
pub struct Heat {
    session: Session,
}

impl Session {
    /// The typed calls of Heat.
    pub fn heat(&self) -> Heat {
        Heat { session: self.clone() }
    }
}

impl Heat {
    fn call(&self, method: Method, path: impl Into<String>) -> Request {
        self.session.request(Service::Orchestration, method, path)
    }

    /// Starts the creation of a stack. Afterwards its status is `CREATE_IN_PROGRESS`.
    ///
    /// # Errors
    /// 409 `StackExists` when the name is taken in the project; 400 for a template that does not validate.
    pub async fn create_stack(&self, stack: &NewStack) -> Result<StackRef, Error> {
        let response = self.call(Method::POST, "/stacks").json(&stack.create_body()).send().await?;
        let id = response
            .body
            .pointer("/stack/id")
            .and_then(Value::as_str)
            .ok_or_else(|| response.unexpected("there is no id in the answer"))?;
        Ok(StackRef { id: id.to_owned(), name: stack.name.clone() })
    }

    /// What Heat would create, without creating it: the answer's `stack`.
    pub async fn preview_stack(&self, stack: &NewStack) -> Result<Value, Error> {
        self.call(Method::POST, "/stacks/preview")
            .json(&stack.create_body())
            .send()
            .await?
            .read(Some("stack"))
    }

    /// A stack by name and id, with its outputs. A deleted stack is still found this way: see [`Stack::is_gone`].
    pub async fn show_stack(&self, stack: &StackRef) -> Result<Stack, Error> {
        self.show(stack, true).await
    }

    /// The same without resolving the outputs, which is cheaper: for polling.
    pub async fn stack_status(&self, stack: &StackRef) -> Result<Stack, Error> {
        self.show(stack, false).await
    }

    async fn show(&self, stack: &StackRef, outputs: bool) -> Result<Stack, Error> {
        self.call(Method::GET, stack_path(stack, ""))
            .query("resolve_outputs", outputs)
            .send()
            .await?
            .read(Some("stack"))
    }

    /// A stack by name alone. Heat redirects to the stack's address, of which only the name and the id are believed. A
    /// deleted stack is not found (404).
    pub async fn find_stack(&self, name: &str) -> Result<Stack, Error> {
        let response = self
            .call(Method::GET, format!("/stacks/{name}"))
            .query("resolve_outputs", "false")
            .accepting(302)
            .send()
            .await?;
        if response.status != 302 {
            return response.read(Some("stack"));
        }
        let location = response.headers.get("location");
        let stack = location
            .and_then(|at| redirected(at))
            .ok_or_else(|| response.unexpected("it redirects to something that is not a stack"))?;
        self.show_stack(&stack).await
    }

    /// Starts an update to a new template and new parameters (what is not given goes back to its default). It is sent
    /// once only.
    ///
    /// # Errors
    /// 409 `ActionInProgress` while another action is under way (with convergence, Heat takes the new update instead).
    pub async fn update_stack(&self, stack: &StackRef, to: &NewStack) -> Result<(), Error> {
        self.call(Method::PUT, stack_path(stack, "")).json(&to.update_body()).once().send().await.map(drop)
    }

    /// Starts the deletion of a stack; also during another action.
    ///
    /// # Errors
    /// 404 when it is gone.
    pub async fn delete_stack(&self, stack: &StackRef) -> Result<(), Error> {
        self.call(Method::DELETE, stack_path(stack, "")).send().await.map(drop)
    }

    /// Starts an action: `suspend`, `resume`, `check`, `cancel_update`, …
    pub async fn act(&self, stack: &StackRef, action: &str) -> Result<(), Error> {
        let mut body = Map::new();
        body.insert(action.to_owned(), Value::Null);
        self.call(Method::POST, stack_path(stack, "/actions")).json(&body).send().await.map(drop)
    }

    /// The project's stacks (nested and deleted ones not), with all of these tags.
    pub async fn list_stacks(&self, tags: &[&str]) -> Result<Vec<Stack>, Error> {
        let tags = (!tags.is_empty()).then(|| tags.join(","));
        self.call(Method::GET, "/stacks").query_opt("tags", tags).send_pages(PAGE).await?.read(Some("stacks"))
    }

    /// A stack's resources; with `nested_depth` also those of stacks inside it.
    pub async fn list_resources(
        &self,
        stack: &StackRef,
        nested_depth: u8,
    ) -> Result<Vec<StackResource>, Error> {
        let depth = (nested_depth > 0).then_some(nested_depth);
        self.call(Method::GET, stack_path(stack, "/resources"))
            .query_opt("nested_depth", depth)
            .send()
            .await?
            .read(Some("resources"))
    }

    /// A stack's events, oldest first; with `nested_depth` also those of stacks inside it.
    pub async fn list_events(&self, stack: &StackRef, nested_depth: u8) -> Result<Vec<StackEvent>, Error> {
        let depth = (nested_depth > 0).then_some(nested_depth);
        self.call(Method::GET, stack_path(stack, "/events"))
            .query_opt("nested_depth", depth)
            .query("sort_dir", "asc")
            .send_pages(PAGE)
            .await?
            .read(Some("events"))
    }

    /// Checks a template with these parameters; Heat asks the other services about images, networks and so on.
    ///
    /// # Errors
    /// 400 `StackValidationFailed` with what is wrong.
    pub async fn validate_template(
        &self,
        template: &str,
        parameters: &Map<String, Value>,
    ) -> Result<TemplateSummary, Error> {
        let environment = json!({ "parameters": parameters });
        self.call(Method::POST, "/validate")
            .json(&json!({ "template": template, "environment": environment }))
            .send()
            .await?
            .read(None)
    }

    /// The types that this user can use here: hidden and removed ones, and those of services that the cloud does not have,
    /// are not among them.
    pub async fn resource_types(&self) -> Result<Vec<String>, Error> {
        self.call(Method::GET, "/resource_types").send().await?.read(Some("resource_types"))
    }

    /// What a type takes and gives.
    ///
    /// # Errors
    /// 400 `NotSupported` for a hidden type, 400 `ResourceTypeUnavailable` when its service is missing, 404 for an unknown one.
    pub async fn resource_type_schema(&self, resource_type: &str) -> Result<Value, Error> {
        self.call(Method::GET, format!("/resource_types/{resource_type}")).send().await?.read(None)
    }
}

fn stack_path(stack: &StackRef, rest: &str) -> String {
    format!("/stacks/{}/{}{rest}", stack.name, stack.id)
}

/// Name and id from the end of the address that Heat redirects to.
pub(super) fn redirected(location: &str) -> Option<StackRef> {
    let path = location.split(['?', '#']).next()?;
    let mut parts = path.rsplit('/');
    let id = parts.next().filter(|id| !id.is_empty())?;
    let name = parts.next().filter(|name| !name.is_empty())?;
    (parts.next()? == "stacks").then(|| StackRef { id: id.to_owned(), name: name.to_owned() })
}
