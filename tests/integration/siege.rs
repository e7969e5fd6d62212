//! Operators that are killed again and again while a run is played.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::kube::namespace::Namespace;
use crate::operator::Operator;

/// Longer than any run takes when nobody is killed any more.
const PATIENCE: Duration = Duration::from_mins(8);
const LOOK: Duration = Duration::from_millis(300);

/// How operators are killed while the run `one` of a namespace is played.
pub struct Siege {
    /// Draws when.
    pub seed: u64,
    /// How many operators there are; the one that leads is killed.
    pub replicas: usize,
    /// How often.
    pub kills: usize,
    /// How long one leads at most before it is killed.
    pub longest: Duration,
}

/// The seed of this test run; `SIEGE_SEED` repeats one.
pub fn seed() -> u64 {
    let given = std::env::var("SIEGE_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(rand::random);
    eprintln!("SIEGE_SEED={seed}");
    seed
}

/// What the status has acknowledged: outcome and start of each test, by token and name.
#[derive(Default)]
pub struct Acknowledged(BTreeMap<(String, String), (Value, Value)>);

impl Acknowledged {
    /// How many runs were looked at.
    fn runs(&self) -> usize {
        self.0.keys().map(|(token, _)| token).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// Looks at a status; what was acknowledged once stays as it was.
    pub fn check(&mut self, run: &Value) {
        let token = run["status"]["runToken"].to_string();
        for test in run["status"]["tests"].as_array().into_iter().flatten() {
            let key = (token.clone(), test["name"].to_string());
            let now = (test["outcome"].clone(), test["startTime"].clone());
            let first = self.0.entry(key).or_insert_with(|| now.clone());
            assert_eq!(*first, now, "an acknowledged test was played again: {run:#}");
        }
    }
}

impl Siege {
    /// Plays the namespace's run to its end, again with another token while there are kills left. Every run must
    /// pass: nothing but the operators was broken.
    pub fn lay(&self, namespace: &Namespace) {
        let access = namespace.operator_access();
        let start = || Operator::start_as(&namespace.name, &access);
        let mut chance = StdRng::seed_from_u64(self.seed);
        let mut operators: Vec<Operator> = (0..self.replicas).map(|_| start()).collect();
        let mut acknowledged = Acknowledged::default();
        let mut kills = 0;
        let mut due: Option<Instant> = None;
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "{kills} kills, and then: {:#}", namespace.run());
            std::thread::sleep(LOOK);
            let run = namespace.run();
            acknowledged.check(&run);
            // Whoever could not renew in time on a machine this busy has ended itself.
            for operator in &mut operators {
                if operator.has_ended() {
                    *operator = start();
                }
            }
            if is_over(&run) {
                assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
                if kills >= self.kills {
                    break;
                }
                let again = json!({ "spec": { "runToken": format!("after-{kills}") } }).to_string();
                namespace.kubectl(&["patch", "tempestrun", "one", "--type=merge", "-p", &again]);
            }
            let is_under_way =
                ["Queued", "Running", "CleaningUp"].iter().any(|phase| run["status"]["phase"] == *phase);
            if kills >= self.kills || !is_under_way {
                continue;
            }
            let Some(leader) = operators.iter().position(Operator::leads) else { continue };
            let draw = || Instant::now() + self.longest.mul_f64(chance.random());
            if Instant::now() >= *due.get_or_insert_with(draw) {
                operators[leader].kill();
                operators[leader] = start();
                (kills, due) = (kills + 1, None);
            }
        }
        let run = namespace.run();
        eprintln!("{kills} kills, {} attempts of {} runs", run["status"]["attempt"], acknowledged.runs());
        // Somebody must let it go.
        namespace.kubectl(&["delete", "tempestruns", "--all", "--timeout=120s"]);
    }
}

/// Whether the run ended for the token that it has now.
fn is_over(run: &Value) -> bool {
    run["status"]["phase"] == "Completed" && run["status"]["runToken"] == run["spec"]["runToken"]
}
