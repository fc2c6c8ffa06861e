//! What the commands that change a running fleet have in common: they ask first, wait, and know what was meant.

use std::time::{Duration, Instant};

use clap::Args;
use fly_std::formats::closest;

use super::{Failure, api::Api, progress::Progress, text::clean};
use crate::wire::EggView;

/// Between two looks.
const POLL: Duration = Duration::from_secs(1);

/// Whether and how long it is waited for.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Wait {
    /// Wait until it is done; Ctrl-C ends the waiting and nothing else
    #[arg(long)]
    wait: bool,
    /// Give up waiting after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1800, requires = "wait")]
    timeout: u64,
}

/// How far something is.
pub(super) enum Seen<T> {
    /// It is done.
    Done(T),
    /// It goes on, with this in people's words.
    Goes(String),
}

impl Wait {
    pub(super) const fn is_wanted(self) -> bool {
        self.wait
    }

    /// Looks until it is done, and tells on standard error how far it is.
    pub(super) async fn until<T>(
        self,
        what: &str,
        mut look: impl AsyncFnMut() -> Result<Seen<T>, Failure>,
    ) -> Result<T, Failure> {
        // An end that no clock will ever show is none.
        let end = Instant::now().checked_add(Duration::from_secs(self.timeout));
        let progress = Progress::start(what);
        let mut last = String::new();
        loop {
            let words = match look().await {
                Ok(Seen::Done(done)) => return Ok(done),
                Ok(Seen::Goes(words)) => words,
                // It may be there again soon.
                Err(Failure::Unreachable { message, .. }) => message,
                Err(failure) => return Err(failure),
            };
            if words != last {
                progress.tell(&format!("{what}: {words}"));
                last.clone_from(&words);
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(Failure::Failed {
                    message: format!("{what}: not done after {} s; {words}", self.timeout),
                    help: Some("it goes on all the same; `gosling status` shows it".to_owned()),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// An answer that is about an egg: where there is no such egg, the one that was probably meant is named.
pub(super) async fn of_egg<T>(api: &Api, name: &str, answer: Result<T, Failure>) -> Result<T, Failure> {
    let Err(Failure::NotFound { .. }) = &answer else { return answer };
    let Ok(eggs) = api.list::<EggView>(&["eggs"]).await else { return answer };
    if eggs.iter().any(|egg| egg.name == name) {
        return answer;
    }
    let names = eggs.iter().map(|egg| egg.name.as_str());
    let all = match closest(name, names.clone()) {
        Some(near) => format!("nearest: `{}`", clean(near)),
        None if eggs.is_empty() => "the Nest has no eggs yet".to_owned(),
        None => format!("there are: {}", clean(&names.collect::<Vec<_>>().join(", "))),
    };
    Err(Failure::NotFound { message: format!("the egg `{}` is unknown", clean(name)), help: all })
}
