"""Flower: its list is what the records say, and its buttons really end what they name."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPMessage
from pathlib import Path

import pytest
from flower.urls import handlers
from tornado.websocket import WebSocketHandler

from cw.audit import audit_file, entries
from cw.broker.app import make_app
from cw.homes.running import shim_lives
from cw.models import TaskSpec
from cw.states import State
from tests.integration.flowering import Browser, flower
from tests.integration.hosting import Machine, machine
from tests.needs import need
from tests.waiting import wait_until

WANTED = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "claude-workers.json"
FAST = "rehearse: pace 0.01\n"
HANG = f"{FAST}rehearse: hang\n"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A host with the workers 01 and 02."""
    repo = tmp_path_factory.mktemp("flower") / "app"
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    for args in (
        ["init", "-q", "-b", "main", str(repo)],
        ["-C", str(repo), *identity, "commit", "-q", "--allow-empty", "-m", "First"],
    ):
        subprocess.run([need("git"), *args], check=True)
    with machine(repo, CW_LEASE_RENEW="1") as found:
        found.add_worker("02")
        found.start()
        wait_until(lambda: len(found.store().fleet.workers()) == 2, what="both workers")
        yield found


@pytest.fixture(scope="module")
def browser(here: Machine) -> Iterator[Browser]:
    with flower(here) as found:
        yield found


def policy_of(headers: HTTPMessage) -> dict[str, list[str]]:
    (text,) = headers.get_all("Content-Security-Policy") or [""]
    return {name: words for name, *words in (one.split() for one in text.split(";"))}


def routes() -> list[str]:
    """Every address that Flower knows."""
    known = [one[0] if isinstance(one, tuple) else one.regex.pattern for one in handlers]
    plain = [re.sub(r"\(.*?\)", "X", one).removesuffix("$").removesuffix("/?") for one in known]
    return ["/" if one == ".*" else one for one in plain]


def shown(browser: Browser, spec: TaskSpec, state: str) -> dict[str, object]:
    wait_until(
        lambda: browser.states().get(spec.id) == state, 30, lambda: f"{browser.tasks()} not {state}"
    )
    return browser.tasks()[spec.id]


def noted(here: Machine, spec: TaskSpec) -> list[tuple[str, str]]:
    """Who ended a task by a button or a broadcast, and how, in the machine's audit file."""
    found = entries(audit_file(here.settings()))
    mine = [(one.by, one.what) for one in found if one.facts.get("task") == spec.id]
    return [one for one in mine if one[1] in {"cancel", "reset"}]


def hanging(here: Machine) -> TaskSpec:
    spec = here.dispatch(HANG)
    wait_until(lambda: len(here.events(spec)) > 1, 60, here.log)
    return spec


def test_nothing_but_the_health_is_told_without_the_password(browser: Browser) -> None:
    stranger, wrong = replace(browser, password=""), replace(browser, password="guess")
    pages = [path for path in routes() if path not in {"/healthcheck", "/logout"}]
    assert "/api/task/revoke/X" in pages

    for one in (stranger, wrong):
        for path in pages:
            told = {one.ask(method, path)[0] for method in ("GET", "POST")}
            assert told <= {401, 403, 404, 405}, (path, told)
    assert stranger.ask("GET", "/healthcheck") == (200, "OK")


def test_every_answer_tells_the_browser_what_it_may_do(browser: Browser) -> None:
    """Pages, data, files, errors and the health, with the password and without."""
    files = ["/static/js/flower.js", "/static/css/flower.css", "/static/none.js", "/favicon.ico"]
    stranger = replace(browser, password="")
    seen = set()

    for one in (browser, stranger):
        for path in (*routes(), *files):
            for method in ("GET", "POST", "OPTIONS"):
                status, _, headers = one.heard(method, path)
                seen.add(status)
                told = {name: headers.get_all(name) for name in WANTED}
                assert told == {name: [value] for name, value in WANTED.items()}, (path, method)
                rules = policy_of(headers)
                assert (rules["default-src"], rules["frame-ancestors"]) == (["'none'"],) * 2
                assert "'unsafe-inline'" not in rules["script-src"] + rules["style-src"]
                assert set(rules["script-src"][1:]) == {
                    one for one in rules["script-src"] if one.startswith("'sha256-")
                }
                kept = path.startswith("/static/") and status < 400
                assert (headers["Cache-Control"] == "no-store") is not kept, (path, method)
                assert headers["Server"] is None
    assert seen >= {200, 204, 401, 404, 405, 409}


