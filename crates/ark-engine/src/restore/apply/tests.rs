//! What stands in the way of a create, and what is done about it.

use std::sync::Mutex;

use serde_json::json;

use super::super::fixture::{Fault, MemoryClock, MemoryCluster, config_map, error, key, resource};
use super::*;

struct Bench {
    cluster: Arc<MemoryCluster>,
    clock: Arc<MemoryClock>,
    applier: Applier,
}

const PATH: &str = "configmaps/n/c";

fn bench(update: bool) -> Bench {
    let cluster = Arc::new(MemoryCluster::default());
    let clock = Arc::new(MemoryClock::default());
    let applier = Applier {
        cluster: Arc::clone(&cluster) as Arc<dyn Cluster>,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        origin: Origin::new("b", "r"),
        update,
        fresh: HashSet::new(),
        disks: DiskMaker {
            locations: crate::port::SnapshotLocations::default(),
            restore: String::new(),
            patience: Duration::ZERO,
        },
        snapshots: SnapshotMaker::new(&crate::port::Discovery::default(), ("r", "")),
    };
    Bench {
        cluster,
        clock,
        applier,
    }
}

fn item(object: &Value) -> Prepared {
    let mut body = object.clone();
    Origin::new("b", "r").mark(&mut body);
    Prepared {
        key: key("configmaps", object),
        kind: Arc::from("configmaps"),
        resource: Arc::new(resource("v1", "configmaps", "ConfigMap", true)),
        body: Bytes::from(body.to_string()),
        stored: Bytes::from(object.to_string()),
        ownership: Ownership::Unknown,
        status: None,
        data: None,
    }
}

impl Bench {
    fn fault(&self, faults: &[Fault]) {
        let queue = faults.iter().copied().collect();
        self.cluster
            .faults
            .lock()
            .unwrap()
            .insert(PATH.to_owned(), queue);
    }

    async fn apply(&self, item: &Prepared) -> (Action, Vec<(Severity, String)>) {
        let outcome = self.applier.apply(item).await.unwrap();
        let issues = outcome
            .issues
            .into_iter()
            .map(|issue| (issue.severity, issue.message));
        (outcome.action, issues.collect())
    }

    fn waits(&self) -> Vec<Duration> {
        self.clock.0.lock().unwrap().clone()
    }
}

fn object() -> Value {
    config_map("n", "c", "v")
}

#[tokio::test]
async fn one_request_is_enough() {
    let bench = bench(false);
    assert_eq!(
        bench.apply(&item(&object())).await,
        (Action::Created, vec![])
    );
    assert_eq!(bench.cluster.log(), [format!("post {PATH}")]);
}

#[tokio::test]
async fn owners_and_status_follow_the_create() {
    let bench = bench(false);
    let mut item = item(&object());
    item.ownership = Ownership::Patch(json!({}));
    item.status = Some(json!({"status": {}}));
    assert_eq!(bench.apply(&item).await.0, Action::Created);
    assert_eq!(
        bench.cluster.log(),
        [
            format!("post {PATH}"),
            format!("patch {PATH}"),
            format!("patch {PATH}")
        ]
    );
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_not_repeated() {
    let bench = bench(false);
    bench.fault(&[Fault::AnswerLost]);
    assert_eq!(
        bench.apply(&item(&object())).await,
        (Action::Created, vec![])
    );
    assert_eq!(bench.cluster.log(), [format!("post {PATH}")]);
}

#[tokio::test]
async fn passing_failures_are_waited_out_with_growing_patience() {
    let bench = bench(false);
    bench.fault(&[
        Fault::Fails(ClusterErrorKind::Unavailable),
        Fault::Fails(ClusterErrorKind::Throttled),
    ]);
    assert_eq!(
        bench.apply(&item(&object())).await,
        (Action::Created, vec![])
    );
    assert_eq!(bench.waits(), [FIRST_WAIT, 2 * FIRST_WAIT]);
    assert_eq!(bench.cluster.log().len(), 3);
}

#[tokio::test]
async fn the_budget_ends() {
    let bench = bench(false);
    bench.fault(&[Fault::Fails(ClusterErrorKind::Unavailable); 9]);
    let (action, issues) = bench.apply(&item(&object())).await;
    assert_eq!(action, Action::Failed);
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0].0, Severity::Error);
    assert_eq!(bench.cluster.log().len(), ATTEMPTS as usize);
}

