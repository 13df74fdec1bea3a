//! `stage up`, `down` and `status`: the three programs in the background, with their state in `target/up`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{age, progress, speed, variable};
use crate::cluster::{self, Backend, NO_CLUSTER};
use crate::kubectl::Kubectl;
use crate::objects::columns;
use crate::process::{GRACE, Identity, Process};
use crate::programs::{self, Lifetime, OperatorSettings, Program};
use crate::wait::block_until;
use crate::{interrupt, operator, ports, shell, simulator};

const CLUSTER: &str = "cluster";
const SIM: &str = "sim";
const OPERATOR: &str = "operator";

/// How long a program that runs may take to answer before it counts as hung.
const ANSWER: Duration = Duration::from_secs(15);

/// What `target/up/state.json` holds.
#[derive(Default, Serialize, Deserialize)]
struct State {
    wishes: Wishes,
    /// The kubeconfig of a cluster that is not ours.
    existing: Option<PathBuf>,
    kubeconfig: PathBuf,
    processes: BTreeMap<String, Record>,
}

/// What `up` was told, kept for the next one: a program that was killed comes back as it was.
#[derive(Serialize, Deserialize)]
struct Wishes {
    speed: f64,
    sim_port: Option<u16>,
    operator_aws_endpoint: Option<String>,
    operator_args: Vec<String>,
    metrics_port: Option<u16>,
    health_port: Option<u16>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            speed: 1.0,
            sim_port: None,
            operator_aws_endpoint: None,
            operator_args: Vec::new(),
            metrics_port: None,
            health_port: None,
        }
    }
}

/// One program that was started.
#[derive(Serialize, Deserialize)]
struct Record {
    identity: Identity,
    program: Program,
    address: String,
    /// Seconds since 1970.
    since: u64,
}

/// Starts what is not running and prints the exports.
pub(super) fn up() -> Result<()> {
    interrupt::listen()?;
    let _lock = lock()?;
    fs::create_dir_all(folder())?;
    let mut state = State::load()?;
    state.wishes = std::mem::take(&mut state.wishes).updated(variable)?;
    state.ensure_cluster()?;
    let sim = state.ensure_simulator()?;
    state.ensure_operator(&sim)?;
    state.save()?;
    print_exports(&state, &sim)
}

/// Ends what `up` has started.
pub(super) fn down() -> Result<()> {
    let _lock = lock()?;
    let state = State::load()?;
    let mut ended = false;
    for name in [OPERATOR, SIM, CLUSTER] {
        if let Some(record) = state.processes.get(name).filter(|record| record.identity.alive()) {
            record.identity.end(GRACE);
            progress(format!("{name}: ended"));
            ended = true;
        }
    }
    if let Some(kubeconfig) = &state.existing {
        progress(format!("cluster: not ours, nothing in it was deleted ({})", kubeconfig.display()));
    } else if !ended {
        progress("nothing was running");
    }
    match fs::remove_dir_all(folder()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", folder().display()))
        }
        _ => Ok(()),
    }
}

