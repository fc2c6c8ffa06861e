//! What the commands that change a running fleet have in common: they ask first, wait, and know what was meant.

use std::time::{Duration, Instant};

use clap::Args;
use fly_std::formats::closest;

use super::{
    Failure,
    api::Api,
    progress::Progress,
    serve::duration,
    text::{clean, length},
};
use crate::wire::EggView;

/// Between two looks.
const POLL: Duration = Duration::from_secs(1);

/// Whether and how long it is waited for.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Wait {
    /// Wait until it is done; Ctrl-C ends the waiting and nothing else
    #[arg(long)]
    wait: bool,
    /// Give up waiting after this time: 90s, 30m, 2h
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration, requires = "wait")]
    timeout: Duration,
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
        let begun = Instant::now();
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
            if begun.elapsed() >= self.timeout {
                return Err(Failure::Failed {
                    message: format!(
                        "{what}: not done after {}; {words}",
                        length(u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX))
                    ),
                    help: Some("it goes on all the same; `gosling status` shows it".to_owned()),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// All of several eggs are there, before anything is done to the first. Whoever may not look is told by what is done.
pub(super) async fn all_known(api: &Api, names: &[String]) -> Result<(), Failure> {
    if names.len() < 2 {
        return Ok(());
    }
    let Ok(eggs) = api.list_where::<EggView>(&["eggs"], &[("removed", "true")]).await else { return Ok(()) };
    let missing = names.iter().find(|name| eggs.iter().all(|egg| egg.name != **name));
    missing.map_or(Ok(()), |name| Err(unknown(name, &eggs)))
}

/// An egg that is there.
pub(super) async fn egg(api: &Api, name: &str) -> Result<EggView, Failure> {
    of_egg(api, name, api.get(&["eggs", name], &[]).await).await
}

/// An answer that is about an egg: where there is no such egg, the one that was probably meant is named.
pub(super) async fn of_egg<T>(api: &Api, name: &str, answer: Result<T, Failure>) -> Result<T, Failure> {
    let Err(Failure::NotFound { .. }) = &answer else { return answer };
    let Ok(eggs) = api.list::<EggView>(&["eggs"]).await else { return answer };
    if eggs.iter().any(|egg| egg.name == name) {
        return answer;
    }
    Err(unknown(name, &eggs))
}

/// There is no such egg; the one that was probably meant is named.
fn unknown(name: &str, eggs: &[EggView]) -> Failure {
    let names = eggs.iter().filter(|egg| !egg.removed).map(|egg| egg.name.as_str());
    let help = match closest(name, names.clone()) {
        Some(near) => format!("did you mean `{}`?", clean(near)),
        None if names.clone().next().is_none() => "the Nest has no eggs yet".to_owned(),
        None => format!("there are: {}", clean(&names.collect::<Vec<_>>().join(", "))),
    };
    Failure::NotFound { message: format!("the egg `{}` is unknown", clean(name)), help }
}
