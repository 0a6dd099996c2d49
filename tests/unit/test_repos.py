"""What -r takes, and that no folder made from it leaves its place."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.errors import BadInputError
from cw.repos import Repo, parse_repo

HUB = "https://github.com"
NOWHERE = Path("/nonexistent")


def parse(text: str, cwd: Path = NOWHERE) -> Repo:
    return parse_repo(text, github_url=HUB, cwd=cwd)


@pytest.mark.parametrize(
    "text",
    [
        "owner/app.js",
        "https://github.com/owner/app.js",
        "https://github.com/owner/app.js.git",
        "https://github.com/owner/app.js/",
        "git@github.com:owner/app.js.git",
    ],
)
def test_all_ways_to_name_a_github_repository_are_the_same(text: str) -> None:
    expected = Repo(
        name="owner/app.js",
        url="https://github.com/owner/app.js.git",
        folder="owner/app.js",
        github=True,
    )

    assert parse(text) == expected


def test_path_is_made_absolute(git_repo: Path) -> None:
    (git_repo / "sub").mkdir()

    found = parse("..", git_repo / "sub")

    assert found.name == found.path == found.url == str(git_repo.resolve())
    assert not found.github
    assert found.short == "app"
    assert found == parse(f"file://{git_repo}") == parse(str(git_repo) + "/")


@pytest.mark.parametrize(
    "text",
    [
        "../x",
        "/nonexistent",
        "~/nonexistent-repository",
        ".",
        "~nobody-here",
        "./\0",
        "./" + "x" * 999,
    ],
)
def test_path_without_a_repository_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is not a git repository"):
        parse(text, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app",
        "owner/repo;rm",
        "owner/repo/more",
        "owner/..",
        "owner/.",
        "-owner/repo",
        "owner-/repo",
        "owner/re po",
        "owner/repo\n",
        "--upload-pack=x",
        "-ux@host:path",
        "ext::sh -c x",
        "https://h/$(id)",
        "ssh://-oProxyCommand=x/y z",
        "\0",
    ],
)
def test_what_names_no_repository_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="is not a repository"):
        parse(text)


def test_url_with_a_credential_is_refused_without_repeating_it() -> None:
    with pytest.raises(BadInputError, match="carries a credential") as caught:
        parse("https://user:hunter2@example.invalid/x.git")

    assert "hunter2" not in caught.value.line()


def test_two_repositories_of_one_name_have_two_folders() -> None:
    one = parse("https://a.example.invalid/x/app.git")
    two = parse("https://b.example.invalid/x/app.git")

    assert one.short == two.short == "app"
    assert one.folder != two.folder


WORDS = st.sampled_from(
    ["..", ".", "/", "a", "-", "git@h:", "https://h/", "ssh://", "~", ".git", "\\"]
)


@given(st.text(max_size=30) | st.lists(WORDS, max_size=8).map("".join))
def test_no_accepted_folder_leaves_the_clones(text: str) -> None:
    try:
        found = parse(text)
    except BadInputError:
        return

    root = "/home/x/github"
    inside = os.path.normpath(f"{root}/{found.folder}")
    assert inside == f"{root}/{found.folder}"
    assert inside.startswith(root + "/")
    assert len(found.folder.split("/")) == 2
    assert not any(part.startswith("-") for part in found.folder.split("/")[:1])
