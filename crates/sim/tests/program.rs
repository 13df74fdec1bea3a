//! The binary: how it starts, what it refuses and how it ends; and boto3 walking through it.

mod python;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

struct Program {
    child: Child,
    url: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playout-sim"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(arguments: &[&str]) -> Program {
    let mut child = command(&["--listen", "127.0.0.1:0"]).args(arguments).spawn().expect("the program");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    let url = line.trim().strip_prefix("READY ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
    Program { child, url }
}

fn ends(child: &mut Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the program goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn get(url: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(url.trim_start_matches("http://")).expect("connect");
    let request = format!("GET {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("write");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("read");
    answer
}

#[test]
fn it_says_where_it_listens_and_answers_there() {
    let program = start(&["--speed", "60"]);
    assert!(get(&program.url, "/_sim/health").contains(r#"{"status":"ok"}"#));
    assert!(get(&program.url, "/_sim/clock").contains(r#""speed":60.0"#));
}

#[test]
fn it_ends_with_sigterm_and_sigint() {
    for signal in ["-TERM", "-INT"] {
        let mut program = start(&[]);
        let id = program.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
        assert!(ends(&mut program.child).success());
    }
}

#[test]
fn it_ends_with_its_standard_input_when_asked() {
    let mut program = start(&["--die-with-stdin"]);
    drop(program.child.stdin.take());
    assert!(ends(&mut program.child).success());
    let mut other = start(&[]);
    drop(other.child.stdin.take());
    std::thread::sleep(Duration::from_millis(200));
    assert!(other.child.try_wait().expect("a child").is_none());
}

#[test]
fn it_listens_only_on_loopback_unless_told_otherwise() {
    let mut child = command(&["--listen", "0.0.0.0:0"]).spawn().expect("the program");
    assert!(!ends(&mut child).success());
    let mut text = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut text).expect("read");
    assert!(text.contains("--allow-remote"), "{text}");
}

#[test]
fn it_starts_with_a_seed() {
    let seed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seed.json");
    let text = r#"{"parameters":[{"region":"eu-west-1","name":"/live/key","value":"v"}]}"#;
    std::fs::write(&seed, text).expect("write");
    let program = start(&["--seed", &seed.to_string_lossy()]);
    assert!(get(&program.url, "/_sim/state").contains("/live/key"));
}

#[test]
fn boto3_walks_through_it() {
    let Some(python) = python::with_boto3("boto3_walks_through_it") else { return };
    let program = start(&["--speed", "100"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/boto3_test.py");
    let output = Command::new(python).arg(script).arg(&program.url).output().expect("python");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    assert!(text.contains("all good"), "{text}");
}
