//! `gosling rotate-tokens`: the tokens by which runners register in GitLab are changed, and no job is lost by it.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{
    Failure, Global,
    api::{Access, Api},
    confirm::Confirm,
    one_thread,
    operate::{Seen, Wait, all_known, of_egg},
    text::{Paint, Table, clean},
};
use crate::wire::{EggView, RotateRequest, RotationView};

#[derive(Debug, Args)]
#[command(
    override_usage = "gosling rotate-tokens [OPTIONS] <EGG>...\n       \
    gosling rotate-tokens [OPTIONS] --all\n       gosling rotate-tokens [OPTIONS] --undo <EGG>",
    after_help = "Example: gosling rotate-tokens web --wait\n\n\
    A second runner is registered in GitLab, and its token kept. Machines go over to it within a heartbeat and finish their\n\
    jobs; then the first one is taken away. Until then, `gosling rotate-tokens --undo EGG` goes back."
)]
pub(super) struct RotateTokens {
    #[command(flatten)]
    access: Access,
    /// The eggs; a job of the Nest's own is jobs/NAME
    #[arg(value_name = "EGG", required_unless_present_any = ["all", "undo"], conflicts_with_all = ["all", "undo"])]
    eggs: Vec<String>,
    /// All eggs that have a runner in GitLab
    #[arg(long)]
    all: bool,
    /// Go back to the token before, as long as it is not revoked
    #[arg(long, value_name = "EGG", conflicts_with = "all")]
    undo: Option<String>,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    confirm: Confirm,
}

/// What is shown of an egg.
#[derive(Debug, Serialize)]
struct Rotated {
    egg: String,
    #[serde(flatten)]
    rotation: Option<RotationView>,
}

impl RotateTokens {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        one_thread()?.block_on(async {
            let api = self.access.open()?;
            let names = self.names(global, &api).await?;
            let request = RotateRequest { undo: self.undo.is_some() };
            let mut done = Vec::new();
            let mut failed = Vec::new();
            for name in &names {
                let answer = api.post_with::<EggView>(&["eggs", name, "rotate"], &request).await;
                match of_egg(&api, name, answer).await {
                    Ok(egg) => done.push(egg),
                    // One that can't be is no reason to leave out the others.
                    Err(failure) if self.all => failed.push(format!("{name}: {failure}")),
                    Err(failure) => return Err(failure),
                }
            }
            if self.wait.is_wanted() {
                for egg in &mut done {
                    *egg = self.wait.until(&egg.name.clone(), async || look(&api, &egg.name).await).await?;
                }
            }
            let rows = done.into_iter().map(|egg| Rotated { egg: egg.name, rotation: egg.rotation });
            let rows: Vec<Rotated> = rows.collect();
            let code = global.show(&rows, |colour| table(&rows, colour))?;
            if failed.is_empty() {
                return Ok(code);
            }
            Err(Failure::Failed {
                message: format!(
                    "the tokens of {} of {} eggs are not rotated: {}",
                    failed.len(),
                    names.len(),
                    failed.join("; ")
                ),
                help: Some("run it again; those that are under way are not begun twice".to_owned()),
            })
        })
    }

    async fn names(&self, global: &Global, api: &Api) -> Result<Vec<String>, Failure> {
        if !self.all {
            let names: Vec<String> = self.undo.iter().chain(&self.eggs).cloned().collect();
            all_known(api, &names).await?;
            return Ok(names);
        }
        let eggs: Vec<EggView> = api.list(&["eggs"]).await?;
        let has_runner = |egg: &EggView| egg.repositories.iter().any(|one| one.runner.is_some());
        let names: Vec<String> = eggs.into_iter().filter(has_runner).map(|egg| egg.name).collect();
        if names.is_empty() {
            return Err(Failure::NotFound {
                message: "no egg has a runner in GitLab yet".to_owned(),
                help: "`gosling status` shows what there is".to_owned(),
            });
        }
        self.confirm.ask(
            global,
            &format!(
                "Rotate the runner tokens of {} ({})?",
                if names.len() == 1 { "1 egg".to_owned() } else { format!("{} eggs", names.len()) },
                clean(&names.join(", "))
            ),
        )?;
        Ok(names)
    }
}

async fn look(api: &Api, name: &str) -> Result<Seen<EggView>, Failure> {
    let egg: EggView = api.get(&["eggs", name], &[]).await?;
    Ok(match &egg.rotation {
        Some(rotation) if rotation.step != "done" => Seen::Goes(words(rotation)),
        _ => Seen::Done(egg),
    })
}

fn table(rows: &[Rotated], colour: bool) -> String {
    let mut table = Table::new(&["EGG", "ROTATION"]);
    for row in rows {
        let words = row.rotation.as_ref().map_or_else(|| "none".to_owned(), words);
        table.row([(row.egg.clone(), Paint::Plain), (words, Paint::Plain)]);
    }
    table.render(colour)
}

/// How far a rotation is.
pub(super) fn words(rotation: &RotationView) -> String {
    let step = match (rotation.step.as_str(), rotation.undo) {
        ("register", false) => "registering the new runner",
        ("register", true) => "putting the old token back",
        ("drain", false) => "runners go over to the new token",
        ("drain", true) => "runners go back to the old token",
        ("revoke", false) => "revoking the old token",
        ("revoke", true) => "revoking the new token",
        ("done", false) => "done, and the old token revoked",
        ("done", true) => "undone",
        (other, _) => other,
    };
    match &rotation.note {
        Some(note) => format!("{step}: {note}"),
        None => step.to_owned(),
    }
}
