"""Paths whose change a person has to look at, by what they decide: docs/security.md has the table.

As in .gitignore, in lower case: a name counts wherever it lies, one with a slash at its beginning
or within it only at the top. What a tool reads in folders of packages as well has none, or `**`.
"""

from __future__ import annotations

KINDS: dict[str, tuple[str, ...]] = {
    "what runs at GitHub, and who reviews": (
        *("/.github/**", "!/.github/issue_template/**", "!/.github/pull_request_template/**"),
        *("!/.github/issue_template.md", "!/.github/pull_request_template.md"),
        *("!/.github/funding.yml", "/codeowners", "/docs/codeowners", "/action.yml"),
        *("/action.yaml", "renovate.json*", ".renovaterc*", "/.mergify.yml", "/.mergify"),
    ),
    "other CI and deployments": (
        *(".gitlab-ci*.yml", ".gitlab-ci*.yaml", "/.gitlab", ".circleci", ".travis.yml"),
        *("azure-pipelines*.yml", "azure-pipelines*.yaml", ".azure-pipelines", ".azuredevops"),
        *("jenkinsfile*", "*.jenkinsfile", ".buildkite", ".drone.*", ".woodpecker"),
        *(".woodpecker.*", "appveyor.yml", ".appveyor.yml", "bitbucket-pipelines.yml"),
        *(".teamcity", ".cirrus.*", ".semaphore", ".forgejo", ".gitea", ".builds", "/.build.yml"),
        *("cloudbuild*.yaml", "cloudbuild*.yml", "cloudbuild*.json", "buildspec*.yml"),
        *("buildspec*.yaml", ".tekton", "/bamboo-specs", "codefresh.yml", "wercker.yml"),
        *(".harness", ".zuul.*", "/zuul.yaml", "/zuul.d", ".taskcluster.yml", "netlify.toml"),
        *("vercel.json", "wrangler.toml", "wrangler.json*", ".readthedocs.y*ml", "bors.toml"),
    ),
    "what git does with files, and its hooks": (
        *(".gitattributes", ".gitmodules", ".lfsconfig", ".husky", ".huskyrc*", ".githooks"),
        *(".git-hooks", "lefthook*.yml", "lefthook*.yaml", "lefthook*.toml", "lefthook*.json"),
        *(".lefthook*", ".pre-commit-config.y*ml", ".pre-commit-hooks.y*ml", "prek.toml"),
        *(".lintstagedrc*", "lint-staged.config.*", ".overcommit.yml", "simple-git-hooks.*"),
        *(".simple-git-hooks.*", "captainhook.json", "grumphp.yml*"),
    ),
    "what editors run": (
        *(".vscode", "*.code-workspace", "**/.idea/runconfigurations", "**/.idea/workspace.xml"),
        *("**/.run/*.run.xml", ".fleet", ".zed", ".devcontainer", ".devcontainer.json"),
        *(".gitpod.yml", ".gitpod.dockerfile", "devfile.yaml", ".exrc", ".nvimrc", ".nvim.lua"),
        *(".dir-locals*.el",),
    ),
    "what agents are told, and what they run": (
        *("claude.md", "claude.local.md", ".claude", ".claude-plugin", ".mcp.json"),
        *("agents.md", "agents.override.md", "agent.md", ".agents", ".agent", "gemini.md"),
        *(".gemini", ".cursor", ".cursorrules", ".windsurf*", ".codeium", ".clinerules"),
        *(".cline", ".roo", ".roorules*", ".roomodes", ".kilocode", ".kilocodemodes", ".aider*"),
        *("conventions.md", "copilot-instructions.md", "*.instructions.md", "*.prompt.md"),
        *("*.chatmode.md", "*.agent.md", "skill.md", ".junie", ".kiro", ".amazonq", ".continue"),
        *(".continuerc.json", ".codex", ".opencode", "opencode.json*", ".augment"),
        *(".augment-guidelines", ".goosehints", ".goose", ".qwen", "qwen.md", ".trae", ".rules"),
        *(".crush*", "/crush.json", "crush.md", "warp.md", ".openhands", ".factory", "replit.md"),
        *(".replit",),
    ),
    "what a build or a shell runs first": (
        *("gradlew", "gradlew.bat", "**/gradle/wrapper", "mvnw", "mvnw.cmd"),
        *(".mvn", "**/.cargo/config"),
        *("**/.cargo/config.toml", "rust-toolchain", "rust-toolchain.toml", ".npmrc", ".yarnrc*"),
        *("**/.yarn/releases", "**/.yarn/plugins", "**/.yarn/sdks", ".pnpmfile.*", "bunfig.toml"),
        *(".bazelrc", ".bazeliskrc", ".bazelversion", "/tools/bazel", ".mise*", "mise.toml"),
        *("mise.*.toml", "/mise", "/.config/mise*", "/mise-tasks", ".tool-versions", ".envrc"),
        *("sitecustomize.py", "usercustomize.py", ".gdbinit", ".lldbinit"),
    ),
    "cw's settings": (".cw.toml", "/.cw"),
}
ALWAYS = tuple(pattern for patterns in KINDS.values() for pattern in patterns)
