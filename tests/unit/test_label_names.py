"""Labels and names of repositories, as GitHub compares them."""

import pytest

from cw.names import has_label, is_worker_label, repo_key, same_label, same_repo, worker_of_label
from tests.making import make_spec


@pytest.mark.parametrize(
    ("label", "worker"),
    [
        ("worker:01", "01"),
        ("Worker:01", "01"),
        ("WORKER:Docs-Fixer", "docs-fixer"),
        (" worker:01 ", "01"),
        ("worker:", ""),
        ("workers:01", ""),
        ("my-worker:01", ""),
        ("blocked", ""),
    ],
)
def test_worker_s_label_names_its_worker(label: str, worker: str) -> None:
    assert worker_of_label(label) == worker
    assert is_worker_label(label) == label.strip().lower().startswith("worker:")


def test_labels_are_the_same_in_whatever_case() -> None:
    assert same_label("Blocked", "blocked")
    assert has_label(["bug", "BLOCKED"], "blocked")
    assert not has_label(["not blocked", "blocker"], "blocked")
    assert not has_label([], "blocked")


def test_repository_goes_by_its_id_and_else_by_its_name() -> None:
    assert repo_key("Acme/App", 0) == repo_key("acme/app", 0) == "acme/app"
    assert repo_key("acme/app", 7) == repo_key("globex/site", 7) != repo_key("acme/app", 8)
    assert same_repo("Acme/App", "acme/app")


@pytest.mark.parametrize(
    ("one", "other", "beside"),
    [
        ({"repo": "a/x", "repo_id": 1}, {"repo": "b/y", "repo_id": 1}, True),
        ({"repo": "a/x", "repo_id": 1}, {"repo": "a/x", "repo_id": 2}, False),
        ({"repo": "a/x", "repo_id": 1}, {"repo": "A/X"}, True),
        ({"repo": "a/x"}, {"repo": "b/y"}, False),
    ],
)
def test_tasks_of_one_repository_know_each_other(
    one: dict[str, object], other: dict[str, object], beside: bool
) -> None:
    assert make_spec(**one).beside(make_spec(**other)) == beside


def test_record_of_before_is_read_and_signed_as_it_was() -> None:
    old = make_spec().model_dump(mode="json", exclude={"repo_id"})

    read = type(make_spec()).model_validate(old)

    assert (read.repo_id, read.key) == (0, ("acme/app", 22))
    assert "repo_id" not in read.model_dump(mode="json", exclude_defaults=True)


def test_task_is_asked_for_under_the_name_of_now() -> None:
    spec = make_spec(repo_url="https://github.com/acme/app.git").called("globex/site")

    assert (spec.repo, spec.repo_url) == ("globex/site", "https://github.com/globex/site.git")
    assert spec.repo_folder == "acme/app"
