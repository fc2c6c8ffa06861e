//! The editor's process: when it has died without a word, nobody is left to serve. Never here: the protocol.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};

/// How often is looked.
const EVERY: Duration = Duration::from_secs(1);

/// Waits until the process that is told is there no more; for ever when none is told.
pub(crate) async fn gone(mut parent: watch::Receiver<Option<u32>>) {
    let parent = match parent.wait_for(Option::is_some).await {
        Ok(parent) => *parent,
        Err(_) => None,
    };
    match parent {
        Some(parent) => {
            while is_there(parent) {
                sleep(EVERY).await;
            }
        }
        None => std::future::pending().await,
    }
}

#[cfg(unix)]
fn is_there(process: u32) -> bool {
    use rustix::{io::Errno, process};
    let Some(id) = i32::try_from(process).ok().and_then(process::Pid::from_raw) else { return true };
    // One that belongs to somebody else is there.
    process::test_kill_process(id) != Err(Errno::SRCH)
}

/// Elsewhere the end of the input tells it.
#[cfg(not(unix))]
fn is_there(_: u32) -> bool {
    true
}
