//! The scenario document: conversion, complete checking, expressions, the built-in catalogue.

pub mod catalogue;
pub mod document;
pub mod expression;
pub mod fault;

mod check;
mod duration;
mod hot;
mod load;
mod shape;
mod yaml;

pub use crate::api::scenario::{
    Exclusive, Feature, HttpMethod, NeededFact, RecordTypeSpec as RecordType, ServiceType,
};
pub use catalogue::{Catalogue, CatalogueError};
pub use check::check;
pub use document::Scenario;
pub use fault::{Fault, Faults};
pub use load::{USER, load_file_text};
