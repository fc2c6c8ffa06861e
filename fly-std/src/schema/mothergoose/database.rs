//! `database`: where the state of the fleet is kept.

use super::{Attribute, Block, Child, Type, Variant};

/// `database { … }`
pub(super) static DATABASE: Block = Block {
    attributes: &[
        Attribute::optional(
            "type",
            Type::Enum(&[
                Variant::new("ydb", "Yandex Database."),
                Variant::new("dynamodb", "Amazon DynamoDB."),
                Variant::new("sqlite", "A file on this machine."),
            ]),
            "the kind of database",
            "\"dynamodb\"",
        )
        .derived("`ydb` on yandex, `dynamodb` on aws, `sqlite` on local"),
        Attribute::optional(
            "name",
            Type::Name,
            "what the database is called in the cloud",
            "\"polar-gosling-db\"",
        )
        .default("\"polar-gosling-db\""),
        Attribute::optional(
            "mode",
            Type::Enum(&[
                Variant::new("serverless", "Paid by the request; grows by itself."),
                Variant::new("dedicated", "Capacity that is set aside and paid by the hour."),
            ]),
            "how the database is paid for and grows",
            "\"serverless\"",
        )
        .default("\"serverless\""),
    ],
    blocks: &[Child::optional(&TABLES)],
    example: r#"database {
  type = "ydb"
  name = "polar-gosling-db"
  mode = "serverless"
}"#,
    ..Block::new("database", "Where the state of the fleet is kept.")
};

/// `tables { … }`
static TABLES: Block = Block {
    free_blocks: Some(&TABLE),
    example: r#"tables {
  audit_log {
    primary_key = ["entry_id"]
    columns = [
      { name = "entry_id", type = "String" },
      { name = "entry", type = "Json" },
    ]
  }
}"#,
    ..Block::new(
        "tables",
        "Tables, each a block with a name of your own. The tables MotherGoose needs are there even when not written.",
    )
};

/// One table in `tables`.
static TABLE: Block = Block {
    attributes: &[
        Attribute::optional("name", Type::Name, "what the table is called in the database", "\"runners\"")
            .derived("the name of its block"),
        Attribute::required(
            "primary_key",
            Type::List(&Type::Name),
            "the names of the columns that tell rows apart",
            "[\"runner_id\"]",
        ),
        Attribute::required(
            "columns",
            Type::List(&Type::Object(COLUMN)),
            "the columns, each a map of its name and type",
            "[{ name = \"runner_id\", type = \"String\" }]",
        ),
    ],
    blocks: &[Child::many(&INDEX)],
    example: r#"runners {
  name        = "runners"
  primary_key = ["runner_id"]
  columns = [
    { name = "runner_id", type = "String" },
    { name = "egg_name", type = "String" },
    { name = "created_at", type = "Timestamp" },
  ]

  global_secondary_index {
    name          = "egg_name_index"
    partition_key = "egg_name"
    sort_key      = "created_at"
  }
}"#,
    ..Block::new("table", "One table.")
};

/// The keys of one entry of `columns`.
const COLUMN: &[Attribute] = &[
    Attribute::required("name", Type::Name, "what the column is called", "\"runner_id\""),
    Attribute::required(
        "type",
        Type::Enum(&[
            Variant::new("String", "Text."),
            Variant::new("Int64", "A whole number."),
            Variant::new("Uint64", "A whole number that is not negative."),
            Variant::new("Double", "A number with a fraction."),
            Variant::new("Bool", "True or false."),
            Variant::new("Json", "A JSON document."),
            Variant::new("Timestamp", "A moment in time."),
            Variant::new("Bytes", "Raw bytes."),
        ]),
        "what the column holds",
        "\"String\"",
    ),
];

/// `global_secondary_index { … }`
static INDEX: Block = Block {
    attributes: &[
        Attribute::required("name", Type::Name, "what the index is called", "\"egg_name_index\""),
        Attribute::required("partition_key", Type::Name, "the column rows are looked up by", "\"egg_name\""),
        Attribute::optional(
            "sort_key",
            Type::Name,
            "the column rows with the same partition key are sorted by",
            "\"created_at\"",
        ),
    ],
    example: r#"global_secondary_index {
  name          = "egg_name_index"
  partition_key = "egg_name"
  sort_key      = "created_at"
}"#,
    ..Block::new("global_secondary_index", "A second way to look rows up.")
};
