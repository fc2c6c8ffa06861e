//! The tables of MotherGoose: those it can't do without, with what an author adds to them.
//!
//! A table is known by the name of its block. An author's block of the same name keeps the columns MotherGoose needs:
//! it may call the table otherwise, and add columns and indexes.

use std::collections::BTreeMap;

use fly_std::Value;

use crate::{
    artifact::{Column, ColumnType, Index, Table},
    config::defaults::Reader,
    model::TypedBlock,
};

/// A table of MotherGoose's own.
struct Own {
    name: &'static str,
    primary_key: &'static [&'static str],
    columns: &'static [(&'static str, ColumnType)],
    /// Name, partition key, sort key.
    indexes: &'static [(&'static str, &'static str, &'static str)],
    /// Whether its rows go when the moment in `expires_at` is over.
    expires: bool,
}

use ColumnType::{Bool, Bytes, Double, Int64, Json, String as Text, Timestamp, Uint64};

/// When a row of a table that does not grow for ever goes.
const EXPIRES: &str = "expires_at";

/// What must be there. `version` is what conditional writes compare; see the orchestrator's store.
const OWN: &[Own] = &[
    Own {
        name: "runners",
        primary_key: &["runner_id"],
        columns: &[
            ("runner_id", Text),
            ("egg_name", Text),
            ("type", Text),
            ("state", Text),
            ("pool", Text),
            ("cloud_provider", Text),
            ("region", Text),
            ("gitlab_runner_id", Int64),
            ("system_id", Text),
            ("deployed_from_commit", Text),
            ("created_at", Timestamp),
            ("updated_at", Timestamp),
            ("last_heartbeat", Timestamp),
            ("failure_count", Int64),
            ("metadata", Json),
            ("version", Int64),
        ],
        indexes: &[("egg_name_index", "egg_name", "created_at"), ("state_index", "state", "last_heartbeat")],
        expires: false,
    },
    Own {
        name: "eggs_config",
        primary_key: &["egg_name"],
        columns: &[
            ("egg_name", Text),
            ("config_json", Json),
            ("config_digest", Text),
            ("git_commit", Text),
            ("git_repo_url_secret", Text),
            ("gitlab_project_id", Int64),
            ("gitlab_webhook_id", Int64),
            ("gitlab_token_secret_uri", Text),
            ("gitlab_webhook_secret_uri", Text),
            ("removed", Bool),
            ("paused", Bool),
            ("next_number", Int64),
            ("revision", Int64),
            ("failures", Int64),
            ("retry_at", Timestamp),
            ("metadata", Json),
            ("created_at", Timestamp),
            ("updated_at", Timestamp),
            ("synced_at", Timestamp),
            ("version", Int64),
        ],
        indexes: &[("gitlab_project_index", "gitlab_project_id", "")],
        expires: false,
    },
    Own {
        name: "deployment_plans",
        primary_key: &["plan_id"],
        columns: &[
            ("plan_id", Text),
            ("egg_name", Text),
            ("plan_type", Text),
            ("plan_binary", Bytes),
            ("config_hash", Text),
            ("git_commit", Text),
            ("state_lineage", Text),
            ("state_serial", Int64),
            ("status", Text),
            ("rollback_plan_id", Text),
            ("created_at", Timestamp),
            ("applied_at", Timestamp),
            ("metadata", Json),
            ("version", Int64),
        ],
        indexes: &[("egg_name_index", "egg_name", "created_at")],
        expires: false,
    },
    Own {
        name: "jobs",
        primary_key: &["job_name"],
        columns: &[
            ("job_name", Text),
            ("config_json", Json),
            ("schedule", Text),
            ("git_commit", Text),
            ("status", Text),
            ("last_run", Timestamp),
            ("next_run", Timestamp),
            ("synced_at", Timestamp),
            ("version", Int64),
        ],
        indexes: &[],
        expires: false,
    },
    Own {
        name: "sync_history",
        primary_key: &["sync_id"],
        columns: &[
            ("sync_id", Text),
            ("git_commit", Text),
            ("status", Text),
            ("changes_detected", Json),
            ("error_message", Text),
            ("synced_at", Timestamp),
            (EXPIRES, Timestamp),
        ],
        indexes: &[("git_commit_index", "git_commit", "synced_at")],
        expires: true,
    },
    Own {
        name: "audit_logs",
        primary_key: &["entry_id"],
        columns: &[
            ("entry_id", Text),
            ("day", Text),
            ("at", Timestamp),
            ("actor", Text),
            ("action", Text),
            ("resource_type", Text),
            ("resource_id", Text),
            ("details", Json),
            (EXPIRES, Timestamp),
        ],
        indexes: &[("day_index", "day", "at"), ("resource_index", "resource_id", "at")],
        expires: true,
    },
    Own {
        name: "runner_metrics",
        primary_key: &["runner_id", "at"],
        columns: &[
            ("runner_id", Text),
            ("at", Timestamp),
            ("state", Text),
            ("job_count", Int64),
            ("cpu_usage", Double),
            ("memory_usage", Double),
            ("disk_usage", Double),
            ("agent_version", Text),
            ("failure_count", Int64),
            ("last_job_at", Timestamp),
            (EXPIRES, Timestamp),
        ],
        indexes: &[],
        expires: true,
    },
    Own {
        name: "tofu_versions",
        primary_key: &["version_id"],
        columns: VERSIONS,
        indexes: &[],
        expires: false,
    },
    Own {
        name: "gosling_versions",
        primary_key: &["version_id"],
        columns: VERSIONS,
        indexes: &[],
        expires: false,
    },
    Own {
        name: "demand",
        primary_key: &["server", "job_id"],
        columns: &[
            ("server", Text),
            ("job_id", Int64),
            ("egg_name", Text),
            ("project_id", Int64),
            ("status", Text),
            ("tags", Json),
            ("seen_at", Timestamp),
            ("told_at", Timestamp),
            ("runner_id", Text),
            ("name", Text),
            ("ref", Text),
            ("ref_protected", Bool),
            ("reason", Json),
            (EXPIRES, Timestamp),
            ("version", Int64),
        ],
        indexes: &[("egg_name_index", "egg_name", "seen_at")],
        expires: true,
    },
    Own {
        name: "leases",
        primary_key: &["lease_name"],
        columns: &[
            ("lease_name", Text),
            ("owner", Text),
            ("fencing_token", Uint64),
            (EXPIRES, Timestamp),
            ("version", Int64),
        ],
        indexes: &[],
        // The number of the last holder must outlive the lease.
        expires: false,
    },
    Own {
        name: "nest",
        primary_key: &["nest_name"],
        columns: &[
            ("nest_name", Text),
            ("git_commit", Text),
            ("nest_digest", Text),
            ("compiler_version", Text),
            ("uglyfox", Json),
            ("mothergoose", Json),
            ("pending", Json),
            ("linked", Json),
            ("seen_commit", Text),
            ("error_message", Text),
            ("applied_at", Timestamp),
            ("looked_at", Timestamp),
            ("version", Int64),
        ],
        indexes: &[],
        expires: false,
    },
    Own {
        name: "deliveries",
        primary_key: &["delivery_id"],
        columns: &[("delivery_id", Text), ("source", Text), ("received_at", Timestamp), (EXPIRES, Timestamp)],
        indexes: &[],
        expires: true,
    },
];