#[tokio::test]
async fn a_refusal_is_final() {
    for kind in [
        ClusterErrorKind::Invalid,
        ClusterErrorKind::Forbidden,
        ClusterErrorKind::NotFound,
    ] {
        let bench = bench(false);
        bench.fault(&[Fault::Fails(kind)]);
        let (action, issues) = bench.apply(&item(&object())).await;
        assert_eq!(action, Action::Failed, "{kind:?}");
        assert_eq!(issues[0].1, "configmaps n/c: create: as the test says");
        assert!(bench.waits().is_empty());
    }
}

#[tokio::test]
async fn a_kind_that_is_new_may_be_unknown_for_a_moment() {
    let mut bench = bench(false);
    bench.applier.fresh.insert("configmaps".to_owned());
    bench.fault(&[Fault::Fails(ClusterErrorKind::NotFound)]);
    assert_eq!(bench.apply(&item(&object())).await.0, Action::Created);
}

#[test]
fn a_pod_waits_for_the_account_that_a_controller_makes() {
    let refused = |kind| {
        let message = "pods \"p\" is forbidden: error looking up service account n/default: \
            serviceaccount \"default\" not found";
        let mut pod = item(&object());
        pod.kind = Arc::from("pods");
        lacks_account(&pod, &error(kind, message))
    };
    assert!(refused(ClusterErrorKind::Forbidden) && !refused(ClusterErrorKind::Invalid));
    let quota = error(ClusterErrorKind::Forbidden, "exceeded quota");
    let mut pod = item(&object());
    pod.kind = Arc::from("pods");
    assert!(!lacks_account(&pod, &quota));
}

#[tokio::test]
async fn a_cluster_that_does_not_know_us_ends_everything() {
    let bench = bench(false);
    bench.fault(&[Fault::Fails(ClusterErrorKind::Unauthorized)]);
    assert!(bench.applier.apply(&item(&object())).await.is_err());
}

#[tokio::test]
async fn own_objects_count_as_created_and_are_finished() {
    let bench = bench(false);
    let mut item = item(&object());
    item.ownership = Ownership::Patch(json!({}));
    let mut live: Value = serde_json::from_slice(&item.body).unwrap();
    live["data"]["k"] = "changed since".into();
    bench.cluster.put(PATH, live.clone());
    assert_eq!(bench.apply(&item).await, (Action::Created, vec![]));
    assert_eq!(bench.cluster.log(), [format!("post {PATH}")]);

    live["metadata"]["managedFields"] = json!([{"manager": ownership::PASSING_MANAGER}]);
    bench.cluster.put(PATH, live);
    assert_eq!(bench.apply(&item).await, (Action::Created, vec![]));
    assert_eq!(bench.cluster.log()[2..], [format!("patch {PATH}")]);
}

#[tokio::test]
async fn existing_objects_are_settled_by_policy() {
    let item = item(&object());
    let same = object();
    let other = config_map("n", "c", "other");
    for (update, live, action, warnings, patches) in [
        (false, &same, Action::Skipped, 0, 0),
        (false, &other, Action::Skipped, 1, 0),
        (true, &same, Action::Skipped, 0, 1),
        (true, &other, Action::Updated, 0, 1),
    ] {
        let bench = bench(update);
        bench.cluster.put(PATH, live.clone());
        let (found, issues) = bench.apply(&item).await;
        assert_eq!((found, issues.len()), (action, warnings), "update {update}");
        assert!(
            issues
                .iter()
                .all(|(severity, _)| *severity == Severity::Warning)
        );
        assert_eq!(bench.cluster.log().len() - 1, patches);
    }
}

