//! What is built into this server under the names that Velero's plugins have, for
//! those who ask a status request what a server can do.

use ark_api::status_request::PluginInfo;

/// Kinds of plugins, and what there is of each.
const BUILT_IN: [(&str, &[&str]); 4] = [
    (
        "BackupItemAction",
        &["crd-remap-version", "pod", "pv", "service-account"],
    ),
    ("ItemBlockAction", &["pod", "pvc"]),
    ("ObjectStore", &["aws", "azure", "gcp"]),
    (
        "RestoreItemAction",
        &[
            "admission-webhook-configuration",
            "apiservice",
            "cluster-role-bindings",
            "crd-preserve-fields",
            "job",
            "pod",
            "pvc",
            "role-bindings",
            "secret",
            "service",
            "service-account",
        ],
    ),
];

/// Everything, by kind and name.
pub(crate) fn list() -> Vec<PluginInfo> {
    let of_kind = |(kind, names): (&str, &[&str])| -> Vec<PluginInfo> {
        let names = names.iter();
        names
            .map(|name| PluginInfo {
                name: format!("velero.io/{name}"),
                kind: kind.to_owned(),
            })
            .collect()
    };
    BUILT_IN.into_iter().flat_map(of_kind).collect()
}
