#!/usr/bin/env python3
"""Cuts provider schemas down to what the generated modules use.

    trim.py [FOLDER]    FOLDER holds yandex.json, the output of `tofu providers schema -json`
                        (else $FULL_SCHEMAS, else shared/schemas in a folder above this checkout)

Writes aws.json and yandex.json beside this script: the provider's own block, and the resources and data sources that
types.txt names, without descriptions, one a line. aws comes from the npm package @cdktn/provider-aws (see cdktn.py).
"""

import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
import cdktn  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SECTIONS = {"resource": "resource_schemas", "data": "data_source_schemas"}


def wanted():
    """The types of types.txt, as (provider, section, type)."""
    for line in (HERE / "types.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            kind, name = line.split()
            yield name.partition("_")[0], SECTIONS[kind], name


def full_schemas():
    """Where the full schemas are."""
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1])
    if "FULL_SCHEMAS" in os.environ:
        return pathlib.Path(os.environ["FULL_SCHEMAS"])
    beside = (parent / "shared" / "schemas" for parent in HERE.parents)
    return next((folder for folder in beside if folder.is_dir()), None)


def plain(node):
    """The schema without its prose."""
    if isinstance(node, dict):
        # The fields of an object type may be called like prose.
        return {
            key: value if key == "type" else plain(value) for key, value in node.items() if not is_prose(key, value)
        }
    if isinstance(node, list):
        return [plain(item) for item in node]
    return node


def is_prose(key, value):
    """Whether it is a description, and not an attribute that is called so."""
    return key in ("description", "description_kind") and isinstance(value, str)


def compact(node):
    return json.dumps(plain(node), separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def one_a_line(schemas):
    """A JSON object with each of its members on a line."""
    lines = (f'"{name}":{compact(schemas[name])}' for name in sorted(schemas))
    return "{\n" + ",\n".join(lines) + "\n}"


def cut(name):
    """The schema of a provider with what types.txt names."""
    types = [(section, kind) for owner, section, kind in wanted() if owner == name]
    if name == "aws":
        return cdktn.schemas(types)
    folder = full_schemas()
    if folder is None:
        sys.exit("trim.py: there are no full schemas beside this checkout; give their folder")
    schema = json.loads((folder / f"{name}.json").read_text())
    (provider,) = schema["provider_schemas"].values()
    for section in SECTIONS.values():
        kinds = [kind for where, kind in types if where == section]
        missing = [kind for kind in kinds if kind not in provider[section]]
        if missing:
            sys.exit(f"trim.py: {folder / name}.json has no {', '.join(missing)}")
        provider[section] = {kind: provider[section][kind] for kind in kinds}
    return schema


def main():
    for name in ("aws", "yandex"):
        schema = cut(name)
        ((address, provider),) = schema["provider_schemas"].items()
        text = (
            f'{{"format_version":"{schema["format_version"]}","provider_schemas":{{"{address}":{{\n'
            f'"provider":{compact(provider["provider"])},\n'
            f'"resource_schemas":{one_a_line(provider["resource_schemas"])},\n'
            f'"data_source_schemas":{one_a_line(provider["data_source_schemas"])}\n'
            "}}}\n"
        )
        json.loads(text)
        (HERE / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