def test_scripts_within_a_page_are_those_the_policy_names(browser: Browser) -> None:
    """Nothing else may: no handler in an attribute, no script from elsewhere."""
    inline = 0
    for path in ("/", "/workers", "/worker/cw@here", "/tasks", "/broker", "/none", "/logout"):
        _, text, headers = browser.heard("GET", path)
        allowed = policy_of(headers)["script-src"]
        for attributes, script in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL):
            if "src=" in attributes:
                assert re.search(r'src="/static/', attributes), attributes
                continue
            inline += 1
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed, (path, script)
        assert not re.search(r"<[^>]*\son\w+=|javascript:", text), path
    assert inline == 2


def test_no_answer_of_flower_goes_another_way_than_through_the_headers() -> None:
    """A handshake of a websocket does not pass tornado's transforms."""
    known = [one[1] if isinstance(one, tuple) else one.handler_class for one in handlers]

    assert not [one for one in known if issubclass(one, WebSocketHandler)]


def test_tasks_have_our_names_and_outcomes(here: Machine, browser: Browser) -> None:
    spec = here.dispatch(FAST, title="Say <b>hello</b>")

    row = shown(browser, spec, "SUCCESS")

    assert row["name"] == "app · 01 · sonnet"
    assert row["result"] == "succeeded · 1 commit · $0.04"
    assert row["args"] == "Say <b>hello</b>"
    assert float(str(row["runtime"])) > 0
    assert row["worker"] == "cw@here"
    assert set(browser.tasks()) == {one.spec.id for one in here.store().tasks.done_tasks(100)}


def test_terminate_stops_the_agent_and_frees_the_worker(here: Machine, browser: Browser) -> None:
    spec = hanging(here)
    shown(browser, spec, "STARTED")

    status, said = browser.ask("POST", f"/api/task/revoke/{spec.id}?terminate=true")

    assert (status, said) == (200, '{"message": "app was reset; worker 01 is free"}')
    assert not shim_lives(here.home())
    assert here.task(spec).state is State.DONE
    assert "stopped · reset" in str(shown(browser, spec, "REVOKED")["result"])
    assert noted(here, spec) == [("flower", "reset")]
    after = here.dispatch(FAST)
    shown(browser, after, "SUCCESS")


def test_revoke_takes_back_what_waits_and_leaves_what_runs(here: Machine, browser: Browser) -> None:
    runs = hanging(here)
    waits = here.dispatch(FAST)
    shown(browser, waits, "RECEIVED")

    refused = browser.ask("POST", f"/api/task/revoke/{runs.id}")
    taken = browser.ask("POST", f"/api/task/revoke/{waits.id}")

    assert refused == (409, "app runs already. Terminate ends it")
    assert taken[0] == 200
    assert shim_lives(here.home())
    outcome = here.task(waits).outcome
    assert outcome
    assert (outcome.kind, outcome.message) == ("stopped", "cancelled by flower")
    shown(browser, waits, "REVOKED")
    assert (noted(here, runs), noted(here, waits)) == ([], [("flower", "cancel")])
    assert browser.ask("POST", f"/api/task/revoke/{runs.id}?terminate=true")[0] == 200


def test_unknown_ids_and_other_buttons_change_nothing(here: Machine, browser: Browser) -> None:
    asked = [
        browser.ask("POST", path)
        for path in (
            "/api/task/revoke/no-such-task?terminate=true",
            "/api/worker/shutdown/cw@here",
            "/api/worker/pool/grow/cw@here?n=3",
            "/api/worker/queue/cancel-consumer/cw@here?queue=workers",
            "/api/task/send-task/cw.run",
            "/api/task/rate-limit/cw.run?ratelimit=1/h&workername=cw@here",
        )
    ]

    foreign = browser.ask("POST", "/api/task/revoke/no-such-task", site="cross-site")
    assert foreign[0] == 403
    assert [status for status, _ in asked] == [409] * 6
    assert "there is no task no-such-task" in asked[0][1]
    shown(browser, here.dispatch(FAST), "SUCCESS")


