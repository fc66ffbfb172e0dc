//! Files of backups: straight from the storage, and through the API server where
//! the storage cannot be reached.

use std::net::{IpAddr, UdpSocket};
use std::path::Path;

use ark_testkit::{ControlPlane, Namespaces};

use super::{Installation, many_config_maps};

/// An address of this machine that the API server's proxy accepts: it refuses
/// loopback addresses.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent by this; it chooses the address to send from.
    socket.connect("192.0.2.1:9").unwrap();
    socket.local_addr().unwrap().ip()
}

/// A port that nobody listens on at this moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A pod that stands for the server's process, as the API server sees it.
fn pod(ark: &Installation<'_>, name: &str, address: IpAddr, port: u16) {
    let object = serde_json::json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": ark.namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "ark",
                "app.kubernetes.io/component": "server",
            },
        },
        "spec": {
            "automountServiceAccountToken": false,
            "containers": [{
                "name": "ark", "image": "ark",
                "ports": [{"name": "metrics", "containerPort": port}],
            }],
        },
    });
    let created = |_: &usize| {
        let made = ark
            .plane
            .kubectl_stdin(&["create", "-f", "-"], &object.to_string());
        // The namespace's service account may still be under way.
        made.is_ok() || {
            std::thread::sleep(std::time::Duration::from_millis(500));
            false
        }
    };
    assert!((0..60).any(|attempt| created(&attempt)), "no pod");
    let status = serde_json::json!({"status": {
        "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
    }});
    let patch = status.to_string();
    let arguments = [
        "-n",
        &ark.namespace,
        "patch",
        "pod",
        name,
        "--subresource=status",
        "--type=merge",
        "-p",
        &patch,
    ];
    ark.plane.kubectl(&arguments).unwrap();
}

fn members(path: &Path) -> usize {
    let listed = std::process::Command::new("tar")
        .arg("-tzf")
        .arg(path)
        .output()
        .unwrap();
    assert!(listed.status.success());
    String::from_utf8(listed.stdout).unwrap().lines().count()
}

