//! kubectl, as users have it: the one of `target/tools`, else that of KUBEBUILDER_ASSETS, else the one on the PATH.

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cluster::Cluster;
use crate::programs;

/// What kubectl has printed.
#[derive(Clone, Debug)]
pub struct Output {
    /// Whether it exited with 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// The output of a run that succeeded; for others the error is what kubectl said.
    pub fn ok(self) -> Result<Self> {
        if !self.success {
            bail!("kubectl: {}", self.stderr.trim());
        }
        Ok(self)
    }
}

/// Runs kubectl against the cluster. A run that fails is no `Err`: look at [`Output::success`], or call [`Output::ok`].
pub fn kubectl<I, S>(cluster: &Cluster, args: I) -> Result<Output>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    kubectl_with_input(cluster, args, "")
}

/// The same with something on standard input, for `kubectl apply -f -`.
pub fn kubectl_with_input<I, S>(cluster: &Cluster, args: I, input: &str) -> Result<Output>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    Kubectl::new(cluster.kubeconfig()).run(args, input)
}

/// kubectl with the cluster it talks to.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    pub fn new(kubeconfig: &Path) -> Self {
        let assets = env::var_os("KUBEBUILDER_ASSETS").map(|folder| PathBuf::from(folder).join("kubectl"));
        let here = [Some(programs::tools().join("kubectl")), assets].into_iter().flatten().find(|file| file.exists());
        Self { program: here.unwrap_or_else(|| "kubectl".into()), kubeconfig: kubeconfig.to_path_buf() }
    }

    pub fn run<I, S>(&self, args: I, input: &str) -> Result<Output>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut child = Command::new(&self.program)
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            // What an API server offers is remembered by its port, and the next one on that port may offer something else.
            .env("KUBECACHEDIR", self.kubeconfig.with_extension("cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| {
                let program = self.program.display();
                format!(
                    "{program} cannot be started; `make up`, `make demo` and `make test` build one into target/tools"
                )
            })?;
        if let Some(mut stdin) = child.stdin.take() {
            // A kubectl that ends without reading says itself why.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output()?;
        Ok(Output {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Whether the API server says that it can be used.
    pub fn ready(&self) -> bool {
        self.run(["get", "--raw", "/readyz", "--request-timeout=5s"], "").is_ok_and(|output| output.success)
    }

    /// Applies the generated CRDs and waits until the API server serves them.
    pub fn install_crds(&self) -> Result<()> {
        let folder = programs::root().join("crds");
        let is_manifest = |path: PathBuf| path.extension().is_some_and(|ending| ending == "yaml");
        let present = folder.read_dir().is_ok_and(|entries| entries.flatten().any(|entry| is_manifest(entry.path())));
        if !present {
            bail!("the folder crds/ has no manifests; `make crds` generates them");
        }
        let folder = folder.display().to_string();
        let apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=playout-stage", "-f", &folder];
        self.run(apply, "")?.ok().context("the CRDs were not taken")?;
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", "-f", &folder];
        self.run(wait, "")?.ok().context("the CRDs are not served")?;
        Ok(())
    }
}
