//! The custom resources and the scenario document's wire types: data only, no I/O.
