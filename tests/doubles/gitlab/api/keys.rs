//! Deploy keys of projects.

use super::{
    Answer, Arc, Asked, Asker, Bytes, IntoResponse, Json, MAINTAINER, OriginalUri, Path, Place, Refusal,
    Router, Server, Shared, State, StatusCode, World, answers, body, flag, get, inner, json, needed, page,
    text, there,
};
use crate::doubles::gitlab::state::DeployKey;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/deploy_keys", get(keys).post(add))
        .route("/deploy_keys/{key}", get(one).put(set).delete(delete))
}

fn found(world: &mut World, project: u64, id: u64) -> Result<&mut DeployKey, Refusal> {
    let key = world.projects.get_mut(&project).and_then(|project| project.deploy_keys.get_mut(&id));
    key.ok_or_else(|| Refusal::not_found("404 Deploy Key Not Found"))
}

async fn keys(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    let world = shared.look();
    who.reads(MAINTAINER)?;
    there(&world, Place::Project(id))?;
    let all = world.projects.get(&id).into_iter().flat_map(|project| &project.deploy_keys);
    let all = all.map(|(id, key)| answers::deploy_key(*id, key)).collect();
    Ok(page(&world.url, &inner(&uri), &asked, all))
}

async fn one(State(shared): Server, who: Asker, Path((project, id)): Path<(u64, u64)>) -> Answer {
    who.reads(MAINTAINER)?;
    shared.change(|world| Ok(Json(answers::deploy_key(id, found(world, project, id)?)).into_response()))
}

/// A key without its comment.
fn material(key: &str) -> String {
    key.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

async fn add(State(shared): Server, who: Asker, Path(project): Path<u64>, bytes: Bytes) -> Answer {
    who.writes(Place::Project(project))?;
    let body = body(&bytes)?;
    let key = DeployKey {
        title: needed(&body, "title")?,
        key: needed(&body, "key")?,
        can_push: flag(&body, "can_push").unwrap_or(false),
    };
    if !key.key.starts_with("ssh-") || key.key.split_whitespace().count() < 2 {
        return Err(Refusal::bad(json!({ "key": ["is invalid"] })));
    }
    shared.change(|world| {
        there(world, Place::Project(project))?;
        let keys = world.projects.get(&project).into_iter().flat_map(|project| project.deploy_keys.values());
        if keys.into_iter().any(|other| material(&other.key) == material(&key.key)) {
            let why = json!({ "deploy_key.fingerprint_sha256": ["has already been taken"] });
            return Err(Refusal::bad(why));
        }
        let id = world.id();
        let made = answers::deploy_key(id, &key);
        if let Some(project) = world.projects.get_mut(&project) {
            project.deploy_keys.insert(id, key);
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
        let key = found(world, project, id)?;
        if let Some(title) = text(&body, "title") {
            key.title = title;
        }
        if let Some(can_push) = flag(&body, "can_push") {
            key.can_push = can_push;
        }
        Ok(Json(answers::deploy_key(id, key)).into_response())
    })
}

async fn delete(State(shared): Server, who: Asker, Path((project, id)): Path<(u64, u64)>) -> Answer {
    who.writes(Place::Project(project))?;
    shared.change(|world| {
        found(world, project, id)?;
        if let Some(project) = world.projects.get_mut(&project) {
            project.deploy_keys.remove(&id);
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}