#[test]
fn files_come_through_the_api_server_where_the_storage_is_out_of_reach() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let mut ark = Installation::new(plane, bucket.path());
    let (address, port) = (own_address(), free_port());
    ark.kill();
    ark.start_at(&format!("0.0.0.0:{port}"));
    let mut namespaces = Namespaces::new(plane);
    let source = namespaces.create("files").unwrap();
    many_config_maps(plane, &source, 40);
    ark.ark(&[
        "backup",
        "create",
        "b",
        "--include-namespaces",
        &source,
        "--wait",
    ]);
    let straight = ark.ark(&["backup", "logs", "b"]);
    assert!(straight.contains("level="), "{straight}");

    let output = ark.try_ark(&["backup", "logs", "b", "--through-api-server"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{message}");
    assert!(message.contains("no pod in namespace"), "{message}");

    // A pod that does not answer is passed over.
    pod(&ark, "a-dead", address, free_port());
    pod(&ark, "server", address, port);
    let proxied = ark.ark(&["backup", "logs", "b", "--through-api-server"]);
    assert_eq!(proxied, straight);
    let described = ark.ark(&[
        "backup",
        "describe",
        "b",
        "--details",
        "--through-api-server",
    ]);
    assert!(
        described.contains(&format!("- {source}/item-00000")),
        "{described}"
    );

    let files = tempfile::tempdir().unwrap();
    let (one, two) = (
        files.path().join("one.tar.gz"),
        files.path().join("two.tar.gz"),
    );
    ark.ark(&["backup", "download", "b", "-o", one.to_str().unwrap()]);
    let through = [
        "backup",
        "download",
        "b",
        "--through-api-server",
        "-o",
        two.to_str().unwrap(),
    ];
    ark.ark(&through);
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    assert!(members(&one) >= 40);
    let again = ark.try_ark(&through);
    assert_eq!(again.status.code(), Some(4), "a file is not written over");
    // A shell that completes learns the names of this cluster and namespace.
    let config = ark.plane.kubeconfig().to_str().unwrap();
    let line = [
        "ark",
        "--kubeconfig",
        config,
        "-n",
        &ark.namespace,
        "backup",
        "describe",
        "",
    ];
    let asked = std::process::Command::new(env!("CARGO_BIN_EXE_ark"))
        .arg("--")
        .args(line)
        .env("ARK_COMPLETE", "fish")
        .output()
        .unwrap();
    let names = String::from_utf8(asked.stdout).unwrap();
    assert!(names.lines().any(|line| line == "b"), "{names}");
    let left = ark.get("downloadrequests", "name");
    assert_eq!(left, "", "requests are taken away");
}

#[test]
fn nobody_reads_a_file_without_the_key() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let mut ark = Installation::new(plane, bucket.path());
    let port = free_port();
    ark.kill();
    ark.start_at(&format!("127.0.0.1:{port}"));
    ark.ark(&[
        "backup",
        "create",
        "b",
        "--include-namespaces",
        "default",
        "--wait",
    ]);
    let request = serde_json::json!({
        "apiVersion": "velero.io/v1", "kind": "DownloadRequest",
        "metadata": {"name": "by-hand", "namespace": ark.namespace},
        "spec": {"target": {"kind": "BackupLog", "name": "b"}},
    });
    plane
        .kubectl_stdin(&["create", "-f", "-"], &request.to_string())
        .unwrap();
    ark.wait_for("downloadrequest/by-hand", "Processed");
    let uid = ark.get("downloadrequest/by-hand", "jsonpath={.metadata.uid}");
    let ask = |path: &str| {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert!(ask(&format!("/download/by-hand?uid={uid}")).starts_with("HTTP/1.1 200"));
    let refused = [
        "/download/by-hand".to_owned(),
        "/download/by-hand?uid=".to_owned(),
        "/download/by-hand?uid=00000000-0000-4000-8000-000000000000".to_owned(),
        format!("/download/other?uid={uid}"),
        format!("/download/../by-hand?uid={uid}"),
    ];
    for path in refused {
        let answer = ask(&path);
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains("ark-download: unknown"), "{path}: {answer}");
    }
}

#[test]
fn a_bundle_has_what_others_need_and_no_secrets() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let ark = Installation::new(plane, bucket.path());
    ark.ark(&[
        "backup",
        "create",
        "b",
        "--include-namespaces",
        "default",
        "--wait",
    ]);
    ark.ark(&[
        "snapshot-location",
        "create",
        "vsl",
        "--provider",
        "aws",
        "--config",
        "secretKey=hush-hush",
    ]);
    let shown = ark.ark(&["get", "snapshot-locations"]);
    assert!(shown.contains("vsl    aws"), "{shown}");
    let plugins = ark.ark(&["plugin", "get"]);
    assert!(plugins.contains("velero.io/aws"), "{plugins}");
    let refused = ark.try_ark(&["plugin", "add", "velero/velero-plugin-for-aws:v1"]);
    assert_eq!(refused.status.code(), Some(4));
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("bundle.tar.gz");
    let output = path.to_str().unwrap();
    let absent = ark.try_ark(&["debug", "--backup", "absent", "--output", output]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(!path.exists());
    ark.ark(&["debug", "--backup", "b", "--output", output]);
    let untarred = std::process::Command::new("tar")
        .args(["-xzf", output, "-C"])
        .arg(files.path())
        .status()
        .unwrap();
    assert!(untarred.success());
    let read = |name: &str| {
        let path = files.path().join("bundle").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    assert!(read("version.txt").contains("Server: v"));
    assert!(read("backup-b/describe.txt").contains("Resource List:"));
    assert!(read("backup-b/log.txt").contains("level="));
    let locations = read("resources/volumesnapshotlocation.yaml");
    assert!(locations.contains("<redacted>") && !locations.contains("hush-hush"));
}
