//! ark-kube.
