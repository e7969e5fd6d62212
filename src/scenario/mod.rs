//! The scenario document: conversion, complete checking, expressions, the built-in catalogue.

pub mod document;
pub mod expression;

pub use crate::api::scenario::{Feature, HttpMethod, NeededFact, RecordTypeSpec as RecordType, ServiceType};
pub use document::Scenario;
