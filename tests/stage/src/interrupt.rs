//! Ctrl-C, SIGTERM and a closed terminal, as a flag that every wait of the stage looks at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::{Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on a signal sets the flag, and a second one ends the process at once.
pub(crate) fn listen() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&REQUESTED))?;
        signal_hook::flag::register(signal, Arc::clone(&REQUESTED))?;
    }
    Ok(())
}

/// Whether the user wants to end it.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// An error once the user wants to end it; for waits.
pub(crate) fn check() -> Result<()> {
    if requested() {
        bail!("ended by a signal");
    }
    Ok(())
}
