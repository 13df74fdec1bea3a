//! `stage demo`: everything in the foreground, with state of its own that goes when it ends.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{speed, variable};
use crate::cluster::{Backend, Cluster, NO_CLUSTER};
use crate::kubectl::Kubectl;
use crate::objects::{self, Row};
use crate::operator::{Operator, OperatorOptions};
use crate::process::Process;
use crate::programs::{self, aws_environment, tools};
use crate::scratch::Scratch;
use crate::simulator::Simulator;
use crate::{interrupt, shell};

const EXAMPLE: &str = "examples/quickstart.yaml";
const PATIENCE: Duration = Duration::from_secs(180);

pub(super) fn run() -> Result<ExitCode> {
    interrupt::listen()?;
    end_with_make()?;
    let exit_when_ready = variable("DEMO_EXIT").is_some_and(|value| value == "1");
    match show(exit_when_ready) {
        Err(_) if interrupt::requested() => {
            say("ended; nothing is left running");
            Ok(ExitCode::SUCCESS)
        }
        shown => shown.map(|()| ExitCode::SUCCESS),
    }
}

/// A make that is killed takes the demo with it.
fn end_with_make() -> Result<()> {
    #[cfg(target_os = "linux")]
    if variable("MAKELEVEL").is_some() {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    }
    Ok(())
}

/// The programs, in the order in which they are dropped.
struct Stage {
    operator: Operator,
    simulator: Simulator,
    cluster: Cluster,
}

fn show(exit_when_ready: bool) -> Result<()> {
    let example = programs::root().join(EXAMPLE);
    anyhow::ensure!(example.is_file(), "{EXAMPLE} is not there");
    let speed = variable("SPEED").filter(|text| !text.is_empty()).map_or(Ok(10.0), |text| speed(&text))?;
    let args = shell::words(&variable("OPERATOR_ARGS").unwrap_or_default())?;
    let scratch = Scratch::new("demo")?;
    let mut stage = start(scratch.path(), speed, args)?;
    let kubectl = Kubectl::new(stage.cluster.kubeconfig());

    say(format!("applying {EXAMPLE}"));
    kubectl.run(["apply", "-f", &example.display().to_string()], "")?.ok().context(EXAMPLE)?;
    let objects = until_ready(&mut stage, &kubectl, exit_when_ready)?;
    if !exit_when_ready {
        say(instructions(&stage, &objects));
        loop {
            interrupt::check()?;
            stage.check()?;
            thread::sleep(Duration::from_millis(200));
        }
    }
    // Stopped in order, so that the operator's last words are not about a cluster that has gone.
    stage.operator.stop()?;
    Ok(())
}

fn start(folder: &Path, speed: f64, args: Vec<String>) -> Result<Stage> {
    let Some(backend) = Backend::choose()? else { bail!("{NO_CLUSTER}") };
    match &backend {
        Backend::Existing(file) => say(format!("using the cluster of KUBECONFIG_TEST ({})", file.display())),
        Backend::Assets(assets) => say(format!("starting etcd and kube-apiserver from {}", assets.display())),
        Backend::Bundled(_) => say("starting the API server"),
    }
    let cluster = Cluster::start_in(&backend, folder)?;
    say(format!("starting the AWS simulator, {speed} times as fast as AWS"));
    let simulator = Simulator::start_in(speed, folder)?;
    say("applying the CRDs of crds/");
    cluster.install_crds()?;
    say("starting the operator");
    let options =
        OperatorOptions { log: variable("RUST_LOG").unwrap_or_else(|| "info".into()), args, ..Default::default() };
    let operator = Operator::start_in(cluster.kubeconfig(), simulator.url(), &options, folder)?;
    Ok(Stage { operator, simulator, cluster })
}

impl Stage {
    fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        let others = [self.cluster.process_mut(), self.operator.process_mut()];
        others.into_iter().flatten().chain([self.simulator.process_mut()])
    }

    /// An error as soon as one of the programs has ended.
    fn check(&mut self) -> Result<()> {
        for process in self.processes() {
            if let Some(ending) = process.ended()? {
                bail!("the {} has ended by itself ({ending}); {}", process.name, process.log_tail());
            }
        }
        Ok(())
    }

    fn tails(&mut self) -> String {
        self.processes().map(|process| format!("\n{}", process.log_tail())).collect()
    }
}

