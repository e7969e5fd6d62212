//! Why there is no plan: the run's spec asks for something that cannot be.

/// A fault of the spec, known before anything is made in a cloud. Each names the field and the next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An entry that clouds.yaml does not have.
    #[error("spec.cloud.{role} names entry '{entry}', which clouds.yaml does not have; it has {existing}")]
    UnknownEntry {
        /// The field.
        role: String,
        /// What it names.
        entry: String,
        /// What there is.
        existing: String,
    },
    /// Several entries, and none chosen.
    #[error("clouds.yaml has several entries ({existing}); name one in spec.cloud.primary")]
    NoPrimary {
        /// What there is.
        existing: String,
    },
    /// No entry at all.
    #[error("clouds.yaml has no entry under 'clouds'")]
    NoEntries,
    /// A zone suffix that is nobody's to test in.
    #[error("spec.cloud.zoneSuffix '{suffix}' cannot be used: {why}")]
    ZoneSuffix {
        /// As given.
        suffix: String,
        /// What is wrong, and what to give instead.
        why: String,
    },
    /// Something is asked for by name, and the cloud does not have it, or not just once.
    #[error("spec.cloud.{field} cannot be used: {why}")]
    NotInTheCloud {
        /// The field.
        field: &'static str,
        /// What is there instead.
        why: String,
    },
    /// A pattern that is no glob.
    #[error("spec.scenarios.{field} has '{glob}', which is no glob: {why}")]
    BadGlob {
        /// The field.
        field: &'static str,
        /// The pattern.
        glob: String,
        /// What is wrong with it.
        why: String,
    },
    /// A pattern that selects nothing: a typo, more often than not.
    #[error("spec.scenarios.{field} has '{glob}', which no scenario is called; there are {existing}")]
    NothingMatches {
        /// The field.
        field: &'static str,
        /// The pattern.
        glob: String,
        /// What there is.
        existing: String,
    },
    /// A tag that no scenario has.
    #[error("spec.scenarios.tags has '{tag}', which no scenario has; there are {existing}")]
    UnknownTag {
        /// The tag.
        tag: String,
        /// What there is.
        existing: String,
    },
    /// A day that is none.
    #[error("spec.scenarios.{field} has until '{until}' for '{name}', which is no day (YYYY-MM-DD)")]
    BadDate {
        /// The field.
        field: &'static str,
        /// The entry.
        name: String,
        /// What it says.
        until: String,
    },
    /// Nothing is left to play.
    #[error("no scenario is selected; look at spec.scenarios.include and tags")]
    NothingSelected,
}

impl PlanError {
    /// Whether it asks for a scenario that is not there, so that a further one may mend it.
    pub const fn lacks_a_scenario(&self) -> bool {
        matches!(self, Self::NothingMatches { .. } | Self::UnknownTag { .. })
    }
}
