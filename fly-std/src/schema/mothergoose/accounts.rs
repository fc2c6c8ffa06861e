//! `service_accounts` and `network`: who the parts of the system act as, and what connects them.

use super::{Attribute, Block, Type};

/// `service_accounts { … }`
pub(super) static SERVICE_ACCOUNTS: Block = Block {
    free_blocks: Some(&SERVICE_ACCOUNT),
    example: r#"service_accounts {
  mothergoose {
    name  = "mothergoose-sa"
    roles = ["lockbox.payloadViewer", "ydb.editor", "compute.admin"]
  }
}"#,
    ..Block::new(
        "service_accounts",
        "Who the parts of the system act as, each a block with a name of your own.",
    )
};

/// One account in `service_accounts`.
static SERVICE_ACCOUNT: Block = Block {
    attributes: &[
        Attribute::optional(
            "name",
            Type::Name,
            "what the account is called in the cloud",
            "\"mothergoose-sa\"",
        )
        .derived("the name of its block, with `-` for `_`, and `-sa`"),
        Attribute::required(
            "roles",
            Type::List(&Type::String),
            "what the account may do: roles of Yandex Cloud, or IAM actions and policy ARNs of AWS",
            "[\"lockbox.payloadViewer\", \"ydb.editor\"]",
        ),
    ],
    example: r#"mothergoose {
  name  = "mothergoose-sa"
  roles = ["lockbox.payloadViewer", "ydb.editor", "compute.admin"]
}"#,
    ..Block::new("service_account", "One service account and its roles.")
};

/// `network { … }`
pub(super) static NETWORK: Block = Block {
    attributes: &[
        Attribute::optional("id", Type::Name, "the id of a network that is there already", "\"enp1a2b3c\"")
            .derived("a network made for this installation"),
        Attribute::optional(
            "subnets",
            Type::List(&Type::Name),
            "the ids of the subnets that services and runners are attached to",
            "[\"e9b1a2b3c\"]",
        )
        .derived("one subnet in each availability zone in use"),
        Attribute::optional(
            "security_groups",
            Type::List(&Type::Name),
            "the ids of the security groups that services and runners are in",
            "[\"enp9z8y7x\"]",
        )
        .derived("one group that lets everything out and nothing in"),
        Attribute::optional(
            "cidr",
            Type::String,
            "the addresses of a network that is made for this installation",
            "\"10.128.0.0/16\"",
        )
        .default("\"10.128.0.0/16\""),
        Attribute::optional(
            "nat",
            Type::Bool,
            "whether runners reach the internet through a NAT gateway",
            "true",
        )
        .default("true"),
    ],
    example: r#"network {
  cidr = "10.128.0.0/16"
  nat  = true
}"#,
    ..Block::new("network", "The network that services and runners are attached to.")
};
