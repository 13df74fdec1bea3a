//! `stage`: what `make demo`, `make up`, `make down` and `make status` call.

fn main() -> std::process::ExitCode {
    playout_stage::run()
}
