//! Exit codes.

use std::process::ExitCode;

use tempest_operator::outcome::Verdict;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: it passed, or was done.
    Passed,
    /// 1: a check of the cloud said no.
    Failed,
    /// 2: it could not be carried out.
    Unable,
    /// 3: what was asked for cannot be meant.
    BadInput,
    /// 130: somebody cancelled it.
    Cancelled,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Passed => Verdict::Passed.exit_code(),
            Self::Failed => Verdict::Failed.exit_code(),
            Self::Unable => Verdict::Errored.exit_code(),
            Self::BadInput => 3,
            Self::Cancelled => Verdict::Cancelled.exit_code(),
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Passed => Self::Passed,
            Verdict::Failed => Self::Failed,
            Verdict::Errored => Self::Unable,
            Verdict::Cancelled => Self::Cancelled,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
