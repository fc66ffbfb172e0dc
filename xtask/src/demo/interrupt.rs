//! Ctrl-C and SIGTERM: what must be cleaned up is, then the process ends.
//!
//! Servers and files need nothing from here; they go with their owner.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

/// What shells expect of a program that was interrupted.
const EXIT: i32 = 130;

/// How long the main thread gets to notice, and to take its spinner away.
const NOTICE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static NOTICED: AtomicBool = AtomicBool::new(false);

/// Runs `clean_up` when the process is told to end, and ends it. Being told a
/// second time ends it at once.
pub(crate) fn watch(clean_up: impl FnOnce() + Send + 'static) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for signals")?;
    thread::spawn(move || {
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
            ) else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            INTERRUPTED.store(true, Ordering::SeqCst);
            let since = Instant::now();
            while !NOTICED.load(Ordering::SeqCst) && since.elapsed() < NOTICE {
                thread::sleep(PAUSE);
            }
            eprintln!("\ninterrupted");
            tokio::select! {
                _ = tokio::task::spawn_blocking(clean_up) => {}
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            process::exit(EXIT);
        });
    });
    Ok(())
}

/// Does not return if the process was told to end: what looks like a failure is
/// only the echo of that, and somebody else is cleaning up.
pub(crate) fn defer() {
    // The programs that we run get the signal as well, perhaps before we do.
    thread::sleep(Duration::from_millis(200));
    while INTERRUPTED.load(Ordering::SeqCst) {
        NOTICED.store(true, Ordering::SeqCst);
        thread::park();
    }
}
