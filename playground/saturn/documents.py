"""Users, resources, pods and runs in the format of the published document, as on a server of 2026."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from playground.saturn.accounts import Person, Token
from playground.saturn.asking import timestamp
from playground.saturn.resources import Resource, Run
from playground.saturn.state import SIZES

AUTO_SHUTOFF = ("1 hour", "6 hours", "24 hours", "3 days", "7 days", "Never")
IMAGE = "public.ecr.aws/saturncloud/saturn-python:2026.01.01"
#: The order in which the states of a run's live pods determine its state. Without a live pod, the number of
#: pods that succeeded does.
_LIVE = ("running", "stopping", "pending")


def when(moment: float) -> str:
    """Format epoch seconds like the document's timestamps."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def user(person: Person) -> dict[str, Any]:
    """Return a user."""
    return {
        "id": person.id,
        "username": person.name,
        "avatar_url": f"https://avatars.example/{person.id}",
        "created_at": when(0.0),
        "full_name": person.name.title(),
        "email": f"{person.name}@example.com",
        "admin": person.admin,
        "locked": False,
        "locked_reason": "",
        "is_multiple_ssh_keys": False,
        "active": True,
    }


def token(one: Token, value: str = "") -> dict[str, Any]:
    """Return a token as shown in lists or, if it is new, together with its value."""
    shown = {
        "id": one.id,
        "description": one.description,
        "created_at": timestamp(one.created_at),
        "expires_at": timestamp(one.expires_at),
        "refresh_expires_at": None,
        "scope": None,
        "user_id": one.person.id,
        "group_id": None,
    }
    return shown | ({"access_token": value, "refresh_token": None} if value else {})


def sizes() -> dict[str, Any]:
    """Return the sizes with their prices. One size is out of stock."""
    prices = {"medium": 0.09, "large": 0.21, "xlarge": 0.42}
    off = {"disabled": True, "disabled_message": "No T4 left in this region"}
    return {
        name: {
            **size,
            "gpu_type": "T4" if size["gpu"] else None,
            "hardware_type": "NVIDIA" if size["gpu"] else "CPU",
            "cloud": "aws",
            "display": size["display_name"],
            "price_per_hour": prices.get(name),
            **(off if size["gpu"] else {}),
        }
        for name, size in SIZES.items()
    }


def workspace(resource: Resource, organisation: str, now: float, address: str) -> dict[str, Any]:
    """Return a workspace."""
    spec = resource.spec
    live = resource.live()
    return {
        **_shared(resource, organisation, now),
        "resource_type": "workspace",
        "ide": spec.get("ide") or "jupyter",
        "disk_space": spec.get("disk_space") or "10Gi",
        "auto_shutoff": spec.get("auto_shutoff") or "1 hour",
        "start_ssh": False,
        "subdomain": f"w-{resource.id[:8]}",
        "started_at": when(live[-1].created_at) if live else None,
        "self_destruct": bool(spec.get("self_destruct")),
        "url": address,
        "ssh_url": None,
    }


def job(resource: Resource, organisation: str, now: float) -> dict[str, Any]:
    """Return a job."""
    spec = resource.spec
    started = [run.created_at for run in resource.runs]
    cron = {"schedule": resource.cron, "concurrency_policy": "Allow"}
    return {
        **_shared(resource, organisation, now),
        "resource_type": "job",
        "command": spec.get("command") or "true",
        "scale": resource.scale,
        "retries": int(spec.get("retries") or 0),
        "last_deploy": when(max(started, default=resource.created_at)),
        "running_count": sum(run.status == "running" for run in resource.live()),
        "scheduled": resource.next_fire_at is not None,
        **({} if resource.cron is None else {"cron_schedule_options": cron}),
    }


def recipe(resource: Resource, now: float, address: str, *, as_template: bool = False) -> dict[str, Any]:
    """Return a resource as a recipe."""
    spec = {"image": IMAGE, **{key: value for key, value in resource.spec.items() if value is not None}}
    if resource.type == "workspace" and spec.get("auto_shutoff") not in AUTO_SHUTOFF:
        spec["auto_shutoff"] = "1 hour"
    if resource.type == "job":
        spec = {key: value for key, value in spec.items() if key not in {"auto_shutoff", "disk_space"}}
        spec["schedule"] = resource.cron if resource.next_fire_at is not None else None
        spec.setdefault("command", "true")
    if as_template:
        return {"type": resource.type, "spec": {key: one for key, one in spec.items() if key != "owner"}}
    state = {"id": resource.id, "status": resource.status(now), "url": address or None}
    return {"type": resource.type, "spec": spec, "state": state}


def pod(resource: Resource, run: Run) -> dict[str, Any]:
    """Return the API's summary of a pod that is alive or has just ended."""
    labels = {"saturncloud.io/resource-id": resource.id, "saturncloud.io/resource-type": resource.type}
    if resource.type == "job":
        labels["job-name"] = run.job
    return {
        **_of_kubernetes(run.name, run.started_at, labels),
        "controller_kind": "Job" if resource.type == "job" else "ReplicaSet",
        "conditions": [_scheduled(resource, run)],
        "status": run.status,
        "reason": run.reason,
        "node_name": None if run.status == "pending" else "node-1",
        "completed_at": timestamp(run.ended_at),
        "init_container_summaries": [],
        "container_summaries": [_container(resource, run)],
    }


