//! What the command line remembers: its installation id, and the ledgers of its runs.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tempest_operator::report::text;
use tempest_operator::runner::file_ledger::{LedgerDirectory, Listing};
use uuid::Uuid;

use super::args::StateArgs;
use super::problem::Problem;
use super::terminal;

const ID_FILE: &str = "installation";

/// What is remembered.
pub struct State {
    /// Who this is: on everything it makes in a cloud.
    pub installation: String,
    /// The ledgers.
    pub ledgers: LedgerDirectory,
}

impl State {
    /// Opens it; the first time it is made, with a new random id.
    pub fn open(args: &StateArgs) -> Result<Self, Problem> {
        let directory = directory(args, &|name| std::env::var(name).ok())?;
        let installation = match &args.installation {
            Some(id) => id.clone(),
            None => remembered_id(&directory).map_err(|error| {
                Problem::unable(format!("the state directory {} cannot be used", directory.display()))
                    .because(error)
                    .next("give another one with --state-dir")
            })?,
        };
        check_id(&installation)?;
        let ledgers = LedgerDirectory::new(&directory, &installation);
        Ok(Self { installation, ledgers })
    }

    /// Ledgers of runs, those under way included.
    pub fn list(&self) -> Result<Listing, Problem> {
        self.ledgers.list().map_err(|error| {
            Problem::unable("the ledgers of earlier runs cannot be read")
                .because(error)
                .next("give another directory with --state-dir, or see that you may read this one")
        })
    }

    /// Names what runs that died have left, and how it is undone.
    pub fn tell_of_leftovers(&self) -> Result<(), Problem> {
        let listing = self.list()?;
        tell_of_unreadable(&listing);
        for found in listing.found.iter().filter(|found| !found.in_use && !found.document.entries.is_empty())
        {
            terminal::err(&format!(
                "warning: run {} of {} was not cleaned up: {} left in cloud '{}'\n  next: {}\n",
                text::line(&found.document.run.run_id),
                found.document.run.started,
                text::count(found.document.entries.len(), "thing"),
                text::line(&found.origin.cloud),
                sweep_command(&found.origin.cloud),
            ));
        }
        Ok(())
    }
}

/// Warns of the ledgers that cannot be read.
pub fn tell_of_unreadable(listing: &Listing) {
    for (path, why) in &listing.unreadable {
        let path = path.display().to_string();
        terminal::err(&format!(
            "warning: the ledger {} cannot be read: {}\n  next: look into it, and delete it once nothing of its run is left\n",
            text::line(&path),
            text::line(why)
        ));
    }
}

/// The command that undoes what is left in a cloud.
pub fn sweep_command(cloud: &str) -> String {
    text::line(&format!("tempest-operator sweep --os-cloud {cloud}"))
}

fn directory(args: &StateArgs, env: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, Problem> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    args.state_dir
        .clone()
        .or_else(|| {
            set("XDG_STATE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("tempest-operator"))
        })
        .or_else(|| set("HOME").map(|home| home.join(".local/state/tempest-operator")))
        .ok_or_else(|| {
            Problem::input("there is no place to remember what has to be undone: HOME is not set")
                .next("give a directory with --state-dir")
        })
}

fn remembered_id(directory: &Path) -> io::Result<String> {
    let path = directory.join(ID_FILE);
    match fs::read_to_string(&path) {
        Ok(id) => return Ok(id.trim().to_owned()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let random = Uuid::new_v4().simple().to_string();
    let draft = directory.join(format!("{ID_FILE}.{random}"));
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(format!("cli-{}\n", &random[..10]).as_bytes())?;
    file.sync_all()?;
    // Of two that start at the same time one wins, and both use what it wrote.
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(fs::read_to_string(&path)?.trim().to_owned()),
    }
}

/// The id becomes a Heat tag, part of descriptions and a directory.
pub fn check_id(id: &str) -> Result<(), Problem> {
    let fits = (1..=40).contains(&id.len())
        && id != ID_FILE
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !id.starts_with('-');
    if fits {
        return Ok(());
    }
    Err(Problem::input(format!("'{id}' is no installation id"))
        .next("use up to 40 lower-case letters, digits and '-' with --installation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(state_dir: Option<&Path>) -> StateArgs {
        StateArgs { state_dir: state_dir.map(Path::to_owned), installation: None }
    }

    #[test]
    fn the_id_is_made_once_and_kept() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("deep/state");
        let first = State::open(&args(Some(&directory))).unwrap().installation;
        let second = State::open(&args(Some(&directory))).unwrap().installation;
        assert_eq!(first, second);
        assert!(first.starts_with("cli-") && first.len() == 14, "{first}");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn the_directory_is_the_given_one_else_the_users() {
        let env = |name: &str| match name {
            "XDG_STATE_HOME" => Some("/xdg".to_owned()),
            "HOME" => Some("/home/me".to_owned()),
            _ => None,
        };
        let home_only = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
        assert_eq!(directory(&args(Some(Path::new("/given"))), &env).unwrap(), Path::new("/given"));
        assert_eq!(directory(&args(None), &env).unwrap(), Path::new("/xdg/tempest-operator"));
        let of_home = directory(&args(None), &home_only).unwrap();
        assert_eq!(of_home, Path::new("/home/me/.local/state/tempest-operator"));
        assert!(directory(&args(None), &|_| None).is_err());
    }

    #[test]
    fn an_id_that_would_leave_its_directory_is_refused() {
        for id in ["", "../up", "a/b", "installation", "Upper", "-x"] {
            assert!(check_id(id).is_err(), "{id}");
        }
        check_id("ci-nightly-7").unwrap();
    }
}
