"""Tests of causes: what providers say about a start that waits or has failed, and which cause it is."""

import pytest

from bot.domain.failure_causes import Reason, choose_reason, find_reason
from bot.domain.workspaces import State
from bot.messages.texts.problems import explain_reason

SAID = {
    Reason.NO_GPU: [
        "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 3 No preemption victims found.",
        "2 node(s) didn't match Pod's node affinity/selector, 3 Insufficient amd.com/gpu.",
        "No GPUs available",
    ],
    Reason.NO_ROOM: [
        "0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.",
        "0/2 nodes are available: 1 node(s) had untolerated taint {dedicated: system}, 1 Too many pods.",
        "pod didn't trigger scale-up: 1 max node group size reached",
        "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 2 didn't match affinity/selector.",
        "0/1 nodes are available: 1 node(s) had taint {node.cloudprovider.kubernetes.io/uninitialized: true}",
        "Not enough memory on node",
        "No existing nodes are currently able to run your server",
    ],
    Reason.ADDING: [
        "pod triggered scale-up: [{gpu-pool 0->1 (max: 4)}]",
        "Launching new nodes by scaling up the cluster",
    ],
    Reason.NO_MATCH: [
        "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector.",
        "Requested node configuration is not available",
        "no such GPU: a100",
    ],
    Reason.QUOTA: [
        'pods "jupyter-ana" is forbidden: exceeded quota: compute, requested: limits.cpu=4',
        "maximum memory usage per Container is 2Gi, but limit is 4Gi",
        "QOSMaxGRESPerUser",
    ],
    Reason.IMAGE: [
        'Failed to pull image "example.org/lab:9": manifest unknown',
        'Back-off pulling image "example.org/lab:9"',
        "ErrImagePull",
        "ImagePullBackOff",
        "the image of this server could not be pulled",
        "image pull failed",
        'Error pulling image "example.org/lab:9": pull image failed',
        'pulling image "example.org/lab:9" failed',
    ],
    Reason.PROFILE: [
        "No such profile: gpu. Options include: small, large",
        "The profile 'large' is misconfigured",
        "Profile gpu not found",
    ],
    Reason.DISK: [
        "OSError: [Errno 28] No space left on device: '/srv/ana/.local'",
        "Disk quota exceeded",
        "Your home directory is over quota",
        "The quota for storage is used up",
        "Inode quota reached on /home",
        "The node was low on resource: ephemeral-storage.",
        "node(s) had disk pressure",
    ],
    Reason.MEMORY: ["OOMKilled", "Container exited with exit code 137", "oom-kill event", "Out of memory"],
    Reason.STORAGE: [
        'MountVolume.SetUp failed for volume "home"',
        'AttachVolume.Attach failed for volume "pvc-1" : timed out waiting for external-attacher',
        "Multi-Attach error for volume pvc-1: Volume is already used by pod jupyter-ana",
        "pod has unbound immediate PersistentVolumeClaims",
    ],
    Reason.LICENSE: ["Your license has expired", "The licence limit of 5 sessions is reached"],
    Reason.DENIED: [
        'pods is forbidden: User "hub" cannot create resource',
        "admission webhook denied the request",
    ],
    Reason.CRASHED: ["CrashLoopBackOff", "Back-off restarting failed container", "exited with code 1"],
    Reason.TAKEN: [
        "Preempted by a pod on node n1",
        "Evicting pod",
        "Pod was terminated in response to node shutdown",
    ],
    Reason.SLOW: [
        "Timeout",
        "pod jupyter/jupyter-ana did not start in 300 seconds!",
        "Server at http://10.0.0.1:8888/ didn't respond in 30 seconds",
    ],
    Reason.CANCELED: ["start canceled", "stop canceled", "delete canceled"],
}


@pytest.mark.parametrize(("reason", "message"), [(key, one) for key, said in SAID.items() for one in said])
def test_what_providers_say_is_the_cause_that_people_meet(reason, message):
    assert find_reason(message) is reason


PLAIN = [
    *("", "Successfully pulled image", "Started container notebook", "Spawning server", "Launching"),
    *('Pulling image "example.org/lab:9"', "HTTP 500", "error 17"),
]
#: Events of Kubernetes that report progress, although they contain words that also occur in failures.
PROGRESS = [
    'AttachVolume.Attach succeeded for volume "pvc-1"',
    'MountVolume.SetUp succeeded for volume "home"',
    'Pulling image "example.org/error-analysis:9"',
]


@pytest.mark.parametrize("message", [*PLAIN, *PROGRESS])
def test_anything_else_is_none(message):
    assert find_reason(message) is None


SHORT = {
    "0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory, 1 Insufficient cpu.": (
        "There's no room for it on Hub right now: not enough CPU and memory."
    ),
    "0/2 nodes are available: 2 Insufficient ephemeral-storage.": (
        "There's no room for it on Hub right now: not enough disk space."
    ),
    "Not enough memory on node": "There's no room for it on Hub right now: not enough memory.",
    "pod didn't trigger scale-up: 1 max node group size reached": "There's no room for it on Hub right now.",
    "0/3 nodes are available: 1 Insufficient cpu, 3 Insufficient nvidia.com/gpu.": (
        "There's no free GPU on Hub right now."
    ),
}


@pytest.mark.parametrize("message", SHORT)
def test_no_room_names_what_is_missing_where_that_is_said(message):
    assert explain_reason(message, "Hub", is_over=False, helps=False) == SHORT[message]


@pytest.mark.parametrize("new", ["disk in use", "timed out", None], ids=str)
def test_failed_stop_has_a_reason_of_its_own(new):
    """The reason why the previous start failed doesn't explain why the stop failed."""
    assert choose_reason(State.STOPPING, "no such image", State.FAILED, new) == new


@pytest.mark.parametrize(
    ("new", "kept"), [("", None), (None, "no such image"), ("timed out", "no such image")]
)
def test_reason_of_a_start_is_dropped_only_if_nothing_holds_it_up(new, kept):
    assert choose_reason(State.STARTING, "no such image", State.STARTING, new) == kept
