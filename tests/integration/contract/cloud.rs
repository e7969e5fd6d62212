//! A client of a cloud that knows nothing but its clouds.yaml: HTTP and JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// A cloud, and the sessions of those who talked to it.
pub struct Cloud {
    http: reqwest::Client,
    clouds: Value,
    /// What zones may be made under.
    pub zone_suffix: String,
    sessions: Mutex<BTreeMap<String, Session>>,
}

#[derive(Clone)]
struct Session {
    token: String,
    project: String,
    catalog: Value,
}

/// What a cloud answered.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Cloud {
    pub fn new(clouds_yaml: &str, zone_suffix: &str) -> Self {
        tempest_operator::openstack::install_crypto_provider();
        let clouds: Value = serde_saphyr::from_str(clouds_yaml).unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        let zone_suffix = zone_suffix.to_owned();
        Self { http, clouds: clouds["clouds"].clone(), zone_suffix, sessions: Mutex::default() }
    }

    /// Calls a service as an entry of clouds.yaml.
    pub async fn call(&self, entry: &str, service: &str, method: &str, path: &str, body: &Value) -> Answer {
        let session = self.session(entry).await;
        let url = session.endpoint(service) + path;
        let request = self
            .http
            .request(method.parse::<Method>().unwrap(), url)
            .header("x-auth-token", &session.token)
            .header("accept", "application/json")
            .header("openstack-api-version", format!("{service} {}", microversion(service)));
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// Asks Keystone for a token, with whatever is said, and gives its answer.
    pub async fn authenticate(&self, entry: &str, body: &Value) -> Answer {
        let url = format!("{}/auth/tokens", self.auth(entry)["auth_url"].as_str().unwrap());
        let answer = self.http.post(url).json(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let token = answer.headers().get("x-subject-token").map(|token| token.to_str().unwrap().to_owned());
        let mut body: Value = answer.json().await.unwrap();
        if let Some(token) = token {
            body["subject-token"] = token.into();
        }
        Answer { status, body }
    }

    /// The `auth` of an entry.
    pub fn auth(&self, entry: &str) -> &Value {
        &self.clouds[entry]["auth"]
    }

    /// The id of the project that an entry acts in.
    pub async fn project(&self, entry: &str) -> String {
        self.session(entry).await.project
    }

    async fn session(&self, entry: &str) -> Session {
        let mut sessions = self.sessions.lock().await;
        if let Some(session) = sessions.get(entry) {
            return session.clone();
        }
        let auth = self.auth(entry);
        let answer = self
            .authenticate(
                entry,
                &json!({"auth": {
                    "identity": {"methods": ["password"], "password": {"user": {
                        "name": auth["username"], "domain": {"name": "Default"}, "password": auth["password"]}}},
                    "scope": {"project": {"name": auth["project_name"], "domain": {"name": "Default"}}}}}),
            )
            .await;
        assert_eq!(answer.status, 201, "{entry}: {}", answer.body);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let session = Session {
            token: text(&answer.body["subject-token"]),
            project: text(&answer.body["token"]["project"]["id"]),
            catalog: answer.body["token"]["catalog"].clone(),
        };
        sessions.insert(entry.to_owned(), session.clone());
        session
    }
}

impl Session {
    /// Where a service answers, without the version where the path of a call begins with it.
    fn endpoint(&self, service: &str) -> String {
        let services = self.catalog.as_array().unwrap();
        let one =
            services.iter().find(|one| one["type"] == service).unwrap_or_else(|| panic!("no {service}"));
        let endpoints = one["endpoints"].as_array().unwrap();
        let public = endpoints.iter().find(|endpoint| endpoint["interface"] == "public").unwrap();
        public["url"].as_str().unwrap().trim_end_matches('/').to_owned()
    }
}

/// The version of the API that is spoken; only Nova heeds it.
fn microversion(service: &str) -> &'static str {
    if service == "compute" { "2.79" } else { "latest" }
}
