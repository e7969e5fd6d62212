//! What can be wrong with a cloud's description. Values are never repeated: they may be secrets.

/// Why a cloud's description cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not YAML, or not of the right shape.
    #[error("{file} is not valid{}", at(*.line, *.column))]
    Malformed {
        /// `clouds.yaml` or `secure.yaml`.
        file: String,
        /// The line, counted from 1, where known.
        line: Option<u64>,
        /// The column, counted from 1, where known.
        column: Option<u64>,
    },
    /// There is no such entry.
    #[error("there is no cloud {name:?}; there are {existing}")]
    UnknownCloud {
        /// The entry that was asked for.
        name: String,
        /// The entries that exist.
        existing: String,
    },
    /// The entry lacks something.
    #[error("cloud {cloud:?} has no {field}")]
    Missing {
        /// The entry.
        cloud: String,
        /// The field, or the choice of fields.
        field: &'static str,
    },
    /// A field's value cannot be used.
    #[error("the {field} of cloud {cloud:?} cannot be used: {reason}")]
    Invalid {
        /// The entry.
        cloud: String,
        /// The field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A path to a certificate where only text may be given.
    #[error(
        "cloud {cloud:?} names a file as its cacert, which is not read here: put the certificates themselves beside clouds.yaml"
    )]
    CaPath {
        /// The entry.
        cloud: String,
    },
    /// The certificates are not PEM.
    #[error("the cacert holds no certificate in PEM form")]
    BadCa,
    /// A file cannot be read.
    #[error("{path} cannot be read: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Nothing says which cloud.
    #[error(
        "no cloud is described: set OS_CLOUD with a clouds.yaml in the usual places, or OS_AUTH_URL and its companions"
    )]
    NoCloud,
    /// The client cannot be built.
    #[error("the HTTP client cannot be built: {reason}")]
    Client {
        /// What is wrong.
        reason: String,
    },
}

fn at(line: Option<u64>, column: Option<u64>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(" at line {line}, column {column}"),
        (Some(line), None) => format!(" at line {line}"),
        _ => String::new(),
    }
}
