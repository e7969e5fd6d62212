//! Ledgers as files: one JSON document a run below a state directory, for the command line.
//!
//! `<state>/<installation>/<run id>.json` is replaced atomically and is durable when [`LedgerStore::save`]
//! returns. The process that plays a run holds a lock on `<run id>.lock`, which the system releases when it
//! ends, however it ends: so a ledger whose run died is told from one whose run is under way.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::ledger::{LedgerDocument, LedgerError, LedgerStore};
use crate::plan::RunIdentity;

/// Which cloud a ledger's entries live in: undone elsewhere they would only seem to be gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Origin {
    /// The entry of clouds.yaml.
    pub cloud: String,
    /// Keystone's address, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
}

impl Origin {
    /// Whether both name the same cloud: the addresses decide where both are known, else the entries.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (&self.auth_url, &other.auth_url) {
            (Some(one), Some(two)) => one.trim_end_matches('/') == two.trim_end_matches('/'),
            _ => self.cloud == other.cloud,
        }
    }
}

/// What a ledger file holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    origin: Origin,
    #[serde(flatten)]
    document: LedgerDocument,
}

/// The ledgers of one installation.
#[derive(Clone, Debug)]
pub struct LedgerDirectory {
    path: PathBuf,
}

/// A ledger that is there.
#[derive(Clone, Debug)]
pub struct FoundLedger {
    /// Where its things live.
    pub origin: Origin,
    /// What it holds.
    pub document: LedgerDocument,
    /// Whether the process that plays the run is alive.
    pub in_use: bool,
}

/// Everything that is there.
#[derive(Debug, Default)]
pub struct Listing {
    /// The ledgers, the oldest run first.
    pub found: Vec<FoundLedger>,
    /// Files that should be ledgers and cannot be read, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
}

#[derive(Debug, thiserror::Error)]
#[error("{}", .path.display())]
struct FileError {
    path: PathBuf,
    source: io::Error,
}

fn failed(path: &Path, source: impl Into<io::Error>) -> LedgerError {
    LedgerError(Box::new(FileError { path: path.to_owned(), source: source.into() }))
}

impl LedgerDirectory {
    /// That of `installation` below the state directory `state`; nothing is made yet.
    pub fn new(state: &Path, installation: &str) -> Self {
        Self { path: state.join(installation) }
    }

    /// Where the ledgers are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A store for the ledger of `run`, whose things will live in `origin`; locked while it exists.
    pub fn open(&self, run: &RunIdentity, origin: Origin) -> Result<FileLedger, LedgerError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|error| failed(&self.path, error))?;
        match self.lock(&run.run_id)? {
            Some(lock) => Ok(self.store(&run.run_id, origin, lock)),
            None => Err(failed(&self.lock_path(&run.run_id), io::Error::from(io::ErrorKind::ResourceBusy))),
        }
    }

    /// Takes over the ledger of a run whose process ended; [`None`] while that process is alive.
    pub fn adopt(&self, found: &FoundLedger) -> Result<Option<FileLedger>, LedgerError> {
        let run_id = &found.document.run.run_id;
        Ok(self.lock(run_id)?.map(|lock| self.store(run_id, found.origin.clone(), lock)))
    }

    /// Everything that is there; a directory that does not exist is empty.
    pub fn list(&self) -> Result<Listing, LedgerError> {
        let mut listing = Listing::default();
        let files = match fs::read_dir(&self.path) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(listing),
            Err(error) => return Err(failed(&self.path, error)),
        };
        for file in files {
            let path = file.map_err(|error| failed(&self.path, error))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match self.load(&path) {
                Ok(found) => listing.found.push(found),
                // It ended between being listed and being read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => listing.unreadable.push((path, error.to_string())),
            }
        }
        listing.found.sort_by_key(|found| found.document.run.started);
        listing.unreadable.sort();
        Ok(listing)
    }

    fn load(&self, path: &Path) -> io::Result<FoundLedger> {
        // It may quote the file.
        let in_short = |error: serde_json::Error| error.to_string().chars().take(300).collect::<String>();
        let Stored { origin, document } = serde_json::from_slice(&fs::read(path)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, in_short(error)))?;
        // The name decides which lock is looked at and which file is removed.
        if path.file_stem().is_none_or(|stem| stem != document.run.run_id.as_str()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not named after its run"));
        }
        let in_use = match self.lock(&document.run.run_id) {
            Ok(lock) => lock.is_none(),
            // Who cannot tell must not undo what somebody may be using.
            Err(_) => true,
        };
        Ok(FoundLedger { origin, document, in_use })
    }

    fn lock_path(&self, run_id: &str) -> PathBuf {
        self.path.join(format!("{run_id}.lock"))
    }

    fn lock(&self, run_id: &str) -> Result<Option<File>, LedgerError> {
        let path = self.lock_path(run_id);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&path, error)),
        }
    }

    fn store(&self, run_id: &str, origin: Origin, lock: File) -> FileLedger {
        FileLedger {
            files: Arc::new(Files {
                directory: self.path.clone(),
                ledger: self.path.join(format!("{run_id}.json")),
                draft: self.path.join(format!("{run_id}.draft")),
                lock: self.lock_path(run_id),
                origin,
                _held: lock,
            }),
        }
    }
}

/// The ledger of one run in its file.
pub struct FileLedger {
    files: Arc<Files>,
}

struct Files {
    directory: PathBuf,
    ledger: PathBuf,
    draft: PathBuf,
    lock: PathBuf,
    origin: Origin,
    _held: File,
}

