//! Pure planning: spec, catalogue and cloud facts become a run plan.
