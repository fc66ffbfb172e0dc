//! Controllers: every object is reconciled, whatever happens to another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ark_engine::port::{Cluster as _, CreateOptions};
use ark_kube::{Controller, ControllerOptions, Custom, Invalid, Next, resource_of};
use ark_testkit::{ControlPlane, Namespaces};
use tokio_util::sync::CancellationToken;

use crate::widget::{self, Widget};
use crate::{bytes, connect};

/// When each object was reconciled, and with which size.
type Seen = Arc<Mutex<HashMap<String, Vec<(Instant, Option<u32>)>>>>;

#[derive(Debug, thiserror::Error)]
#[error("not today")]
struct NotToday;

fn note(seen: &Seen, widget: &Widget) -> usize {
    let mut seen = seen.lock().unwrap();
    let times = seen
        .entry(widget.metadata.name.clone().unwrap())
        .or_default();
    times.push((Instant::now(), widget.spec.size));
    times.len()
}

fn count(seen: &Seen, name: &str) -> usize {
    seen.lock().unwrap().get(name).map_or(0, Vec::len)
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

/// Fails three times, then succeeds; `panics` panics once; others succeed.
#[expect(clippy::unused_async, reason = "the panic belongs into the future")]
async fn reconcile(seen: Seen, widget: Arc<Widget>) -> Result<Next, NotToday> {
    let nth = note(&seen, &widget);
    match widget.metadata.name.as_deref() {
        Some("fails") if nth <= 3 => Err(NotToday),
        Some("panics") if nth == 1 => panic!("on purpose"),
        Some("timed") => Ok(Next::After(Duration::from_millis(200))),
        _ => Ok(Next::OnChange),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_is_reconciled_whatever_happens_to_another() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("controller").unwrap();
    let connection = connect(plane).await;
    widget::install(&connection).await;
    let widgets: Custom<Widget> = Custom::new(&connection, &namespace);
    for name in ["early", "fails", "panics", "timed"] {
        widgets.create(&Widget::new(name, 1)).await.unwrap();
    }
    let resource = resource_of::<Widget>();
    let body = bytes(&widget::malformed("malformed"));
    connection
        .create(&resource, Some(&namespace), body, CreateOptions::default())
        .await
        .unwrap();

    let options = ControllerOptions {
        first_pause: Duration::from_millis(200),
        ..ControllerOptions::default()
    };
    let controller = Controller::<Widget>::new(&connection, &namespace, options).unwrap();
    let trigger = controller.trigger();
    let seen = Seen::default();
    let invalid: Arc<Mutex<Vec<Invalid>>> = Arc::default();
    let shutdown = CancellationToken::new();
    let running = {
        let (seen, invalid) = (Arc::clone(&seen), Arc::clone(&invalid));
        tokio::spawn(controller.run(
            move |widget| reconcile(Arc::clone(&seen), widget),
            move |found| invalid.lock().unwrap().push(found),
            shutdown.clone(),
        ))
    };

    eventually("all are reconciled", || {
        count(&seen, "early") >= 1 && count(&seen, "fails") == 4 && count(&seen, "panics") == 2
    })
    .await;
    eventually("a timed one comes again", || count(&seen, "timed") >= 3).await;
    let pauses: Vec<_> = seen.lock().unwrap()["fails"]
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect();
    // Half of 200, 400, 800 ms at least.
    assert!(pauses[1] >= Duration::from_millis(200), "{pauses:?}");
    assert!(pauses[2] >= Duration::from_millis(400), "{pauses:?}");

    let late = widgets.create(&Widget::new("late", 1)).await.unwrap();
    eventually("a new one is seen", || count(&seen, "late") == 1).await;
    let mut changed = late.clone();
    changed.spec.size = Some(7);
    widgets.patch("late", &late, &changed).await.unwrap();
    eventually("a change is seen", || {
        seen.lock().unwrap()["late"]
            .last()
            .is_some_and(|last| last.1 == Some(7))
    })
    .await;

    let before = (count(&seen, "late"), count(&seen, "early"));
    trigger.object("late");
    eventually("a trigger works", || count(&seen, "late") == before.0 + 1).await;
    assert_eq!(count(&seen, "early"), before.1);
    trigger.all();
    eventually("a trigger for all works", || {
        count(&seen, "early") == before.1 + 1
    })
    .await;

    assert_eq!(invalid.lock().unwrap().len(), 1, "reported once");
    assert_eq!(invalid.lock().unwrap()[0].name, "malformed");
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), running)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_reconciled_at_the_resync() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("resync").unwrap();
    let connection = connect(plane).await;
    widget::install(&connection).await;
    let widgets: Custom<Widget> = Custom::new(&connection, &namespace);
    widgets.create(&Widget::new("a", 1)).await.unwrap();
    let options = ControllerOptions {
        resync: Duration::from_millis(300),
        ..ControllerOptions::default()
    };
    let controller = Controller::<Widget>::new(&connection, &namespace, options).unwrap();
    let seen = Seen::default();
    let shutdown = CancellationToken::new();
    let of_controller = Arc::clone(&seen);
    let running = tokio::spawn(controller.run(
        move |widget| reconcile(Arc::clone(&of_controller), widget),
        |_| (),
        shutdown.clone(),
    ));
    eventually("it comes again", || count(&seen, "a") >= 4).await;
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), running)
        .await
        .unwrap()
        .unwrap();
}
