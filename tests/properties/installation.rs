//! Makes a drawn `mothergoose` hold the rules between its parts: one cloud, tables whose keys are columns, sizes that
//! are on sale. What AWS alone forbids has tests of its own, so an installation is drawn for the other two.

use fly_std::Value;

use crate::{generate::Node, values::Written};

const GIB: u64 = 1 << 30;

/// Settles the block and everything within.
pub(crate) fn settle(root: &mut Node) {
    let provider = root.blocks.iter_mut().find(|block| block.name == "cloud").and_then(|cloud| {
        let provider = cloud.attributes.iter_mut().find(|attribute| attribute.name == "provider")?;
        if provider.written.value.as_str() == Some("aws") {
            provider.written = text("yandex");
        }
        provider.written.value.as_str().map(str::to_owned)
    });
    within(root, provider.as_deref() == Some("local"));
}

fn within(node: &mut Node, local: bool) {
    node.attributes.retain(|attribute| match (attribute.name.as_str(), &attribute.written.value) {
        ("type", Value::String(name)) => {
            let own = matches!(name.as_str(), "local" | "sqlite");
            own == local && !name.starts_with("aws_") && name != "dynamodb"
        }
        ("memory", Value::Size(bytes)) => *bytes <= 8 * GIB,
        _ => true,
    });
    for attribute in &mut node.attributes {
        match (node.schema.name, attribute.name.as_str()) {
            ("network", "cidr") => attribute.written = text("10.128.0.0/16"),
            ("table", "primary_key") => {
                attribute.written = Written {
                    source: "[\"c0\"]".into(),
                    value: Value::List(vec![Value::String("c0".into())]),
                };
            }
            ("table", "columns") => attribute.written = columns(&attribute.written.value),
            ("global_secondary_index", "partition_key" | "sort_key") => attribute.written = text("c0"),
            _ => {}
        }
    }
    for block in &mut node.blocks {
        within(block, local);
    }
}

fn text(text: &str) -> Written {
    Written { source: format!("\"{text}\""), value: Value::String(text.into()) }
}

/// The columns by other names, so that no two are alike and the first is always there.
fn columns(drawn: &Value) -> Written {
    let drawn = match drawn {
        Value::List(columns) => columns.as_slice(),
        _ => &[],
    };
    let of = |column: &Value| match column {
        Value::Map(entries) => entries.iter().find(|(name, _)| name == "type")?.1.as_str().map(str::to_owned),
        _ => None,
    };
    let mut types: Vec<String> = drawn.iter().filter_map(of).collect();
    if types.is_empty() {
        types.push("String".to_owned());
    }
    let entry = |(at, ty): (usize, &String)| {
        let name = format!("c{at}");
        (
            format!("{{ name = \"{name}\", type = \"{ty}\" }}"),
            Value::Map(vec![
                ("name".into(), Value::String(name.into())),
                ("type".into(), Value::String(ty.as_str().into())),
            ]),
        )
    };
    let (sources, values): (Vec<String>, Vec<Value>) = types.iter().enumerate().map(entry).unzip();
    Written { source: format!("[{}]", sources.join(", ")), value: Value::List(values) }
}
