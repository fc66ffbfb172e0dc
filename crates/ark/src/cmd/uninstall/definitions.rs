//! The definitions of the custom resources, which Ark shares with other tools:
//! deleting one deletes every object of its kind in the whole cluster.

use std::time::Duration;

use ark_engine::object::Object;
use ark_engine::port::{ApiResource, Cluster as _, ClusterErrorKind, ListQuery, Target};
use ark_kube::{Connection, apply};
use serde_json::Value;

use crate::cmd::install;
use crate::context::Context;
use crate::error::CommandError;
use crate::install::crds;

const WAIT: Duration = Duration::from_mins(1);

/// Deletes the definitions that are Ark's, if nobody else uses any of them.
pub(super) async fn remove(ctx: &Context, connection: &Connection) -> Result<(), CommandError> {
    let mut ours = Vec::new();
    for definition in crds()? {
        match state(connection, &definition).await? {
            State::Absent => {}
            State::Ours => ours.push(definition),
            State::Foreign => ctx.talk.say(format_args!(
                "Keeping definition `{}`: another tool installed it as well",
                definition["metadata"]["name"].as_str().unwrap_or_default()
            )),
            State::Used(by) => {
                ctx.talk.warn(format_args!(
                    "keeping all definitions: {by} exists; another tool uses them"
                ));
                return Ok(());
            }
        }
    }
    apply::delete(connection, &ours, Some(WAIT), |applied| {
        install::tell(ctx, applied);
    })
    .await?;
    Ok(())
}

/// Whose a definition is.
enum State {
    Absent,
    Ours,
    Foreign,
    /// An object of the kind, such as `backups.velero.io other/nightly`.
    Used(String),
}

async fn state(connection: &Connection, definition: &Value) -> Result<State, CommandError> {
    let resource = definitions();
    let name = definition["metadata"]["name"].as_str().unwrap_or_default();
    let target = Target {
        resource: &resource,
        namespace: None,
        name,
    };
    let Some(present) = connection.get(target).await? else {
        return Ok(State::Absent);
    };
    if let Some(object) = any_object(connection, definition).await? {
        let head = object.head();
        let namespace = head.namespace.as_deref().unwrap_or_default();
        return Ok(State::Used(format!("`{name} {namespace}/{}`", head.name)));
    }
    let labels = &present.head().labels;
    let has = |key: &str, value: &str| labels.get(key).is_some_and(|found| found == value);
    let ours = has("app.kubernetes.io/part-of", "ark") && !has("component", "velero");
    Ok(if ours { State::Ours } else { State::Foreign })
}

/// Any object of the defined kind, in any namespace.
async fn any_object(
    connection: &Connection,
    definition: &Value,
) -> Result<Option<Object>, CommandError> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spec = &definition["spec"];
    let query = ListQuery {
        resource: ApiResource {
            group: text(&spec["group"]),
            version: text(&spec["versions"][0]["name"]),
            plural: text(&spec["names"]["plural"]),
            kind: text(&spec["names"]["kind"]),
            namespaced: true,
            ..definitions()
        },
        namespace: None,
        label_selector: None,
        field_selector: None,
        at: None,
    };
    match connection.list(&query, None, 1).await {
        Ok(page) => Ok(page.items.into_iter().next()),
        Err(error) if error.kind == ClusterErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn definitions() -> ApiResource {
    ApiResource::v1(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        false,
    )
}
