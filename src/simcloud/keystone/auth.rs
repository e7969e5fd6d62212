//! Tokens: issued for a password, an application credential or another token; checked for every service.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Project, Token, User, catalog, not_found};
use crate::simcloud::{
    faults::{Fault, Target},
    wire::{Call, Caller, Refusal, Reply},
    world::World,
};

fn unauthorized() -> Refusal {
    Refusal::new(401, "Unauthorized", "The request you have made requires authentication.")
}

fn bad_request(message: &str) -> Refusal {
    Refusal::new(400, "Bad Request", message)
}

fn expected(what: &str, place: &str) -> Refusal {
    bad_request(&format!(
        "Expecting to find {what} in {place}. The server could not comply with the request since it is \
         either malformed or otherwise incorrect. The client is assumed to be in error."
    ))
}

fn everybody_is_refused(world: &World) -> bool {
    world.faults.hit(&Fault::Unauthorized, Target::default())
}

/// Who a token speaks for.
pub(crate) fn authenticate(world: &World, token: Option<&str>) -> Result<Caller, Refusal> {
    let token = live(world, token.ok_or_else(unauthorized)?).ok_or_else(unauthorized)?;
    Ok(Caller {
        user_id: token.user.id.clone(),
        user_name: token.user.name.clone(),
        project_id: token.project.as_ref().map(|p| p.id.clone()).unwrap_or_default(),
        roles: token.roles.clone(),
        application_credential: token.application_credential.is_some(),
    })
}

fn live<'a>(world: &'a World, id: &str) -> Option<&'a Token> {
    let token = world.identity.tokens.get(id)?;
    let shortened = world.faults.find(Target::default(), |fault| match fault {
        Fault::TokenLifetime(lifetime) => Some(*lifetime),
        _ => None,
    });
    let ends = shortened.map_or(token.expires, |life| token.expires.min(token.issued + life));
    (world.now < ends && !everybody_is_refused(world)).then_some(token)
}

struct Proof {
    user: User,
    methods: Vec<&'static str>,
    /// Fixed by an application credential.
    fixed: Option<(Project, Vec<String>)>,
    /// The id and name of the application credential behind it.
    credential: Option<(String, String)>,
    /// A token is never prolonged by a token.
    expires: Option<Duration>,
}

pub(super) fn issue(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    if everybody_is_refused(world) {
        return Err(unauthorized());
    }
    let auth = &call.body["auth"];
    let identity = &auth["identity"];
    let methods =
        identity["methods"].as_array().ok_or_else(|| bad_request("'identity' is a required property"))?;
    let method = methods.first().and_then(Value::as_str).unwrap_or_default();
    let proof = match method {
        "password" if identity["password"].is_null() => return Err(expected("password", "identity")),
        "password" => by_password(world, &identity["password"]["user"])?,
        "application_credential" => {
            if auth.get("scope").is_some_and(|scope| !scope.is_null()) {
                return Err(bad_request("Application credentials cannot request a scope."));
            }
            by_credential(world, &identity["application_credential"])?
        }
        "token" => by_token(world, identity["token"]["id"].as_str().unwrap_or_default())?,
        _ => return Err(unauthorized()),
    };
    let (project, roles) = match &proof.fixed {
        Some((project, roles)) => (Some(project.clone()), roles.clone()),
        None => scoped(world, &proof.user, auth)?,
    };
    let expires = world.now + world.options.token_lifetime;
    let token = Token {
        user: proof.user,
        project,
        roles,
        methods: proof.methods,
        application_credential: proof.credential,
        issued: world.now,
        expires: proof.expires.map_or(expires, |limit| limit.min(expires)),
    };
    let now = world.now;
    world.identity.tokens.retain(|_, token| token.expires > now);
    let id = format!("gAAAAA{}{}", world.hex_id(), world.hex_id());
    let body = view(world, &token, call.query("nocatalog").is_none());
    world.identity.tokens.insert(id.clone(), token);
    Ok(Reply::json(201, body).with_header("x-subject-token", id).with_header("vary", "X-Auth-Token"))
}

fn in_default_domain(domain: &Value) -> bool {
    domain["id"].as_str().is_some_and(|id| id == "default")
        || domain["name"].as_str().is_some_and(|name| name == "Default")
}

fn find_user<'a>(world: &'a World, wanted: &Value) -> Option<&'a User> {
    let by_id = wanted["id"].as_str();
    world.identity.users.iter().find(|user| match by_id {
        Some(id) => user.id == id,
        None => wanted["name"].as_str() == Some(user.name.as_str()) && in_default_domain(&wanted["domain"]),
    })
}

fn by_password(world: &World, wanted: &Value) -> Result<Proof, Refusal> {
    let user = find_user(world, wanted)
        .filter(|user| wanted["password"].as_str() == Some(user.password.as_str()))
        .ok_or_else(unauthorized)?;
    Ok(Proof { user: user.clone(), methods: vec!["password"], fixed: None, credential: None, expires: None })
}

