"""POST /graphql."""

from .graphql_mutations import Mutations
from .graphql_parse import parse
from .graphql_queries import Queries
from .graphql_run import Run
from .routing import Call, route
from .wire import Reply


@route("POST", "/graphql")
def graphql(call: Call) -> Reply:
    call.viewer.require_login()
    data = call.request.json()
    try:
        document = parse(data.get("query", ""))
    except ValueError as error:
        return Reply(body={"errors": [{"message": f"Parse error: {error}"}]})
    root = Mutations(call) if document.kind == "mutation" else Queries(call)
    return Reply(body=Run(document, data.get("variables") or {}).answer(root.fields()))
