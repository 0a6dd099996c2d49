"""How a line of claude's says what it is, before it is read."""

from __future__ import annotations

import re

from workerhost.lastword import Marks

# Within a JSON text an object is a value or an element, and what claude says stands in no string:
# there its quotes would be escaped. claude (2.1.332) writes the type first and no spaces.
MARKS = Marks(
    mark=r'(?<![:,\[])\{\s?"type"\s?:\s?"([a-z_]+)"',
    last=("result",),
    work=("assistant", "user"),
)
MARK = re.compile(MARKS.mark.encode())
