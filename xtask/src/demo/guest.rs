//! The demo in a cluster of the user's: it touches only what is its own, and takes
//! that away again.

use anyhow::{Result, bail};

use super::client::Client;
use super::shop;

/// Ark's namespace there, so that an installation of the user's stays what it is.
pub(crate) const NAMESPACE: &str = "ark-demo";

/// What is known of the user's cluster before anything is changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Findings {
    /// The definitions of Ark's kinds are there already, by Ark or by Velero; they
    /// stay as they are.
    pub(crate) has_definitions: bool,
}

/// Looks at the cluster. An error if something of the demo's names exists: it
/// would be changed and deleted.
pub(crate) fn inspect(client: &Client) -> Result<Findings> {
    let list = ["get", "--ignore-not-found", "--output=name"];
    let arguments = [&list[..], &["-f", "-"]].concat();
    let mut present = client.kubectl_stdin(&arguments, &shop::cluster_manifest()?)?;
    present += &client.kubectl(&[&list[..], &["namespace", NAMESPACE]].concat())?;
    if !present.trim().is_empty() {
        let present = present.trim().replace('\n', ", ");
        bail!(
            "the cluster has objects with names of the demo: {present}\n\
             hint: if an earlier demo left them, delete them: `{}`\n\
             hint: and Ark with them: `ark uninstall --namespace {NAMESPACE}`",
            shop::DELETE
        );
    }
    let backups = ["customresourcedefinition", "backups.velero.io"];
    let definitions = client.kubectl(&[&list[..], &backups].concat())?;
    Ok(Findings {
        has_definitions: !definitions.trim().is_empty(),
    })
}

/// Takes the application and Ark away again.
pub(crate) fn clean_up(client: &Client, findings: Findings, tell: &dyn Fn(&str)) -> Result<()> {
    shop::delete(client, tell)?;
    tell("Ark");
    let mut arguments = vec!["uninstall", "--confirm"];
    if findings.has_definitions {
        arguments.push("--keep-crds");
    }
    client.ark(&arguments, &mut |_| {})?;
    Ok(())
}
