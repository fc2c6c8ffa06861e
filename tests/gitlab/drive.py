"""Drives the fake GitLab with python-gitlab: makes, reads, changes and removes what the service uses."""

import sys

import gitlab
import requests

url, token = sys.argv[1:]
gl = gitlab.Gitlab(url, private_token=token, retry_transient_errors=False)
version, _ = gl.version()
assert version == "17.8.1-ee", version

project = gl.projects.get(7)
assert project.path_with_namespace == "team/inner/web"
assert project.namespace["kind"] == "group" and project.namespace["parent_id"] == 5
group = gl.groups.get(5)
assert gl.groups.get(6).parent_id == 5
assert sorted(p.id for p in group.projects.list(include_subgroups=True, get_all=True)) == [7, 8]
assert [p.id for p in group.projects.list(get_all=True)] == [8]

# Runners, of a project and of a group.
made = gl.user.runners.create(
    {"runner_type": "project_type", "project_id": 7, "tag_list": ["a", "b"], "run_untagged": False,
     "description": "web", "maintenance_note": "a note", "maximum_timeout": 3600}
) if getattr(gl, "user", None) else None
if made is None:
    answer = gl.http_post(
        "/user/runners",
        post_data={"runner_type": "project_type", "project_id": 7, "tag_list": ["a", "b"], "run_untagged": False,
                   "description": "web", "maintenance_note": "a note", "maximum_timeout": 3600},
    )
    runner_id, runner_token = answer["id"], answer["token"]
else:
    runner_id, runner_token = made.id, made.token
assert runner_token.startswith("glrt-")
runner = gl.runners.get(runner_id)
assert sorted(runner.tag_list) == ["a", "b"] and runner.maintenance_note == "a note"
assert runner.runner_type == "project_type" and runner.status == "never_contacted"
runner.description = "other"
runner.tag_list = ["a", "b", "c"]
runner.access_level = "ref_protected"
runner.save()
runner = gl.runners.get(runner_id)
assert runner.description == "other" and sorted(runner.tag_list) == ["a", "b", "c"]
assert runner.access_level == "ref_protected"
assert [r.id for r in project.runners.list(type="project_type", get_all=True)] == [runner_id]

# A machine takes a job, and is told of.
verified = requests.post(f"{url}/api/v4/runners/verify", json={"token": runner_token, "system_id": "r_1"})
assert verified.status_code == 200
given = requests.post(f"{url}/api/v4/jobs/request", json={"token": runner_token, "system_id": "r_1"})
assert given.status_code == 201, given.text
jobs = runner.jobs.list(status="running", get_all=True)
assert [job.id for job in jobs] == [given.json()["id"]]
managers = gl.http_list(f"/runners/{runner_id}/managers", get_all=True)
assert [m["system_id"] for m in managers] == ["r_1"]

# Jobs, over several pages, both ways of turning them.
pending = project.jobs.list(scope="pending", get_all=True)
assert len(pending) == 44, len(pending)
keyed = project.jobs.list(scope=["pending"], pagination="keyset", order_by="id", sort="desc", per_page=10, get_all=True)
assert [j.id for j in keyed] == sorted((j.id for j in pending), reverse=True)
job = project.jobs.get(jobs[0].id)
assert job.status == "running" and sorted(job.tag_list) == ["a", "b"]
assert job.runner["id"] == runner_id and job.ref == "main" and job.tag is False
assert sum(1 for _ in project.jobs.list(iterator=True)) == 45

# Hooks of a project and of a group.
for place in (project, group):
    hook = place.hooks.create({"url": "https://example.com/a", "token": "s", "job_events": True, "push_events": False})
    assert hook.job_events is True and hook.push_events is False and not hasattr(hook, "token")
    hook.url = "https://example.com/b"
    hook.pipeline_events = True
    hook.save()
    hook = place.hooks.get(hook.id)
    assert hook.url == "https://example.com/b" and hook.pipeline_events is True and hook.job_events is True
    assert [h.id for h in place.hooks.list(get_all=True)] == [hook.id]
    hook.delete()
    assert place.hooks.list(get_all=True) == []

# Protected branches.
project.protectedbranches.create({"name": "release/*"})
assert {b.name for b in project.protectedbranches.list(get_all=True)} == {"main", "release/*"}
assert project.protectedtags.list(get_all=True) == []

# Schedules with variables.
schedule = project.pipelineschedules.create(
    {"description": "nightly", "ref": "main", "cron": "0 4 * * *", "cron_timezone": "UTC"}
)
variable = schedule.variables.create({"key": "A", "value": "1"})
schedule.variables.update("A", {"value": "2"})
schedule.variables.create({"key": "B", "value": "3"})
schedule.variables.delete("B")
schedule.cron = "0 5 * * *"
schedule.save()
schedule = project.pipelineschedules.get(schedule.id)
assert schedule.cron == "0 5 * * *" and schedule.active is True
assert [(v["key"], v["value"]) for v in schedule.attributes["variables"]] == [("A", "2")]
schedule_id = schedule.id
# What playing answers takes the place of the schedule's fields in this object, the id too.
schedule.play()
assert any(j.name == "rotate" for j in project.jobs.list(get_all=True))
project.pipelineschedules.delete(schedule_id)
assert project.pipelineschedules.list(get_all=True) == []

# Deploy keys.
assert project.build_timeout == 3600
public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8tSDkFMeyE0sGbiVOQl7hvuQ1fFIVf0WVBOQqIo8Vc"
key = project.keys.create({"title": "robot", "key": public + " a@b", "can_push": False})
project.keys.update(key.id, {"title": "other", "can_push": True})
key = project.keys.get(key.id)
assert key.title == "other" and key.can_push is True and key.key.startswith(public)
assert [k.id for k in project.keys.list(get_all=True)] == [key.id]
try:
    project.keys.create({"title": "again", "key": public})
except gitlab.GitlabCreateError as error:
    assert error.response_code == 400
else:
    raise AssertionError("a key is taken twice")
key.delete()
assert project.keys.list(get_all=True) == []

# Refusals.
for ask, code in (
    (lambda: gl.projects.get(1), 404),
    (lambda: project.jobs.get(1), 404),
    (lambda: project.hooks.create({"url": "nonsense"}), 422),
    (lambda: project.pipelineschedules.create({"description": "x", "ref": "main", "cron": "bad"}), 400),
):
    try:
        ask()
    except gitlab.GitlabError as error:
        assert error.response_code == code, (error.response_code, code)
    else:
        raise AssertionError(f"no {code}")
try:
    gitlab.Gitlab(url, private_token="wrong").projects.get(7)
except gitlab.GitlabAuthenticationError as error:
    assert error.response_code == 401
else:
    raise AssertionError("a wrong token is taken")

reset = gl.http_post(f"/runners/{runner_id}/reset_authentication_token")
assert reset["token"] != runner_token
gl.runners.delete(runner_id)
assert project.runners.list(type="project_type", get_all=True) == []
print("all well")
