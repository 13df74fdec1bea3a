//! The contracts of the programs that the stage starts: where they are, their arguments and their environment.
//! Names of flags stand here and nowhere else.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// The region that the simulator plays.
pub(crate) const REGION: &str = "us-west-2";
/// The access key that the simulator knows.
pub(crate) const ACCESS_KEY: &str = "AKIAPLAYOUTSIMULATOR";
/// Its secret.
pub(crate) const SECRET_KEY: &str = "simulator-secret";

/// What is needed to start a program, and to tell later whether the one that runs was started like this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Program {
    pub path: PathBuf,
    pub args: Vec<String>,
    /// What is added to the environment. Of the environment that is there, `AWS_*` is taken away: no program of the
    /// stage may reach a real account.
    pub env: Vec<(String, String)>,
}

/// Who ends the programs: their parent, by closing their standard input, or nobody but `stage down`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lifetime {
    WithParent,
    Detached,
}

/// The root of the repository that the program is called from: the one around the working directory, else around the program.
/// Nothing of it is compiled in: a copy, or a worktree that shares the target folder, would work on the files of another, and
/// end its programs.
#[must_use]
pub fn root() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let program = env::current_exe().unwrap_or_default();
    around(&here).or_else(|| around(&program)).unwrap_or(&here).to_path_buf()
}

fn around(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.join("tests/stage/Cargo.toml").is_file())
}

/// Where `make` puts the programs that are not built by cargo into `target/debug`.
pub(crate) fn tools() -> PathBuf {
    root().join("target/tools")
}

/// A program that cargo has built: it lies beside the running one, or one folder up where that is a test.
pub(crate) fn built(name: &str) -> Result<PathBuf> {
    let exe = env::current_exe()?;
    let found = exe.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|file| file.is_file());
    match found {
        Some(file) => Ok(file),
        None => bail!(
            "the program `{name}` is not there (looked beside {}). `make test`, `make up` and `make demo` build it; by \
             hand: cargo build --workspace --locked",
            exe.display()
        ),
    }
}

/// The API server that `make` builds from `tests/cluster`.
pub(crate) fn bundled_cluster() -> PathBuf {
    tools().join("playout-cluster")
}

pub(crate) fn cluster(program: &Path, dir: &Path, lifetime: Lifetime, audit_log: Option<&Path>) -> Program {
    let mut args = vec!["--dir".into(), text(dir)];
    args.extend((lifetime == Lifetime::Detached).then(|| "--keep".into()));
    args.extend(audit_log.into_iter().flat_map(|file| ["--audit-log".into(), text(file)]));
    Program { path: program.to_path_buf(), args, env: Vec::new() }
}

/// The same contract, kept with the `etcd` and the `kube-apiserver` of a KUBEBUILDER_ASSETS folder.
pub(crate) fn assets_cluster(
    assets: &Path,
    dir: &Path,
    lifetime: Lifetime,
    audit_log: Option<&Path>,
) -> Result<Program> {
    let mut program = cluster(&built("stage")?, dir, lifetime, audit_log);
    program.args.splice(0..0, ["assets-cluster".into(), "--assets".into(), text(assets)]);
    Ok(program)
}

pub(crate) fn simulator(port: u16, speed: f64, lifetime: Lifetime) -> Result<Program> {
    let mut args = vec!["--listen".into(), format!("127.0.0.1:{port}"), "--speed".into(), speed.to_string()];
    // What AWS documents and no more. The series that it does not document for RTMP are switched on by
    // `PUT /_sim/switches {"rtmpOutputMetrics":true}`.
    args.extend((lifetime == Lifetime::WithParent).then(|| "--die-with-stdin".into()));
    Ok(Program { path: built("playout-sim")?, args, env: Vec::new() })
}

/// What one operator is started with.
pub(crate) struct OperatorSettings<'a> {
    pub kubeconfig: &'a Path,
    pub aws_endpoint: &'a str,
    pub metrics_port: u16,
    pub health_port: u16,
    /// The log filter; `None` leaves it to `RUST_LOG` of the environment and the operator's default.
    pub log: Option<&'a str>,
    pub roles: bool,
    pub args: &'a [String],
    pub env: &'a [(String, String)],
}

pub(crate) fn operator(settings: &OperatorSettings<'_>) -> Result<Program> {
    let mut args: Vec<String> = vec![
        "run".into(),
        "--aws-endpoint-url".into(),
        settings.aws_endpoint.into(),
        "--metrics-address".into(),
        format!("127.0.0.1:{}", settings.metrics_port),
        "--health-address".into(),
        format!("127.0.0.1:{}", settings.health_port),
        "--log-format".into(),
        "human".into(),
        // The same name after a restart: a killed operator's lease is its own, and nobody waits for it to run out.
        "--identity".into(),
        "stage".into(),
    ];
    // The simulator publishes its measurements by the second.
    for (flag, default) in [("--metric-period", "1s"), ("--health-interval", "5s")] {
        if !settings.args.iter().any(|arg| arg == flag) {
            args.extend([flag.into(), default.into()]);
        }
    }
    if settings.roles {
        // Any role will do for the simulator.
        for (service, role) in [("mediaconnect", "PlayoutMediaConnect"), ("medialive", "PlayoutMediaLive")] {
            args.extend([format!("--{service}-role-arn"), format!("arn:aws:iam::123456789012:role/{role}")]);
        }
    }
    args.extend_from_slice(settings.args);
    let mut env = aws_environment();
    env.push(("KUBECONFIG".into(), text(settings.kubeconfig)));
    env.extend(settings.log.map(|filter| ("RUST_LOG".into(), filter.into())));
    env.extend_from_slice(settings.env);
    Ok(Program { path: built("playout")?, args, env })
}

/// What an AWS client needs to talk to the simulator, but for its address.
pub(crate) fn aws_environment() -> Vec<(String, String)> {
    [
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .to_vec()
}

/// What the programs print once they can be used.
pub(crate) const CLUSTER_READY: &str = "READY KUBECONFIG=";

fn text(path: &Path) -> String {
    path.display().to_string()
}
