//! What is started ends: with its owner, and with its owner's process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use playout_stage::{Cluster, Found, Simulator, kubectl, wait_until};

const PATIENCE: Duration = Duration::from_secs(10);

fn runs(pid: u32) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_program_dies_with_the_process_that_started_it() {
    let script = format!("'{}' exec --die-with $$ -- sleep 60 & echo $!; wait", env!("CARGO_BIN_EXE_stage"));
    let mut parent = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let program: u32 = line.trim().parse().unwrap();
    wait_until(PATIENCE, "the program has taken the place of the stage", || async {
        fs::read_to_string(format!("/proc/{program}/comm")).is_ok_and(|name| name.trim() == "sleep")
    })
    .await
    .unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until(PATIENCE, "the program is gone", || async { !runs(program) }).await.unwrap();
}

#[test]
fn a_program_without_its_parent_does_not_start() {
    let stage = env!("CARGO_BIN_EXE_stage");
    let output = Command::new(stage).args(["exec", "--die-with", "1", "--", "echo", "started"]).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
}

#[test]
fn a_cluster_answers_kubectl_and_takes_its_state_with_it() {
    let cluster = match Cluster::start().unwrap() {
        Found::Cluster(cluster) => cluster,
        Found::Skipped(why) => return println!("{why}"),
    };
    let namespaces = kubectl(&cluster, ["get", "namespaces", "-o", "name"]).unwrap().ok().unwrap();
    assert!(namespaces.stdout.contains("namespace/default"), "{}", namespaces.stdout);
    let log = cluster.log().map(std::path::Path::to_path_buf);
    drop(cluster);
    assert!(log.is_none_or(|file| !file.exists()), "a cluster that is ours leaves no files");
}

/// What a newcomer runs first, to its end.
#[test]
fn the_demo_puts_the_quickstart_on_the_air_and_ends() {
    // Says why if there is no cluster for the demo either.
    if let Found::Skipped(why) = Cluster::start().unwrap() {
        return println!("{why}");
    }
    let mut demo = Command::new(env!("CARGO_BIN_EXE_stage"));
    // As in a house where everything goes through a proxy, which cannot reach what runs here.
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        demo.env(name, "http://proxy.corp.example:3128");
    }
    let output =
        demo.arg("demo").env("DEMO_EXIT", "1").env("SPEED", "50").env_remove("OPERATOR_ARGS").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let table = said.rsplit("NAME").next().unwrap_or_default();
    for name in ["studio", "youtube-main", "youtube-second", "twitch", "facebook"] {
        let row = table.lines().find(|line| line.contains(name)).unwrap_or_default();
        assert!(row.contains("Running"), "{name} is not on the air: {said}");
    }
    assert!(said.contains("all objects are Ready after"), "{said}");
}

/// Two checkouts never touch each other, also where one was copied with all that was built.
#[test]
fn the_stage_works_on_the_checkout_that_it_is_called_from() {
    let copy = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("checkout-{}", std::process::id()));
    let inside = copy.join("examples");
    fs::create_dir_all(copy.join("tests/stage")).unwrap();
    fs::create_dir_all(&inside).unwrap();
    fs::write(copy.join("tests/stage/Cargo.toml"), "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_stage")).arg("down").current_dir(&inside).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(copy.join("target/up.lock").is_file(), "it has ended what another checkout runs");
    fs::remove_dir_all(copy).unwrap();
}

#[test]
fn a_simulator_answers_until_it_is_dropped() {
    let simulator = Simulator::start(10.0).unwrap();
    let health = simulator.control("GET", "health", "").unwrap();
    assert!(health.is_ok(), "{}", health.body);
    let url = simulator.url().to_owned();
    drop(simulator);
    assert!(playout_stage::request("GET", &format!("{url}/_sim/health"), "").is_err());
}