/// Prints what runs; success means that all three do, and answer.
pub(super) fn status() -> Result<ExitCode> {
    let state = State::load()?;
    let mut cells = vec![["NAME", "STATE", "PID", "AGE", "ADDRESS", "LOG"].map(str::to_owned)];
    let mut complete = true;
    for name in [CLUSTER, SIM, OPERATOR] {
        let record = state.processes.get(name);
        let alive = record.is_some_and(|record| record.identity.alive());
        let foreign = name == CLUSTER && state.existing.is_some();
        let answers = (alive || foreign) && state.healthy(name);
        complete &= answers;
        let word = match (alive, foreign, answers) {
            (_, true, true) => "not ours",
            (true, _, true) => "running",
            (true, ..) | (_, true, false) => "not answering",
            (false, ..) => "not running",
        };
        let shown = record.filter(|_| alive && !foreign);
        cells.push([
            name.to_owned(),
            word.to_owned(),
            shown.map_or("-".into(), |record| record.identity.pid.to_string()),
            shown.map_or("-".into(), |record| age(Duration::from_secs(seconds_now().saturating_sub(record.since)))),
            match (foreign, shown) {
                (true, _) => state.kubeconfig.display().to_string(),
                (_, shown) => shown.map_or("-".into(), |record| record.address.clone()),
            },
            if log(name).exists() { log(name).display().to_string() } else { "-".into() },
        ]);
    }
    for line in columns(&cells) {
        writeln!(io::stdout(), "{line}")?;
    }
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Wishes {
    /// These wishes with what the environment says now: not set keeps, set to nothing goes back to the default.
    fn updated(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        if let Some(text) = variable("SPEED") {
            self.speed = if text.is_empty() { Self::default().speed } else { speed(&text)? };
        }
        if let Some(text) = variable("SIM_PORT").filter(|text| !text.is_empty()) {
            let port = text.parse().ok().filter(|port| *port > 0);
            self.sim_port = Some(port.with_context(|| format!("SIM_PORT must be a port number; it is {text}"))?);
        }
        if let Some(url) = variable("OPERATOR_AWS_ENDPOINT") {
            self.operator_aws_endpoint = (!url.is_empty()).then_some(url);
        }
        if let Some(text) = variable("OPERATOR_ARGS") {
            self.operator_args = shell::words(&text)?;
        }
        Ok(self)
    }
}

impl State {
    fn load() -> Result<Self> {
        match fs::read_to_string(file()) {
            Ok(text) => serde_json::from_str(&text).with_context(|| {
                format!(
                    "{} is damaged; end the processes of target/up/*.pid by hand and remove target/up",
                    file().display()
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", file().display())),
        }
    }

    fn save(&self) -> Result<()> {
        for (name, record) in &self.processes {
            fs::write(folder().join(format!("{name}.pid")), format!("{}\n", record.identity.pid))?;
        }
        let draft = folder().join("state.json.new");
        fs::write(&draft, serde_json::to_string_pretty(self)?)?;
        fs::rename(draft, file()).context("the state cannot be saved")
    }

    fn ensure_cluster(&mut self) -> Result<()> {
        let Some(backend) = Backend::choose()? else { bail!("{NO_CLUSTER}") };
        let data = folder().join("cluster");
        self.existing = None;
        if let Backend::Existing(kubeconfig) = &backend {
            self.existing = Some(kubeconfig.clone());
            self.kubeconfig.clone_from(kubeconfig);
            if !Kubectl::new(kubeconfig).ready() {
                bail!("the cluster of KUBECONFIG_TEST does not answer: {}", kubeconfig.display());
            }
            progress(format!("cluster: {} (KUBECONFIG_TEST)", kubeconfig.display()));
            if self.processes.get(CLUSTER).is_some_and(|record| record.identity.alive()) {
                progress("cluster: the one of before still runs, unused; `make down` ends it");
            }
            return self.save();
        }
        let Some(program) = backend.program(&data, Lifetime::Detached, None)? else { return Ok(()) };
        if let Some(record) = self.processes.get(CLUSTER) {
            self.kubeconfig = record.address.clone().into();
        }
        if let Some(mut process) = self.ensure(CLUSTER, program, "")? {
            self.kubeconfig = cluster::wait_ready(&mut process)?;
            let address = self.kubeconfig.display().to_string();
            self.processes.entry(CLUSTER.into()).and_modify(|record| record.address = address);
            self.started(&process)?;
        }
        Ok(())
    }

    /// Returns the simulator's address.
    fn ensure_simulator(&mut self) -> Result<String> {
        let running = self.processes.get(SIM).filter(|record| record.identity.alive()).map(|record| &record.address);
        let port = match self.wishes.sim_port {
            Some(port) if running == Some(&simulator::url(port)) || ports::is_free(port) => port,
            Some(port) if variable("SIM_PORT").is_some_and(|text| !text.is_empty()) => {
                bail!("another program listens on port {port}; choose another: make up SIM_PORT=...")
            }
            _ => ports::free()?,
        };
        self.wishes.sim_port = Some(port);
        let url = simulator::url(port);
        let program = programs::simulator(port, self.wishes.speed, Lifetime::Detached)?;
        if variable("SPEED").is_some()
            && let Some(record) = self.processes.get_mut(SIM).filter(|record| record.address == url)
            && let Some(before) = simulator::speed(&url)
        {
            // Another speed is no reason to lose what the simulator holds; one that cannot be set makes a restart.
            let speed = self.wishes.speed;
            if (speed - before).abs() < f64::EPSILON {
                record.program = program.clone();
            } else if simulator::set_speed(&url, speed).is_ok() {
                progress(format!("sim: its clock ran {before} times as fast as AWS; from now on {speed} times"));
                record.program = program.clone();
            }
        }
        if let Some(mut process) = self.ensure(SIM, program, &url)? {
            simulator::wait_ready(&mut process, &url)?;
            self.started(&process)?;
        }
        Ok(url)
    }

    fn ensure_operator(&mut self, sim: &str) -> Result<()> {
        let running = self.processes.get(OPERATOR).is_some_and(|record| record.identity.alive());
        let port = |known: Option<u16>| match known {
            Some(port) if running => Ok(port),
            known => ports::again_or_free(known),
        };
        let (metrics_port, health_port) = (port(self.wishes.metrics_port)?, port(self.wishes.health_port)?);
        (self.wishes.metrics_port, self.wishes.health_port) = (Some(metrics_port), Some(health_port));
        let program = programs::operator(&OperatorSettings {
            kubeconfig: &self.kubeconfig,
            aws_endpoint: self.wishes.operator_aws_endpoint.as_deref().unwrap_or(sim),
            metrics_port,
            health_port,
            log: None,
            roles: true,
            args: &self.wishes.operator_args,
            env: &[],
        })?;
        let unchanged = self.processes.get(OPERATOR).is_some_and(|record| record.program == program);
        if !(running && unchanged) {
            Kubectl::new(&self.kubeconfig).install_crds()?;
            progress("cluster: the CRDs of crds/ are applied");
        }
        if let Some(mut process) = self.ensure(OPERATOR, program, &operator::metrics_url(metrics_port))? {
            operator::wait_ready(&mut process, health_port)?;
            self.started(&process)?;
        }
        Ok(())
    }

    /// Leaves alone what runs as requested and answers, ends what does not, and starts what is not there. Returns the
    /// process if it was started.
    fn ensure(&mut self, name: &'static str, program: Program, address: &str) -> Result<Option<Process>> {
        match self.processes.get(name) {
            Some(record) if !record.identity.alive() => progress(format!("{name}: it has ended, starting it again")),
            Some(record) if record.program != program => {
                progress(format!("{name}: its arguments are others now, starting it again"));
                record.identity.end(GRACE);
            }
            Some(record) => {
                if block_until(ANSWER, "it answers", || Ok(self.healthy(name))).is_ok() {
                    progress(format!("{name}: runs, left alone (pid {})", record.identity.pid));
                    return Ok(None);
                }
                interrupt::check()?;
                progress(format!("{name}: it runs but does not answer, starting it again"));
                record.identity.end(GRACE);
            }
            None => progress(format!("{name}: starting")),
        }
        let process = Process::start(name, &program, &log(name), Lifetime::Detached)?;
        let record =
            Record { identity: process.identity.clone(), program, address: address.to_owned(), since: seconds_now() };
        self.processes.insert(name.to_owned(), record);
        self.save()?;
        Ok(Some(process))
    }

    fn started(&self, process: &Process) -> Result<()> {
        progress(format!("{}: ready (pid {}, log {})", process.name, process.identity.pid, process.log.display()));
        self.save()
    }

    fn healthy(&self, name: &str) -> bool {
        match name {
            SIM => self.processes.get(SIM).is_some_and(|record| simulator::healthy(&record.address)),
            OPERATOR => self.wishes.health_port.is_some_and(operator::healthy),
            _ => Kubectl::new(&self.kubeconfig).ready(),
        }
    }
}

fn print_exports(state: &State, sim: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    // What the shell may hold of a real account would be mixed with the simulator's credentials.
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN"] {
        if variable(name).is_some() {
            writeln!(out, "unset {name}")?;
        }
    }
    let metrics = state.wishes.metrics_port.map(operator::metrics_url).unwrap_or_default();
    let mut values = vec![
        ("KUBECONFIG".to_owned(), state.kubeconfig.display().to_string()),
        ("PATH".to_owned(), shell::path_with(&programs::tools(), &variable("PATH").unwrap_or_default())),
        ("AWS_ENDPOINT_URL".to_owned(), sim.to_owned()),
    ];
    values.extend(programs::aws_environment());
    values.push(("PLAYOUT_METRICS_URL".to_owned(), metrics));
    values.push(("PLAYOUT_SIM_URL".to_owned(), sim.to_owned()));
    for (name, value) in values {
        writeln!(out, "{}", shell::export(&name, &value))?;
    }
    Ok(())
}

/// One `up` or `down` at a time. The lock stands outside of the folder that `down` removes.
fn lock() -> Result<File> {
    let path = folder().with_extension("lock");
    fs::create_dir_all(programs::root().join("target"))?;
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if lock.try_lock().is_err() {
        progress("another `make up` or `make down` is at work; waiting for it");
        lock.lock()?;
    }
    Ok(lock)
}

fn folder() -> PathBuf {
    programs::root().join("target/up")
}

fn file() -> PathBuf {
    folder().join("state.json")
}

fn log(name: &str) -> PathBuf {
    folder().join(Path::new(name).with_extension("log"))
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[(&'static str, &'static str)], before: Wishes) -> Result<Wishes> {
        before.updated(|name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn what_is_not_set_keeps_its_value_and_what_is_empty_goes_back_to_the_default() {
        let first = [("SPEED", "20"), ("OPERATOR_ARGS", "--a 'b c'"), ("OPERATOR_AWS_ENDPOINT", "http://127.0.0.1:1")];
        let first = told(&first, Wishes::default()).unwrap();
        let second = told(&[], first).unwrap();
        assert!((second.speed - 20.0).abs() < f64::EPSILON);
        assert_eq!(second.operator_args, ["--a", "b c"]);
        assert_eq!(second.operator_aws_endpoint.as_deref(), Some("http://127.0.0.1:1"));
        let third = told(&[("SPEED", ""), ("OPERATOR_ARGS", ""), ("OPERATOR_AWS_ENDPOINT", "")], second).unwrap();
        assert!((third.speed - 1.0).abs() < f64::EPSILON);
        assert!(third.operator_args.is_empty() && third.operator_aws_endpoint.is_none());
    }

    #[test]
    fn a_port_that_is_none_is_refused_by_name() {
        let error = told(&[("SIM_PORT", "http")], Wishes::default()).err().unwrap();
        assert!(error.to_string().contains("SIM_PORT"));
    }
}
