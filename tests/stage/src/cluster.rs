//! The API server of the tests: an existing one, one from KUBEBUILDER_ASSETS, or the one that `make` builds.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use crate::kubectl::Kubectl;
use crate::process::Process;
use crate::programs::{self, CLUSTER_READY, Lifetime, Program};
use crate::scratch::Scratch;

/// How long an API server may take to start; three seconds are usual, a busy machine needs more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Which cluster is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// `KUBECONFIG_TEST`: not ours. It is used and never ended.
    Existing(PathBuf),
    /// `KUBEBUILDER_ASSETS`: a folder with `etcd` and `kube-apiserver`.
    Assets(PathBuf),
    /// `target/tools/playout-cluster`.
    Bundled(PathBuf),
}

impl Backend {
    /// The one that the environment asks for; `None` where there is no cluster to be had.
    pub fn choose() -> Result<Option<Self>> {
        let folder = env::current_dir()?;
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let chosen = Self::among(variable, programs::bundled_cluster()).map(|backend| match backend {
            // Programs are started in other folders, and the variable may hold a relative path.
            Self::Existing(path) => Self::Existing(folder.join(path)),
            Self::Assets(path) => Self::Assets(folder.join(path)),
            bundled @ Self::Bundled(_) => bundled,
        });
        match &chosen {
            Some(Self::Existing(file)) if !file.is_file() => {
                bail!("KUBECONFIG_TEST names a file that is not there: {}", file.display())
            }
            Some(Self::Assets(folder))
                if !folder.join("kube-apiserver").is_file() || !folder.join("etcd").is_file() =>
            {
                bail!(
                    "KUBEBUILDER_ASSETS must name a folder that holds `etcd` and `kube-apiserver`; it is {}",
                    folder.display()
                )
            }
            _ => Ok(chosen),
        }
    }

    fn among(variable: impl Fn(&str) -> Option<String>, bundled: PathBuf) -> Option<Self> {
        let existing = variable("KUBECONFIG_TEST").map(|file| Self::Existing(file.into()));
        let assets = || variable("KUBEBUILDER_ASSETS").map(|folder| Self::Assets(folder.into()));
        existing.or_else(assets).or_else(|| bundled.exists().then_some(Self::Bundled(bundled)))
    }

    /// The program to start for it, with its state in `dir`; `None` for a cluster that runs anyway.
    pub fn program(&self, dir: &Path, lifetime: Lifetime, audit_log: Option<&Path>) -> Result<Option<Program>> {
        Ok(match self {
            Self::Existing(_) => None,
            Self::Assets(folder) => Some(programs::assets_cluster(folder, dir, lifetime, audit_log)?),
            Self::Bundled(program) => Some(programs::cluster(program, dir, lifetime, audit_log)),
        })
    }
}

/// Why there is no cluster, and what makes one.
pub(crate) const NO_CLUSTER: &str = "there is no API server to test against. Run `make test`, which builds one (about 5 \
    minutes, once), or set KUBECONFIG_TEST to the kubeconfig of a cluster that may be used, or KUBEBUILDER_ASSETS to a \
    folder with etcd and kube-apiserver";

/// What [`Cluster::start`] has found.
#[derive(Debug)]
pub enum Found {
    /// A cluster that can be used.
    Cluster(Cluster),
    /// None, and this is no CI machine: what a test prints before it passes.
    Skipped(String),
}

/// An API server that can be used, alive as long as this value.
#[derive(Debug)]
pub struct Cluster {
    kubeconfig: PathBuf,
    audit_log: Option<PathBuf>,
    // Dropped in this order: the process ends before its folder goes.
    process: Option<Process>,
    _scratch: Option<Scratch>,
}

impl Cluster {
    /// Starts a cluster, or takes the one of `KUBECONFIG_TEST`. Without any: an error where `CI=true`, else
    /// [`Found::Skipped`].
    pub fn start() -> Result<Found> {
        match Backend::choose()? {
            Some(backend) => Self::start_on(&backend).map(Found::Cluster),
            None if env::var("CI").is_ok_and(|ci| ci == "true") => Err(anyhow!("{NO_CLUSTER}")),
            None => Ok(Found::Skipped(format!("SKIPPED: {NO_CLUSTER}"))),
        }
    }

