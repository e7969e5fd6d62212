//! Folds events into a report, a status, `JUnit` XML and text.