def test_page_of_a_worker_has_no_button_that_is_refused(here: Machine, browser: Browser) -> None:
    shown(browser, here.dispatch(FAST), "SUCCESS")

    def page() -> str:
        status, text = browser.ask("GET", "/worker/cw@here")
        return text if status == 200 else ""

    text = wait_until(page, what="its page")
    assert "cw@here" in text
    words = ("worker-shutdown", "worker-pool-restart", "worker-pool-grow", "worker-cancel-consumer")
    assert [one for one in (*words, "worker-add-consumer", "task-rate-limit") if one in text] == []


def test_revoked_id_is_not_remembered(here: Machine, browser: Browser) -> None:
    """Celery would drop every later message of a task, and keep a worker reserved for it."""
    waits = hanging(here)
    with make_app(here.settings()) as app:
        app.control.revoke(["no-such-task", waits.id], reply=True)  # waits for the host's answer
        here.hint(waits)
        assert shim_lives(here.home())
        said = app.control.revoke(waits.id, terminate=True, signal="KILL", reply=True)
        assert said == [{"cw@here": {"ok": f"ending: {waits.id}"}}]
        here.reaches(waits, State.DONE)
        queued = here.dispatch(FAST, wanted_worker="03")  # nobody's
        app.control.terminate(queued.id, reply=True)
        here.reaches(queued, State.DONE)
        control = "celery control on here"
        wait_until(lambda: noted(here, queued) == [(control, "cancel")], what=here.log)
        assert noted(here, waits) == [(control, "reset")]

    shown(browser, here.dispatch(FAST), "SUCCESS")


def test_run_of_a_dead_host_and_a_new_flower_tell_the_truth(
    here: Machine, browser: Browser
) -> None:
    spec = here.dispatch(f"{FAST}rehearse: slow 4\n")
    wait_until(lambda: len(here.events(spec)) > 1, 60, here.log)
    before = browser.states()
    here.hosts[-1].kill()
    here.hosts[-1].wait()
    here.start()

    with flower(here) as second:
        assert shown(browser, spec, "SUCCESS")["worker"] == "cw@here"
        wait_until(lambda: second.states() == browser.states(), what="the same list")
    assert set(before) <= set(browser.states())


def test_dashboard_asks_for_metrics_that_exist(browser: Browser) -> None:
    _, text = browser.ask("GET", "/metrics")
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    expressions = [
        target["expr"]
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for target in panel["targets"]
    ]

    asked = {name for one in expressions for name in re.findall(r"(?:cw|flower)_\w+", one)}

    assert len(asked) > 8
    assert asked <= told


def test_metrics_count_the_fleet(here: Machine, browser: Browser) -> None:
    here.reaches(here.dispatch(FAST), State.DONE)
    spec = hanging(here)
    here.store().fleet.pause("02", "for a test")
    waits = here.dispatch(FAST, wanted_worker="02")
    wait_until(lambda: browser.metrics()["cw_lease_renewals_total"] > 0, 60, "a renewal")

    found = browser.metrics()

    assert (found["cw_up"], found['cw_hosts{state="up"}']) == (1, 1)
    assert found['cw_workers{state="busy"}'] == found['cw_workers{state="paused"}'] == 1
    assert found['cw_queue_depth{queue="worker.02"}'] == 1
    assert found['cw_queue_depth{queue="workers"}'] == 0
    assert found['cw_tasks{state="running"}'] == found['cw_tasks{state="queued"}'] == 1
    assert found['cw_runs_total{outcome="succeeded",reason="done"}'] >= 1
    assert found["cw_cost_usd_today"] > 0
    assert 'flower_worker_online{worker="cw@here"}' in found
    for one in (waits, spec):
        assert browser.ask("POST", f"/api/task/revoke/{one.id}?terminate=true")[0] == 200
    here.store().fleet.pause("02", "")
