//! Pipeline schedules with their variables.

use super::{
    Answer, Arc, Asked, Asker, BTreeMap, Bytes, IntoResponse, Json, OriginalUri, Path, Place, Refusal,
    Router, Server, Shared, State, StatusCode, World, answers, body, flag, get, inner, json, needed, page,
    post, text, there,
};
use crate::doubles::gitlab::state::Schedule;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/pipeline_schedules", get(schedules).post(add))
        .route("/pipeline_schedules/{schedule}", get(schedule).put(set).delete(delete))
        .route("/pipeline_schedules/{schedule}/play", post(play))
        .route("/pipeline_schedules/{schedule}/variables", post(add_variable))
        .route(
            "/pipeline_schedules/{schedule}/variables/{key}",
            axum::routing::put(set_variable).delete(delete_variable),
        )
}

fn found(world: &mut World, project: u64, id: u64) -> Result<&mut Schedule, Refusal> {
    let schedule = world.projects.get_mut(&project).and_then(|project| project.schedules.get_mut(&id));
    schedule.ok_or_else(|| Refusal::not_found("404 Pipeline Schedule Not Found"))
}

async fn schedules(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    let world = shared.look();
    who.reads(0)?;
    there(&world, Place::Project(id))?;
    let all = world.projects.get(&id).into_iter().flat_map(|project| &project.schedules);
    let all = all.map(|(id, schedule)| answers::schedule(*id, schedule, false)).collect();
    Ok(page(&world.url, &inner(&uri), &asked, all))
}

async fn schedule(State(shared): Server, who: Asker, Path((project, id)): Path<(u64, u64)>) -> Answer {
    who.reads(0)?;
    shared.change(|world| Ok(Json(answers::schedule(id, found(world, project, id)?, true)).into_response()))
}

async fn add(State(shared): Server, who: Asker, Path(project): Path<u64>, bytes: Bytes) -> Answer {
    who.writes(Place::Project(project))?;
    let body = body(&bytes)?;
    let schedule = Schedule {
        description: needed(&body, "description")?,
        git_ref: needed(&body, "ref")?,
        cron: needed(&body, "cron")?,
        cron_timezone: text(&body, "cron_timezone").unwrap_or_else(|| "UTC".to_owned()),
        active: flag(&body, "active").unwrap_or(true),
        variables: BTreeMap::new(),
    };
    if schedule.cron.split_whitespace().count() != 5 {
        return Err(Refusal::bad(json!({ "cron": ["syntax is invalid"] })));
    }
    shared.change(|world| {
        there(world, Place::Project(project))?;
        let id = world.id();
        let made = answers::schedule(id, &schedule, true);
        if let Some(project) = world.projects.get_mut(&project) {
            project.schedules.insert(id, schedule);
        }
        Ok((StatusCode::CREATED, Json(made)).into_response())
    })
}

async fn set(
    State(shared): Server,
    who: Asker,
    Path((project, id)): Path<(u64, u64)>,
    bytes: Bytes,
) -> Answer {
    who.writes(Place::Project(project))?;
    let body = body(&bytes)?;
    shared.change(|world| {
        let schedule = found(world, project, id)?;
        let texts = [
            ("description", &mut schedule.description),
            ("ref", &mut schedule.git_ref),
            ("cron", &mut schedule.cron),
            ("cron_timezone", &mut schedule.cron_timezone),
        ];
        for (key, place) in texts {
            if let Some(new) = text(&body, key) {
                *place = new;
            }
        }
        if let Some(active) = flag(&body, "active") {
            schedule.active = active;
        }
        Ok(Json(answers::schedule(id, schedule, true)).into_response())
    })
}

async fn delete(State(shared): Server, who: Asker, Path((project, id)): Path<(u64, u64)>) -> Answer {
    who.writes(Place::Project(project))?;
    shared.change(|world| {
        found(world, project, id)?;
        if let Some(project) = world.projects.get_mut(&project) {
            project.schedules.remove(&id);
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

async fn play(State(shared): Server, who: Asker, Path((project, id)): Path<(u64, u64)>) -> Answer {
    who.writes(Place::Project(project))?;
    shared.change(|world| {
        found(world, project, id)?;
        world.play(project, id);
        Ok((StatusCode::CREATED, Json(json!({ "message": "201 Created" }))).into_response())
    })
}

impl World {
    /// The pipeline of a schedule: the jobs of its project's CI, with the schedule's variables. Their ids.
    pub fn play(&mut self, project: u64, schedule: u64) -> Vec<u64> {
        let Some(of) = self.projects.get(&project) else { return Vec::new() };
        let Some(schedule) = of.schedules.get(&schedule) else { return Vec::new() };
        let mut jobs = of.ci.clone();
        for job in &mut jobs {
            schedule.git_ref.trim_start_matches("refs/heads/").clone_into(&mut job.git_ref);
            job.variables.insert("CI_PIPELINE_SOURCE".to_owned(), "schedule".to_owned());
            let variables = schedule.variables.iter().map(|(key, (value, _))| (key.clone(), value.clone()));
            job.variables.extend(variables);
        }
        self.queue(project, jobs).1
    }
}

async fn add_variable(
    State(shared): Server,
    who: Asker,
    Path((project, id)): Path<(u64, u64)>,
    bytes: Bytes,
) -> Answer {
    who.writes(Place::Project(project))?;
    let body = body(&bytes)?;
    let (key, value) = (needed(&body, "key")?, needed(&body, "value")?);
    let kind = text(&body, "variable_type").unwrap_or_else(|| "env_var".to_owned());
    shared.change(|world| {
        let schedule = found(world, project, id)?;
        if schedule.variables.contains_key(&key) {
            return Err(Refusal::bad(json!({ "key": [format!("({key}) has already been taken")] })));
        }
        let of = (value, kind);
        let made = answers::variable(&key, &of);
        schedule.variables.insert(key, of);
        Ok((StatusCode::CREATED, Json(made)).into_response())
    })
}

fn of_variable<'a>(
    world: &'a mut World,
    project: u64,
    id: u64,
    key: &str,
) -> Result<&'a mut (String, String), Refusal> {
    let variable = found(world, project, id)?.variables.get_mut(key);
    variable.ok_or_else(|| Refusal::not_found("404 Pipeline Schedule Variable Not Found"))
}

async fn set_variable(
    State(shared): Server,
    who: Asker,
    Path((project, id, key)): Path<(u64, u64, String)>,
    bytes: Bytes,
) -> Answer {
    who.writes(Place::Project(project))?;
    let body = body(&bytes)?;
    shared.change(|world| {
        let variable = of_variable(world, project, id, &key)?;
        if let Some(value) = text(&body, "value") {
            variable.0 = value;
        }
        Ok(Json(answers::variable(&key, variable)).into_response())
    })
}

async fn delete_variable(
    State(shared): Server,
    who: Asker,
    Path((project, id, key)): Path<(u64, u64, String)>,
) -> Answer {
    who.writes(Place::Project(project))?;
    shared.change(|world| {
        let gone = answers::variable(&key, of_variable(world, project, id, &key)?);
        found(world, project, id)?.variables.remove(&key);
        Ok((StatusCode::ACCEPTED, Json(gone)).into_response())
    })
}
