//! Asking a controller to reconcile from outside.

use std::sync::Arc;

use futures::{Stream, StreamExt as _, stream};
use kube::core::DeserializeGuard;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::{Mutex, Notify, mpsc};

use crate::custom::CustomResource;

/// Single requests that may wait; more of them become one for everything.
const QUEUE: usize = 1024;

/// Asks a controller to reconcile. Cheap to clone, never blocks.
#[derive(Debug, Clone)]
pub struct Trigger {
    objects: mpsc::Sender<String>,
    all: Arc<Notify>,
}

pub(super) struct Requests {
    namespace: String,
    objects: Arc<Mutex<mpsc::Receiver<String>>>,
    all: Arc<Notify>,
}

pub(super) fn channel(namespace: &str) -> (Trigger, Requests) {
    let (objects, receiver) = mpsc::channel(QUEUE);
    let all = Arc::new(Notify::new());
    let requests = Requests {
        namespace: namespace.to_owned(),
        objects: Arc::new(Mutex::new(receiver)),
        all: Arc::clone(&all),
    };
    (Trigger { objects, all }, requests)
}

impl Trigger {
    /// Reconciles the object of this name soon, if there is one.
    pub fn object(&self, name: &str) {
        // A full queue means that a thousand objects are due anyway.
        if let Err(mpsc::error::TrySendError::Full(_)) = self.objects.try_send(name.to_owned()) {
            self.all();
        }
    }

    /// Reconciles every object soon. Requests that come together count as one.
    pub fn all(&self) {
        self.all.notify_one();
    }
}

impl Requests {
    pub(super) fn all(&self) -> impl Stream<Item = ()> + Send + use<> {
        stream::unfold(Arc::clone(&self.all), |all| async move {
            all.notified().await;
            Some(((), all))
        })
    }

    pub(super) fn objects<K: CustomResource>(
        &self,
    ) -> impl Stream<Item = ObjectRef<DeserializeGuard<K>>> + Send + use<K> {
        let namespace = self.namespace.clone();
        let names = stream::unfold(Arc::clone(&self.objects), |objects| async move {
            let name = objects.lock().await.recv().await?;
            Some((name, objects))
        });
        // A controller must outlive its triggers: the end of this stream would
        // otherwise be one more thing to think of.
        names
            .map(move |name| ObjectRef::new(&name).within(&namespace))
            .chain(stream::pending())
    }
}
