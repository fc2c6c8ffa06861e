#!/usr/bin/env python3
"""Cuts provider schemas down to what the generated modules use.

    trim.py FOLDER      FOLDER holds aws.json and yandex.json, the output of `tofu providers schema -json`

Writes aws.json and yandex.json beside this script: the provider's own block, and the resources and data sources that
are named below, without descriptions. Add a name when a module begins to use it.
"""

import json
import pathlib
import sys

RESOURCES = {
    "aws": [
        "aws_cloudwatch_log_group",
        "aws_ecs_cluster",
        "aws_ecs_task_definition",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_instance",
    ],
    "yandex": [
        "yandex_compute_instance",
        "yandex_serverless_container",
        "yandex_serverless_container_iam_binding",
    ],
}
DATA_SOURCES = {
    "aws": [
        "aws_ami",
        "aws_caller_identity",
        "aws_ecs_cluster",
        "aws_instance",
        "aws_partition",
        "aws_region",
        "aws_subnet",
    ],
    "yandex": [
        "yandex_compute_image",
        "yandex_compute_instance",
        "yandex_serverless_container",
        "yandex_vpc_network",
        "yandex_vpc_subnet",
    ],
}

# The saved schema of aws lacks this resource; written from the provider's source, internal/service/ec2.
ADDED = {
    "aws": {
        "aws_ec2_instance_state": {
            "version": 0,
            "block": {
                "attributes": {
                    "force": {"type": "bool", "optional": True},
                    "id": {"type": "string", "optional": True, "computed": True},
                    "instance_id": {"type": "string", "required": True},
                    "region": {"type": "string", "optional": True, "computed": True},
                    "state": {"type": "string", "required": True},
                },
                "block_types": {
                    "timeouts": {
                        "nesting_mode": "single",
                        "block": {
                            "attributes": {
                                "create": {"type": "string", "optional": True},
                                "delete": {"type": "string", "optional": True},
                                "update": {"type": "string", "optional": True},
                            }
                        },
                    }
                },
            },
        }
    }
}


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


def main():
    source = pathlib.Path(sys.argv[1])
    target = pathlib.Path(__file__).parent
    for name in RESOURCES:
        schema = json.loads((source / f"{name}.json").read_text())
        (address, provider), = schema["provider_schemas"].items()
        resources = {key: provider["resource_schemas"][key] for key in RESOURCES[name]}
        resources.update(ADDED.get(name, {}))
        trimmed = {
            "format_version": schema["format_version"],
            "provider_schemas": {
                address: {
                    "provider": provider["provider"],
                    "resource_schemas": resources,
                    "data_source_schemas": {key: provider["data_source_schemas"][key] for key in DATA_SOURCES[name]},
                }
            },
        }
        text = json.dumps(plain(trimmed), indent=1, sort_keys=True)
        (target / f"{name}.json").write_text(text + "\n")


main()
