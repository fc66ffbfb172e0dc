//! The control plane's programs: found where the user has them, else built from
//! `testenv/` into the user's cache.
//!
//! A program is looked for in `KUBEBUILDER_ASSETS`, then in
//! `<cache>/ark/testenv/<version>/`, and is otherwise built there: into a hidden
//! name first and then renamed, under a lock, so that a name that exists is a whole
//! program and two processes never build the same. Programs are built with Go and
//! tell their true version.

pub mod csi;
pub mod fake_gcs;
mod go;
pub mod kwok;
pub mod velero;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};

use self::go::GoProgram;
use crate::environment;

/// A Kubernetes release that `testenv/` pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KubernetesVersion {
    /// The release before the current one.
    V1_36,
    /// The current release, used unless another one is asked for.
    #[default]
    V1_37,
}

impl KubernetesVersion {
    /// Every release that can be asked for.
    pub const ALL: [Self; 2] = [Self::V1_36, Self::V1_37];

    /// The full version as the servers tell it: `v1.37.2`.
    pub fn full(self) -> &'static str {
        match self {
            Self::V1_36 => "v1.36.3",
            Self::V1_37 => "v1.37.2",
        }
    }

    /// The minor version as people say it: `1.37`.
    pub fn minor(self) -> &'static str {
        match self {
            Self::V1_36 => "1.36",
            Self::V1_37 => "1.37",
        }
    }

    /// The folder of the Go module that pins this release.
    fn module(self) -> PathBuf {
        match self {
            Self::V1_36 => go::module("v1.36"),
            Self::V1_37 => go::module(""),
        }
    }

    fn of(full: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| {
            full.strip_prefix('v')
                .and_then(|rest| rest.strip_prefix(version.minor()))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.full())
    }
}

impl FromStr for KubernetesVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::of(&format!("v{}", text.trim_start_matches('v'))).ok_or_else(|| {
            let known = Self::ALL.map(Self::minor).join(", ");
            format!("no programs are pinned for Kubernetes {text}; there are {known}")
        })
    }
}

/// One of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Etcd,
    ApiServer,
    ControllerManager,
    Kubectl,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
        }
    }

    fn package(self) -> String {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3".to_owned(),
            other => format!("k8s.io/kubernetes/cmd/{}", other.name()),
        }
    }
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// What the API server says of itself: `v1.37.2`.
    pub version: String,
    /// The store.
    pub etcd: PathBuf,
    /// The API server.
    pub apiserver: PathBuf,
    /// The controllers; `None` only when they were not asked for.
    pub controller_manager: Option<PathBuf>,
    /// The command line.
    pub kubectl: PathBuf,
}

/// Finds the programs and builds what is missing; the first build of a release
/// takes some ten minutes on two cores and says so on stderr.
///
/// Without a `version`, `KUBEBUILDER_ASSETS` decides, else the current release. A
/// `version` that differs from the one in `KUBEBUILDER_ASSETS` leaves that aside.
pub fn ensure(version: Option<KubernetesVersion>, controllers: bool) -> Result<Programs> {
    let assets = Assets::find(version)?;
    // What the assets lack is taken from our own build of the same minor version.
    let own = match &assets {
        Some(assets) => KubernetesVersion::of(&assets.version),
        None => Some(version.unwrap_or_default()),
    };
    let locate = |program: Program| -> Result<PathBuf> {
        if let Some(path) = assets.as_ref().and_then(|assets| assets.program(program)) {
            return Ok(path);
        }
        let own = own.with_context(|| {
            format!(
                "KUBEBUILDER_ASSETS has no {} and no build of that version is pinned here",
                program.name()
            )
        })?;
        built(own, program)
    };
    let etcd = locate(Program::Etcd)?;
    let apiserver = locate(Program::ApiServer)?;
    let controller_manager = if controllers {
        Some(locate(Program::ControllerManager)?)
    } else {
        None
    };
    let kubectl = locate(Program::Kubectl)?;
    let version = match &assets {
        Some(assets) => assets.version.clone(),
        None => version.unwrap_or_default().full().to_owned(),
    };
    Ok(Programs {
        version,
        etcd,
        apiserver,
        controller_manager,
        kubectl,
    })
}

/// Programs that the user has set out for tests.
struct Assets {
    dir: PathBuf,
    version: String,
}

impl Assets {
    fn find(wanted: Option<KubernetesVersion>) -> Result<Option<Self>> {
        let Some(dir) = environment::kubebuilder_assets() else {
            return Ok(None);
        };
        let apiserver = dir.join(Program::ApiServer.name());
        if !apiserver.is_file() {
            bail!(
                "KUBEBUILDER_ASSETS is {}, but there is no kube-apiserver in it",
                dir.display()
            );
        }
        let version = told_version(&apiserver)?;
        let fits = wanted.is_none_or(|wanted| KubernetesVersion::of(&version) == Some(wanted));
        Ok(fits.then_some(Self { dir, version }))
    }

    fn program(&self, program: Program) -> Option<PathBuf> {
        let path = self.dir.join(program.name());
        path.is_file().then_some(path)
    }
}

/// `Kubernetes v1.37.2` from `--version`.
fn told_version(apiserver: &Path) -> Result<String> {
    let output = Command::new(apiserver)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", apiserver.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim().strip_prefix("Kubernetes ") {
        Some(version) if version.starts_with('v') => Ok(version.to_owned()),
        _ => bail!(
            "{} --version answers {:?}",
            apiserver.display(),
            text.trim()
        ),
    }
}

fn built(version: KubernetesVersion, program: Program) -> Result<PathBuf> {
    GoProgram {
        what: &format!("{} for Kubernetes {version}", program.name()),
        module: version.module(),
        package: &program.package(),
        folder: version.full(),
        name: program.name(),
        linker_flags: &linker_flags(version),
    }
    .ensure()
}

/// Servers built with plain `go build` call themselves `v0.0.0-master+$Format`.
fn linker_flags(version: KubernetesVersion) -> String {
    let package = "k8s.io/component-base/version";
    let full = version.full();
    let (major, minor) = version.minor().split_once('.').unwrap_or(("1", ""));
    let settings = [
        ("gitVersion", full),
        ("gitMajor", major),
        ("gitMinor", minor),
        ("gitTreeState", "clean"),
        ("gitCommit", "unknown"),
        ("buildDate", "1970-01-01T00:00:00Z"),
    ];
    let settings = settings.map(|(name, value)| format!("-X {package}.{name}={value}"));
    format!("-s -w {}", settings.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_the_modules_pin() {
        for version in KubernetesVersion::ALL {
            let line = format!("k8s.io/kubernetes {}", version.full());
            assert!(go::pins(&version.module()).contains(&line), "{line:?}");
        }
    }

    #[test]
    fn versions_are_read_as_people_write_them() {
        for text in ["1.36", "v1.36", "1.36.3"] {
            assert_eq!(text.parse(), Ok(KubernetesVersion::V1_36), "{text}");
        }
        assert!("1.3".parse::<KubernetesVersion>().is_err());
        assert!(
            "1.360"
                .parse::<KubernetesVersion>()
                .unwrap_err()
                .contains("1.36, 1.37")
        );
    }
}
