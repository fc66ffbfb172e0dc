//! The parts of AWS that are not S3, on loopback over plain HTTP (moto): disks and
//! their snapshots (EC2), and tokens for roles (STS).
//!
//! It checks signatures. Known differences to AWS: a snapshot is complete at once, the
//! token of a client that asks for a disk again is not looked at, a list is never
//! paged, and a disk may be smaller than its snapshot.

mod install;

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::service::Service;
use crate::sign::{self, Signature};
use crate::supervisor::Program;
use crate::{http, names};

/// The region of all that it has.
pub const REGION: &str = "us-east-1";
/// The account of all that it has.
pub const ACCOUNT: &str = "123456789012";
/// Calls that it takes from anybody, those that make a user with a key.
const OPEN_CALLS: usize = 4;
/// Of EC2's API.
const VERSION: &str = "2016-11-15";
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A running server; ends when dropped.
#[derive(Debug)]
pub struct AwsServer {
    service: Service,
    /// The access key of a user who may do all.
    pub access_key: String,
    /// The secret that belongs to it.
    pub secret_key: String,
}

/// A disk or a snapshot, as the server keeps it.
#[derive(Debug, Clone)]
pub struct Resource(Value);

impl AwsServer {
    /// Starts a server of one's own: some seconds, and once half a minute to install it.
    pub fn start() -> Result<Self> {
        Self::start_with(Some(OPEN_CALLS))
    }

    /// Starts one that checks no signatures. One that does refuses also those calls
    /// that AWS takes from anybody, as for a role by another authority's token.
    pub fn start_unchecked() -> Result<Self> {
        Self::start_with(None)
    }

    fn start_with(open_calls: Option<usize>) -> Result<Self> {
        let path = install::ensure()?;
        let service = Service::start(
            |_, port| program(&path, port, open_calls),
            |authority| http::get(&format!("http://{authority}/moto-api/")).is_ok(),
        );
        let mut server = Self {
            service: service.context("moto does not start")?,
            access_key: "nobody".to_owned(),
            secret_key: "nothing".to_owned(),
        };
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/all");
        server.call("iam", &[("Action", "CreateUser"), ("UserName", "ark")])?;
        let policy = [("PolicyName", "all"), ("PolicyDocument", POLICY)];
        server.call(
            "iam",
            &[[("Action", "CreatePolicy")].as_slice(), &policy].concat(),
        )?;
        let attach = [
            ("Action", "AttachUserPolicy"),
            ("UserName", "ark"),
            ("PolicyArn", &arn),
        ];
        server.call("iam", &attach)?;
        let key = server.call("iam", &[("Action", "CreateAccessKey"), ("UserName", "ark")])?;
        server.access_key = element(&key, "AccessKeyId")?;
        server.secret_key = element(&key, "SecretAccessKey")?;
        Ok(server)
    }

