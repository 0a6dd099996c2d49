"""The manifests fit the API's schemas. They have never been on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cw.settings import SECRETS, TABLE, load_settings
from tests.needs import require

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
FILES = sorted(one.name for one in FOLDER.glob("*.yaml") if one.name != "secret.yaml")
VERSION = "1.33"
# KEDA's resources are not the API's own: what of their schemas is used here.
_KEDA: dict[str, dict[str, Any]] = {
    "ScaledObject": {
        "type": "object",
        "required": ["scaleTargetRef", "triggers"],
        "additionalProperties": False,
        "properties": {
            "scaleTargetRef": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {"kind": {"type": "string"}, "name": {"type": "string"}},
            },
            "minReplicaCount": {"type": "integer", "minimum": 0},
            "maxReplicaCount": {"type": "integer", "minimum": 1},
            "pollingInterval": {"type": "integer"},
            "cooldownPeriod": {"type": "integer"},
            "advanced": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"horizontalPodAutoscalerConfig": {"type": "object"}},
            },
            "triggers": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["type", "metadata"],
                    "additionalProperties": False,
                    "properties": {
                        "type": {"const": "redis"},
                        "metadata": {
                            "type": "object",
                            "required": ["address", "listName", "listLength"],
                            "additionalProperties": {"type": "string"},
                        },
                        "authenticationRef": {"type": "object", "required": ["name"]},
                    },
                },
            },
        },
    },
    "TriggerAuthentication": {
        "type": "object",
        "required": ["secretTargetRef"],
        "additionalProperties": False,
        "properties": {
            "secretTargetRef": {
                "type": "array",
                "items": {"type": "object", "required": ["parameter", "name", "key"]},
            }
        },
    },
}


def documents(name: str) -> list[dict[str, Any]]:
    try:
        import yaml
    except ImportError:
        yaml = None
    require(yaml, "PyYAML")
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


def pods(name: str) -> dict[str, Any]:
    """The pod's template of the file's workload."""
    found: dict[str, Any] = documents(name)[-1]["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("name", [one for one in FILES if one != "kustomization.yaml"])
def test_manifest_fits_its_schema(name: str) -> None:
    try:
        import kubernetes_validate
    except ImportError:
        kubernetes_validate = None
    require(kubernetes_validate, "kubernetes-validate")
    from jsonschema import validate

    for one in documents(name):
        if one["kind"] in _KEDA:
            assert one["apiVersion"] == "keda.sh/v1alpha1"
            validate(one["spec"], _KEDA[one["kind"]])
        else:
            kubernetes_validate.validate(one, VERSION, strict=True)


def test_kustomization_names_every_file() -> None:
    (kustomization,) = documents("kustomization.yaml")

    there = {"secret.yaml" if one == "secret.example.yaml" else one for one in FILES}
    assert {*kustomization["resources"], "kustomization.yaml"} == there


@pytest.mark.parametrize("name", ["redis.yaml", "hosts.yaml", "beat.yaml", "flower.yaml"])
def test_no_pod_has_a_privilege_and_each_says_what_it_needs(name: str) -> None:
    pod = pods(name)

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for one in [*pod["containers"], *pod.get("initContainers", [])]:
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert one["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", ["redis.yaml", "hosts.yaml", "beat.yaml", "flower.yaml"])
def test_every_secret_that_is_used_is_explained(name: str) -> None:
    (secret,) = documents("secret.example.yaml")
    pod = pods(name)
    mounted = {
        item["key"]
        for volume in pod["volumes"]
        if "secret" in volume
        for item in volume["secret"]["items"]
    }
    named = {
        one["valueFrom"]["secretKeyRef"]["key"]
        for container in pod.get("initContainers", [])
        for one in container.get("env", [])
        if "secretKeyRef" in one.get("valueFrom", {})
    }

    assert mounted | named <= set(secret["stringData"])


def test_every_secret_of_the_settings_is_a_file_that_its_pods_have() -> None:
    has: dict[str, set[str]] = {}
    for name in ("hosts.yaml", "beat.yaml", "flower.yaml"):
        pod = pods(name)
        (items,) = (one["secret"]["items"] for one in pod["volumes"] if "secret" in one)
        there = {f"/secrets/{item['path']}" for item in items}
        for one in pod["containers"][0]["env"]:
            if one["name"].endswith("_FILE") and one["value"].startswith("/secrets/"):
                assert one["value"] in there, f"{name} has no {one['value']}"
                has.setdefault(one["name"], set()).add(name)

    assert set(has) == {f"{row.variable}_FILE" for row in TABLE if row.name in SECRETS}
    for name in ("CW_NOTIFY_TO_FILE", "CW_NOTIFY_SECRET_FILE"):
        assert has[name] == {"hosts.yaml"}


def test_hosts_scale_by_what_waits_and_what_runs() -> None:
    """By the queue alone a fleet would shrink as soon as all its workers are busy."""
    from cw.store.keys import OPEN

    scaled = documents("keda.yaml")[-1]["spec"]

    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["listName"] == OPEN
    assert scaled["scaleTargetRef"] == {"kind": "StatefulSet", "name": "host"}
    down = scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] >= 600
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]


@pytest.mark.parametrize("name", ["hosts.yaml", "beat.yaml", "flower.yaml"])
def test_every_service_of_ours_reads_the_settings(name: str) -> None:
    (settings,) = documents("settings.yaml")
    pod = pods(name)
    ours = [*pod["containers"], *(one for one in pod["initContainers"] if "env" in one)]

    assert {"name": "settings", "configMap": {"name": "settings"}} in pod["volumes"]
    assert set(settings["data"]) == {"config.toml"}
    for one in ours:
        assert {"name": "CW_CONFIG", "value": "/etc/cw/config.toml"} in one["env"]
        assert {"name": "settings", "mountPath": "/etc/cw"} in one["volumeMounts"]


@pytest.mark.parametrize("commented", [True, False])
def test_settings_change_nothing_until_they_are_changed(tmp_path: Path, *, commented: bool) -> None:
    """And every example is a setting."""
    (settings,) = documents("settings.yaml")
    text = settings["data"]["config.toml"]
    path = tmp_path / "config.toml"
    path.write_text(text if commented else text.replace("# ", ""), "utf-8")

    _, origin = load_settings({"CW_CONFIG": str(path)})

    given = {name for name, source in origin.items() if source == str(path)}
    assert len(given) == (0 if commented else text.count("# "))
