//! Plays a list of calls and keeps what was answered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::cloud::{Answer, Cloud};
use super::shape::Masks;
use crate::support::repository;

/// How long a cloud may take to reach a state or to delete something.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(200);

/// One call of a list, and what comes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// `METHOD service /path`; `{NAME}` stands for a kept value, in the body also.
    call: String,
    /// Who calls: an entry of clouds.yaml.
    #[serde(default = "demo", rename = "as")]
    entry: String,
    #[serde(default)]
    body: Value,
    /// Values of the answer that later calls use, by JSON pointer.
    #[serde(default)]
    keep: BTreeMap<String, String>,
    /// The call is repeated until the value at each pointer is this.
    #[serde(default)]
    until: BTreeMap<String, Value>,
    /// What deletes what the call made.
    undo: Option<String>,
    /// A call that only prepares others: its answer depends on how the cloud was set up.
    #[serde(default)]
    prepares: bool,
}

fn demo() -> String {
    "demo".to_owned()
}

/// A call and its answer, without what differs from one cloud to another.
#[derive(Serialize)]
pub struct Answered {
    call: String,
    status: u16,
    body: Value,
}

/// Plays the calls of a file; what they made is gone afterwards.
pub async fn play(name: &str, cloud: &Cloud) -> Vec<Answered> {
    let file = repository("tests/fixtures/contract").join(format!("{name}.yaml"));
    let calls: Vec<Step> = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut play = Play { cloud, masks: Masks::new(cloud).await, undo: Vec::new() };
    let mut answers = Vec::new();
    let mut problem = None;
    for call in &calls {
        match play.step(call).await {
            Ok(Some(answered)) => answers.push(answered),
            Ok(None) => {}
            Err(said) => {
                problem = Some(said);
                break;
            }
        }
    }
    play.undo().await;
    if let Some(problem) = problem {
        panic!("{problem}");
    }
    answers
}

struct Play<'a> {
    cloud: &'a Cloud,
    masks: Masks,
    undo: Vec<(String, String)>,
}

impl Play<'_> {
    async fn step(&mut self, call: &Step) -> Result<Option<Answered>, String> {
        let answer = self.ask(call).await?;
        for (name, pointer) in &call.keep {
            let value = answer.body.pointer(pointer).and_then(Value::as_str);
            let value = value.ok_or_else(|| format!("{}: no {pointer} in {}", call.call, answer.body))?;
            self.masks.keep(name, value);
        }
        if let Some(undo) = &call.undo {
            self.undo.push((call.entry.clone(), self.masks.fill(undo)));
        }
        if call.prepares {
            return Ok(None);
        }
        let body = self.masks.mask(answer.body);
        Ok(Some(Answered { call: call.call.clone(), status: answer.status, body }))
    }

    /// Asks until the cloud is as far as the call wants it.
    async fn ask(&self, call: &Step) -> Result<Answer, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer =
                self.one(&call.entry, &self.masks.fill(&call.call), &self.masks.fill_all(&call.body)).await;
            let there = |(pointer, value): (&String, &Value)| match pointer.as_str() {
                "status" => *value == answer.status,
                pointer => answer.body.pointer(pointer) == Some(&self.masks.fill_all(value)),
            };
            if call.until.iter().all(there) {
                return Ok(answer);
            }
            if Instant::now() >= deadline {
                return Err(format!("{} did not reach {:?}: {}", call.call, call.until, answer.body));
            }
            sleep(LOOK).await;
        }
    }

    async fn one(&self, entry: &str, call: &str, body: &Value) -> Answer {
        let mut words = call.splitn(3, ' ');
        let mut next = || words.next().unwrap_or_else(|| panic!("{call}: METHOD service /path"));
        let (method, service, path) = (next(), next(), next());
        if path == "/auth/tokens" && method == "POST" {
            return self.cloud.authenticate(entry, body).await;
        }
        self.cloud.call(entry, service, method, path, body).await
    }

    /// Deletes in reverse; each until it is gone.
    async fn undo(&mut self) {
        while let Some((entry, call)) = self.undo.pop() {
            let deadline = Instant::now() + PATIENCE;
            loop {
                let answer = self.one(&entry, &call, &Value::Null).await;
                if answer.status == 404 {
                    break;
                }
                assert!(Instant::now() < deadline, "{call} does not end: {} {}", answer.status, answer.body);
                sleep(LOOK).await;
            }
        }
    }
}
