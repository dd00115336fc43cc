"""The vectors as they are kept, and the schema that describes them."""

import json
from importlib import resources

from refcompress.conformance.suite import Suite, load


def files(suite: Suite) -> dict[str, bytes]:
    """Return <stem>.json with the suite's cases, and schema.json."""
    contents = dict(load(suite.stem))
    contents["functions"] = {name: contents["functions"][name] for name in suite.functions}
    kept = {case.id for case in suite.cases}
    contents["cases"] = [case for case in contents["cases"] if case["id"] in kept]
    schema = resources.files("refcompress.conformance") / "vectors" / "schema.json"
    text = json.dumps(contents, ensure_ascii=False, indent=1) + "\n"
    return {f"{suite.stem}.json": text.encode(), "schema.json": schema.read_bytes()}