fn by_credential(world: &World, wanted: &Value) -> Result<Proof, Refusal> {
    let owner = wanted.get("user").and_then(|user| find_user(world, user));
    let credential = world
        .identity
        .credentials
        .iter()
        .find(|credential| match wanted["id"].as_str() {
            Some(id) => credential.id == id,
            None => {
                wanted["name"].as_str() == Some(credential.name.as_str())
                    && owner.is_some_and(|user| user.id == credential.user_id)
            }
        })
        .ok_or_else(|| expected("name or ID", "application credential"))?;
    let credential = Some(credential)
        .filter(|credential| wanted["secret"].as_str() == Some(credential.secret.as_str()))
        .filter(|credential| credential.expires.is_none_or(|expires| world.wall() < expires))
        .ok_or_else(unauthorized)?;
    let user = world.identity.users.iter().find(|user| user.id == credential.user_id);
    let project = world.identity.projects.iter().find(|p| p.id == credential.project_id);
    let (Some(user), Some(project)) = (user, project) else {
        return Err(unauthorized());
    };
    Ok(Proof {
        user: user.clone(),
        methods: vec!["application_credential"],
        fixed: Some((project.clone(), credential.roles.clone())),
        credential: Some((credential.id.clone(), credential.name.clone())),
        // No token outlives the credential that it was given for.
        expires: credential.expires.map(|expires| {
            world.now + Duration::try_from(expires.duration_since(world.wall())).unwrap_or_default()
        }),
    })
}

fn by_token(world: &World, id: &str) -> Result<Proof, Refusal> {
    let token = live(world, id).ok_or_else(unauthorized)?;
    let mut methods = token.methods.clone();
    methods.push("token");
    Ok(Proof {
        user: token.user.clone(),
        methods,
        fixed: None,
        credential: token.application_credential.clone(),
        expires: Some(token.expires),
    })
}

fn scoped(world: &World, user: &User, auth: &Value) -> Result<(Option<Project>, Vec<String>), Refusal> {
    let wanted = &auth["scope"]["project"];
    if wanted.is_null() {
        return Ok((None, Vec::new()));
    }
    let project = world
        .identity
        .projects
        .iter()
        .find(|project| match wanted["id"].as_str() {
            Some(id) => project.id == id,
            None => {
                wanted["name"].as_str() == Some(project.name.as_str()) && in_default_domain(&wanted["domain"])
            }
        })
        .ok_or_else(unauthorized)?;
    let roles = world.identity.roles_of(&user.id, &project.id);
    if roles.is_empty() {
        return Err(unauthorized());
    }
    Ok((Some(project.clone()), roles))
}

fn moment(world: &World, at: Duration) -> String {
    let ahead = at.saturating_sub(world.now);
    let when = world.wall().checked_add(ahead).unwrap_or(jiff::Timestamp::MAX);
    when.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn view(world: &World, token: &Token, with_catalog: bool) -> Value {
    let issued = world.wall().checked_sub(world.now.saturating_sub(token.issued));
    let issued = issued.unwrap_or(jiff::Timestamp::MIN);
    let mut body = json!({
        "methods": token.methods,
        "user": {"id": token.user.id, "name": token.user.name, "password_expires_at": null,
            "domain": {"id": "default", "name": "Default"}},
        "audit_ids": [token.user.id.get(..22).unwrap_or_default()],
        "expires_at": moment(world, token.expires),
        "issued_at": issued.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
    });
    if let Some((id, name)) = &token.application_credential {
        body["application_credential"] = json!({"id": id, "name": name, "restricted": true});
    }
    if let Some(project) = &token.project {
        let ids = &world.identity.roles;
        let roles: Vec<Value> = token
            .roles
            .iter()
            .map(|role| {
                let id = ids.iter().find(|(name, _)| name == role).map(|(_, id)| id);
                json!({"id": id, "name": role})
            })
            .collect();
        body["project"] = json!({"id": project.id, "name": project.name,
            "domain": {"id": "default", "name": "Default"}});
        body["is_domain"] = json!(false);
        body["roles"] = json!(roles);
        if with_catalog {
            body["catalog"] = catalog::catalog(world, &project.id);
        }
    }
    json!({"token": body})
}

pub(super) fn show(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let id = call.header("x-subject-token").unwrap_or_default();
    let token = live(world, id).ok_or_else(|| not_found("Could not find token."))?;
    Ok(Reply::ok(view(world, token, call.query("nocatalog").is_none())).with_header("x-subject-token", id))
}

pub(super) fn revoke(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let id = call.header("x-subject-token").unwrap_or_default().to_owned();
    if world.identity.tokens.remove(&id).is_none() {
        return Err(not_found("Could not find token."));
    }
    Ok(Reply::empty(204))
}
