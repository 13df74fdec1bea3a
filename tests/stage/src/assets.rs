//! `stage assets-cluster`: the contract of `playout-cluster`, kept with the `etcd` and `kube-apiserver` of a
//! KUBEBUILDER_ASSETS folder. Like envtest it has no controllers: nothing is garbage collected, namespaces stay.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use crate::kubectl::Kubectl;
use crate::process::Process;
use crate::programs::{CLUSTER_READY, Lifetime, Program};
use crate::wait::block_until;
use crate::{cluster, interrupt, ports};

const PRIVATE_KEY: &str = "service-account.pem";
const PUBLIC_KEY: &str = "service-account.pub.pem";

/// The arguments of `stage assets-cluster`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder with etcd and kube-apiserver.
    #[arg(long)]
    assets: PathBuf,
    /// Where the data lives; a second start finds it again.
    #[arg(long)]
    dir: PathBuf,
    /// Stay when standard input closes.
    #[arg(long)]
    keep: bool,
    /// Write every request to this file.
    #[arg(long)]
    audit_log: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    interrupt::listen()?;
    let dir = &arguments.dir;
    fs::create_dir_all(dir)?;
    let [port, etcd_client, etcd_peer] = remembered_ports(&dir.join("ports.json"))?;
    let token = once(&dir.join("token"), new_token)?;
    if !dir.join(PUBLIC_KEY).exists() {
        make_keys(dir)?;
    }
    write_private(&dir.join("tokens.csv"), &format!("{token},admin,admin,system:masters\n"))?;

    let etcd = etcd(&arguments.assets, dir, etcd_client, etcd_peer);
    let server = api_server(arguments, port, etcd_client)?;
    let mut children = vec![
        Process::start("etcd", &etcd, &dir.join("etcd.log"), Lifetime::WithParent)?,
        Process::start("kube-apiserver", &server, &dir.join("kube-apiserver.log"), Lifetime::WithParent)?,
    ];
    let kubeconfig = dir.join("kubeconfig");
    write_private(&kubeconfig, &kubeconfig_text(dir, port, &token))?;
    let kubectl = Kubectl::new(&kubeconfig);
    block_until(cluster::PATIENCE, "the API server is ready", || {
        all_alive(&mut children)?;
        Ok(kubectl.ready())
    })?;
    writeln!(io::stdout(), "{CLUSTER_READY}{}", kubeconfig.display())?;

    if !arguments.keep {
        thread::spawn(|| {
            // Whatever comes, or does not: the end of standard input is the end of the cluster.
            let _ = io::stdin().read_to_end(&mut Vec::new());
            std::process::exit(0);
        });
    }
    while !interrupt::requested() {
        all_alive(&mut children)?;
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn all_alive(children: &mut [Process]) -> Result<()> {
    for child in children {
        if let Some(ending) = child.ended()? {
            bail!("{} has ended ({ending}); {}", child.name, child.log_tail());
        }
    }
    Ok(())
}

fn etcd(assets: &Path, dir: &Path, client: u16, peer: u16) -> Program {
    let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
    let args = vec![
        format!("--data-dir={}", dir.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".into(),
        "--log-level=error".into(),
    ];
    Program { path: assets.join("etcd"), args, env: Vec::new() }
}

fn api_server(arguments: &Arguments, port: u16, etcd: u16) -> Result<Program> {
    let dir = &arguments.dir;
    let (private, public) = (dir.join(PRIVATE_KEY), dir.join(PUBLIC_KEY));
    let mut args = vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", dir.join("certs").display()),
        "--service-cluster-ip-range=10.0.0.0/24".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!("--service-account-key-file={}", public.display()),
        format!("--service-account-signing-key-file={}", private.display()),
        format!("--token-auth-file={}", dir.join("tokens.csv").display()),
        "--authorization-mode=RBAC".into(),
        "--disable-admission-plugins=ServiceAccount".into(),
    ];
    if let Some(file) = &arguments.audit_log {
        let policy = dir.join("audit-policy.yaml");
        fs::write(&policy, "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Request}]\n")?;
        args.push(format!("--audit-log-path={}", file.display()));
        args.push(format!("--audit-policy-file={}", policy.display()));
    }
    Ok(Program { path: arguments.assets.join("kube-apiserver"), args, env: Vec::new() })
}

fn kubeconfig_text(dir: &Path, port: u16, token: &str) -> String {
    let authority = dir.join("certs/apiserver.crt");
    let config = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "playout",
        "clusters": [{"name": "playout", "cluster": {
            "server": format!("https://127.0.0.1:{port}"), "certificate-authority": authority,
        }}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "playout", "context": {"cluster": "playout", "user": "admin"}}],
    });
    format!("{config:#}\n")
}

/// The ports of the last time: kubeconfigs that people hold stay true.
fn remembered_ports(file: &Path) -> Result<[u16; 3]> {
    if let Ok(text) = fs::read_to_string(file) {
        return serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()));
    }
    let chosen = [ports::free()?, ports::free()?, ports::free()?];
    fs::write(file, serde_json::to_string(&chosen)?)?;
    Ok(chosen)
}

/// What stands in the file, made when it is not there.
fn once(file: &Path, make: impl FnOnce() -> Result<String>) -> Result<String> {
    if !file.exists() {
        write_private(file, &make()?)?;
    }
    Ok(fs::read_to_string(file)?)
}

fn write_private(file: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}

fn new_token() -> Result<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok().context("no random numbers to be had")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The keys of service account tokens: one to sign them, one to check them.
fn make_keys(dir: &Path) -> Result<()> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok();
    let key = key.context("cannot make a key for service account tokens")?;
    let private = key.to_pkcs8v1().ok().context("cannot write the key for service account tokens")?;
    let public = key.public_key().as_der().ok().context("cannot write the key for service account tokens")?;
    write_private(&dir.join(PRIVATE_KEY), &pem("PRIVATE KEY", private.as_ref()))?;
    write_private(&dir.join(PUBLIC_KEY), &pem("PUBLIC KEY", public.as_ref()))
}

fn pem(label: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64(bytes))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
