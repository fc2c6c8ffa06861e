#!/usr/bin/env python3
"""Schemas of the aws provider, read out of the npm package @cdktn/provider-aws.

    cdktn.py OUT.json    writes the schemas of all types that can be read; trim.py takes only what it needs

The package holds TypeScript classes that were generated from the provider's schema; each attribute stands there with a
comment that says whether it is computed, optional or required, and with the call that converts it. What can't be read
from it: descriptions, which attributes are sensitive, and least numbers of blocks above one.
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

PLAIN = {"string": "string", "boolean": "bool", "number": "number"}
# The package doesn't say which attributes are sensitive; these are, of the types in use.
SENSITIVE = {"aws_ssm_parameter": ["value"], "aws_secretsmanager_secret_version": ["secret_binary", "secret_string"]}
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
        command = ["npm", "pack", "--silent", PACKAGE]
        made = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        with tarfile.open(folder / made.stdout.split()[-1]) as archive:
            archive.extractall(folder, (member for member in archive if "/lib/" in member.name))
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
        written = self.written(hcl)
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
            if is_block and not nested and self.is_block_type(key):
                blocks[key] = {"nesting_mode": kind, "block": self.plain_block(storage.removesuffix("List"))}
            elif nested and nested.group(1) in self.classes:
                inner, in_set = nested.groups()
                if is_block and self.is_block_type(key):
                    blocks[key] = self.nested_block(inner, kind, flags)
                else:
                    attributes[key] = {**flags, "type": self.object_type(inner, kind, in_set == "true")}
            else:
                attributes[key] = {**flags, "type": self.attribute_type(text, storage, kind)}
        result = {"attributes": attributes}
        if blocks:
            result["block_types"] = blocks
        return result

    def written(self, hcl):
        """What is written into a configuration, by name: whether it is a block, its nesting, its class."""
        pattern = (
            r"^ +(\w+): \{\n +value: .*\n +isBlock: (\w+),\n"
            r' +type: "(\w+)",\n +storageClassType: "(\w+)"'
        )
        found = re.findall(pattern, hcl, flags=re.M)
        return {key: (is_block == "true", kind, storage) for key, is_block, kind, storage in found}

    def plain_block(self, name):
        """A block that has no class of its own, as the provider's are: its declaration says what is optional."""
        declared = re.search(rf"^export interface {name} \{{(.*?)^\}}", self.declarations, flags=re.M | re.S).group(1)
        optional = {key.lower() for key in re.findall(r"readonly (\w+)\?:", declared)}
        attributes = {
            key: {
                "optional" if key.replace("_", "") in optional else "required": True,
                "type": self.attribute_type("", storage, kind),
            }
            for key, (_, kind, storage) in self.written(self.functions[name[0].lower() + name[1:]]).items()
        }
        return {"attributes": attributes}

    def is_block_type(self, key):
        """Whether the declarations call it a block; else it is an attribute that holds objects."""
        return re.search(rf"^ +\* {key} block$", self.declarations, flags=re.M) is not None

    def element(self, inner):
        """The class of one element, whether the list holds one only."""
        if inner.endswith("OutputReference"):
            return inner, True
        names = (inner.removesuffix(suffix) + "OutputReference" for suffix in ("List", "MapList", "Map"))
        return next(name for name in names if name in self.classes), False

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
            if not found:
                raise KeyError(storage)  # a type that holds itself, which a schema can't say
            inner, outer = PLAIN.get(found.group(1), "string"), found.group(2)
            if outer == "ListList":
                return [kind, ["list", inner]]
            return [kind if outer == "List" else "map", inner]
        held = re.search(r"= new cdktn\.(String|Boolean|Number|Any)Map(List)?\(this", text)
        if held:
            inner = ["map", PLAIN.get(held.group(1).lower(), "string")]
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
    block = module.block(module.main)
    for attribute in SENSITIVE.get(kind, ()):
        block["attributes"][attribute]["sensitive"] = True
    return {"version": 0, "block": block}


def every_type():
    """All the provider's types, as (section, type)."""
    for folder in sorted(package().iterdir()):
        script = folder / "index.js"
        name = folder.name.removeprefix("data-aws-")
        if not script.exists() or name in ("provider", "provider-functions") or name.startswith("ephemeral-"):
            continue
        kind = "aws_" + name.replace("-", "_")
        if f'tfResourceType = "{kind}"' in script.read_text():
            yield ("resource_schemas" if name == folder.name else "data_source_schemas"), kind


def schemas(types):
    """The document of `tofu providers schema -json` with these types in it."""
    found = {"resource_schemas": {}, "data_source_schemas": {}}
    for section, kind in types:
        found[section][kind] = schema(section, kind)
    provider = Module("provider")
    found["provider"] = {"version": 0, "block": provider.block(provider.main)}
    return {"format_version": "1.0", "provider_schemas": {"registry.opentofu.org/hashicorp/aws": found}}


def main():
    readable, odd = [], []
    for section, kind in every_type():
        try:
            schema(section, kind)
            readable.append((section, kind))
        except (AttributeError, KeyError, StopIteration):
            odd.append(kind)
    pathlib.Path(sys.argv[1]).write_text(json.dumps(schemas(readable), sort_keys=True) + "\n")
    print(f"{len(readable)} types; not readable: {', '.join(odd) or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    main()
