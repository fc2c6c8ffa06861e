#!/usr/bin/env python3
"""Schemas of the aws provider, read out of the npm package @cdktn/provider-aws.

    cdktn.py [OUT.json]    writes the schemas of all types of types.txt, and of the provider

The package holds TypeScript classes that were generated from the provider's schema; each attribute stands there with a
comment that says whether it is computed, optional or required, and with the call that converts it. What can't be read
from it: descriptions, which attributes are sensitive, and the least number of blocks above one.
"""

import functools
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "@cdktn/provider-aws@25.7.0"

PLAIN = {"string": "string", "boolean": "bool", "number": "number", "any": "dynamic"}
GETTERS = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "BooleanMap": ["map", "bool"],
    "NumberMap": ["map", "number"],
    "AnyMap": ["map", "string"],
}


@functools.cache
def package():
    """The package's folder of modules, fetched by npm into a temporary folder once."""
    folder = pathlib.Path(tempfile.gettempdir()) / PACKAGE.replace("/", "+")
    if not (folder / "package").is_dir():
        folder.mkdir(exist_ok=True)
        made = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True)
        with tarfile.open(folder / made.stdout.split()[-1]) as archive:
            archive.extractall(folder, [member for member in archive if "/lib/" in member.name and "\n" not in member.name])
    return folder / "package" / "lib"


class Module:
    """One generated module: its classes, and what the declarations say."""

    def __init__(self, name):
        folder = package() / name
        script = (folder / "index.js").read_text().partition("//# sourceMappingURL")[0]
        self.declarations = (folder / "index.d.ts").read_text()
        parts = re.split(r"^class (\w+) extends ", script, flags=re.M)
        self.classes = dict(zip(parts[1::2], parts[2::2]))
        self.functions = dict(re.findall(r"^function (\w+)ToHclTerraform\(.*?\) \{(.*?)^\}", script, flags=re.M | re.S))
        main = re.search(r"^class (\w+) extends cdktn\.Terraform(?:Resource|DataSource|Provider)\b", script, flags=re.M)
        self.main = main.group(1)

    def block(self, name, hcl=None):
        """The schema of a class's block."""
        body = self.classes[name]
        if hcl is None:
            hcl = body.partition("synthesizeHclAttributes()")[2]
        written = {
            key: (is_block == "true", kind, storage)
            for key, is_block, kind, storage in re.findall(
                r'^ +(\w+): \{\n +value: .*\n +isBlock: (\w+),\n +type: "(\w+)",\n +storageClassType: "(\w+)"', hcl, flags=re.M
            )
        }
        attributes, blocks = {}, {}
        parts = re.split(r"^    // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n", body, flags=re.M)
        for key, computed, optional, required, text in zip(*(parts[at::5] for at in range(1, 6))):
            flags = {
                flag: True
                for flag, value in (("computed", computed), ("optional", optional), ("required", required))
                if value == "true"
            }
            is_block, kind, storage = written.get(key, (False, None, None))
            nested = re.search(rf'= new (\w+)\(this, "{key}"(?:, (\w+))?\)', text)
            if nested and nested.group(1).startswith(self.main):
                inner, in_set = nested.groups()
                if is_block and self.is_block_type(key, inner):
                    blocks[key] = self.nested_block(inner, kind, flags)
                else:
                    attributes[key] = {**flags, "type": self.object_type(inner, kind, in_set == "true")}
            else:
                attributes[key] = {**flags, "type": self.attribute_type(text, storage, kind)}
        result = {"attributes": attributes}
        if blocks:
            result["block_types"] = blocks
        return result

    def is_block_type(self, key, inner):
        """Whether the declarations call it a block; else it is an attribute that holds objects."""
        return re.search(rf"^ +\* {key} block$", self.declarations, flags=re.M) is not None

    def element(self, inner):
        """The class of one element, whether the list holds one only."""
        if inner.endswith("OutputReference"):
            return inner, True
        return inner.removesuffix("MapList").removesuffix("List").removesuffix("Map") + "OutputReference", False

    def nested_block(self, inner, kind, flags):
        element, single = self.element(inner)
        function = element.removesuffix("OutputReference")
        hcl = self.functions.get(function[0].lower() + function[1:], "")
        block = {"nesting_mode": "single" if kind == "struct" else kind, "block": self.block(element, hcl)}
        if kind in ("list", "set"):
            if "required" in flags:
                block["min_items"] = 1
            if single:
                block["max_items"] = 1
        return block

    def object_type(self, inner, kind, in_set):
        element, single = self.element(inner)
        schema = self.block(element, "")
        fields = {key: value["type"] for key, value in schema["attributes"].items()}
        if kind == "struct":
            return ["object", fields]
        return ["set" if in_set or kind == "set" else "list", ["object", fields]]

    def attribute_type(self, text, storage, kind):
        if storage:
            if storage in PLAIN:
                return PLAIN[storage]
            found = re.fullmatch(r"(string|boolean|number|any)(ListList|List|Map)", storage)
            if found:
                inner, outer = PLAIN[found.group(1)], found.group(2)
                if outer == "ListList":
                    return [kind, ["list", inner]]
                return [kind if outer == "List" else "map", "string" if inner == "dynamic" else inner]
        held = re.search(r"= new cdktn\.(String|Boolean|Number|Any)Map(List)?\(this", text)
        if held:
            inner = ["map", PLAIN[held.group(1).lower()] if held.group(1) != "Any" else "string"]
            return ["list", inner] if held.group(2) else inner
        in_set = "cdktn.Fn.tolist(" in text
        getter = re.search(r"this\.get(\w+)Attribute\(", text)
        found = GETTERS[getter.group(1)] if getter else "string"
        if in_set and isinstance(found, list):
            return ["set", found[1]]
        return found


def schema(section, kind):
    """The schema of one type, as `tofu providers schema -json` gives it."""
    name = kind.removeprefix("aws_").replace("_", "-")
    module = Module(f"data-aws-{name}" if section == "data_source_schemas" else name)
    return {"version": 0, "block": module.block(module.main)}


def main():
    import trim

    found = {section: {} for section in trim.SECTIONS.values()}
    for owner, section, kind in trim.wanted():
        if owner == "aws":
            found[section][kind] = schema(section, kind)
    provider = Module("provider")
    found["provider"] = {"version": 0, "block": provider.block(provider.main)}
    text = json.dumps({"format_version": "1.0", "provider_schemas": {"registry.opentofu.org/hashicorp/aws": found}}, sort_keys=True)
    if len(sys.argv) > 1:
        pathlib.Path(sys.argv[1]).write_text(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
