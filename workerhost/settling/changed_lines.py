"""How much a repair changed of what checks the code, and how much of the code. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# By a folder anywhere in the path, in lower case.
_FOLDERS = frozenset(
    {
        *("test", "tests", "testing", "testdata", "__tests__", "spec", "specs", "fixtures"),
        *("__snapshots__", "__mocks__", "e2e", "cypress", "androidtest", "unittest", "unittests"),
        *(".circleci", ".buildkite", ".ci", ".gitlab", ".husky", ".tekton"),
    }
)
# By its beginning: GitHub reads these nowhere else.
_BEGINS = (".github/workflows/", ".github/actions/")
# By the file's name, in lower case.
_NAMES = re.compile(
    r"test_.*|.*[._-]tests?\.[a-z0-9]+|.*[._-]spec\.[a-z0-9]+|conftest\.py"
    r"|\.?(?:pytest|tox|mypy|ruff|flake8|pylintrc|coveragerc|codecov|phpunit|phpstan|nycrc)"
    r"(?:\.(?:ini|toml|cfg|ya?ml|xml|json|neon))?(?:\.dist)?|noxfile\.py"
    r"|\.?(?:jest|vitest|karma|playwright|cypress|eslint|mocharc|eslintrc)(?:\..*)?"
    r"|\.golangci\.(?:ya?ml|toml)|\.rubocop.*\.ya?ml|\.pre-commit-config\.ya?ml"
    r"|\.gitlab-ci\.ya?ml|\.travis\.ya?ml|\.drone\.ya?ml|appveyor\.ya?ml|\.cirrus\.ya?ml"
    r"|azure-pipelines.*\.ya?ml|bitbucket-pipelines\.ya?ml|jenkinsfile.*"
)
# By the file's name as it is written: elsewhere "latest.java" would be one.
_WRITTEN = re.compile(r".*Tests?\.(?:java|kt|scala|cs|swift|php)|Test[A-Z].*\.(?:java|kt|swift)")


@dataclass(frozen=True, slots=True)
class Lines:
    """Added and removed ones together; a binary file counts as one. `checks`: of tests and CI."""

    checks: int = 0
    code: int = 0


def is_check(path: str) -> bool:
    """Whether it is a test, or says what CI runs and what counts as good."""
    *folders, name = path.split("/")
    return (
        any(folder.lower() in _FOLDERS for folder in folders)
        or path.lower().startswith(_BEGINS)
        or bool(_NAMES.fullmatch(name.lower()) or _WRITTEN.fullmatch(name))
    )


def counted(rows: Iterable[str]) -> Lines:
    """`rows`: as `git diff --numstat` has them, without its quotes."""
    checks = code = 0
    for row in rows:
        added, _, rest = row.partition("\t")
        removed, _, path = rest.partition("\t")
        lines = sum(int(one) if one.isdigit() else 0 for one in (added, removed))
        lines = lines or int("-" in {added, removed})
        if is_check(path):
            checks += lines
        else:
            code += lines
    return Lines(checks, code)
