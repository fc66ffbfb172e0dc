//! ark-server.
