//! `clouds.yaml` and `secure.yaml`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::entry::Entry;
use super::{CloudConfig, ConfigError};

/// Where certificate authorities may come from.
#[derive(Debug, Clone, Copy)]
pub enum CaSource<'a> {
    /// The description came from somebody else (a Secret): only this text counts (if there is one), and a path is refused.
    Inline(Option<&'a str>),
    /// The description is this machine's own: a path is read.
    Files,
}

/// The entries of a `clouds.yaml`.
#[derive(Clone)]
pub struct CloudsFile {
    entries: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    clouds: BTreeMap<String, Option<Entry>>,
}

impl fmt::Debug for CloudsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CloudsFile").field(&self.names()).finish()
    }
}

impl CloudsFile {
    /// Reads `clouds.yaml` and lays `secure.yaml` over it, key by key.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`] with the line; the text itself is never repeated.
    pub fn parse(clouds: &str, secure: Option<&str>) -> Result<Self, ConfigError> {
        let mut entries: BTreeMap<String, Entry> = read("clouds.yaml", clouds)?
            .clouds
            .into_iter()
            .map(|(name, entry)| (name, entry.unwrap_or_default()))
            .collect();
        if let Some(secure) = secure.filter(|text| !text.trim().is_empty()) {
            for (name, over) in read("secure.yaml", secure)?.clouds {
                entries.entry(name).or_default().merge(over.unwrap_or_default());
            }
        }
        Ok(Self { entries })
    }

    /// The names of the entries, sorted.
    pub fn names(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }

    /// The cloud that an entry describes.
    ///
    /// # Errors
    /// [`ConfigError`] naming the entry, the field, and for an unknown entry the ones that exist.
    pub fn cloud(&self, name: &str, ca: CaSource<'_>) -> Result<CloudConfig, ConfigError> {
        let entry = self.entries.get(name).cloned().ok_or_else(|| ConfigError::UnknownCloud {
            name: name.to_owned(),
            existing: match self.names().join(", ") {
                names if names.is_empty() => "none".to_owned(),
                names => names,
            },
        })?;
        let ca_pem = certificates(name, entry.cacert.as_deref(), ca)?;
        entry.resolve(name, ca_pem)
    }
}

/// The certificates themselves, wherever they are.
pub(super) fn certificates(
    cloud: &str,
    cacert: Option<&str>,
    ca: CaSource<'_>,
) -> Result<Option<String>, ConfigError> {
    let inline = |text: &str| text.contains("-----BEGIN");
    match (ca, cacert.filter(|text| !text.is_empty())) {
        (CaSource::Inline(Some(pem)), _) => Ok(Some(pem.to_owned())),
        (_, None) => Ok(None),
        (_, Some(pem)) if inline(pem) => Ok(Some(pem.to_owned())),
        (CaSource::Inline(None), Some(_)) => Err(ConfigError::CaPath { cloud: cloud.to_owned() }),
        (CaSource::Files, Some(path)) => std::fs::read_to_string(path)
            .map(Some)
            .map_err(|error| ConfigError::File { path: path.to_owned(), reason: error.to_string() }),
    }
}

fn read(file: &str, text: &str) -> Result<File, ConfigError> {
    if text.trim().is_empty() {
        return Ok(File { clouds: BTreeMap::new() });
    }
    // The parser's own message is dropped: it quotes the text, and the text holds secrets.
    serde_saphyr::from_str(text).map_err(|error| {
        let location = error.location();
        ConfigError::Malformed {
            file: file.to_owned(),
            line: location.map(|at| at.line()),
            column: location.map(|at| at.column()),
        }
    })
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
