"""What pip-audit's answer means: `python -m bench.audited LIST ANSWER WORDS`.

pip-audit 2.10 ends with 0 and "No known vulnerabilities found" when the service knows none of the
packages it was asked about, as behind an index without that service: nothing was audited then.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def judge(answer: str, words: str) -> tuple[int, list[str]]:
    """Exit status and lines for a person. `answer`: JSON, or nothing when it could not ask."""
    try:
        rows: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (words.strip().splitlines() or ["no answer"])[-1]
        return 0, [f"NOT AUDITED: the vulnerability service is away ({last[:200]})"]
    bad = [one for one in rows if one.get("vulns")]
    if bad:
        return 1, [
            f"{one['name']} {one['version']}: {vuln['id']}, mended in"
            f" {', '.join(vuln.get('fix_versions') or ['no version'])}"
            for one in bad
            for vuln in one["vulns"]
        ]
    unknown = [one["name"] for one in rows if one.get("skip_reason")]
    if len(unknown) == len(rows):
        return 0, ["NOT AUDITED: the vulnerability service answers for none of the packages"]
    if unknown:
        return 1, [f"not audited: {', '.join(unknown)}; the service does not know them"]
    return 0, [f"{len(rows)} packages, no known vulnerability"]


def main() -> int:
    listed, answer, words = sys.argv[1:]
    code, lines = judge(Path(answer).read_text("utf-8"), Path(words).read_text("utf-8"))
    for line in lines:
        print(f"{listed}: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
