//! A simulated OpenStack and its name servers behind plain HTTP and DNS.
