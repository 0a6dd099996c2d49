"""Kind: what failed is known from structure where there is one, and its cause is kept in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from workerhost.clones.done import Done
from workerhost.clones.git_errors import KNOWN, failure
from workerhost.walls.proxy_errors import Seen

DOCS = Path(__file__).parents[2] / "docs" / "outcomes.md"
SHA = "c5f3a1b2" * 5
END = "fatal: the remote end hung up unexpectedly\nerror: failed to push some refs to 'x'\n"
NO_ACCESS = (
    "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access"
    " rights\nand the repository exists.\n"
)
HOST = "fatal: unable to access 'https://github.com/acme/app.git/': "

# What git, ssh and GitHub say; what is expected to be in the message, or in the hint.
FINAL = {
    "GH013": (
        (
            "remote: error: GH013: Repository rule violations found for refs/heads/issue-22.\n"
            "remote: Review all repository rules at https://github.com/acme/app/rules?ref=x\n"
            f"remote: \nremote: - Cannot create ref due to creations being restricted.\n{END}"
        ),
        "creations being restricted",
        "rule",
    ),
    "GH006": (
        f"remote: error: GH006: Protected branch update failed for refs/heads/issue-1.\n{END}",
        "GH006: Protected branch",
        "issue-*",
    ),
    "GH001": (
        (
            "remote: error: Trace: 4f\nremote: error: See https://gh.io/lfs for more information.\n"
            "remote: error: File big.bin is 120.00 MB; this exceeds GitHub's file size limit of"
            f" 100.00 MB\nremote: error: GH001: Large files detected.\n{END}"
        ),
        "File big.bin is 120.00 MB",
        "too large",
    ),
    "GH009": (
        f"remote: error: GH009: Secrets detected! This push failed.\n{END}",
        "Secrets detected",
        "rewrite",
    ),
    "workflow": (
        (
            "! [remote rejected] x -> x (refusing to allow a Personal Access Token to create or"
            " update workflow `.github/workflows/ci.yml` without `workflow` scope)\n"
        ),
        "",
        "workflows",
    ),
    "archived": (
        (
            "remote: This repository was archived so it is read-only.\n"
            f"{HOST}The requested URL returned error: 403\n"
        ),
        "was archived",
        "Unarchive",
    ),
    "SSO": (
        (
            "remote: The 'acme' organization has enabled or enforced SAML SSO.\n"
            "remote: To access this repository, you must re-authorize the OAuth Application.\n"
            f"{HOST}The requested URL returned error: 403\n"
        ),
        "re-authorize",
        "SSO",
    ),
    "host key": (
        f"Host key verification failed.\n{NO_ACCESS}",
        "Host key verification failed",
        "known_hosts",
    ),
    "ssh login": (
        f"git@github.com: Permission denied (publickey).\n{NO_ACCESS}",
        "Permission denied (publickey)",
        "cw refresh --git",
    ),
    "dubious ownership": (
        (
            "fatal: detected dubious ownership in repository at '/srv/app.git'\nTo add an"
            f" exception for this directory, call:\n\n\tgit config --add safe.directory x\n{END}"
        ),
        "/srv/app.git",
        "another user's",
    ),
    "LFS": (
        (
            "This repository is configured for Git LFS but 'git-lfs' was not found on your path.\n"
            "error: failed to push some refs to 'x'\n"
        ),
        "not found on your path",
        "git-lfs",
    ),
    "not found": (
        "remote: Repository not found.\nfatal: repository 'https://github.com/acme/x.git/' missing",
        "acme/x.git",
        "token",
    ),
    "login": (
        (
            "remote: Permission to acme/app.git denied to bot.\n"
            f"{HOST}The requested URL returned error: 403\n"
        ),
        "denied to bot",
        "token",
    ),
    "hook": (
        f"remote: The tests are red.\nremote: Nothing goes in.\n{END}hook declined",
        "red",
        "",
    ),
    "authority": (
        f"{HOST}server certificate verification failed. CAfile: none CRLfile: none\n",
        "certificate verification failed",
        "sslCAInfo",
    ),
}
PUSHED = {
    "name taken": (
        (
            f"!\t{SHA}:refs/heads/issue-22\t[remote rejected] (cannot lock ref"
            " 'refs/heads/issue-22': 'refs/heads/issue-22/part' exists;"
            " cannot create 'refs/heads/issue-22')"
        ),
        "issue-22: remote rejected (cannot lock ref",
    ),
    "moved on": (f"!\t{SHA}:refs/heads/a/b\t[rejected] (stale info)", "a/b: rejected"),
    "hook": (f"!\t{SHA}:refs/heads/x\t[remote rejected] (hook declined)", "x: remote rejected"),
    "nobody knows": (
        f"!\t{SHA}:refs/heads/x\t[remote rejected] (since I say so)",
        "since I say so",
    ),
}
PASSING = [
    f"{HOST}Failed to connect to github.com port 443 after 1 ms: Couldn't connect to server",
    f"{HOST}Could not resolve host: github.com",
    f"{HOST}gnutls_handshake() failed: Error in the pull function.",
    f"{HOST}GnuTLS recv error (-110): The TLS connection was non-properly terminated.",
    f"{HOST}GnuTLS recv error (-54): Error in the pull function.",
    f"{HOST}OpenSSL SSL_read: Connection reset by peer, errno 104",
    f"{HOST}OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to github.com:443",
    f"{HOST}HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)",
    f"{HOST}Received HTTP code 502 from proxy after CONNECT",
    f"{HOST}CONNECT tunnel failed, response 502",
    f"{HOST}Proxy CONNECT aborted",
    f"{HOST}Empty reply from server",
    f"{HOST}Network is unreachable",
    f"{HOST}No route to host",
    f"{HOST}Operation timed out after 300000 milliseconds with 0 out of 0 bytes received",
    f"{HOST}The requested URL returned error: 503",
    f"{HOST}The requested URL returned error: 429",
    "remote: You have exceeded a secondary rate limit.\nfatal: error: 403\n",
    "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: early EOF",
    "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly: CANCEL (err 8)",
    "fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF",
    "ssh: connect to host github.com port 22: Connection timed out\n" + NO_ACCESS,
    "kex_exchange_identification: Connection closed by remote host\nsomething nobody has seen",
    "",
]


def done(err: str = "", out: str = "", *seen: Seen, over: str = "") -> Done:
    return Done(ok=False, out=out, err=err, over=over, seen=seen)


@pytest.mark.parametrize("name", FINAL)
def test_what_the_remote_will_not_do_ever_is_final_with_its_words(name: str) -> None:
    err, message, hint = FINAL[name]
    out = "!\tx:refs/heads/x\t[remote rejected] (hook declined)\n" if END in err else ""

    found = failure(done(err, out))

    assert found.kind == "final"
    assert message in found.message
    assert hint in found.hint
    assert "\n" not in found.message
    assert len(found.message) <= 400


@pytest.mark.parametrize("name", PUSHED)
def test_push_says_in_its_own_record_what_was_refused(name: str) -> None:
    out, message = PUSHED[name]

    found = failure(done("error: failed to push some refs to 'x'\n", f"To x\n{out}\nDone\n"))

    assert found.kind == "final"
    assert message in found.message
    assert SHA not in found.message


@pytest.mark.parametrize("err", PASSING)
def test_what_may_pass_and_what_nobody_knows_is_tried_again(err: str) -> None:
    assert failure(done(err)).passing
    assert failure(done(err)).message


@pytest.mark.parametrize(
    ("what", "detail", "passing"),
    [
        ("refused", "evil.invalid:443 is not among the allowed hosts", False),
        ("unresolved", "Name or service not known", True),
        ("unreachable", "ECONNREFUSED", True),
        ("upstream", "502", True),
        ("upstream", "407", False),
        ("upstream", "no answer", True),
        ("broken", "ECONNRESET", True),
    ],
)
def test_what_the_proxy_saw_counts_more_than_git_s_words(
    what: str, detail: str, passing: bool
) -> None:
    one = Seen("evil.invalid:443", what, detail)  # type: ignore[arg-type]

    found = failure(done(f"{HOST}Received HTTP code 403 from proxy after CONNECT", "", one))

    assert found.passing is passing
    assert what == "broken" or "evil.invalid:443" in found.message


def test_what_took_too_long_may_pass() -> None:
    assert failure(done(over="more than 5 s")).passing


def test_branch_that_is_only_locked_is_free_again_soon() -> None:
    out = f"!\t{SHA}:refs/heads/x\t[remote rejected] (cannot lock ref 'refs/heads/x': Unable)"

    assert failure(done("", out)).passing


def test_each_known_one_is_in_the_docs() -> None:
    text = DOCS.read_text("utf-8")

    assert [one.name for one in KNOWN if f"| {one.name} |" not in text] == []
    assert "| the proxy's refusal |" in text


def test_words_are_without_progress_and_terminal_codes() -> None:
    err = (
        "Enumerating objects: 3, done.\nWriting objects: 100% (3/3), 200 bytes\n"
        "remote: Resolving deltas: 100%\x1b[K\nremote: error: no.\x1b[K\nremote: \nhint: do that\n"
    )

    assert failure(done(err)).message == "error: no."
