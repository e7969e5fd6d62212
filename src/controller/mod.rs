//! The Kubernetes controller: observe, decide, act, supervise, publish.
