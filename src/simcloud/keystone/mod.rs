//! Keystone v3: tokens, the catalogue, and who is who.

mod auth;
mod catalog;

use std::{collections::HashMap, time::Duration};

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) use auth::authenticate;
pub(super) use catalog::REGION;

use super::{
    wire::{Call, Caller, Refusal, Reply},
    world::World,
};

#[derive(Clone, Debug)]
struct User {
    id: String,
    name: String,
    password: String,
}

#[derive(Clone, Debug)]
struct Project {
    id: String,
    name: String,
}

#[derive(Clone, Debug)]
struct Grant {
    user_id: String,
    project_id: String,
    role: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct ApplicationCredential {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) secret: String,
    user_id: String,
    project_id: String,
    roles: Vec<String>,
    /// Of the wall clock.
    expires: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Token {
    user: User,
    project: Option<Project>,
    roles: Vec<String>,
    methods: Vec<&'static str>,
    application_credential: Option<(String, String)>,
    issued: Duration,
    expires: Duration,
}

/// Everything Keystone knows.
#[derive(Debug, Default)]
pub(super) struct Identity {
    users: Vec<User>,
    projects: Vec<Project>,
    grants: Vec<Grant>,
    pub(super) credentials: Vec<ApplicationCredential>,
    tokens: HashMap<String, Token>,
    roles: Vec<(&'static str, String)>,
    /// The identity under which Neutron publishes reverse records.
    pub(super) neutron: Caller,
    /// The identity under which Nova binds ports.
    pub(super) nova: Caller,
}

impl Identity {
    /// A project's id by its name.
    pub(super) fn project_id(&self, name: &str) -> String {
        self.projects.iter().find(|p| p.name == name).map(|p| p.id.clone()).unwrap_or_default()
    }

    /// A project's name by its id.
    pub(super) fn project_name(&self, id: &str) -> String {
        self.projects.iter().find(|p| p.id == id).map(|p| p.name.clone()).unwrap_or_default()
    }

    /// Gives a user another password, which ends all tokens of that user, as in Keystone.
    pub(super) fn change_password(&mut self, name: &str, password: &str) {
        for user in self.users.iter_mut().filter(|user| user.name == name) {
            password.clone_into(&mut user.password);
        }
        self.tokens.retain(|_, token| token.user.name != name);
    }