    /// The server that all tests of this process share; each has disks of its own.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<AwsServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start().unwrap_or_else(|error| panic!("no AWS for tests: {error:#}"))
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.service.authority)
    }

    /// A credentials file with the key, as AWS's clients read it.
    pub fn credentials_file(&self) -> String {
        format!(
            "[default]\naws_access_key_id={}\naws_secret_access_key={}\n",
            self.access_key, self.secret_key
        )
    }

    /// Makes a role that anybody may take on; its ARN.
    pub fn create_unique_role(&self) -> Result<String> {
        let name = names::unique_name("role");
        let call = [("Action", "CreateRole"), ("RoleName", &name)];
        let trust = [("AssumeRolePolicyDocument", POLICY)];
        self.call("iam", &[call.as_slice(), &trust].concat())?;
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/all");
        let attach = [
            ("Action", "AttachRolePolicy"),
            ("RoleName", &name),
            ("PolicyArn", &arn),
        ];
        self.call("iam", &attach)?;
        Ok(format!("arn:aws:iam::{ACCOUNT}:role/{name}"))
    }

    /// One call of an API with parameters in a form; the answer's XML.
    pub fn call(&self, service: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let body: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let body = body.join("&");
        let signature = Signature {
            authority: &self.service.authority,
            service,
            region: REGION,
            access_key: &self.access_key,
            secret_key: &self.secret_key,
        };
        let mut headers = sign::headers(signature, "POST", "/", body.as_bytes());
        let form = "application/x-www-form-urlencoded";
        headers.push(("Content-Type".to_owned(), form.to_owned()));
        let authority = &self.service.authority;
        let answer = http::request(authority, "POST", "/", &headers, body.as_bytes())?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(
            answer.status == 200,
            "{parameters:?}: {} {text}",
            answer.status
        );
        Ok(text)
    }

    /// Makes a disk in zone `us-east-1a`; its id. `more` are parameters of `CreateVolume`.
    pub fn create_disk(&self, gibibytes: u32, more: &[(&str, &str)]) -> Result<String> {
        let (size, zone) = (gibibytes.to_string(), format!("{REGION}a"));
        let call = [
            ("Action", "CreateVolume"),
            ("Version", VERSION),
            ("AvailabilityZone", &zone),
            ("Size", &size),
        ];
        let answer = self.call("ec2", &[call.as_slice(), more].concat())?;
        element(&answer, "volumeId")
    }

    /// All disks that there are.
    pub fn disks(&self) -> Result<Vec<Resource>> {
        self.inventory("Volume", "volumeId")
    }

    /// All snapshots that there are.
    pub fn snapshots(&self) -> Result<Vec<Resource>> {
        self.inventory("Snapshot", "snapshotId")
    }

    /// Its own account of things also has those that were deleted.
    fn inventory(&self, kind: &str, id: &str) -> Result<Vec<Resource>> {
        let action = format!("Describe{kind}s");
        let listed = self.call("ec2", &[("Action", &action), ("Version", VERSION)])?;
        let answer = http::get(&format!("{}/moto-api/data.json", self.endpoint()))?;
        let data: Value = serde_json::from_slice(&answer.body)?;
        let all = data["ec2"][kind].as_array().cloned();
        let all = all.unwrap_or_default().into_iter().map(Resource);
        let is_listed = |one: &Resource| listed.contains(&format!("<{id}>{}</{id}>", one.id()));
        Ok(all.filter(is_listed).collect())
    }
}

impl Resource {
    /// `vol-…` or `snap-…`.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// A field of moto's own, such as `volume_type`; empty if it is no text.
    pub fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// A field of moto's own.
    pub fn field(&self, field: &str) -> &Value {
        &self.0[field]
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        let tags = self.0["tag_set"].as_array()?;
        tags.iter().find(|tag| tag["key"] == key)?["value"].as_str()
    }
}

/// Installs it into the user's cache, if it is missing.
pub fn ensure() -> Result<()> {
    install::ensure().map(drop)
}

fn program(path: &Path, port: u16, open_calls: Option<usize>) -> Program<'_> {
    // Otherwise it has a thousand snapshots of its own.
    let mut environment = vec![("MOTO_EC2_LOAD_DEFAULT_AMIS", "false".to_owned())];
    environment.extend(open_calls.map(|n| ("INITIAL_NO_AUTH_ACTION_COUNT", n.to_string())));
    Program {
        name: "moto",
        path,
        arguments: vec!["--host=127.0.0.1".to_owned(), format!("--port={port}")],
        environment,
    }
}

/// The text of an XML element that has no others in it.
fn element(xml: &str, name: &str) -> Result<String> {
    let (_, rest) = xml
        .split_once(&format!("<{name}>"))
        .with_context(|| format!("no {name} in {xml}"))?;
    let (text, _) = rest.split_once('<').context("XML breaks off")?;
    Ok(text.to_owned())
}

/// As values stand in a form.
fn escaped(value: &str) -> String {
    let escaped = value.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    escaped.collect()
}
