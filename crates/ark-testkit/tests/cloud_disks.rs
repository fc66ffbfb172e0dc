//! The clouds' own clients find nothing wrong with the server of disks, and it goes
//! wrong as tests want.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ark_testkit::disks::{Cloud, DiskCloud, DiskRecord, Fault, judge};
use ark_testkit::http;
use serde_json::{Value, json};

const DISKS: &str = "/compute/v1/projects/p/zones/us-east1-b/disks";
const SNAPSHOTS: &str = "/compute/v1/projects/p/global/snapshots";
const GROUP: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute";
const VERSION: &str = "?api-version=2024-03-02";

#[test]
fn googles_client_finds_nothing_wrong() {
    let cloud = DiskCloud::start().unwrap();
    cloud.set_snapshot_steps(3);
    cloud.add_disk(&DiskRecord {
        attached_to: Some("machine".to_owned()),
        ..DiskRecord::gce("judged", "europe-west1-b", "attached", 5)
    });
    let said = judge::run("gce.py", &cloud.endpoint()).unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(said.lines().count(), 8, "{said}");
}

#[test]
fn azures_client_finds_nothing_wrong() {
    let cloud = DiskCloud::start().unwrap();
    cloud.set_snapshot_steps(4);
    cloud.set_page_size(2);
    let owner = "00000000-0000-4000-8000-000000000001/Judged";
    cloud.add_disk(&DiskRecord {
        attached_to: Some("machine".to_owned()),
        ..DiskRecord::azure(owner, "westeurope", "attached", 5)
    });
    let said = judge::run("azure.py", &cloud.endpoint());
    let said = said.unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(said.lines().count(), 9, "{said}");
}

/// An answer, taken apart.
struct Answer {
    status: u16,
    head: String,
    body: Value,
}

