//! Pipeline schedules of the Nest's jobs, known by their descriptions.

use serde_json::json;

use super::{Linking, Thing};
use crate::{
    ports::gitlab::{Place, Schedule},
    records::Served,
    roles::worker::{Failure, access},
    wire::{LinkChange, LinkedThing},
};

/// What a schedule should be.
fn wanted(of: &flyc::artifact::Schedule) -> Schedule {
    Schedule {
        id: None,
        description: of.description.clone(),
        git_ref: of.git_ref.clone(),
        cron: of.cron.clone(),
        cron_timezone: of.cron_timezone.clone(),
        active: of.active,
        variables: of.variables.clone(),
    }
}

/// What of a schedule is not as it should be.
fn difference(there: &Schedule, wanted: &Schedule) -> Vec<&'static str> {
    [
        (there.description != wanted.description, "its description"),
        (there.git_ref != wanted.git_ref, "its branch"),
        (there.cron != wanted.cron, "when it fires"),
        (there.cron_timezone != wanted.cron_timezone, "its time zone"),
        (there.active != wanted.active, "whether it fires"),
        (there.variables != wanted.variables, "its variables"),
    ]
    .into_iter()
    .filter_map(|(differs, what)| differs.then_some(what))
    .collect()
}

impl Linking<'_> {
    /// Brings the schedule of a job to what it should be.
    pub(super) async fn schedules(&mut self, owner: &str) -> Result<(), Failure> {
        self.each_schedule(owner, true).await
    }

    /// Takes the schedule of a job away.
    pub(super) async fn remove_schedules(&mut self, owner: &str) -> Result<(), Failure> {
        self.each_schedule(owner, false).await
    }

    async fn each_schedule(&mut self, owner: &str, is_link: bool) -> Result<(), Failure> {
        let Some(Served::Job(job)) = self.egg(owner).map(|egg| &egg.served) else { return Ok(()) };
        let (name, wanted) = (job.name.clone(), wanted(&job.schedule));
        for spot in self.spots(owner) {
            let Place::Project(project) = spot.place else { continue };
            let thing = Thing {
                kind: LinkedThing::Schedule,
                server: spot.server.clone(),
                place: spot.place,
                within: None,
                name: Some(name.clone()),
            };
            if self.is_away(&spot.server) {
                let why = format!("{} is away; this was not tried", spot.server);
                self.came(&thing, Err(Failure::later(why)));
                continue;
            }
            let wanted = is_link.then_some(&wanted);
            let done = self.schedule(owner, &thing, &spot, project, wanted).await;
            self.came(&thing, done);
        }
        Ok(())
    }

    async fn schedule(
        &mut self,
        owner: &str,
        thing: &Thing,
        spot: &access::Spot,
        project: u64,
        wanted: Option<&Schedule>,
    ) -> Result<(), Failure> {
        let gitlab = &*self.context.ports.gitlab;
        let key = spot.key();
        let recorded = self.egg(owner).and_then(|egg| egg.registered.get(&key)?.schedule);
        let Some(Served::Job(job)) = self.egg(owner).map(|egg| &egg.served) else { return Ok(()) };
        let mark = job.schedule.description.clone();
        let access = access::to_spot(self.context, owner, spot, &self.eggs).await?;
        let mut ours: Vec<Schedule> = gitlab.schedules(&access, project).await?;
        ours.retain(|one| one.description == mark || (one.id.is_some() && one.id == recorded));
        ours.sort_by_key(|one| (one.id != recorded, one.id));
        let mut kept = recorded;
        let mut ours = ours.into_iter();
        if let Some(wanted) = wanted {
            match ours.next() {
                None => {
                    let mut id = None;
                    if !self.is_dry() {
                        id = Some(gitlab.put_schedule(&access, project, wanted).await?);
                        self.note_schedule(owner, "schedule.make", &key, id, id).await?;
                        kept = id;
                    }
                    self.steps.push(thing.step(LinkChange::Make, id, None));
                }
                Some(there) => {
                    let why = difference(&there, wanted);
                    if why.is_empty() {
                        if kept != there.id {
                            kept = there.id;
                            self.amend(owner, Vec::new(), |egg| {
                                egg.registered.entry(key.clone()).or_default().schedule = kept;
                            })
                            .await?;
                        }
                        self.steps.push(thing.step(LinkChange::Keep, there.id, None));
                    } else {
                        if !self.is_dry() {
                            let wanted = Schedule { id: there.id, ..wanted.clone() };
                            gitlab.put_schedule(&access, project, &wanted).await?;
                            kept = there.id;
                            self.note_schedule(owner, "schedule.change", &key, there.id, kept).await?;
                        }
                        self.steps.push(thing.step(LinkChange::Change, there.id, Some(why.join(", "))));
                    }
                }
            }
        } else {
            kept = None;
        }
        for more in ours {
            let Some(id) = more.id else { continue };
            if !self.is_dry() {
                gitlab.delete_schedule(&access, project, id).await?;
                self.note_schedule(owner, "schedule.remove", &key, Some(id), kept).await?;
            }
            let why = wanted.map(|_| "a double".to_owned());
            self.steps.push(thing.step(LinkChange::Remove, Some(id), why));
        }
        if wanted.is_none() && recorded.is_some() {
            self.amend(owner, Vec::new(), |egg| {
                if let Some(registered) = egg.registered.get_mut(&key) {
                    registered.schedule = None;
                }
            })
            .await?;
        }
        Ok(())
    }

    async fn note_schedule(
        &mut self,
        owner: &str,
        action: &str,
        key: &str,
        id: Option<u64>,
        kept: Option<u64>,
    ) -> Result<(), Failure> {
        let entry = self.entry(action, owner, json!({ "place": key, "schedule": id }));
        self.amend(owner, vec![entry], |egg| {
            egg.registered.entry(key.to_owned()).or_default().schedule = kept;
        })
        .await
    }
}
