//! The scenario document: conversion, complete checking, expressions, the built-in catalogue.

pub mod catalogue;
pub mod document;
pub mod entry;
pub mod expression;
pub mod fault;

mod check;
mod duration;
mod hot;
mod load;
pub mod markdown;
mod shape;
mod yaml;

pub use crate::api::scenario::{
    Exclusive, Feature, HttpMethod, Limits, NeededFact, RecordTypeSpec as RecordType, ServiceType, Thresholds,
};
pub use catalogue::{Catalogue, CatalogueError};
pub use check::check;
pub use document::Scenario;
pub use entry::{DurationClass, Entry};
pub use fault::{Fault, Faults};
pub use load::{TEMPLATE_END, USER, load_file_text, load_with_templates};
