//! An OpenStack client library: credentials, session, catalogue, transport, errors, one file a service.