    fn roles_of(&self, user_id: &str, project_id: &str) -> Vec<String> {
        self.grants
            .iter()
            .filter(|grant| grant.user_id == user_id && grant.project_id == project_id)
            .map(|grant| grant.role.to_owned())
            .collect()
    }
}

/// Fills in the built-in projects, users and their roles.
pub(super) fn seed(world: &mut World) {
    for role in ["admin", "member", "reader", "service"] {
        let id = world.hex_id();
        world.identity.roles.push((role, id));
    }
    for name in ["demo", "demo2", "admin", "service"] {
        let id = world.hex_id();
        world.identity.projects.push(Project { id, name: name.to_owned() });
    }
    let password = world.options.password.clone();
    let people: [(&str, &str, &[&'static str]); 6] = [
        ("demo", "demo", &["member", "reader"]),
        ("demo2", "demo2", &["member", "reader"]),
        ("reader", "demo", &["reader"]),
        ("admin", "admin", &["admin", "member", "reader"]),
        ("neutron", "service", &["service", "admin"]),
        ("nova", "service", &["service", "admin"]),
    ];
    for (name, project, roles) in people {
        let id = world.hex_id();
        let project_id = world.identity.project_id(project);
        let service = project == "service";
        // Services never log in over HTTP: a random secret nobody knows.
        let password = if service { world.hex_id() } else { password.clone() };
        world.identity.users.push(User { id: id.clone(), name: name.to_owned(), password });
        for role in roles {
            let grant = Grant { user_id: id.clone(), project_id: project_id.clone(), role };
            world.identity.grants.push(grant);
        }
        let caller = Caller {
            user_id: id,
            user_name: name.to_owned(),
            project_id,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            application_credential: false,
        };
        match name {
            "neutron" => world.identity.neutron = caller,
            "nova" => world.identity.nova = caller,
            "demo" => {
                let credential = ApplicationCredential {
                    id: world.hex_id(),
                    name: "demo-appcred".to_owned(),
                    secret: world.hex_id(),
                    user_id: caller.user_id,
                    project_id: caller.project_id,
                    roles: caller.roles,
                    expires: None,
                };
                world.identity.credentials.push(credential);
            }
            _ => {}
        }
    }
    // The administrator may also act in the first tenant's project.
    let admin = world.identity.users.iter().find(|u| u.name == "admin").map(|u| u.id.clone());
    if let Some(user_id) = admin {
        let project_id = world.identity.project_id("demo");
        world.identity.grants.push(Grant { user_id, project_id, role: "admin" });
    }
}

pub(super) fn handle(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let path = call.segments();
    match (&call.method, path.as_slice()) {
        (&Method::GET, []) => {
            let location = format!("{}/identity/v3/", world.base_url);
            let body = json!({"versions": {"values": [catalog::version(world)]}});
            Ok(Reply::json(300, body).with_header("location", location))
        }
        (&Method::GET, ["v3"]) => Ok(Reply::ok(json!({"version": catalog::version(world)}))),
        (&Method::POST, ["v3", "auth", "tokens"]) => auth::issue(world, call),
        (&Method::GET | &Method::HEAD, ["v3", "auth", "tokens"]) => auth::show(world, call),
        (&Method::DELETE, ["v3", "auth", "tokens"]) => auth::revoke(world, call),
        (&Method::GET, ["v3", "auth", "catalog"]) => {
            let href = format!("{}/identity/v3/auth/catalog", world.base_url);
            let catalog = catalog::catalog(world, &call.caller.project_id);
            Ok(Reply::ok(json!({"catalog": catalog, "links": {"self": href}})))
        }
        (&Method::GET, ["v3", "auth", "projects"]) => Ok(own_projects(world, &call.caller)),
        (&Method::GET, ["v3", "projects"]) if call.caller.is_admin() => Ok(projects(world, call)),
        (&Method::GET, ["v3", "projects", id]) => project(world, &call.caller, id),
        (&Method::GET, ["v3", "users", id]) => user(world, id),
        (_, ["v3", "users", user, "application_credentials", rest @ ..]) => {
            credentials(world, call, user, rest)
        }
        (_, ["v3", "users", ..]) => Err(forbidden("identity:list_users")),
        (_, ["v3", "projects", ..]) => Err(forbidden("identity:list_projects")),
        _ => Ok(Reply::text(404, "text/html; charset=utf-8", NO_PAGE)),
    }
}

/// Flask's own answer for a path that it does not know.
const NO_PAGE: &str = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n\
    <p>The requested URL was not found on the server. If you entered the URL manually please check your \
    spelling and try again.</p>\n";

fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new(404, "Not Found", message)
}

fn forbidden(rule: &str) -> Refusal {
    let message = format!("You are not authorized to perform the requested action: {rule}.");
    Refusal::new(403, "Forbidden", message)
}

fn describe(world: &World, project: &Project) -> Value {
    let href = format!("{}/identity/v3/projects/{}", world.base_url, project.id);
    json!({"id": project.id, "name": project.name, "domain_id": "default", "enabled": true,
        "description": "", "is_domain": false, "parent_id": "default", "tags": [], "options": {},
        "links": {"self": href}})
}

fn own_projects(world: &World, caller: &Caller) -> Reply {
    let mine: Vec<Value> = world
        .identity
        .projects
        .iter()
        .filter(|p| !world.identity.roles_of(&caller.user_id, &p.id).is_empty())
        .map(|project| describe(world, project))
        .collect();
    let href = format!("{}/identity/v3/auth/projects", world.base_url);
    Reply::ok(json!({"projects": mine, "links": {"next": null, "previous": null, "self": href}}))
}

fn projects(world: &World, call: &Call) -> Reply {
    let name = call.query("name");
    let found: Vec<Value> = world
        .identity
        .projects
        .iter()
        .filter(|p| name.is_none_or(|name| p.name == name))
        .map(|project| describe(world, project))
        .collect();
    let href = format!("{}/identity/v3/projects", world.base_url);
    Reply::ok(json!({"projects": found, "links": {"next": null, "previous": null, "self": href}}))
}

fn project(world: &World, caller: &Caller, id: &str) -> Result<Reply, Refusal> {
    let found = world.identity.projects.iter().find(|p| p.id == id && caller.owns(&p.id));
    found
        .map(|p| Reply::ok(json!({"project": describe(world, p)})))
        .ok_or_else(|| not_found(format!("Could not find project: {id}.")))
}

fn user(world: &World, id: &str) -> Result<Reply, Refusal> {
    let found = world.identity.users.iter().find(|user| user.id == id);
    found
        .map(|user| {
            Reply::ok(json!({"user": {"id": user.id, "name": user.name, "domain_id": "default",
                "enabled": true, "options": {}, "password_expires_at": null, "links": {}}}))
        })
        .ok_or_else(|| not_found(format!("Could not find user: {id}.")))
}

fn credential_view(credential: &ApplicationCredential) -> Value {
    json!({"id": credential.id, "name": credential.name, "project_id": credential.project_id,
        "roles": credential.roles.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
        "expires_at": credential.expires.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()),
        "user_id": credential.user_id, "unrestricted": false, "description": null, "system": null, "links": {}})
}

fn credentials(world: &mut World, call: &Call, user: &str, rest: &[&str]) -> Result<Reply, Refusal> {
    let reads = call.method == Method::GET;
    // A restricted one may look at itself, and make or delete none.
    if user != call.caller.user_id || (call.caller.application_credential && !reads) {
        return Err(forbidden("identity:create_application_credential"));
    }
    match (&call.method, rest) {
        (&Method::GET, [id]) => {
            let mine = world.identity.credentials.iter().find(|c| c.id == *id && c.user_id == user);
            mine.map(|credential| Reply::ok(json!({"application_credential": credential_view(credential)})))
                .ok_or_else(|| not_found(format!("Could not find Application Credential: {id}.")))
        }
        (&Method::GET, []) => {
            let mine: Vec<Value> = world
                .identity
                .credentials
                .iter()
                .filter(|c| c.user_id == user)
                .map(credential_view)
                .collect();
            Ok(Reply::ok(json!({"application_credentials": mine, "links": {}})))
        }
        (&Method::POST, []) => {
            let wanted = &call.body["application_credential"];
            let name = wanted["name"]
                .as_str()
                .ok_or_else(|| Refusal::new(400, "Bad Request", "'name' is a required property"))?;
            let secret = wanted["secret"].as_str().map(str::to_owned);
            let expires = wanted["expires_at"].as_str().map(|text| text.trim_end_matches('Z'));
            let expires = expires.and_then(|text| format!("{text}Z").parse().ok());
            let credential = ApplicationCredential {
                id: world.hex_id(),
                name: name.to_owned(),
                secret: secret.unwrap_or_else(|| world.hex_id()),
                user_id: user.to_owned(),
                project_id: call.caller.project_id.clone(),
                roles: call.caller.roles.clone(),
                expires,
            };
            let mut view = credential_view(&credential);
            view["secret"] = json!(credential.secret);
            world.identity.credentials.push(credential);
            Ok(Reply::json(201, json!({"application_credential": view})))
        }
        (&Method::DELETE, [id]) => {
            let before = world.identity.credentials.len();
            world.identity.credentials.retain(|c| c.id != *id || c.user_id != user);
            if world.identity.credentials.len() == before {
                return Err(not_found(format!("Could not find Application Credential: {id}.")));
            }
            Ok(Reply::empty(204))
        }
        _ => Err(not_found("The resource could not be found.")),
    }
}