/// Versions of a program that runners or workers use.
const VERSIONS: &[(&str, ColumnType)] = &[
    ("version_id", Text),
    ("version", Text),
    ("source", Text),
    ("downloaded_at", Timestamp),
    ("sha256_hash", Text),
    ("active", Bool),
];

/// The names of the tables that are there even when not written.
fn table_names() -> impl Iterator<Item = &'static str> {
    OWN.iter().map(|own| own.name)
}

/// The tables that are there even when not written, as the orchestrator's database has them.
pub fn own_tables() -> Vec<Table> {
    table_names().filter_map(own_table).collect()
}

/// The table of this name that is there even when not written.
pub fn own_table(name: &str) -> Option<Table> {
    let own = OWN.iter().find(|own| own.name == name)?;
    let column = |(name, ty): &(&str, ColumnType)| Column { name: (*name).to_owned(), ty: *ty };
    let index = |(name, partition, sort): &(&str, &str, &str)| Index {
        name: (*name).to_owned(),
        partition_key: (*partition).to_owned(),
        sort_key: (!sort.is_empty()).then(|| (*sort).to_owned()),
    };
    Some(Table {
        name: own.name.to_owned(),
        primary_key: own.primary_key.iter().map(ToString::to_string).collect(),
        columns: own.columns.iter().map(column).collect(),
        indexes: own.indexes.iter().map(index).collect(),
        ttl_column: own.expires.then(|| EXPIRES.to_owned()),
    })
}

/// The tables: MotherGoose's own and the written ones, by the names of their blocks.
pub(super) fn merged(block: Option<&TypedBlock>) -> Option<BTreeMap<String, Table>> {
    let mut tables: BTreeMap<String, Table> =
        table_names().filter_map(|name| Some((name.to_owned(), own_table(name)?))).collect();
    for block in block.map_or(&[][..], |block| &block.blocks) {
        let written = written_table(block)?;
        match tables.get_mut(block.name.as_str()) {
            Some(own) => add(own, written),
            None => drop(tables.insert(block.name.to_string(), written)),
        }
    }
    Some(tables)
}

/// Adds what an author wrote of one of MotherGoose's own tables. An index of the same name is the author's.
fn add(own: &mut Table, written: Table) {
    own.name = written.name;
    for column in written.columns {
        if !own.columns.iter().any(|known| known.name == column.name) {
            own.columns.push(column);
        }
    }
    for index in written.indexes {
        match own.indexes.iter_mut().find(|known| known.name == index.name) {
            Some(known) => *known = index,
            None => own.indexes.push(index),
        }
    }
}

/// A table as it is written.
pub fn written_table(block: &TypedBlock) -> Option<Table> {
    let table = Reader::of(block);
    let Value::List(columns) = table.get("columns")? else { return None };
    let indexes = block.blocks("global_secondary_index").map(|block| {
        let index = Reader::of(block);
        Some(Index {
            name: index.text("name")?,
            partition_key: index.text("partition_key")?,
            sort_key: index.text("sort_key"),
        })
    });
    Some(Table {
        name: table.text("name").unwrap_or_else(|| block.name.to_string()),
        primary_key: table.texts("primary_key")?,
        columns: columns.iter().map(column).collect::<Option<_>>()?,
        indexes: indexes.collect::<Option<_>>()?,
        ttl_column: None,
    })
}

/// One entry of `columns`.
fn column(value: &Value) -> Option<Column> {
    let Value::Map(entries) = value else { return None };
    let text = |wanted: &str| entries.iter().find(|(name, _)| name == wanted)?.1.as_str();
    let ty = match text("type")? {
        "String" => Text,
        "Int64" => Int64,
        "Uint64" => Uint64,
        "Double" => Double,
        "Bool" => Bool,
        "Json" => Json,
        "Timestamp" => Timestamp,
        "Bytes" => Bytes,
        _ => return None,
    };
    Some(Column { name: text("name")?.to_owned(), ty })
}