    /// One cluster for all tests of this process, with the CRDs of `crds/` applied. It ends with the process. `None`
    /// means: skip; the reason has been printed, past the capture of the test runner.
    ///
    /// # Panics
    ///
    /// Where a cluster should be there and is not: the message says why.
    #[expect(clippy::panic, reason = "the only way for a test to fail without every test repeating it")]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Result<Found, String>> = OnceLock::new();
        let prepared = || {
            let found = Self::start()?;
            if let Found::Cluster(cluster) = &found {
                cluster.install_crds()?;
            }
            Ok(found)
        };
        match SHARED.get_or_init(|| prepared().map_err(|error: anyhow::Error| format!("{error:#}"))) {
            Ok(Found::Cluster(cluster)) => Some(cluster),
            Ok(Found::Skipped(why)) => {
                let test = std::thread::current().name().unwrap_or("a test").to_owned();
                let _ = writeln!(io::stderr(), "{test}: {why}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn start_on(backend: &Backend) -> Result<Self> {
        if let Backend::Existing(kubeconfig) = backend {
            return Ok(Self { kubeconfig: kubeconfig.clone(), audit_log: None, process: None, _scratch: None });
        }
        let scratch = Scratch::new("clusters")?;
        let mut cluster = Self::start_in(backend, scratch.path())?;
        cluster._scratch = Some(scratch);
        Ok(cluster)
    }

    /// The same with the state in a folder that somebody else removes.
    pub(crate) fn start_in(backend: &Backend, folder: &Path) -> Result<Self> {
        let audit_log = folder.join("audit.log");
        let Some(program) = backend.program(&folder.join("cluster"), Lifetime::WithParent, Some(&audit_log))? else {
            return Self::start_on(backend);
        };
        let mut process = Process::start("cluster", &program, &folder.join("cluster.log"), Lifetime::WithParent)?;
        let kubeconfig = wait_ready(&mut process)?;
        Ok(Self { kubeconfig, audit_log: Some(audit_log), process: Some(process), _scratch: None })
    }

    /// The kubeconfig of an administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// What was asked of the API server, one JSON line a request; `None` for a cluster that is not ours.
    pub fn audit_log(&self) -> Option<&Path> {
        self.audit_log.as_deref()
    }

    /// Where the cluster logs to; `None` for a cluster that is not ours.
    pub fn log(&self) -> Option<&Path> {
        self.process.as_ref().map(|process| process.log.as_path())
    }

    /// Applies `crds/` and waits until the API server serves them.
    pub fn install_crds(&self) -> Result<()> {
        Kubectl::new(&self.kubeconfig).install_crds()
    }

    pub(crate) fn process_mut(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }
}

/// Waits for the line with which a cluster says that it can be used.
pub(crate) fn wait_ready(process: &mut Process) -> Result<PathBuf> {
    process.wait_ready(PATIENCE, "the API server is ready", |log| {
        log.lines().find_map(|line| line.strip_prefix(CLUSTER_READY)).map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_cluster_goes_before_assets_and_those_before_our_own() {
        let here = env::current_exe().unwrap();
        let with = |names: &'static [&'static str]| {
            let variable = move |name: &str| names.contains(&name).then(|| format!("/of/{name}"));
            Backend::among(variable, here.clone())
        };
        assert_eq!(
            with(&["KUBECONFIG_TEST", "KUBEBUILDER_ASSETS"]),
            Some(Backend::Existing("/of/KUBECONFIG_TEST".into()))
        );
        assert_eq!(with(&["KUBEBUILDER_ASSETS"]), Some(Backend::Assets("/of/KUBEBUILDER_ASSETS".into())));
        assert_eq!(with(&[]), Some(Backend::Bundled(here.clone())));
        assert_eq!(Backend::among(|_| None, "/not/there".into()), None);
    }
}