def run_summary(resource: Resource, pods: list[Run]) -> dict[str, Any]:
    """Return the API's summary of a run: a Kubernetes job, which consists of pods."""
    ended = [run.ended_at for run in pods if run.ended_at is not None]
    status = run_status(resource, pods)
    return {
        **_of_kubernetes(pods[0].job, pods[0].created_at, {"saturncloud.io/resource-id": resource.id}),
        "controller_kind": None,
        "conditions": [],
        "status": status,
        "scale": resource.scale,
        "running_count": sum(run.status == "running" for run in pods),
        "active_count": sum(run.ended_at is None for run in pods),
        "completed_at": None if status in _LIVE else timestamp(max(ended)),
    }


def run_status(resource: Resource, pods: list[Run]) -> str:
    """Return the state of a run, as determined by its pods."""
    words = [run.status for run in pods]
    for word in _LIVE:
        if word in words:
            return word
    if words.count("completed") >= resource.scale:
        return "completed"
    return "error" if "error" in words else "stopped"


def past_pod(run: Run) -> dict[str, Any]:
    """Return a pod's entry in the history, which says when the pod was last seen but not when it ended."""
    return {
        "pod_name": run.name,
        "status": run.status,
        "last_seen": when(run.ended_at or run.created_at),
        "start_time": when(run.started_at or run.created_at),
        "label_job_name": run.job,
    }


def _shared(resource: Resource, organisation: str, now: float) -> dict[str, Any]:
    spec, made = resource.spec, when(resource.created_at)
    size = SIZES.get(str(spec.get("instance_type")), SIZES["medium"])
    return {
        "id": resource.id,
        "name": resource.name,
        "owner": _owner(resource, organisation),
        "description": "",
        "image_tag": _image_tag(resource, organisation),
        "instance_size": size["name"],
        "size_display": size["display_name"],
        "extra_packages": None,
        "start_script": spec.get("start_script") or None,
        "environment_variables": {},
        "working_dir": spec.get("working_directory") or "/home/jovyan/workspace",
        "is_spot": False,
        "start_dind": False,
        "k8s_name": f"{resource.type[0]}-{resource.id[:8]}",
        "require_restart": False,
        "debug_mode": False,
        "created_at": made,
        "updated_at": made,
        "status": resource.status(now),
    }


def _owner(resource: Resource, organisation: str) -> dict[str, Any]:
    return {
        "id": f"owner-{resource.owner}",
        "name": f"{organisation}/{resource.owner}",
        "identity_name": resource.owner,
        "org_name": organisation,
        "org_admin": False,
        "org_id": f"org-{organisation}",
        "identity_type": "user",
        "created_at": when(0.0),
        "avatar_url": f"https://avatars.example/{resource.owner}",
    }


def _organisation(name: str) -> dict[str, Any]:
    return {
        "id": f"org-{name}",
        "name": name,
        "created_at": when(0.0),
        "avatar_url": f"https://avatars.example/{name}",
        "email": f"{name}@example.com",
        "description": "",
        "website_url": None,
        "logo_image_url": "",
        "limits_id": None,
        "is_primary": True,
        "locked": False,
        "locked_reason": "",
    }


def owner_of(person: Person, name: str, organisation: str) -> dict[str, Any]:
    """Return an entry in the list of owners for whom a person may act."""
    return {
        "id": f"owner-{name}",
        "name": f"{organisation}/{name}",
        "identity_name": name,
        "identity_type": "user" if name == person.name else "group",
        "org_name": organisation,
        "org_admin": False,
        "org_id": f"org-{organisation}",
        "org": _organisation(organisation),
        "user_id": person.id,
        "user": user(person),
        "created_at": when(0.0),
        "avatar_url": f"https://avatars.example/{name}",
    }


def _image_tag(resource: Resource, organisation: str) -> dict[str, Any]:
    image = resource.spec.get("image")
    uri = image if isinstance(image, str) else (image or {}).get("uri") or IMAGE
    return {
        "id": "tag-1",
        "created_at": when(0.0),
        "image": {
            "id": "image-1",
            "name": "saturn-python",
            "owner": _owner(resource, organisation),
            "description": "",
            "hardware_type": "CPU",
            "supports": [],
            "access": "org",
            "is_base": False,
            "is_gpu": False,
            "trusted": True,
            "created_at": when(0.0),
        },
        "image_uri": uri,
        "description": "",
        "version": "2026.01.01",
        "archived": False,
        "is_external": False,
        "status": "available",
    }


def _of_kubernetes(name: str, started_at: float | None, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "main-namespace",
        "uid": f"uid-{name}",
        "controller_uid": None,
        "labels": labels,
        "annotations": {},
        "started_at": timestamp(started_at),
        "deleted_at": None,
    }


def _scheduled(resource: Resource, run: Run) -> dict[str, Any]:
    waits = run.unscheduled
    if run.status == "pending":
        waits = resource.condition or resource.unscheduled(resource)
    return {
        "type": "PodScheduled",
        "status": "False" if waits else "True",
        "reason": "Unschedulable" if waits else None,
        "message": waits,
        "last_transition_time": timestamp(run.created_at),
        "last_probe_time": None,
    }


def _container(resource: Resource, run: Run) -> dict[str, Any]:
    words = {"pending": "waiting", "stopping": "running", "stopped": "completed"}
    return {
        **_of_kubernetes("main", run.started_at, {}),
        "controller_kind": None,
        "conditions": [],
        "status": words.get(run.status, run.status),
        "exit_code": run.exit_code,
        "finished_at": timestamp(run.ended_at),
        "image_pulled": run.started_at is not None,
        "restart_policy": "Never" if resource.type == "job" else "Always",
        "previous": None,
        "reason": run.reason,
    }
