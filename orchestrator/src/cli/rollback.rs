//! `gosling rollback`: an egg goes back to what an earlier plan had.

use std::{collections::BTreeSet, process::ExitCode};

use clap::Args;
use fly_std::formats::closest;

use super::{
    Failure, Global,
    api::{Access, Api},
    confirm::Confirm,
    one_thread,
    operate::{Seen, Wait, of_egg},
    text::{clean, short},
};
use crate::wire::{Accepted, DeadMessage, EggView, PlanView, RollbackRequest};

/// How many plans are looked through.
const PLANS: usize = 500;

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling rollback web --wait\n\n\
    It holds until the egg is changed in the Nest. Runners that were made since finish their jobs and go.")]
pub(super) struct Rollback {
    #[command(flatten)]
    access: Access,
    /// The egg; a job of the Nest's own is jobs/NAME
    egg: String,
    /// The plan to go back to, or the beginning of its id [default: the last one that was made from something else]
    #[arg(long, value_name = "PLAN")]
    to: Option<String>,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    confirm: Confirm,
}

impl Rollback {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        one_thread()?.block_on(async {
            let api = self.access.open()?;
            let name = self.egg.as_str();
            let egg: EggView = of_egg(&api, name, api.get(&["eggs", name], &[]).await).await?;
            let plans: Vec<PlanView> = api.list_of(&["eggs", name, "plans"], &[], PLANS).await?;
            let (digest, commit) = match &egg.rolled_back {
                Some(back) => (&back.digest, &back.commit),
                None => (&egg.digest, &egg.commit),
            };
            let plan = choose(name, self.to.as_deref(), &plans, digest)?;
            if plan.digest == *digest {
                return tell(global, plan, &format!("{name} is there already"));
            }
            let question = format!(
                "Take {name} from commit {} back to {} (plan {})?",
                short(commit),
                short(&plan.commit),
                plan.id
            );
            self.confirm.ask(global, &question)?;
            let dead = given_up(&api, name).await?;
            let request = RollbackRequest { to: Some(plan.id.clone()) };
            let _: Accepted = api.post_with(&["eggs", name, "rollback"], &request).await?;
            if !self.wait.is_wanted() {
                return tell(
                    global,
                    plan,
                    &format!("{name} goes back to commit {}; `gosling status` shows it", short(&plan.commit)),
                );
            }
            let known: BTreeSet<&str> = plans.iter().map(|plan| plan.id.as_str()).collect();
            let what = format!("{name} goes back");
            let done = self.wait.until(&what, async || look(&api, name, plan, &known, &dead).await).await?;
            tell(
                global,
                &done,
                &format!("{name} is back at commit {} (plan {})", short(&done.commit), done.id),
            )
        })
    }
}

fn tell(global: &Global, plan: &PlanView, words: &str) -> Result<ExitCode, Failure> {
    global.show(plan, |_| format!("{}\n", clean(words)))
}

fn was_applied(plan: &PlanView) -> bool {
    matches!(plan.status.as_str(), "applied" | "rolled_back")
}

/// The plan that is gone back to.
fn choose<'a>(
    name: &str,
    to: Option<&str>,
    plans: &'a [PlanView],
    digest: &str,
) -> Result<&'a PlanView, Failure> {
    let mut applied = plans.iter().filter(|plan| was_applied(plan));
    let Some(to) = to else {
        return applied.find(|plan| plan.digest != digest).ok_or_else(|| Failure::NotFound {
            message: format!("{name} was never deployed from anything else than it is now"),
            help: "change it in the Nest, or take it out of service: `gosling pause`".to_owned(),
        });
    };
    let fits: Vec<&PlanView> = plans.iter().filter(|plan| plan.id.starts_with(to)).collect();
    match fits[..] {
        [plan] if was_applied(plan) => Ok(plan),
        [plan] => Err(Failure::usage(
            format!("the plan {} is {} and was never in force", plan.id, plan.status),
            "choose one that was applied",
        )),
        [] => {
            let ids: Vec<&str> = applied.map(|plan| plan.id.as_str()).collect();
            let help = match (closest(to, ids.iter().copied()), ids.first()) {
                (Some(near), _) => format!("did you mean {near}?"),
                (None, Some(last)) => format!("the last that was applied is {last}"),
                (None, None) => "none was applied yet".to_owned(),
            };
            Err(Failure::NotFound { message: format!("{name} has no plan `{}`", clean(to)), help })
        }
        [..] => Err(Failure::usage(
            format!("{} plans of {name} begin with `{}`", fits.len(), clean(to)),
            "write more of the id",
        )),
    }
}

/// The rollbacks of an egg that were given up, with the reasons.
async fn given_up(api: &Api, name: &str) -> Result<Vec<(String, String)>, Failure> {
    let dead: Vec<DeadMessage> = api.list(&["queue", "dead"]).await?;
    let of_egg = |message: &DeadMessage| {
        message.kind == "rollback" && message.subject.iter().any(|subject| subject == name)
    };
    Ok(dead.into_iter().filter(of_egg).map(|message| (message.id, message.reason)).collect())
}

async fn look(
    api: &Api,
    name: &str,
    to: &PlanView,
    known: &BTreeSet<&str>,
    dead: &[(String, String)],
) -> Result<Seen<PlanView>, Failure> {
    let plans: Vec<PlanView> = api.list_of(&["eggs", name, "plans"], &[], 50).await?;
    let new = plans.into_iter().filter(|plan| !known.contains(plan.id.as_str()));
    let mut new = new.filter(|plan| plan.rollback_of.as_ref() == Some(&to.id)).peekable();
    let last = new.peek().map(|plan| (plan.status.clone(), plan.error.clone()));
    if let Some(done) = new.find(was_applied) {
        return Ok(Seen::Done(done));
    }
    let now = given_up(api, name).await?;
    if let Some((id, reason)) = now.into_iter().find(|one| !dead.contains(one)) {
        return Err(Failure::Failed {
            message: format!("{name} can't go back: {}", clean(&reason)),
            help: Some(format!("when the cause is gone: gosling queue replay {id}")),
        });
    }
    Ok(Seen::Goes(match last {
        Some((status, Some(error))) => {
            format!("its plan is {status}: {}", error.lines().next().unwrap_or_default())
        }
        Some((status, None)) => format!("its plan is {status}"),
        None => "it waits for its turn".to_owned(),
    }))
}
