//! Where the commands meet the other parts; those that are still being written stand here with their signatures.

#![allow(
    dead_code,
    clippy::unused_async,
    clippy::needless_pass_by_value,
    clippy::unused_self,
    reason = "stands in for parts to come"
)]

use super::problem::Problem;

fn missing<T>(what: &str) -> Result<T, Problem> {
    Err(Problem::unable(format!("{what} is not part of this build yet")))
}

pub mod scenario {
    use super::missing;
    use crate::cli::problem::Problem;

    /// One fault of a document.
    pub struct Fault {
        pub line: Option<u64>,
        pub path: String,
        pub message: String,
    }

    pub fn check(_file: &str, _text: &str) -> Result<Vec<Fault>, Problem> {
        missing("checking scenarios")
    }
}

pub mod simcloud {
    use super::missing;
    use crate::cli::args::Latency;
    use crate::cli::problem::Problem;

    pub struct SimCloud;

    impl SimCloud {
        pub async fn start(_latency: Latency) -> Result<Self, Problem> {
            missing("the simulated cloud")
        }

        pub fn clouds_yaml(&self) -> String {
            String::new()
        }

        pub fn name_servers(&self) -> Vec<String> {
            Vec::new()
        }

        pub fn zone_suffix(&self) -> String {
            String::new()
        }
    }
}
