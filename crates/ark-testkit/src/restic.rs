//! The `restic` program: what it makes of a repository is what the format is.
//!
//! Its Debian package is unpacked into the user's cache; nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::s3::Access;
use crate::{cache, progress};

/// Release of Debian's package; its versions of a release stay compatible.
const FOLDER: &str = "restic-debian";

/// A repository as `restic` reaches it.
#[derive(Debug, Clone)]
pub struct Restic {
    program: PathBuf,
    repository: String,
    password: String,
    environment: Vec<(&'static str, String)>,
}

impl Restic {
    /// A repository in a directory.
    pub fn in_directory(path: &Path, password: &str) -> Result<Self> {
        let repository = path.display().to_string();
        Self::new(repository, password, Vec::new())
    }

    /// A repository below a prefix of a bucket: `restic/shop`.
    pub fn in_bucket(s3: &Access, bucket: &str, prefix: &str, password: &str) -> Result<Self> {
        let environment = vec![
            ("AWS_ACCESS_KEY_ID", s3.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", s3.secret_key.clone()),
            ("AWS_DEFAULT_REGION", s3.region.clone()),
        ];
        let repository = format!("s3:{}/{bucket}/{prefix}", s3.endpoint);
        Self::new(repository, password, environment)
    }

    fn new(
        repository: String,
        password: &str,
        environment: Vec<(&'static str, String)>,
    ) -> Result<Self> {
        Ok(Self {
            program: ensure()?,
            repository,
            password: password.to_owned(),
            environment,
        })
    }

    /// A call of the program, without a cache of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--no-cache")
            .args(arguments)
            .env_clear()
            .env("RESTIC_REPOSITORY", &self.repository)
            .env("RESTIC_PASSWORD", &self.password)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program to its end; what it wrote to stdout.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("restic {}: {}\n{said}", arguments.join(" "), output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The program, unpacked if it is missing.
pub fn ensure() -> Result<PathBuf> {
    cache::once(FOLDER, "restic", unpack)
}

fn unpack(program: &Path) -> Result<()> {
    let dir = program.with_extension("package");
    fs::create_dir_all(&dir)?;
    let fetch = || {
        let mut apt = Command::new("apt-get");
        apt.args(["download", "restic"]).current_dir(&dir);
        progress::run(
            "fetching restic, whose format copies of files have",
            &mut apt,
        )
    };
    if fetch().is_err() {
        // A machine that never asked has no lists of packages.
        let mut apt = Command::new("apt-get");
        progress::run("fetching lists of packages", apt.arg("update"))?;
        fetch()?;
    }
    let package = fs::read_dir(&dir)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "deb"))
        .context("apt-get fetched no package")?;
    let mut dpkg = Command::new("dpkg-deb");
    dpkg.arg("--extract").arg(&package).arg(&dir);
    progress::run("unpacking restic", &mut dpkg)?;
    fs::rename(dir.join("usr/bin/restic"), program).context("the package lacks the program")?;
    fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))
}