#[tokio::test]
async fn an_object_that_is_going_is_waited_for() {
    let bench = bench(false);
    let mut going = object();
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    going["metadata"]["finalizers"] = json!(["example.com/hold"]);
    bench.cluster.put(PATH, going.clone());
    bench
        .cluster
        .lingering
        .lock()
        .unwrap()
        .insert(PATH.to_owned(), 3);
    assert_eq!(
        bench.apply(&item(&object())).await,
        (Action::Created, vec![])
    );

    bench.cluster.put(PATH, going);
    bench.cluster.lingering.lock().unwrap().clear();
    let (action, issues) = bench.apply(&item(&object())).await;
    assert_eq!(action, Action::Failed);
    assert!(
        issues[0]
            .1
            .ends_with("is being deleted, held by the finalizers example.com/hold"),
        "{issues:?}"
    );
}

/// Refuses every create of a service with the given words.
struct Refusing {
    inner: MemoryCluster,
    message: &'static str,
    creates: Mutex<u32>,
}

#[async_trait::async_trait]
impl Cluster for Refusing {
    async fn discover(&self) -> Result<crate::port::Discovery, ClusterError> {
        self.inner.discover().await
    }
    async fn version(&self) -> Result<crate::port::ServerVersion, ClusterError> {
        self.inner.version().await
    }
    async fn revision(&self) -> Result<crate::port::Revision, ClusterError> {
        self.inner.revision().await
    }
    async fn list(
        &self,
        query: &crate::port::ListQuery,
        token: Option<&str>,
        limit: u32,
    ) -> Result<crate::port::Page, ClusterError> {
        self.inner.list(query, token, limit).await
    }
    async fn get(&self, target: Target<'_>) -> Result<Option<Object>, ClusterError> {
        self.inner.get(target).await
    }
    async fn create(
        &self,
        _: &crate::port::ApiResource,
        _: Option<&str>,
        _: Bytes,
        _: CreateOptions<'_>,
    ) -> Result<Object, ClusterError> {
        *self.creates.lock().unwrap() += 1;
        Err(error(ClusterErrorKind::Invalid, self.message))
    }
    async fn patch(&self, target: Target<'_>, patch: Patch) -> Result<Object, ClusterError> {
        self.inner.patch(target, patch).await
    }
    async fn delete(&self, target: Target<'_>) -> Result<bool, ClusterError> {
        self.inner.delete(target).await
    }
}

const TAKEN: &str = "Service \"s\" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated";
const TAKEN_AND_MORE: &str = "Service \"s\" is invalid: [spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated, spec.type: Unsupported value: \"x\"]";

#[tokio::test]
async fn a_taken_port_means_existing_only_where_the_service_exists() {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "n"},
        "spec": {"ports": [{"port": 80, "nodePort": 30080}]},
    });
    for (message, exists, action) in [
        (TAKEN, true, Action::Skipped),
        (TAKEN, false, Action::Failed),
        (TAKEN_AND_MORE, true, Action::Failed),
    ] {
        let inner = MemoryCluster::default();
        if exists {
            inner.put("services/n/s", service.clone());
        }
        let cluster = Arc::new(Refusing {
            inner,
            message,
            creates: Mutex::default(),
        });
        let mut bench = bench(false);
        bench.applier.cluster = Arc::clone(&cluster) as Arc<dyn Cluster>;
        let mut item = item(&service);
        item.key = key("services", &service);
        item.kind = Arc::from("services");
        item.resource = Arc::new(resource("v1", "services", "Service", true));
        assert_eq!(bench.apply(&item).await.0, action, "{message} {exists}");
        assert_eq!(*cluster.creates.lock().unwrap(), 1);
    }
}