/// Shows the table until all objects are Ready and what is to be on the air is, and returns them.
fn until_ready(stage: &mut Stage, kubectl: &Kubectl, give_up: bool) -> Result<Value> {
    let start = Instant::now();
    let mut screen = Screen::default();
    let mut late = false;
    loop {
        interrupt::check()?;
        stage.check()?;
        let listed = list(kubectl);
        if let Ok((objects, rows)) = &listed {
            screen.draw(rows);
            if !rows.is_empty() && rows.iter().all(Row::has_arrived) {
                say(format!("all objects are Ready after {:.0} s", start.elapsed().as_secs_f64()));
                return Ok(objects.clone());
            }
        }
        if start.elapsed() > PATIENCE && !late {
            late = true;
            let seen = listed.err().map(|error| format!(": {error:#}")).unwrap_or_default();
            if give_up {
                bail!("not all objects are Ready after {} s{seen}{}", PATIENCE.as_secs(), stage.tails());
            }
            say(format!("this takes longer than usual{seen}; the logs are in {}", folder_of(stage)));
            screen = Screen::default();
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn list(kubectl: &Kubectl) -> Result<(Value, Vec<Row>)> {
    let output = kubectl.run(["get", "playout", "--all-namespaces", "-o", "json"], "")?.ok()?;
    let objects: Value = serde_json::from_str(&output.stdout)?;
    let rows = objects::rows(&objects);
    Ok((objects, rows))
}

/// A table that is redrawn in place on a terminal, and elsewhere printed when it changes.
#[derive(Default)]
struct Screen {
    shown: Vec<String>,
}

impl Screen {
    fn draw(&mut self, rows: &[Row]) {
        let width = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
        let lines = objects::table(rows, if width == 0 { 200 } else { width });
        if lines == self.shown {
            return;
        }
        if io::stdout().is_terminal() && !self.shown.is_empty() {
            // Up to where the table began, and clear from there.
            let _ = write!(io::stdout(), "\x1b[{}A\x1b[J", self.shown.len());
        }
        lines.iter().for_each(say);
        self.shown = lines;
    }
}

/// What a newcomer does next, with the names of the objects that are there.
fn instructions(stage: &Stage, objects: &Value) -> String {
    let mut text = String::from("\nIn another terminal:\n\n");
    let mut line = |line: &str| {
        text.push_str("  ");
        text.push_str(line);
        text.push('\n');
    };
    line(&shell::export("KUBECONFIG", &stage.cluster.kubeconfig().display().to_string()));
    line(&format!("{}:$PATH", shell::export("PATH", &tools().display().to_string())));
    line(&shell::export("AWS_ENDPOINT_URL", stage.simulator.url()));
    for (name, value) in aws_environment() {
        line(&shell::export(&name, &value));
    }
    line("");
    line("kubectl get playout -o wide                 # what is on the air");
    let items = objects["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(destination) = items.iter().find(|item| item["kind"] == "Destination") {
        let namespace = match destination["metadata"]["namespace"].as_str() {
            Some("default") | None => String::new(),
            Some(other) => format!(" -n {other}"),
        };
        let name = destination["metadata"]["name"].as_str().unwrap_or_default();
        line(&format!("kubectl{namespace} get destinations --watch          # see it change"));
        for state in ["Stopped", "Running"] {
            let patch = format!(r#"{{"spec":{{"state":"{state}"}}}}"#);
            line(&format!("kubectl{namespace} patch destination {name} --type=merge -p '{patch}'"));
        }
        if let Some((secret, key)) = secret_of(&destination["spec"]["streamKey"]) {
            let patch = format!(r#"{{"stringData":{{"{key}":"a-new-key"}}}}"#);
            line(&format!("kubectl{namespace} patch secret {secret} -p '{patch}'"));
        }
        line(&format!("kubectl{namespace} describe destination {name}"));
        line(&format!("kubectl{namespace} delete destination {name}"));
    }
    line("");
    line(&format!("the operator's metrics: {}", stage.operator.metrics_url()));
    line(&format!("the simulator's control API: {}/_sim/state?counts=1", stage.simulator.url()));
    line(&format!("the logs: {}", folder_of(stage)));
    text.push_str("\nCtrl-C ends all of it.");
    text
}

/// The Secret and the key in it, wherever in the field they stand.
fn secret_of(field: &Value) -> Option<(&str, &str)> {
    match (field["name"].as_str(), field["key"].as_str()) {
        (Some(name), Some(key)) => Some((name, key)),
        _ => field.as_object()?.values().find_map(secret_of),
    }
}

fn folder_of(stage: &Stage) -> String {
    let log = stage.operator.log_path();
    log.parent().unwrap_or(log).display().to_string()
}

/// One line on standard output.
fn say(line: impl std::fmt::Display) {
    // Nobody who reads it is no reason to stop.
    let _ = writeln!(io::stdout(), "{line}");
}