impl Files {
    fn save(&self, document: LedgerDocument) -> Result<(), LedgerError> {
        let stored = Stored { origin: self.origin.clone(), document };
        let text = serde_json::to_vec_pretty(&stored).map_err(|error| failed(&self.ledger, error))?;
        self.write_draft(&text).map_err(|error| failed(&self.draft, error))?;
        fs::rename(&self.draft, &self.ledger).map_err(|error| failed(&self.ledger, error))?;
        self.sync_directory()
    }

    fn write_draft(&self, text: &[u8]) -> io::Result<()> {
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&self.draft)?;
        file.write_all(text)?;
        file.sync_all()
    }

    fn clear(&self) -> Result<(), LedgerError> {
        for path in [&self.ledger, &self.lock] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(path, error)),
                _ => {}
            }
        }
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<(), LedgerError> {
        // A rename is durable only once the directory is.
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| failed(&self.directory, error))
    }
}

#[async_trait]
impl LedgerStore for FileLedger {
    async fn save(&self, document: &LedgerDocument) -> Result<(), LedgerError> {
        let files = Arc::clone(&self.files);
        let document = document.clone();
        tokio::task::spawn_blocking(move || files.save(document))
            .await
            .map_err(|error| LedgerError(Box::new(error)))?
    }

    async fn clear(&self) -> Result<(), LedgerError> {
        let files = Arc::clone(&self.files);
        tokio::task::spawn_blocking(move || files.clear())
            .await
            .map_err(|error| LedgerError(Box::new(error)))?
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::outcome::Role;
    use crate::runner::ledger::{Ledger, Undo};

    fn identity(run_id: &str) -> RunIdentity {
        RunIdentity {
            installation: "cli-test".into(),
            run_id: run_id.into(),
            started: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn origin(cloud: &str, auth_url: Option<&str>) -> Origin {
        Origin { cloud: cloud.into(), auth_url: auth_url.map(ToOwned::to_owned) }
    }

    fn stack(name: &str) -> Undo {
        Undo::Stack { name: name.into(), id: None }
    }

    #[tokio::test]
    async fn what_is_intended_is_on_disk_at_once_and_readable_by_its_owner_only() {
        let state = tempfile::tempdir().unwrap();
        let directory = LedgerDirectory::new(state.path(), "cli-test");
        let store = directory.open(&identity("aa01"), origin("demo", None)).unwrap();
        let ledger = Ledger::new(identity("aa01"), Box::new(store));
        ledger.intend("to-aa01-0", "create", Role::Primary, stack("to-aa01-0-net")).await.unwrap();

        let listing = directory.list().unwrap();
        let [found] = listing.found.as_slice() else { panic!("{listing:?}") };
        assert_eq!(found.document.entries[0].undo, stack("to-aa01-0-net"));
        assert_eq!(found.origin.cloud, "demo");
        assert!(found.in_use, "the process that plays it is alive");
        assert!(directory.adopt(found).unwrap().is_none());
        let mode =
            |name: &str| fs::metadata(directory.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("aa01.json"), mode("aa01.lock"), mode("")), (0o600, 0o600, 0o700));
    }

    #[tokio::test]
    async fn a_ledger_whose_process_ended_is_taken_over_and_removed_when_all_is_undone() {
        let state = tempfile::tempdir().unwrap();
        let directory = LedgerDirectory::new(state.path(), "cli-test");
        {
            let store = directory.open(&identity("aa02"), origin("demo", None)).unwrap();
            let ledger = Ledger::new(identity("aa02"), Box::new(store));
            ledger.intend("to-aa02-0", "create", Role::Primary, stack("s")).await.unwrap();
        }
        let found = directory.list().unwrap().found.remove(0);
        assert!(!found.in_use);
        let store = directory.adopt(&found).unwrap().unwrap();
        assert!(directory.list().unwrap().found[0].in_use, "whoever takes it over holds it");
        let ledger = Ledger::resume(found.document, Box::new(store));
        ledger.undone(1).await.unwrap();
        ledger.close().await.unwrap();
        drop(ledger);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_no_ledger_is_named_and_hides_no_other() {
        let state = tempfile::tempdir().unwrap();
        let directory = LedgerDirectory::new(state.path(), "cli-test");
        assert!(directory.list().unwrap().found.is_empty(), "nothing was ever played");
        let store = directory.open(&identity("aa03"), Origin::default()).unwrap();
        store.files.save(LedgerDocument { run: identity("aa03"), entries: Vec::new() }).unwrap();
        fs::write(directory.path().join("broken.json"), "{").unwrap();
        fs::copy(directory.path().join("aa03.json"), directory.path().join("other.json")).unwrap();

        let listing = directory.list().unwrap();
        assert_eq!(listing.found.len(), 1);
        let names: Vec<_> =
            listing.unreadable.iter().map(|(path, _)| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["broken.json", "other.json"]);

        let text = fs::read_to_string(directory.path().join("aa03.json")).unwrap();
        let long = text.replace("\"entries\": []", &format!("\"entries\": \"{}\"", "long ".repeat(999)));
        fs::write(directory.path().join("broken.json"), long).unwrap();
        let (_, reason) = &directory.list().unwrap().unreadable[0];
        assert!(reason.starts_with("invalid type: string \"long") && reason.len() < 400, "{reason}");
    }

    #[test]
    fn the_same_cloud_is_told_by_its_address_where_it_is_known() {
        let demo = origin("demo", Some("https://one/v3"));
        assert!(demo.is_same_as(&origin("renamed", Some("https://one/v3/"))));
        assert!(!demo.is_same_as(&origin("demo", Some("https://two/v3"))));
        assert!(demo.is_same_as(&origin("demo", None)));
    }
}
