#!/usr/bin/env python3
"""Cuts provider schemas down to what the generated modules use.

    trim.py [FOLDER]    FOLDER holds aws.json and yandex.json, the output of `tofu providers schema -json`
                        (by itself: ../shared/schemas beside this checkout, or $FULL_SCHEMAS)

Writes aws.json and yandex.json beside this script: the provider's own block, and the resources and data sources that
types.txt names, without descriptions, one a line. What FOLDER's aws.json lacks is taken from the npm package
@cdktn/provider-aws (see cdktn.py).
"""

import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROVIDERS = ("aws", "yandex")
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
        return {key: plain(value) for key, value in node.items() if not is_prose(key, value)}
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


def main():
    folder = full_schemas()
    if folder is None:
        sys.exit("trim.py: there are no full schemas beside this checkout; give their folder")
    for name in PROVIDERS:
        schema = json.loads((folder / f"{name}.json").read_text())
        ((address, provider),) = schema["provider_schemas"].items()
        found = {section: {} for section in SECTIONS.values()}
        missing = []
        for owner, section, kind in wanted():
            if owner == name:
                known = provider[section].get(kind)
                if known is None:
                    missing.append((section, kind))
                else:
                    found[section][kind] = known
        if missing:
            if name != "aws":
                sys.exit(f"trim.py: {folder / name}.json has no {', '.join(kind for _, kind in missing)}")
            import cdktn

            for section, kind in missing:
                found[section][kind] = cdktn.schema(section, kind)
        text = (
            f'{{"format_version":"{schema["format_version"]}","provider_schemas":{{"{address}":{{\n'
            f'"provider":{compact(provider["provider"])},\n'
            f'"resource_schemas":{one_a_line(found["resource_schemas"])},\n'
            f'"data_source_schemas":{one_a_line(found["data_source_schemas"])}\n'
            "}}}\n"
        )
        json.loads(text)
        (HERE / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
