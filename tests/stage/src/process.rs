//! One running program: started attached to us or detached, recognised again later, ended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::programs::{self, Lifetime, Program};
use crate::wait::block_until;

/// How long a program may take to end after SIGTERM before SIGKILL.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// A process id together with when that process was born: ids are used again, births are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub pid: u32,
    birth: String,
}

impl Identity {
    /// The process that has this id now, if there is one.
    pub fn of(pid: u32) -> Option<Self> {
        birth(pid).map(|birth| Self { pid, birth })
    }

    /// Whether that very process still runs.
    pub fn alive(&self) -> bool {
        birth(self.pid).as_deref() == Some(&self.birth)
    }

    /// SIGTERM, and SIGKILL to all of its process group when the grace is over.
    pub fn end(&self, grace: Duration) {
        self.signal(Signal::TERM);
        let start = Instant::now();
        while self.alive() && start.elapsed() < grace {
            thread::sleep(Duration::from_millis(20));
        }
        self.kill();
    }

    /// SIGKILL to all of its process group.
    pub fn kill(&self) {
        let Some(pid) = self.pid() else { return };
        if self.alive() {
            // A process that has just ended by itself is what was wanted.
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = kill_process(pid, Signal::KILL);
        }
        while self.alive() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid()
            && self.alive()
        {
            let _ = kill_process(pid, signal);
        }
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }
}

/// When the process was born, in words that only it has; `None` for one that has ended, waited for or not.
fn birth(pid: u32) -> Option<String> {
    if !Path::new("/proc/self/stat").exists() {
        return birth_by_ps(pid);
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses, which may hold anything; the state is the third, the start the 22nd.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let ended = ["Z", "X"].contains(fields.first()?);
    (!ended).then_some(format!("{} {}", boot.trim(), fields.get(19)?))
}

fn birth_by_ps(pid: u32) -> Option<String> {
    let output = Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (state, start) = line.split_once(' ')?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

/// A program that runs, with its log.
#[derive(Debug)]
pub(crate) struct Process {
    pub name: &'static str,
    pub identity: Identity,
    pub log: PathBuf,
    child: Child,
    lifetime: Lifetime,
    log_start: u64,
}

impl Process {
    /// Starts the program; its output is appended to `log`. Attached, it has a standard input that closes with us.
    pub fn start(name: &'static str, program: &Program, log: &Path, lifetime: Lifetime) -> Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("the log of the {name} cannot be written: {}", log.display()))?;
        let log_start = file.seek(SeekFrom::End(0))?;
        if log_start > 0 {
            writeln!(file, "--- started again ---")?;
        }
        let child = spawn(command(program, file, lifetime)?)
            .with_context(|| format!("the {name} cannot be started: {}", program.path.display()))?;
        let pid = child.id();
        // Only a zombie has no birth, and its end is reported by whoever waits for it to be ready.
        let identity = Identity::of(pid).unwrap_or(Identity { pid, birth: String::new() });
        Ok(Self { name, identity, log: log.to_path_buf(), child, lifetime, log_start })
    }

    /// Waits until `look` finds the program usable; ends early, with the tail of the log, when it dies.
    pub fn wait_ready<P: crate::Progress>(
        &mut self,
        deadline: Duration,
        what: &str,
        mut look: impl FnMut(&str) -> P,
    ) -> Result<P::Value> {
        let waited = block_until(deadline, what, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("the {} ended by itself: {}", self.name, ending(status));
            }
            Ok(look(&self.log_since_start()))
        });
        waited.map_err(|error| anyhow!("{error:#}; {}", self.log_tail()))
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<String>> {
        Ok(self.child.try_wait()?.map(ending))
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.identity.signal(Signal::TERM);
    }

    /// SIGTERM, then SIGKILL after the grace.
    pub fn stop(&mut self, grace: Duration) -> Result<ExitStatus> {
        self.identity.end(grace);
        Ok(self.child.wait()?)
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.identity.kill();
        Ok(self.child.wait()?)
    }

    /// What it has printed since it was started.
    pub fn log_since_start(&self) -> String {
        read_from(&self.log, self.log_start).unwrap_or_default()
    }

    /// The last lines it has printed, with a heading.
    pub fn log_tail(&self) -> String {
        tail(self.name, &self.log, &self.log_since_start())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::WithParent {
            let _ = self.kill();
        }
    }
}

/// The last lines of a log under a heading, indented.
fn tail(name: &str, log: &Path, text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(20)..].iter().map(|line| format!("\n  | {line}"));
    format!("the last lines of the {name} ({}):{}", log.display(), last.collect::<String>())
}

fn read_from(path: &Path, start: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// The program behind `stage exec`, which does in the child what needs no unsafe code there.
fn command(program: &Program, log: File, lifetime: Lifetime) -> Result<Command> {
    let mut command = Command::new(programs::built("stage")?);
    command.arg("exec");
    match lifetime {
        Lifetime::WithParent => command.arg("--die-with").arg(std::process::id().to_string()).stdin(Stdio::piped()),
        Lifetime::Detached => command.arg("--detached").stdin(Stdio::null()),
    };
    command.arg("--").arg(&program.path).args(&program.args);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    for name in ["NO_PROXY", "no_proxy"] {
        let others = env::var(name).map(|hosts| format!(",{hosts}")).unwrap_or_default();
        command.env(name, format!("127.0.0.1,localhost{others}"));
    }
    command.envs(program.env.iter().cloned()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

/// The kernel kills a child when the thread that made it ends, and a test is a thread: so one thread, which never ends,
/// makes them all.
fn spawn(command: Command) -> Result<Child> {
    type Order = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, child) = channel();
    spawner.send((command, answer)).context("the thread that starts programs has ended")?;
    Ok(child.recv().context("the thread that starts programs has ended")??)
}

/// `stage exec`: becomes another program, after a last word with the kernel. Returns only when that fails.
pub(crate) fn become_program(die_with: Option<u32>, command: &[String]) -> Result<()> {
    use rustix::process::{getppid, setpgid, setsid};
    let Some((program, args)) = command.split_first() else { bail!("no program was named") };
    match die_with {
        Some(parent) => {
            // A process group of its own: Ctrl-C reaches us alone, and we end the programs in order.
            setpgid(None, None)?;
            #[cfg(target_os = "linux")]
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            if getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs()) != Some(parent) {
                bail!("the process that wanted {program} is gone");
            }
        }
        None => drop(setsid()?),
    }
    Err(Command::new(program).args(args).exec()).with_context(|| format!("{program} cannot be started"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_recognised_by_id_and_birth() {
        let me = Identity::of(std::process::id()).unwrap();
        assert!(me.alive());
        let other = Identity { pid: me.pid, birth: "another time".into() };
        assert!(!other.alive(), "the id was given to another process: it is not ours");
    }

    #[test]
    fn a_process_of_another_birth_is_never_signalled() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        Identity { pid: child.id(), birth: "another time".into() }.end(Duration::ZERO);
        assert!(child.try_wait().unwrap().is_none(), "still runs");
        Identity::of(child.id()).unwrap().end(GRACE);
        assert!(Identity::of(child.id()).is_none(), "a zombie counts as ended");
        child.wait().unwrap();
    }
}
