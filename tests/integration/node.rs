//! The chart on a real node: the operator is a pod of the image that the Dockerfile makes.
//!
//! That cluster's API is of Kubernetes 1.20: of the chart's options, only a `PodDisruptionBudget` is unknown to it.

mod bed;
mod cloud;
mod jobs;
mod real;
mod release;
