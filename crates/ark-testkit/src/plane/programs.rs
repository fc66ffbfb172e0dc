//! How each program is called: its flags and the files it is given.

use std::path::Path;

use anyhow::Result;

use crate::binaries::Programs;
use crate::ports;
use crate::supervisor::Program;

pub(super) const ETCD: &str = "etcd";
pub(super) const APISERVER: &str = "kube-apiserver";
pub(super) const CONTROLLER_MANAGER: &str = "kube-controller-manager";
pub(super) const ALL: [&str; 4] = [ETCD, APISERVER, CONTROLLER_MANAGER, super::node::KWOK];

/// Every port that is listened on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) apiserver: u16,
    etcd: u16,
    etcd_peer: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self> {
        let [apiserver, etcd, etcd_peer] = ports::free()?;
        Ok(Self {
            apiserver,
            etcd,
            etcd_peer,
        })
    }
}

pub(super) fn etcd<'a>(programs: &'a Programs, dir: &Path, ports: Ports) -> Program<'a> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    Program {
        name: ETCD,
        path: &programs.etcd,
        arguments: vec![
            "--name=test".to_owned(),
            format!("--data-dir={}/etcd", dir.display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=test={peer}"),
            "--log-level=warn".to_owned(),
            // The data does not outlive the process, so nothing is gained by
            // waiting for the disk.
            "--unsafe-no-fsync".to_owned(),
        ],
        environment: Vec::new(),
    }
}

pub(super) fn apiserver<'a>(programs: &'a Programs, dir: &Path, ports: Ports) -> Program<'a> {
    let dir = dir.display();
    Program {
        name: APISERVER,
        path: &programs.apiserver,
        arguments: vec![
            format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", ports.apiserver),
            format!("--cert-dir={dir}/certificates"),
            // A loopback address is no valid endpoint of the service `kubernetes`.
            "--endpoint-reconciler-type=none".to_owned(),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            format!("--token-auth-file={dir}/tokens.csv"),
            "--authorization-mode=RBAC".to_owned(),
            "--allow-privileged=true".to_owned(),
            // The key of its own certificate, made before these are read, also
            // signs the tokens of service accounts.
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={dir}/certificates/apiserver.key"),
            format!("--service-account-signing-key-file={dir}/certificates/apiserver.key"),
        ],
        environment: Vec::new(),
    }
}

pub(super) fn controller_manager<'a>(path: &'a Path, dir: &Path) -> Program<'a> {
    let dir = dir.display();
    Program {
        name: CONTROLLER_MANAGER,
        path,
        arguments: vec![
            format!("--kubeconfig={dir}/kubeconfig"),
            // Serves nothing, so needs no port.
            "--secure-port=0".to_owned(),
            "--leader-elect=false".to_owned(),
            format!("--root-ca-file={dir}/ca.crt"),
            format!("--service-account-private-key-file={dir}/certificates/apiserver.key"),
            // The defaults are meant for servers with other guests: with them
            // namespaces of several hundred objects take minutes to be deleted.
            "--kube-api-qps=500".to_owned(),
            "--kube-api-burst=1000".to_owned(),
        ],
        environment: Vec::new(),
    }
}

/// Format: token, user name, user ID, groups.
pub(super) fn token_file(token: &str) -> String {
    format!("{token},admin,admin,\"system:masters\"\n")
}

/// `ca` is the CA certificate in base64.
pub(super) fn kubeconfig(url: &str, ca: &str, token: &str) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         current-context: ark-test\n\
         clusters:\n\
         - name: ark-test\n\
         \x20 cluster:\n\
         \x20   server: {url}\n\
         \x20   certificate-authority-data: {ca}\n\
         contexts:\n\
         - name: ark-test\n\
         \x20 context:\n\
         \x20   cluster: ark-test\n\
         \x20   user: admin\n\
         users:\n\
         - name: admin\n\
         \x20 user:\n\
         \x20   token: {token}\n"
    )
}
