//! The rendered reference holds everything the tables hold.

use serde_json::{Value, json};

use super::{json_schema, markdown};
use crate::{
    functions::FUNCTIONS,
    policy::FIELDS,
    schema::{Block, ROOTS, Times},
};

fn names(block: &'static Block, found: &mut Vec<&'static str>) {
    found.extend(block.attributes.iter().map(|attribute| attribute.name));
    for child in block.blocks.iter().filter(|child| !matches!(child.times, Times::Never(_))) {
        found.push(child.block.name);
        names(child.block, found);
    }
    if let Some(free) = block.free_blocks {
        names(free, found);
    }
}

#[test]
fn the_page_tells_everything() {
    let page = markdown();
    for root in ROOTS {
        assert!(page.contains(&format!("\n## `{}`\n", root.block.name)));
        let mut found = Vec::new();
        names(root.block, &mut found);
        for name in found {
            assert!(page.contains(&format!("{name}`")), "{name}");
        }
    }
    for function in FUNCTIONS {
        assert!(page.contains(function.doc), "{}", function.name);
    }
    for field in FIELDS {
        assert!(page.contains(field.doc), "{}", field.name);
    }
    assert!(page.contains(
        "`job.rift` has no place here: a job's runner has no access to Rift; leave this block out."
    ));
    assert!(page.contains("Exactly one of `project_id` and `group_id` must be there."));
    assert!(page.contains("default `4GiB`"));
}

#[test]
fn every_row_of_a_table_has_the_columns_of_its_head() {
    let mut columns = None;
    for line in markdown().lines() {
        let count = line.replace("\\|", "").matches('|').count();
        if line.starts_with('|') {
            assert_eq!(*columns.get_or_insert(count), count, "{line}");
        } else {
            columns = None;
        }
    }
}

#[test]
fn the_schema_holds_limits_defaults_and_examples() {
    let schema = json_schema();
    let at = |pointer: &str| schema.pointer(pointer).cloned().unwrap_or(Value::Null);
    let memory = "/$defs/egg/properties/resources/properties/memory";
    assert_eq!(at(&format!("{memory}/minimum")), json!((512u64 << 20)));
    assert_eq!(at(&format!("{memory}/maximum")), json!((1u64 << 50)));
    assert_eq!(at(&format!("{memory}/default")), json!((4u64 << 30)));
    assert_eq!(at("/$defs/job/properties/timeout/default"), json!(600));
    assert_eq!(at("/$defs/egg/required/0"), json!("type"));
    assert_eq!(at("/$defs/egg/required/1"), json!("gitlab"));
    assert_eq!(at("/$defs/egg/properties/type/enum/0"), json!("vm"));
    assert_eq!(at("/$defs/egg/properties/gitlab/oneOf/1/required/0"), json!("group_id"));
    assert_eq!(at("/$defs/eggsbucket/properties/gitlab"), Value::Null);
    assert_eq!(at("/$defs/job/properties/rift"), Value::Null);
    assert_eq!(at("/$defs/mothergoose/properties/api/type"), json!("object"));
    assert_eq!(at("/$defs/mothergoose/additionalProperties"), json!(false));
}

/// Every object that names its properties says what else it may hold, and each pointer leads somewhere.
#[test]
fn the_schema_is_closed() {
    fn visit(root: &Value, value: &Value) {
        match value {
            Value::Object(map) => {
                if map.get("type") == Some(&"object".into()) {
                    assert!(map.contains_key("additionalProperties"), "{map:?}");
                }
                if let Some(Value::String(pointer)) = map.get("$ref") {
                    assert!(root.pointer(pointer.trim_start_matches('#')).is_some(), "{pointer}");
                }
                map.values().for_each(|value| visit(root, value));
            }
            Value::Array(values) => values.iter().for_each(|value| visit(root, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let schema = json_schema();
    visit(&schema, &schema);
}

/// Every default of a plain type reaches the schema: a text the renderer cannot read would be dropped in silence.
#[test]
fn no_default_is_lost() {
    fn visit(block: &'static Block) {
        for attribute in block.attributes {
            if let crate::schema::Presence::Default(text) = attribute.presence {
                assert!(super::literal(text, &attribute.ty).is_some(), "{}.{}", block.name, attribute.name);
            }
        }
        block.blocks.iter().for_each(|child| visit(child.block));
        if let Some(free) = block.free_blocks {
            visit(free);
        }
    }
    for root in ROOTS {
        visit(root.block);
    }
}
