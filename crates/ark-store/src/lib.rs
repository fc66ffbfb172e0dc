//! ark-store.
