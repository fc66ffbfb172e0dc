//! A cluster of the years when definitions had two versions.
//!
//! No API server that can be had today serves `apiextensions.k8s.io/v1beta1`:
//! a real one is made to look like one that does.

use std::sync::Arc;

use ark_api::BackupSpec;
use ark_engine::backup::{self, Options, Versions};
use ark_engine::job::{Job, Ports};
use ark_engine::object::Object;
use ark_engine::port::{
    ApiResource, Cluster, ClusterError, CreateOptions, Discovery, ListQuery, Page, Patch, Revision,
    ServerVersion, Target,
};
use ark_engine::progress::Silent;
use ark_testkit::{Namespaces, unique_name};
use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::Bench;

const PLURAL: &str = "customresourcedefinitions";

/// Definitions that keep unknown fields, served in both versions.
struct OldCluster(Arc<dyn Cluster>);

fn changed(object: &Object, pointer: &str, to: serde_json::Value) -> Object {
    let mut value = object.to_value().unwrap();
    match pointer {
        "apiVersion" => value["apiVersion"] = to,
        field => value["spec"][field] = to,
    }
    Object::from_value(&value).unwrap()
}

#[async_trait]
impl Cluster for OldCluster {
    async fn discover(&self) -> Result<Discovery, ClusterError> {
        let mut discovery = self.0.discover().await?;
        let v1 = discovery.resources.iter().find(|one| one.plural == PLURAL);
        let old = ApiResource {
            version: "v1beta1".to_owned(),
            preferred: false,
            ..v1.unwrap().clone()
        };
        discovery.resources.push(old);
        Ok(discovery)
    }

    async fn list(
        &self,
        query: &ListQuery,
        token: Option<&str>,
        limit: u32,
    ) -> Result<Page, ClusterError> {
        let mut page = self.0.list(query, token, limit).await?;
        if query.resource.plural == PLURAL {
            let keeping = |one| changed(one, "preserveUnknownFields", true.into());
            page.items = page.items.iter().map(keeping).collect();
        }
        Ok(page)
    }

    async fn get(&self, target: Target<'_>) -> Result<Option<Object>, ClusterError> {
        let v1 = ApiResource {
            version: "v1".to_owned(),
            ..target.resource.clone()
        };
        let target = Target {
            resource: &v1,
            ..target
        };
        let found = self.0.get(target).await?;
        let version = "apiextensions.k8s.io/v1beta1";
        Ok(found.map(|one| changed(&one, "apiVersion", version.into())))
    }

    async fn version(&self) -> Result<ServerVersion, ClusterError> {
        self.0.version().await
    }

    async fn revision(&self) -> Result<Revision, ClusterError> {
        self.0.revision().await
    }

    async fn create(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        body: Bytes,
        options: CreateOptions<'_>,
    ) -> Result<Object, ClusterError> {
        self.0.create(resource, namespace, body, options).await
    }

    async fn patch(&self, target: Target<'_>, patch: Patch) -> Result<Object, ClusterError> {
        self.0.patch(target, patch).await
    }

    async fn delete(&self, target: Target<'_>) -> Result<bool, ClusterError> {
        self.0.delete(target).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_definitions_are_saved_in_the_version_they_were_made_in() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("remap").unwrap();
    let unique = unique_name("remap");
    let group = format!("{unique}.example.org");
    super::versions::kind(&bench, &namespace, &group, ("widgets", &["v1"]));
    let spec = BackupSpec {
        included_namespaces: vec![namespace],
        included_resources: vec![format!("widgets.{group}")],
        ..BackupSpec::default()
    };
    let ports = Ports {
        cluster: Arc::new(OldCluster(Arc::clone(&bench.ports.cluster))),
        ..bench.ports.clone()
    };
    for (name, versions, expected) in [
        (
            "remapped",
            Versions::Preferred,
            "apiextensions.k8s.io/v1beta1",
        ),
        ("kept", Versions::All, "apiextensions.k8s.io/v1"),
    ] {
        let backup = bench.validated(name, name, spec.clone());
        let job = Job::new(ports.clone(), Arc::new(Silent), CancellationToken::new());
        let options = Options {
            versions,
            ..Options::default()
        };
        let report = backup::run(&job, &backup, &options).await.unwrap();
        assert_eq!(report.status.errors, 0, "{:?}", report.issues);
        let items = bench.contents(name).await;
        let (_, definition) = items
            .iter()
            .find(|(key, _)| key.group_resource.resource == PLURAL)
            .unwrap();
        assert_eq!(definition["apiVersion"], expected, "{name}");
        assert_eq!(definition["metadata"]["name"], format!("widgets.{group}"));
    }
    let crd = format!("crd/widgets.{group}");
    bench
        .plane
        .kubectl(&["delete", &crd, "--wait=false"])
        .unwrap();
}
