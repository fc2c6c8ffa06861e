//! `POST /eggs/{name}/rotate`: the tokens of an egg's runners in GitLab are changed, or that is undone.

use axum::{Json, extract::State, http::StatusCode};

use super::{
    Api,
    auth::{Caller, Operate},
    eggs,
    problem::{Answer, At, Body, Refusal},
    runners::{TRIES, word},
    work,
};
use crate::{
    domain::Time,
    ports::store::StoreError,
    records::{self, AuditEntry, EggRecord, Rotation, RotationStep},
    roles::Work,
    wire::{EggView, Moment, Problem, RotateRequest, RotationView},
};

/// The tokens of an egg's runners are changed; machines go over to the new ones by themselves, and the old ones are revoked
/// when nobody works with them any more. Asking again while it goes on changes nothing. With `undo` the old ones stay, as
/// long as they are not revoked.
#[utoipa::path(
    post, path = "/eggs/{name}/rotate", tag = "operators", params(("name" = String, Path)),
    request_body = RotateRequest, security(("token" = ["operate"])),
    responses(
        (status = 202, body = EggView), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    )
)]
pub(super) async fn rotate(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(name): At<String>,
    Body(request): Body<RotateRequest>,
) -> Answer<(StatusCode, Json<EggView>)> {
    let egg = ask(&api, &name, &request, &caller.actor).await?;
    Ok((StatusCode::ACCEPTED, Json(eggs::view(&egg, &api.context.settings.nest))))
}

/// Writes down that a rotation is wanted, or that one is undone.
pub(super) async fn ask(api: &Api, name: &str, request: &RotateRequest, actor: &str) -> Answer<EggRecord> {
    for _ in 0..TRIES {
        let mut egg = eggs::known(api, name).await?;
        let now = api.now();
        let next = next(&egg.record, request, actor, now)?;
        let is_new = next.is_some();
        if let Some(rotation) = next {
            egg.record.rotation = Some(rotation);
            egg.record.updated = now;
            let action = if request.undo { "egg.rotate-undo" } else { "egg.rotate" };
            let entry = AuditEntry::new(now, actor, action, ("egg", name), serde_json::json!({}));
            match api.store().commit(vec![egg.update(), records::insert(&entry)]).await {
                Ok(()) => {}
                Err(StoreError::Conflict(_)) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        // Should this not come to pass, the next decision sees that there is a rotation.
        work::put_own(api, &Work::Rotate { egg: name.to_owned() }).await?;
        if is_new {
            tracing::info!(egg = name, actor, undo = request.undo, "a rotation was asked for");
        }
        return Ok(egg.record);
    }
    Err(Refusal::away(format!("others write `{name}` just now; try again")))
}

/// The rotation as it is from now on; none when it is so already.
fn next(egg: &EggRecord, request: &RotateRequest, actor: &str, now: Time) -> Answer<Option<Rotation>> {
    let name = &egg.name;
    if egg.removed {
        return Err(Refusal::conflict(format!("`{name}` has left the Nest; nothing of it is rotated")));
    }
    if egg.is_unlinked() {
        return Err(Refusal::conflict(format!(
            "`{name}` was taken out of GitLab, and has no token to rotate; put it back first: gosling link {name}"
        )));
    }
    let going = egg.rotating();
    if !request.undo {
        return match going {
            Some(rotation) if rotation.undo => Err(Refusal::conflict(format!(
                "the last rotation of `{name}` is being undone; wait until that is over"
            ))),
            Some(_) => Ok(None),
            None if egg.registered.values().all(|known| known.runner.is_none()) => Err(Refusal::conflict(
                format!("`{name}` has no runner in GitLab yet, and so no token to rotate"),
            )),
            None => Ok(Some(Rotation::new(actor, now))),
        };
    }
    match (going, &egg.rotation) {
        (Some(rotation), _) if rotation.undo => Ok(None),
        (Some(rotation), _) if rotation.step == RotationStep::Revoke => Err(revoked(name, rotation.moved)),
        (Some(rotation), _) => {
            let mut next = rotation.clone();
            next.undo = true;
            next.come_to(RotationStep::Register, now);
            Ok(Some(next))
        }
        (None, Some(rotation)) if !rotation.undo => Err(revoked(name, rotation.moved)),
        (None, _) => Err(Refusal::conflict(format!("there is no rotation of `{name}` that could be undone"))),
    }
}

fn revoked(name: &str, at: Time) -> Refusal {
    Refusal::conflict(format!(
        "the old token of `{name}` was revoked ({}) and can't come back; if the new one has leaked or doesn't work, \
         rotate once more: gosling rotate-tokens {name}",
        Moment::from(at)
    ))
}

/// A rotation as operators see it.
pub(super) fn view(rotation: &Rotation) -> RotationView {
    RotationView {
        step: word(&rotation.step),
        undo: rotation.undo,
        actor: rotation.actor.clone(),
        since: rotation.since.into(),
        moved: rotation.moved.into(),
        note: rotation.note.clone(),
    }
}
