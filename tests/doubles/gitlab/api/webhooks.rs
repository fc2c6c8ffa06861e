//! Webhooks of projects and of groups: the same calls for both.

use super::{
    Answer, Arc, Asked, Asker, Bytes, IntoResponse, Json, OriginalUri, Path, Place, Refusal, Router, Server,
    Shared, State, StatusCode, Value, World, answers, body, flag, get, inner, needed, page, text, there,
};
use crate::doubles::gitlab::state::Hook;

/// The events a hook can be sent for.
const EVENTS: [&str; 16] = [
    "push_events",
    "tag_push_events",
    "merge_requests_events",
    "issues_events",
    "confidential_issues_events",
    "note_events",
    "confidential_note_events",
    "job_events",
    "pipeline_events",
    "wiki_page_events",
    "deployment_events",
    "feature_flag_events",
    "releases_events",
    "milestone_events",
    "emoji_events",
    "resource_access_token_events",
];

pub(super) fn routes(place: fn(u64) -> Place) -> Router<Arc<Shared>> {
    let list = async move |State(shared): Server,
                           who: Asker,
                           Path(id): Path<u64>,
                           uri: OriginalUri,
                           asked: Asked| { hooks(&shared, &who, place(id), &uri, &asked) };
    let add = async move |State(shared): Server, who: Asker, Path(id): Path<u64>, bytes: Bytes| {
        add(&shared, &who, place(id), &bytes)
    };
    let one = async move |State(shared): Server, who: Asker, Path((id, hook)): Path<(u64, u64)>| {
        one(&shared, &who, place(id), hook)
    };
    let set = async move |State(shared): Server,
                          who: Asker,
                          Path((id, hook)): Path<(u64, u64)>,
                          bytes: Bytes| { set(&shared, &who, place(id), hook, &bytes) };
    let gone = async move |State(shared): Server, who: Asker, Path((id, hook)): Path<(u64, u64)>| {
        delete(&shared, &who, place(id), hook)
    };
    Router::new().route("/hooks", get(list).post(add)).route("/hooks/{hook}", get(one).put(set).delete(gone))
}

fn hooks(shared: &Shared, who: &Asker, place: Place, uri: &OriginalUri, asked: &Asked) -> Answer {
    let world = shared.look();
    there(&world, place)?;
    who.reads(super::role(place))?;
    let all = world.hooks.iter().filter(|(_, hook)| hook.place == place);
    Ok(page(&world.url, &inner(uri), asked, all.map(|(id, hook)| answers::hook(*id, hook)).collect()))
}

fn found(world: &mut World, place: Place, id: u64) -> Result<&mut Hook, Refusal> {
    let hook = world.hooks.get_mut(&id).filter(|hook| hook.place == place);
    hook.ok_or_else(|| Refusal::not_found("404 Not found"))
}

fn one(shared: &Shared, who: &Asker, place: Place, id: u64) -> Answer {
    who.reads(super::role(place))?;
    shared.change(|world| Ok(Json(answers::hook(id, found(world, place, id)?)).into_response()))
}

fn fill(hook: &mut Hook, body: &Value) -> Result<(), Refusal> {
    let url = needed(body, "url")?;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(Refusal::message(StatusCode::UNPROCESSABLE_ENTITY, "Invalid url given"));
    }
    hook.url = url;
    if let Some(token) = text(body, "token") {
        hook.token = Some(token);
    }
    if let Some(checked) = flag(body, "enable_ssl_verification") {
        hook.ssl_verification = checked;
    }
    for event in EVENTS {
        if let Some(sent) = flag(body, event) {
            hook.events.insert(event.to_owned(), sent);
        }
    }
    Ok(())
}

fn add(shared: &Shared, who: &Asker, place: Place, bytes: &Bytes) -> Answer {
    who.writes(place)?;
    let body = body(bytes)?;
    shared.change(|world| {
        there(world, place)?;
        let mut hook = Hook {
            place,
            url: String::new(),
            token: None,
            events: EVENTS.iter().map(|event| ((*event).to_owned(), *event == "push_events")).collect(),
            ssl_verification: true,
            uuid: uuid::Uuid::new_v4().to_string(),
        };
        fill(&mut hook, &body)?;
        let id = world.id();
        let made = answers::hook(id, &hook);
        world.hooks.insert(id, hook);
        Ok((StatusCode::CREATED, Json(made)).into_response())
    })
}

fn set(shared: &Shared, who: &Asker, place: Place, id: u64, bytes: &Bytes) -> Answer {
    who.writes(place)?;
    let body = body(bytes)?;
    shared.change(|world| {
        let hook = found(world, place, id)?;
        fill(hook, &body)?;
        Ok(Json(answers::hook(id, hook)).into_response())
    })
}

fn delete(shared: &Shared, who: &Asker, place: Place, id: u64) -> Answer {
    who.writes(place)?;
    shared.change(|world| {
        found(world, place, id)?;
        world.hooks.remove(&id);
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}
