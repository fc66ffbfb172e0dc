//! The S3 server is a real one: it checks signatures and conditions, and a fault
//! proxy can stand before it.

use std::path::PathBuf;

use ark_testkit::fault::{Fault, FaultProxy, Rule};
use ark_testkit::s3::{Access, S3Server};

#[test]
fn objects_are_kept() {
    let server = S3Server::shared();
    let bucket = server.create_unique_bucket("kept").unwrap();
    let target = format!("/{bucket}/folder/object");
    let body = vec![7; 3 << 20];
    assert_eq!(
        server
            .access()
            .request("PUT", &target, &body)
            .unwrap()
            .status,
        200
    );
    let answer = server.access().request("GET", &target, b"").unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body == body, "the object must come back as it went");
    let list = format!("/{bucket}?list-type=2&prefix=folder%2F");
    let list = server.access().request("GET", &list, b"").unwrap();
    let list = String::from_utf8(list.body).unwrap();
    assert!(list.contains("<Key>folder/object</Key>"), "{list}");
}

#[test]
fn a_wrong_secret_is_refused() {
    let server = S3Server::shared();
    let access = Access {
        secret_key: "wrong".to_owned(),
        ..server.access().clone()
    };
    assert_eq!(access.request("GET", "/", b"").unwrap().status, 403);
}

#[test]
fn a_bucket_that_nobody_made_is_missing() {
    let answer = S3Server::shared()
        .access()
        .request("PUT", "/none-such/object", b"x")
        .unwrap();
    assert_eq!(
        answer.status,
        404,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
}

#[test]
fn signatures_stay_valid_through_the_fault_proxy() {
    let server = S3Server::shared();
    let bucket = server.create_unique_bucket("proxied").unwrap();
    let proxy = FaultProxy::start(&server.access().endpoint).unwrap();
    let access = server.access().through(&proxy.url());
    proxy.add(Rule::new("/object", Fault::SlowDown).method("PUT").first(2));
    let target = format!("/{bucket}/object");
    let put = || access.request("PUT", &target, b"content").unwrap().status;
    assert_eq!([put(), put(), put()], [503, 503, 200]);
    assert_eq!(
        server.access().request("GET", &target, b"").unwrap().body,
        b"content"
    );
    assert_eq!((proxy.count("PUT", "/object"), proxy.faults()), (3, 2));
}

#[test]
fn two_servers_stand_side_by_side() {
    let second = S3Server::start().unwrap();
    second.create_bucket("only-here").unwrap();
    let elsewhere = S3Server::shared()
        .access()
        .request("GET", "/only-here", b"")
        .unwrap();
    assert_eq!(elsewhere.status, 404);
    let dir = second.dir().to_owned();
    let sockets = std::fs::read_to_string(dir.join("leftovers")).unwrap();
    let sockets: Vec<PathBuf> = sockets.lines().map(PathBuf::from).collect();
    assert!(
        sockets.iter().all(|socket| socket.exists()),
        "it opens others: {sockets:?}"
    );
    drop(second);
    assert!(!dir.exists());
    assert!(sockets.iter().all(|socket| !socket.exists()), "{sockets:?}");
}
