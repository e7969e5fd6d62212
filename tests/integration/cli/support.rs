//! The program in an empty home, knowing nothing of this machine.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A person who never used any of this.
pub struct Home {
    directory: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Home {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// The directory from which commands are run.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into the directory from which commands are run.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap()
    }

    /// The names in a directory, sorted.
    pub fn list(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path().join(name)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_in(arguments, &[])
    }

    /// The same with more in the environment.
    pub fn run_in(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_tempest-operator"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.directory.path())
            .envs(environment.iter().copied())
            .current_dir(self.directory.path())
            .timeout(std::time::Duration::from_mins(1))
            .output()
            .unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// One message that names the thing, with the next step, and nothing else.
    #[track_caller]
    pub fn refuses(&self, named: &str) {
        assert_eq!((self.code, self.out.as_str()), (3, ""), "{self:?}");
        let lines: Vec<_> = self.err.lines().collect();
        let [message, next] = lines.as_slice() else {
            panic!("not one message with its next step: {self:?}")
        };
        assert!(
            message.starts_with("error: ") && message.contains(named),
            "'{named}' is not named: {self:?}"
        );
        assert!(next.starts_with("  next: "), "{self:?}");
    }
}
