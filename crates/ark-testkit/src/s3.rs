//! A real S3 server (SeaweedFS) on loopback over plain HTTP.
//!
//! It checks signatures, keeps to conditional requests, and does not make a bucket
//! that nobody created. Known difference to S3 itself: an emptied "folder" still
//! shows in lists with a delimiter, so tests list recursively.

mod install;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use crate::http::Answer;
use crate::sign::{self, Signature};
use crate::supervisor::{self, Program, Supervisor};
use crate::{environment, http, names, ports};

/// How to reach a server, and as whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Access {
    /// `http://127.0.0.1:PORT`; buckets are the first part of the path.
    pub endpoint: String,
    /// The access key of a user who may do all.
    pub access_key: String,
    /// The secret that belongs to it.
    pub secret_key: String,
    /// The region to sign for.
    pub region: String,
}

/// A running S3 server; ends when dropped, if this process started it.
#[derive(Debug)]
pub struct S3Server {
    dir: PathBuf,
    access: Access,
    /// `None` for a server of somebody else.
    _supervisor: Option<Supervisor>,
}

const NAME: &str = "seaweedfs";
/// Its parts; each has two ports, for HTTP and for gRPC.
const LISTENERS: [&str; 4] = ["s3", "master", "volume", "filer"];
const DESCRIPTION: &str = "s3.json";
const PATIENCE: Duration = Duration::from_mins(2);
const ATTEMPTS: usize = 4;

impl S3Server {
    /// Starts a server of one's own and waits until it answers signed requests:
    /// some three seconds, once half a minute more to install it.
    pub fn start() -> Result<Self> {
        let weed = install::ensure()?;
        let mut attempt = 1;
        loop {
            match start(&weed) {
                Err(error) if attempt < ATTEMPTS && ports::clash(&format!("{error:#}")) => {
                    attempt += 1;
                }
                result => return result.context("the S3 server does not start"),
            }
        }
    }

    /// The server that all tests of this process share, or, when `ARK_TEST_S3`
    /// names one, all test binaries. Tests keep to buckets of their own.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<S3Server> = OnceLock::new();
        SHARED.get_or_init(|| {
            let server = match environment::shared_s3() {
                Some(dir) => Self::open(&dir),
                None => Self::start(),
            };
            server.unwrap_or_else(|error| panic!("no S3 server for tests: {error:#}"))
        })
    }

    /// Uses the running server of somebody else, who also ends it.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(DESCRIPTION);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let access = serde_json::from_slice(&text)
            .with_context(|| format!("{} does not describe an S3 server", path.display()))?;
        Ok(Self {
            dir: dir.to_owned(),
            access,
            _supervisor: None,
        })
    }

    /// The directory with its log and data.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How to reach it, and as whom.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Makes an empty bucket.
    pub fn create_bucket(&self, name: &str) -> Result<()> {
        let answer = self.access.request("PUT", &format!("/{name}"), b"")?;
        if answer.status != 200 {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            bail!("cannot make the bucket {name}: {} {text}", answer.status);
        }
        Ok(())
    }

    /// Makes a bucket `prefix-…` that no other test uses, and returns its name.
    pub fn create_unique_bucket(&self, prefix: &str) -> Result<String> {
        let name = names::unique_name(prefix);
        self.create_bucket(&name)?;
        Ok(name)
    }
}

impl Access {
    /// Sends one signed request (Signature Version 4). `target` is the path and
    /// query as they go over the wire: percent-encoded, parameters sorted, each
    /// with a `=`.
    pub fn request(&self, method: &str, target: &str, body: &[u8]) -> Result<Answer> {
        let signature = Signature {
            authority: self.authority(),
            service: "s3",
            region: &self.region,
            access_key: &self.access_key,
            secret_key: &self.secret_key,
        };
        let headers = sign::headers(signature, method, target, body);
        http::request(self.authority(), method, target, &headers, body)
    }

    /// The same access through another address, such as a
    /// [`FaultProxy`](crate::fault::FaultProxy) before the server.
    #[must_use]
    pub fn through(&self, endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            ..self.clone()
        }
    }

    fn authority(&self) -> &str {
        self.endpoint
            .trim_start_matches("http://")
            .trim_end_matches('/')
    }
}