/// Writes a request and reads to the end of the connection.
fn raw(cloud: &DiskCloud, request: &str) -> String {
    let mut stream = TcpStream::connect(cloud.authority()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Asks with a token; nothing if there is no answer.
fn ask(cloud: &DiskCloud, method: &str, target: &str, body: &Value) -> Option<Answer> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let host = cloud.authority();
    let answer = raw(
        cloud,
        &format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Authorization: Bearer token\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().unwrap(),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}

fn get(cloud: &DiskCloud, target: &str) -> Answer {
    ask(cloud, "GET", target, &Value::Null).unwrap()
}

/// A cloud with the disk `data` in both.
fn with_disks() -> DiskCloud {
    let cloud = DiskCloud::start().unwrap();
    cloud.add_disk(&DiskRecord::gce("p", "us-east1-b", "data", 10));
    cloud.add_disk(&DiskRecord::azure("s/g", "eastus", "data", 10));
    cloud
}

fn take_azures(cloud: &DiskCloud, name: &str) -> Answer {
    let body = json!({"location": "eastus", "tags": {"backup": "b"}, "properties": {
        "incremental": true,
        "creationData": {"createOption": "Copy", "sourceResourceId": format!("{GROUP}/disks/data")},
    }});
    let target = format!("{GROUP}/snapshots/{name}{VERSION}");
    ask(cloud, "PUT", &target, &body).unwrap()
}

fn take_googles(cloud: &DiskCloud, query: &str) -> Option<Answer> {
    let target = format!("{DISKS}/data/createSnapshot{query}");
    let body = json!({"name": "snap", "labels": {"backup": "b"}});
    ask(cloud, "POST", &target, &body)
}

#[test]
fn who_has_no_token_is_refused() {
    let cloud = with_disks();
    let disk = format!("{GROUP}/disks/data{VERSION}");
    for target in [DISKS, &disk] {
        let answer = http::get(&format!("{}{target}", cloud.endpoint())).unwrap();
        assert_eq!(answer.status, 401, "{target}");
        assert_eq!(get(&cloud, target).status, 200, "{target}");
    }
    let requests = cloud.requests();
    assert_eq!(requests[0].authorization, None);
    assert_eq!(requests[1].authorization.as_deref(), Some("Bearer token"));
}

#[test]
fn faults_strike_as_often_as_they_shall() {
    let cloud = with_disks();
    cloud.fail(
        Fault::new("GET", "/disks/data", 429)
            .times(2)
            .retry_after(7),
    );
    cloud.fail(Fault::new("", "/snapshots", 503).body("gone fishing"));
    let azures = get(&cloud, &format!("{GROUP}/disks/data{VERSION}"));
    assert_eq!(azures.status, 429);
    assert!(azures.head.contains("Retry-After: 7"), "{}", azures.head);
    assert_eq!(azures.body["error"]["code"], "TooManyRequests");
    let target = format!("{DISKS}/data");
    let googles = get(&cloud, &target);
    assert_eq!(googles.status, 429);
    assert_eq!(
        googles.body["error"]["errors"][0]["reason"],
        "rateLimitExceeded"
    );
    assert_eq!(get(&cloud, &target).status, 200);
    assert_eq!(get(&cloud, SNAPSHOTS).status, 503);
    assert_eq!(get(&cloud, SNAPSHOTS).status, 200);
}

#[test]
fn a_lost_answer_is_no_lost_deed() {
    let cloud = with_disks();
    cloud.lose_answer("POST", "/createSnapshot", 1);
    let query = "?requestId=5f7a9cde-0000-4000-8000-000000000001";
    assert!(take_googles(&cloud, query).is_none());
    assert_eq!(cloud.snapshots().len(), 1);
    let again = take_googles(&cloud, query).unwrap();
    assert_eq!(
        again.body["operationType"], "createSnapshot",
        "{}",
        again.body
    );
    let other = take_googles(&cloud, "").unwrap();
    assert_eq!(other.status, 409);
    assert_eq!(cloud.snapshots().len(), 1);
}

#[test]
fn googles_snapshots_get_ready_look_by_look() {
    let cloud = with_disks();
    cloud.set_snapshot_steps(2);
    take_googles(&cloud, "").unwrap();
    let target = format!("{SNAPSHOTS}/snap");
    let status = || get(&cloud, &target).body["status"].clone();
    assert!(!cloud.snapshots()[0].is_ready);
    assert_eq!(
        [status(), status(), status()],
        ["CREATING", "UPLOADING", "READY"]
    );
    let snapshot = &cloud.snapshots()[0];
    assert!(snapshot.is_ready);
    assert_eq!(snapshot.cloud, Cloud::Gce);
    assert_eq!(snapshot.source, "projects/p/zones/us-east1-b/disks/data");
    assert_eq!(
        (snapshot.owner.as_str(), snapshot.location.as_str()),
        ("p", "us")
    );
    assert_eq!(
        (snapshot.size_gib, snapshot.labels["backup"].as_str()),
        (10, "b")
    );
}

#[test]
fn azures_snapshots_get_ready_look_by_look() {
    let cloud = with_disks();
    cloud.set_snapshot_steps(2);
    assert_eq!(take_azures(&cloud, "snap").status, 202);
    let target = format!("{GROUP}/snapshots/SNAP{VERSION}");
    let percent = || get(&cloud, &target).body["properties"]["completionPercent"].clone();
    assert_eq!([percent(), percent(), percent()], [0.0, 50.0, 100.0]);
    let snapshot = &cloud.snapshots()[0];
    assert!(snapshot.is_ready && snapshot.incremental);
    assert_eq!(snapshot.cloud, Cloud::Azure);
    assert_eq!(snapshot.source, format!("{GROUP}/disks/data"));
    assert_eq!(
        (snapshot.owner.as_str(), snapshot.location.as_str()),
        ("s/g", "eastus")
    );
    assert_eq!(
        (snapshot.size_gib, snapshot.labels["backup"].as_str()),
        (10, "b")
    );
}

#[test]
fn snapshots_fail_in_the_end() {
    let cloud = with_disks();
    cloud.fail_next_snapshot("the disk is on fire");
    let begun = take_googles(&cloud, "").unwrap();
    let name = begun.body["name"].as_str().unwrap();
    let zone = DISKS.strip_suffix("/disks").unwrap();
    let wait = format!("{zone}/operations/{name}/wait");
    let done = ask(&cloud, "POST", &wait, &Value::Null).unwrap();
    assert_eq!((done.status, &done.body["status"]), (200, &json!("DONE")));
    assert_eq!(
        done.body["error"]["errors"][0]["message"],
        "the disk is on fire"
    );
    let target = format!("{SNAPSHOTS}/snap");
    get(&cloud, &target);
    assert_eq!(get(&cloud, &target).body["status"], "FAILED");

    cloud.fail_next_snapshot("the disk is flooded");
    let begun = take_azures(&cloud, "snap");
    let link = begun
        .head
        .lines()
        .find_map(|line| line.strip_prefix("Azure-AsyncOperation: "));
    let link = link.unwrap().strip_prefix(&cloud.endpoint()).unwrap();
    assert_eq!(get(&cloud, link).body["status"], "InProgress");
    let done = get(&cloud, link).body;
    assert_eq!(
        (&done["status"], &done["error"]["message"]),
        (&json!("Failed"), &json!("the disk is flooded"))
    );
    let seen = get(&cloud, &format!("{GROUP}/snapshots/snap{VERSION}")).body;
    assert_eq!(seen["properties"]["provisioningState"], "Failed");
    assert!(cloud.snapshots().iter().all(|snapshot| !snapshot.is_ready));
}

#[test]
fn disks_are_told_as_they_were_put_there() {
    let cloud = DiskCloud::start().unwrap();
    let mut put = Vec::new();
    for mut disk in [
        DiskRecord::azure("s/g", "eastus", "data", 10),
        DiskRecord::gce("p", "us-east1", "data", 20),
    ] {
        let is_gce = disk.cloud == Cloud::Gce;
        disk.labels.insert("app".to_owned(), "shop".to_owned());
        disk.attached_to = Some("machine".to_owned());
        disk.zones = if is_gce {
            vec!["us-east1-b".to_owned(), "us-east1-c".to_owned()]
        } else {
            vec!["1".to_owned()]
        };
        disk.source = Some(
            if is_gce {
                "projects/p/global/snapshots/s"
            } else {
                "/subscriptions/s"
            }
            .to_owned(),
        );
        disk.encryption = Some("key".to_owned());
        cloud.add_disk(&disk);
        put.push(disk);
    }
    assert_eq!(cloud.disks(), put);
    cloud.clear();
    assert_eq!(cloud.disks(), []);
}

#[test]
fn a_connection_serves_many_requests_and_chunks() {
    let cloud = with_disks();
    let host = cloud.authority();
    let body = json!({"name": "chunked", "sizeGb": "7"}).to_string();
    let (one, two) = body.split_at(9);
    let answers = raw(
        &cloud,
        &format!(
            "POST {DISKS} HTTP/1.1\r\nhost: {host}\r\nauthorization: bearer t\r\n\
             transfer-encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:X};why=not\r\n{two}\r\n0\r\n\r\n\
             DELETE {GROUP}/disks/none{VERSION} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer t\r\n\r\n\
             GET {DISKS}/chunked HTTP/1.0\r\nAuthorization: Bearer t\r\n\r\n",
            one.len(),
            two.len()
        ),
    );
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 204").count(), 1, "{answers}");
    assert_eq!(cloud.requests()[0].body, body);
    let disks = cloud.disks();
    let made = disks.iter().find(|disk| disk.name == "chunked").unwrap();
    assert_eq!(made.size_gib, 7);
}
