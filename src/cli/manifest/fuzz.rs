//! Files for `run --file`, damaged; the Secret in them is told nowhere.

#[path = "../../../tests/integration/fuzz/mutate.rs"]
mod mutate;

use proptest::prelude::*;

use super::*;

const PASSWORD: &str = "fake-password-1234";

const RUN: &str = include_str!("../../../examples/tempestrun.yaml");
const SCENARIO: &str = include_str!("../../../examples/tempestscenario.yaml");
const SECRET: &str = "
apiVersion: v1
kind: Secret
metadata: {name: clouds}
stringData:
  clouds.yaml: |
    clouds:
      lab:
        auth: {auth_url: 'https://cloud.example', username: demo, password: fake-password-1234}
";

fn files() -> Vec<String> {
    vec![format!("{RUN}---{SECRET}---\n{SCENARIO}"), format!("{RUN}---{SECRET}"), RUN.to_owned()]
}

proptest! {
    #![proptest_config(mutate::few())]

    #[test]
    fn a_damaged_file_is_taken_or_its_problem_is_told_in_short(text in mutate::text(files())) {
        if let Err(problem) = parse("run.yaml", &text) {
            let told = problem.text();
            prop_assert!(told.contains("run.yaml"), "{}", told);
            prop_assert!(told.chars().count() <= 20_000, "{}", told);
            prop_assert!(!told.contains(PASSWORD), "{}", told);
        }
    }
}