fn start(weed: &Path) -> Result<S3Server> {
    let dir = tempfile::Builder::new()
        .prefix("ark-s3-")
        .tempdir()
        .context("cannot make a temporary directory")?
        .keep();
    let mut supervisor = Supervisor::start(&dir)?;
    let ports: [u16; 8] = ports::free()?;
    let access = Access {
        endpoint: format!("http://127.0.0.1:{}", ports[0]),
        access_key: "arktest".to_owned(),
        secret_key: names::random_hex(16),
        region: "us-east-1".to_owned(),
    };
    fs::create_dir(dir.join("data"))?;
    fs::write(dir.join("identities.json"), identities(&access).to_string())?;
    fs::write(dir.join(supervisor::LEFTOVERS), sockets(&ports))?;
    supervisor.run(&program(weed, &dir, &ports))?;
    wait(&supervisor, &access)?;
    fs::write(
        dir.join(DESCRIPTION),
        serde_json::to_string_pretty(&access)?,
    )?;
    Ok(S3Server {
        dir,
        access,
        _supervisor: Some(supervisor),
    })
}

/// Every port it would open must be given, or two servers could not run at a time.
fn program<'a>(weed: &'a Path, dir: &Path, ports: &[u16; 8]) -> Program<'a> {
    let path = dir.display();
    let mut arguments: Vec<String> = [
        // Otherwise files in /tmp, which stay there.
        "-logtostderr=true",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-s3",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.autoCreateBucket=false",
        "-master.volumeSizeLimitMB=128",
        "-master.telemetry=false",
        // Each bucket takes a volume, empty ones no space. Fewer, or as many as the
        // free disk would hold full ones (0), and some later bucket has none left and
        // answers 500.
        "-volume.max=30000",
        // Otherwise a hundredth of the disk.
        "-volume.minFreeSpace=100MiB",
    ]
    .map(str::to_owned)
    .into();
    for (index, listener) in LISTENERS.into_iter().enumerate() {
        arguments.push(format!("-{listener}.port={}", ports[index]));
        arguments.push(format!(
            "-{listener}.port.grpc={}",
            ports[index + LISTENERS.len()]
        ));
    }
    arguments.push(format!("-dir={path}/data"));
    arguments.push(format!("-s3.config={path}/identities.json"));
    // Otherwise sockets in /tmp, which stay there.
    arguments.push(format!("-filer.localSocket={path}/filer.sock"));
    arguments.push(format!("-s3.localSocket={path}/s3.sock"));
    Program {
        name: NAME,
        path: weed,
        arguments,
        environment: vec![
            // The key that server-side encryption wraps its keys with.
            ("WEED_S3_SSE_KEK", "ab".repeat(32)),
            // One volume for a new bucket instead of seven.
            ("WEED_MASTER_VOLUME_GROWTH_COPY_1", "1".to_owned()),
            ("GOMEMLIMIT", "400MiB".to_owned()),
            ("HOME", path.to_string()),
        ],
    }
}

/// The sockets that it opens outside its directory, one a line, in whatever place
/// it is told to work.
fn sockets(ports: &[u16; 8]) -> String {
    let socket = |(listener, port)| format!("/tmp/seaweedfs-{listener}-grpc-{port}.sock\n");
    LISTENERS
        .iter()
        .zip(&ports[LISTENERS.len()..])
        .map(socket)
        .collect::<Vec<_>>()
        .concat()
}

fn identities(access: &Access) -> serde_json::Value {
    json!({
        "identities": [{
            "name": "ark",
            "credentials": [{"accessKey": access.access_key, "secretKey": access.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }],
        // Without it requests for encryption at rest are answered with 500.
        "kms": {
            "default_provider": "local-dev",
            "providers": {
                "local-dev": {"type": "local", "enableOnDemandCreate": true, "cacheEnabled": true},
            },
            "buckets": {},
        },
    })
}

fn wait(supervisor: &Supervisor, access: &Access) -> Result<()> {
    let started = Instant::now();
    loop {
        let state = match access.request("GET", "/", b"") {
            Ok(Answer { status: 200, .. }) => return Ok(()),
            Ok(answer) => format!("its answer is {}", answer.status),
            Err(error) => format!("{error:#}"),
        };
        if let Some(code) = supervisor.exit_code(NAME) {
            bail!(
                "it has ended with code {code}\n{}",
                supervisor.log_tail(NAME)
            );
        }
        if started.elapsed() > PATIENCE {
            let log = supervisor.log_tail(NAME);
            bail!("waited {} s: {state}\n{log}", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
