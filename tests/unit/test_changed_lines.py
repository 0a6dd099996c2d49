"""What counts as a test or as CI, and how its lines are weighed."""

from __future__ import annotations

import pytest

from workerhost.settling.changed_lines import Lines, counted, is_check

CHECKS = [
    "tests/test_app.py",
    "test_app.py",
    "src/app/tests/data.json",
    "app_test.go",
    "src/app.test.ts",
    "src/app.spec.tsx",
    "spec/models/user_spec.rb",
    "src/__tests__/app.js",
    "src/__snapshots__/app.snap",
    "src/test/java/AppIT.java",
    "core/AppTest.java",
    "core/TestApp.kt",
    "App.Tests/Tests.cs",
    "conftest.py",
    "pkg/testdata/a.txt",
    ".github/workflows/ci.yml",
    ".github/actions/setup/action.yml",
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    ".travis.yml",
    "Jenkinsfile",
    "azure-pipelines.yml",
    "tox.ini",
    "noxfile.py",
    "pytest.ini",
    "mypy.ini",
    "ruff.toml",
    ".flake8",
    ".coveragerc",
    "codecov.yml",
    ".eslintrc.json",
    "eslint.config.js",
    "jest.config.ts",
    ".golangci.yml",
    ".pre-commit-config.yaml",
    "web/e2e/login.ts",
]
CODE = [
    "src/app.py",
    "README.md",
    "src/latest.py",
    "src/contest.java",
    "src/Latest.java",
    "src/attestation.go",
    "src/protest.ts",
    "src/inspect.py",
    "src/special.py",
    "docs/testing.md",
    "pyproject.toml",
    "package.json",
    "Makefile",
    ".github/CODEOWNERS",
    ".github/ISSUE_TEMPLATE/bug.yml",
    "src/jester.py",
    "src/spec.py",
    "Testament.md",
]


@pytest.mark.parametrize("path", CHECKS)
def test_what_checks_the_code(path: str) -> None:
    assert is_check(path)


@pytest.mark.parametrize("path", CODE)
def test_what_is_code(path: str) -> None:
    assert not is_check(path)


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], Lines()),
        (["3\t0\tsrc/app.py"], Lines(code=3)),
        (["3\t4\ttests/a.py", "1\t0\tsrc/app.py", "1\t1\ttox.ini"], Lines(checks=9, code=1)),
        (["-\t-\ttests/a.png", "-\t-\tlogo.png"], Lines(checks=1, code=1)),
        (["0\t0\tsrc/mode.sh"], Lines()),
        (["2\t0\ttests/with\ttab.py"], Lines(checks=2)),
        (["", "rubbish", "x\ty\tz"], Lines()),
    ],
)
def test_lines_are_counted_on_both_sides(rows: list[str], lines: Lines) -> None:
    assert counted(rows) == lines
