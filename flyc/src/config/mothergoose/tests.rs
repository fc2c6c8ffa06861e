//! What the tables of this room promise, held against each other and against the documentation.

use fly_std::schema::{self, Presence};

use super::*;
use crate::artifact::{ColumnType, Component};

#[test]
fn the_tables_fit_together() {
    let tables = tables::merged(None).unwrap();
    for name in ["runners", "eggs_config", "deployment_plans", "jobs", "sync_history", "audit_logs"] {
        assert!(tables.contains_key(name), "{name}");
    }
    for (name, table) in &tables {
        let ty = |wanted: &str| {
            let column = table.columns.iter().find(|column| column.name == wanted);
            column.unwrap_or_else(|| panic!("{name} has no {wanted}")).ty
        };
        let keys =
            table.indexes.iter().flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()]);
        for key in table.primary_key.iter().chain(keys.flatten()) {
            assert!(
                !matches!(ty(key), ColumnType::Json | ColumnType::Bool | ColumnType::Double),
                "{name}.{key}"
            );
        }
        assert!(matches!(table.primary_key.len(), 1 | 2), "{name}");
        if let Some(column) = &table.ttl_column {
            assert_eq!(ty(column), ColumnType::Timestamp, "{name}");
        }
        let mut names: Vec<_> = table.columns.iter().map(|column| &column.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), table.columns.len(), "{name}");
    }
}

#[test]
fn the_documentation_says_how_often_triggers_go_off() {
    let schedule = schema::MOTHERGOOSE.child("triggers").unwrap().block.free_blocks.unwrap();
    let Presence::Derived(told) = schedule.attribute("schedule").unwrap().presence else { panic!() };
    for (name, cron) in TRIGGERS {
        let minutes = cron.strip_prefix("*/").map_or("1", |rest| rest.split_once(' ').unwrap().0);
        assert!(
            told.contains(&format!("{minutes} minutes for `{name}`"))
                || told.contains(&format!("{minutes} for `{name}`")),
            "{name}: {told}"
        );
    }
}

#[test]
fn every_component_is_a_block_and_every_service_does_something() {
    for component in Component::ALL {
        assert!(schema::MOTHERGOOSE.child(component.name()).is_some(), "{component:?}");
        assert_eq!(Component::of_name(component.name()), Some(component));
        assert_eq!(!needs(component).is_empty(), Component::SERVICES.contains(&component), "{component:?}");
    }
}
