//! `playout-sim`: the simulated AWS as a program.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Parser;
use playout_sim::server::Server;
use playout_sim::{Config, Seed, Sim, Switches};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::signal::unix::{SignalKind, signal};

/// An AWS that can be started: MediaConnect, MediaLive, IVS, SSM, Secrets Manager, Service Quotas, CloudWatch and STS on
/// loopback.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4599")]
    listen: SocketAddr,
    /// How many times faster than AWS the world runs.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// No limits of request rates.
    #[arg(long)]
    no_throttling: bool,
    /// Accept requests with members that the service model does not know, as AWS does.
    #[arg(long)]
    allow_unknown_members: bool,
    /// RTMP outputs of flows publish connection and bitrate, which AWS does not document.
    #[arg(long)]
    rtmp_output_metrics: bool,
    /// Outputs by RTMP of one flow must differ in host or port, which AWS does not document.
    #[arg(long)]
    rtmp_destinations_differ: bool,
    /// ListSecrets lags so many simulated seconds behind. AWS: up to 300.
    #[arg(long, default_value_t = 0.0)]
    list_secrets_lag: f64,
    /// A Region that is in no list of AWS's and has every service; repeatable.
    #[arg(long = "region")]
    more_regions: Vec<String>,
    /// What the world starts with: JSON with `parameters` and `secrets`.
    #[arg(long)]
    seed: Option<PathBuf>,
    /// Listen on addresses that other machines can reach, too.
    #[arg(long)]
    allow_remote: bool,
    /// Exit when standard input closes.
    #[arg(long)]
    die_with_stdin: bool,
    /// Tell each request on standard error.
    #[arg(long)]
    verbose: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        bail!("{} is not a loopback address; use --allow-remote if that is meant", arguments.listen);
    }
    if !(arguments.speed.is_finite() && arguments.speed > 0.0) {
        bail!("--speed must be a positive number");
    }
    let sim = Sim::start(Config {
        speed: arguments.speed,
        throttling: !arguments.no_throttling,
        refuse_unknown_members: !arguments.allow_unknown_members,
        switches: Switches {
            rtmp_output_metrics: arguments.rtmp_output_metrics,
            rtmp_destinations_differ: arguments.rtmp_destinations_differ,
            list_secrets_lag: arguments.list_secrets_lag,
            more_regions: arguments.more_regions,
            ..Switches::default()
        },
        ..Config::default()
    });
    if let Some(path) = &arguments.seed {
        let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let seed: Seed = serde_json::from_slice(&text).with_context(|| format!("in {}", path.display()))?;
        sim.seed(&seed);
    }
    // Before the READY line: who reads it may send a signal at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = Server::bind(sim.clone(), arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    say(&mut tokio::io::stdout(), &format!("READY http://{}\n", server.address()?)).await;
    if arguments.verbose {
        tokio::spawn(tell(sim));
    }
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_closes(), if arguments.die_with_stdin => {}
        }
    };
    server.serve(stop).await?;
    Ok(())
}

/// Whoever reads may be gone; that is no reason to stop.
async fn say(out: &mut (impl tokio::io::AsyncWrite + Unpin), text: &str) {
    let _ = out.write_all(text.as_bytes()).await;
    let _ = out.flush().await;
}

async fn stdin_closes() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0; 256];
    while !matches!(stdin.read(&mut buffer).await, Ok(0) | Err(_)) {}
}

/// One line a request.
async fn tell(sim: Sim) {
    let mut seen = 0;
    let mut out = tokio::io::stderr();
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        for entry in sim.log(seen) {
            seen = entry.seq;
            let status = entry.status.map_or("-".to_owned(), |status| status.to_string());
            let error = entry.error.as_deref().unwrap_or_default();
            let fault = entry.fault.map(|fault| format!(" fault {fault}")).unwrap_or_default();
            let what = if entry.operation.is_empty() { entry.path } else { entry.operation };
            let text = format!("{} {} {} {what} {status} {error}{fault}\n", entry.seq, entry.region, entry.service);
            say(&mut out, &text).await;
        }
    }
}
