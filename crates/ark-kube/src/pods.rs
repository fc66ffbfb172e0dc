//! The pods of a workload as sources: their logs, and what they serve over HTTP,
//! by way of the API server. Changes nothing.

use std::time::Duration;

use ark_engine::port::{ClusterError, ClusterErrorKind};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::call::Call;
use crate::connect::Connection;
use crate::error;

/// Name of the container port that health, metrics and files are served on.
const PORT_NAME: &str = "metrics";
/// Where that is when no port has the name.
const DEFAULT_PORT: u16 = 8085;
/// A pod that does not begin to answer by then is given up.
const ANSWER: Duration = Duration::from_secs(30);

/// A pod, as far as it is a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its containers.
    pub containers: Vec<String>,
    /// The port that it serves on.
    pub port: u16,
}

#[derive(Deserialize)]
struct PodList {
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct Spec {
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    ports: Vec<Port>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    #[serde(default)]
    name: String,
    container_port: u16,
}

impl From<Pod> for SourcePod {
    fn from(pod: Pod) -> Self {
        let mut ports = pod.spec.containers.iter().flat_map(|one| &one.ports);
        let port = ports
            .find(|port| port.name == PORT_NAME)
            .map_or(DEFAULT_PORT, |port| port.container_port);
        Self {
            namespace: pod.metadata.namespace,
            name: pod.metadata.name,
            containers: pod.spec.containers.into_iter().map(|c| c.name).collect(),
            port,
        }
    }
}

/// What a pod answered. The body is read piece by piece.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Body,
    operation: String,
    server: String,
}

impl Answer {
    /// HTTP status: the pod's, or the API server's where it has no such pod.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`ClusterError`] when the connection broke off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ClusterError> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame
                .map_err(|cause| error::from_transport(&self.operation, &self.server, &cause))?;
            // Trailers say nothing of interest.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

impl Connection {
    /// The pods of a label selector.
    ///
    /// # Errors
    /// [`ClusterError`]
    pub async fn source_pods(
        &self,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<SourcePod>, ClusterError> {
        let query = Serializer::new(String::new())
            .append_pair("labelSelector", selector)
            .finish();
        let operation = format!("list pods in {namespace}");
        let path = format!("/api/v1/namespaces/{namespace}/pods?{query}");
        let body = self.call(&Call::bulk(path, operation.clone())).await?;
        let list: PodList = serde_json::from_slice(&body).map_err(|source| ClusterError {
            kind: ClusterErrorKind::Malformed,
            operation,
            message: format!("the answer is not a list of pods: {source}"),
            retry_after: None,
        })?;
        Ok(list.items.into_iter().map(SourcePod::from).collect())
    }

    /// The log of a container, at most `bytes` from its end.
    ///
    /// # Errors
    /// [`ClusterError`], also when the node of the pod cannot be asked.
    pub async fn pod_log(
        &self,
        pod: &SourcePod,
        container: &str,
        bytes: u64,
    ) -> Result<Bytes, ClusterError> {
        let SourcePod {
            namespace, name, ..
        } = pod;
        let path = format!(
            "/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}&limitBytes={bytes}"
        );
        let operation = format!("read the log of pod {namespace}/{name}");
        let call = Call::bulk(path, operation).accept("*/*");
        self.call_once(&call).await
    }

    /// What a pod answers to a GET of `path`, which begins with a slash. Any
    /// status is an answer.
    ///
    /// # Errors
    /// [`ClusterError`] when the API server does not answer.
    pub async fn ask_pod(&self, pod: &SourcePod, path: &str) -> Result<Answer, ClusterError> {
        let operation = format!("reach pod {}/{}", pod.namespace, pod.name);
        let uri = format!(
            "/api/v1/namespaces/{}/pods/{}:{}/proxy{path}",
            pod.namespace, pod.name, pod.port
        );
        let request = Request::get(uri).body(Body::empty());
        let request = request.map_err(|source| ClusterError {
            kind: ClusterErrorKind::Invalid,
            operation: operation.clone(),
            message: format!("cannot form the request: {source}"),
            retry_after: None,
        })?;
        let sent = tokio::time::timeout(ANSWER, self.client().send(request)).await;
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(cause)) => {
                return Err(error::from_transport(&operation, self.server(), &cause));
            }
            Err(_) => {
                return Err(ClusterError {
                    kind: ClusterErrorKind::Unavailable,
                    operation,
                    message: format!("no answer within {} s", ANSWER.as_secs()),
                    retry_after: None,
                });
            }
        };
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            operation,
            server: self.server().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_by_its_name() {
        let list: PodList = serde_json::from_value(serde_json::json!({"items": [
            {"metadata": {"namespace": "n", "name": "a"}, "spec": {"containers": [
                {"name": "side"},
                {"name": "ark", "ports": [
                    {"containerPort": 1}, {"name": "metrics", "containerPort": 9000},
                ]},
            ]}},
            {"metadata": {"namespace": "n", "name": "b"}, "spec": {"containers": [{"name": "x"}]}},
        ]}))
        .unwrap();
        let pods: Vec<SourcePod> = list.items.into_iter().map(SourcePod::from).collect();
        assert_eq!((pods[0].port, pods[1].port), (9000, DEFAULT_PORT));
        assert_eq!(pods[0].containers, ["side", "ark"]);
    }
}
