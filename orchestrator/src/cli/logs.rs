//! `gosling logs`: what was done, to what, by whom and why: the audit log, in the order of time.

use std::{collections::BTreeSet, io, process::ExitCode, time::Duration};

use clap::Args;

use super::{
    Failure, Global,
    api::{Access, Api},
    one_thread,
    operate::egg,
    output::{Output, json, yaml},
    print,
    serve::duration,
    text::{Paint, clean, length},
};
use crate::{
    domain::Time,
    logging::mask_values,
    wire::{AuditView, Page},
};

/// Between two looks.
const POLL: Duration = Duration::from_secs(1);

/// An entry may come this much later than its moment says: whoever makes it has a clock of his own.
const LATE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling logs --egg web --since 2h --follow\n\n\
    An entry for each change of a runner, deployment, rollback, secret that was read, and command of an operator. With\n\
    --output json each is an object in a line, with --output yaml a document.")]
pub(super) struct Logs {
    #[command(flatten)]
    access: Access,
    /// Go on with what comes, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only of this egg and its runners
    #[arg(long, value_name = "NAME")]
    egg: Option<String>,
    /// How far to look back: 30s, 15m, 2h, 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    since: Duration,
}

impl Logs {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let colour = global.colour(&io::stdout());
        one_thread()?.block_on(async {
            let api = self.access.open()?;
            let mut log = Log { seen: BTreeSet::new(), back: self.since, from: None };
            let mut told = 0_u64;
            for entry in log.news(&api).await? {
                told += u64::from(self.tell(global, &entry, colour)?);
            }
            if let Some(name) = self.egg.as_deref().filter(|_| told == 0) {
                // Nothing is told of one that there is not, either.
                egg(&api, name).await?;
            }
            if !self.follow {
                if told == 0 && global.output() == Output::Table {
                    eprintln!(
                        "nothing was done in the last {}; --since looks further back",
                        length(millis(self.since))
                    );
                }
                return Ok(ExitCode::SUCCESS);
            }
            let mut is_away = false;
            // It looks again all the time, and says when nobody answers.
            let api = api.at_once();
            loop {
                tokio::time::sleep(POLL).await;
                match log.news(&api).await {
                    Ok(news) => {
                        is_away = false;
                        for entry in news {
                            self.tell(global, &entry, colour)?;
                        }
                    }
                    // It may be there again soon, and nothing is passed over.
                    Err(failure @ Failure::Unreachable { .. }) => {
                        if !std::mem::replace(&mut is_away, true) {
                            let text = mask_values(&format!("{failure}; still trying"));
                            eprintln!("{}", Paint::Dim.on(&text, colour));
                        }
                    }
                    Err(failure) => return Err(failure),
                }
            }
        })
    }

    /// Tells of an entry that was asked for; whether it was.
    fn tell(&self, global: &Global, entry: &AuditView, colour: bool) -> Result<bool, Failure> {
        if self.egg.as_ref().is_some_and(|egg| !is_of(entry, egg)) {
            return Ok(false);
        }
        let text = match global.output() {
            Output::Json => json(entry, false)?,
            Output::Yaml => format!("---\n{}", yaml(entry)?),
            Output::Table => line(entry, colour),
        };
        print(text.as_bytes()).map(|_| true)
    }
}

/// What was read of the log.
struct Log {
    seen: BTreeSet<String>,
    /// How far is looked back at first.
    back: Duration,
    /// Nothing before this is told; it hangs on the clock of who answers.
    from: Option<Time>,
}

impl Log {
    /// The entries that were not told yet, the first first.
    async fn news(&mut self, api: &Api) -> Result<Vec<AuditView>, Failure> {
        let mut news: Vec<AuditView> = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("limit", "200")];
            query.extend(cursor.iter().map(|cursor| ("cursor", cursor.as_str())));
            let page: Page<AuditView> = api.get(&["audit"], &query).await?;
            let begin = || Time::from_millis(api.now().as_millis().saturating_sub(millis(self.back)));
            let from = *self.from.get_or_insert_with(begin);
            let is_end = page.items.iter().any(|entry| entry.at.0 < from);
            news.extend(page.items.into_iter().filter(|entry| entry.at.0 >= from));
            if is_end || page.next.is_none() || page.next == cursor {
                break;
            }
            cursor = page.next;
        }
        let known: BTreeSet<String> = news.iter().map(|entry| entry.id.clone()).collect();
        news.retain(|entry| !self.seen.contains(&entry.id));
        news.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        // The next look begins a little before the last of these; what it finds again was told.
        if let Some(last) = news.last() {
            let next = last.at.0.as_millis().saturating_sub(millis(LATE));
            self.from = self.from.max(Some(Time::from_millis(next)));
        }
        self.seen = known;
        Ok(news)
    }
}

/// Whether an entry is of an egg, or of a runner or plan of it.
fn is_of(entry: &AuditView, egg: &str) -> bool {
    (entry.resource_type == "egg" && entry.resource == egg)
        || entry.details.get("egg").and_then(serde_json::Value::as_str) == Some(egg)
}

/// `2026-11-21T10:00:00.123Z runner.make runner demo-1 by policy:demand: egg demo, to provisioning`
pub(super) fn line(entry: &AuditView, colour: bool) -> String {
    let at = entry.at.0.in_calendar().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let paint = match entry.action.rsplit('.').next() {
        Some("fail" | "failed" | "alert" | "orphan") => Paint::Bad,
        Some("make" | "wake" | "apply" | "applied") => Paint::Good,
        _ => Paint::Bold,
    };
    let details = entry.details.as_object().into_iter().flatten();
    let details: Vec<String> = details
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => format!("{name} {}", clean(text)),
            other => format!("{name} {}", clean(&other.to_string())),
        })
        .collect();
    let details = if details.is_empty() { String::new() } else { format!(": {}", details.join(", ")) };
    format!(
        "{} {} {} {} {}{details}\n",
        Paint::Dim.on(&at, colour),
        paint.on(&clean(&entry.action), colour),
        clean(&entry.resource_type),
        clean(&entry.resource),
        Paint::Dim.on(&format!("by {}", clean(&entry.actor)), colour),
    )
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
