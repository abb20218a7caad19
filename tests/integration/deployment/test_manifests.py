"""The Kubernetes manifests: as its schemas say, and as its strictest security standard asks."""

import copy
from typing import Any

import kubernetes_validate
import pytest

from testamur.application.dividing import SHARES
from tests.support.deployment import manifest, manifests

#: Kubernetes looks after its last three or four versions.
VERSIONS = tuple(kubernetes_validate.utils.all_versions()[-5:])

PODS = [each for each in manifests() if each["kind"] in ("Deployment", "Job")]
of_each_pod = pytest.mark.parametrize("pod", PODS, ids=lambda each: each["metadata"]["name"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "document", manifests(), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}"
)
def test_a_manifest_is_as_the_schema_says(document: Any, version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


def test_the_schema_would_refuse_a_slip() -> None:
    slip = copy.deepcopy(manifest("Deployment", "testamur-worker"))
    (container,) = slip["spec"]["template"]["spec"]["containers"]
    container["livenesProbe"] = container.pop("livenessProbe")
    with pytest.raises(kubernetes_validate.ValidationError, match="livenesProbe"):
        kubernetes_validate.validate(slip, VERSIONS[-1], strict=True)


@of_each_pod
def test_a_pod_meets_the_restricted_standard(pod: Any) -> None:
    # https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    specification = pod["spec"]["template"]["spec"]
    assert specification["securityContext"]["runAsNonRoot"] is True
    assert specification["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(specification)
    for container in specification["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not any("hostPort" in port for port in container.get("ports", ()))
    for volume in specification["volumes"]:
        assert set(volume) - {"name"} <= {"configMap", "emptyDir", "secret"}


@of_each_pod
def test_a_pod_says_what_it_needs_and_mounts_what_it_has(pod: Any) -> None:
    specification = pod["spec"]["template"]["spec"]
    for container in specification["containers"]:
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in specification["volumes"]}
        ports = {port["name"] for port in container.get("ports", ())}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe in container:
                assert container[probe]["httpGet"]["port"] in ports


def test_the_port_of_probes_is_the_one_that_a_worker_listens_at() -> None:
    (container,) = manifest("Deployment", "testamur-worker")["spec"]["template"]["spec"][
        "containers"
    ]
    environment = {each["name"]: each["value"] for each in container["env"]}
    (port,) = container["ports"]
    assert port["containerPort"] == int(environment["TESTAMUR_METRICS_PORT"])


@pytest.mark.parametrize("name", ["testamur-worker", "testamur-scheduler"])
def test_what_selects_pods_selects_those_of_its_deployment(name: str) -> None:
    deployment = manifest("Deployment", name)
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    budget = manifest("PodDisruptionBudget", name)
    (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    for selector in (deployment["spec"], budget["spec"], spread):
        chosen = selector.get("selector") or selector["labelSelector"]
        assert chosen["matchLabels"].items() <= labels.items()
        assert "app.kubernetes.io/component" in chosen["matchLabels"]


def test_a_budget_lets_a_node_be_emptied() -> None:
    scheduler = manifest("Deployment", "testamur-scheduler")
    scaler = manifest("HorizontalPodAutoscaler", "testamur-worker")["spec"]
    for name, least in (
        ("testamur-scheduler", scheduler["spec"]["replicas"]),
        ("testamur-worker", scaler["minReplicas"]),
    ):
        assert manifest("PodDisruptionBudget", name)["spec"]["minAvailable"] < least


def test_the_autoscaler_makes_no_more_workers_than_can_work_at_once() -> None:
    worker = manifest("Deployment", "testamur-worker")
    scaler = manifest("HorizontalPodAutoscaler", "testamur-worker")["spec"]
    assert scaler["scaleTargetRef"]["name"] == worker["metadata"]["name"]
    processes = int(manifest("ConfigMap", "testamur")["data"]["TESTAMUR_WORKER_PROCESSES"])
    assert scaler["maxReplicas"] * processes <= SHARES
    assert "replicas" not in worker["spec"]  # else applying it again would undo the scaling
