"""Which paths need a person's eye."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workerhost.clones.protected_changes import protected
from workerhost.clones.protected_paths import KINDS

DOCS = Path(__file__).parents[2] / "docs" / "security.md"
PATHS = {
    "what runs at GitHub, and who reviews": """
        .github/workflows/ci.yml .github/workflows/deep/x.yml .GitHub/Workflows/ci.yml
        .github/actions/build/action.yml .github/CODEOWNERS CODEOWNERS docs/CODEOWNERS
        .github/dependabot.yml .github/labeler.yml .github/scripts/x.sh action.yml renovate.json""",
    "other CI and deployments": """
        .gitlab-ci.yml .gitlab/ci/x.yml .circleci/config.yml .travis.yml azure-pipelines.yml
        Jenkinsfile Jenkinsfile.release ci/deploy.jenkinsfile .buildkite/pipeline.yml .drone.yml
        .woodpecker.yml .woodpecker/test.yml appveyor.yml bitbucket-pipelines.yml
        .teamcity/settings.kts .cirrus.yml .semaphore/semaphore.yml .forgejo/workflows/x.yml
        netlify.toml web/vercel.json cloudbuild.yaml buildspec.yml""",
    "what git does with files, and its hooks": """
        .gitattributes docs/.gitattributes .gitmodules .husky/pre-commit lefthook.yml
        lefthook-local.yml .lefthook/pre-push/x.sh .pre-commit-config.yaml .lintstagedrc.json
        web/.lintstagedrc .overcommit.yml .githooks/pre-push""",
    "what editors run": """
        .vscode/tasks.json app/.vscode/settings.json x.code-workspace .devcontainer/Dockerfile
        .devcontainer.json .idea/runConfigurations/x.xml .run/Test.run.xml .gitpod.yml""",
    "what agents are told, and what they run": """
        CLAUDE.md claude.md docs/CLAUDE.md AGENTS.md AGENT.md .claude/settings.json .claude
        pkg/.claude/commands/x.md .mcp.json GEMINI.md .cursor/rules/x.mdc .cursorrules
        .windsurfrules .windsurf/rules/x.md .clinerules .clinerules/x.md .aider.conf.yml
        .github/copilot-instructions.md .github/instructions/x.instructions.md .roo/rules/x.md
        .junie/guidelines.md .kiro/steering/x.md .continue/rules/x.md .codex/config.toml
        .opencode/agent/x.md opencode.json CONVENTIONS.md skills/x/SKILL.md""",
    "what a build or a shell runs first": """
        gradlew gradlew.bat android/gradlew gradle/wrapper/gradle-wrapper.jar
        android/gradle/wrapper/gradle-wrapper.properties mvnw .mvn/wrapper/maven-wrapper.properties
        .cargo/config.toml crates/a/.cargo/config rust-toolchain.toml .npmrc web/.npmrc .yarnrc.yml
        .yarn/releases/yarn.cjs web/.yarn/plugins/x.cjs .pnpmfile.cjs bunfig.toml mise.toml
        .mise.toml .mise/tasks/x .config/mise/config.toml .tool-versions .envrc app/.envrc""",
    "cw's settings": ".cw.toml",
}


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, paths in PATHS.items() for path in paths.split()]
)
def test_what_decides_what_runs_or_who_reviews_is_protected_always(kind: str, path: str) -> None:
    assert protected([path], []) == (path,)
    assert kind in KINDS


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "x/.github/workflows/ci.yml",
        "src/codeowners.py",
        "CLAUDE.md.txt",
        "mcp.json",
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".github/pull_request_template.md",
        ".github/FUNDING.yml",
        ".github/PULL_REQUEST_TEMPLATE/x.md",
        "gradle.properties",
        "build.gradle",
        "package.json",
        "Cargo.toml",
        ".idea/codeStyles/x.xml",
        "docs/conventions.rst",
        ".gitignore",
        "README.md",
        "Makefile",
        "src/mise.py",
        ".yarn/cache/x.zip",
        ".prettierrc",
        "tests/test_agents.py",
        "agents/agent.py",
    ],
)
def test_other_paths_are_not(path: str) -> None:
    assert protected([path], []) == ()


def test_the_table_of_the_docs_has_all_of_it() -> None:
    """Kind and patterns of each line, in the order of the code."""
    section = DOCS.read_text("utf-8").partition("### Protected paths\n")[2].partition("\n#")[0]
    table = re.findall(r"^\| ([^|`]+) \| ((?:`[^`]+`,? ?)+) \|$", section, re.MULTILINE)

    assert [(kind, tuple(re.findall(r"`([^`]+)`", told))) for kind, told in table] == list(
        KINDS.items()
    )


def test_an_installation_takes_back_what_is_protected_always() -> None:
    paths = [".vscode/tasks.json", ".github/workflows/ci.yml", ".github/labeler.yml"]

    assert protected(paths, ["!.vscode", "!/.github/labeler.yml"]) == (".github/workflows/ci.yml",)


def test_more_patterns_add_and_may_take_back() -> None:
    paths = ["deploy/a.sh", "Dockerfile", "docs/AGENTS.md", "AGENTS.md", "src/a.py"]

    assert protected(paths, ["/deploy/", "dockerfile", "!/docs/AGENTS.md"]) == (
        "deploy/a.sh",
        "Dockerfile",
        "AGENTS.md",
    )
