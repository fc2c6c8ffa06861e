//! What is written is what is read: properties 1, 3, 4 and 4a, and 4b through a whole file.

use std::sync::Arc;

use fly_std::{
    Type, Value,
    schema::{self, Place},
};
use flyc::{
    compiler::Compiler,
    format::format,
    model::{Meaning, TypedBlock},
    syntax::{Block, Item, Parse, parse},
};
use proptest::prelude::*;

use crate::{
    cases, errors,
    generate::{Config, Node, bucket, config, config_of, path},
    told,
    values::value,
};

/// What a text means in place of a configuration's own.
pub(crate) fn meaning(config: &Config, text: &str) -> Vec<Meaning> {
    let compiler = Compiler::new(config.nest(text));
    compiler.typed(config.path).unwrap().blocks.iter().map(TypedBlock::meaning).collect()
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn property_1_round_trip(config in config()) {
        let text = config.print().text;
        let found = errors(&config.nest(&text));
        prop_assert!(found.is_empty(), "{}\nin\n{text}", told(&found));
        prop_assert_eq!(meaning(&config, &text), config.meaning(), "{}", text);
        let parsed = parse(Arc::from(text.as_str()));
        let printed = format(&parsed);
        prop_assert_eq!(meaning(&config, &printed), config.meaning(), "{}\nbecame\n{}", text, printed);
        let again = format(&parse(Arc::from(printed.as_str())));
        prop_assert_eq!(&again, &printed, "printed twice, {} differs", text);
    }

    #[test]
    fn property_1_line_ends_mean_nothing(config in config()) {
        let text = config.print().text.replace("\r\n", "\n").replace('\n', "\r\n");
        prop_assert_eq!(meaning(&config, &text), config.meaning(), "{:?}", text);
        let printed = format(&parse(Arc::from(text.as_str())));
        prop_assert_eq!(meaning(&config, &printed), config.meaning(), "{:?} became {:?}", text, printed);
    }

    #[test]
    fn property_3_nested_blocks(config in config()) {
        let text = config.print().text;
        let parsed = parse(Arc::from(text.as_str()));
        prop_assert_eq!(parsed.errors(), &[]);
        let tree: Vec<_> = blocks(&parsed).map(shape).collect();
        prop_assert_eq!(tree, vec![written(&config.root)], "{}", text);
    }

    #[test]
    fn property_4_locals_stand_for_their_values(mut config in config(), which in any::<u64>()) {
        let locals = extract(&mut config.root, which);
        // The default of a variable stands by itself.
        prop_assume!(!locals.is_empty() && !matches!(config.root.name.as_str(), "locals" | "variable"));
        let lines: Vec<_> = locals.iter().map(|(name, source)| format!("  {name} = {source}\n")).collect();
        let lines = lines.concat();
        let text = format!("{}\nlocals {{\n{lines}}}\n", config.print().text);
        let found = errors(&config.nest(&text));
        prop_assert!(found.is_empty(), "{}\nin\n{text}", told(&found));
        prop_assert_eq!(&meaning(&config, &text)[..1], &config.meaning()[..], "{}", text);
    }

    #[test]
    fn property_4a_bucket_repositories(config in bucket(0..40)) {
        let text = config.print().text;
        let found = errors(&config.nest(&text));
        prop_assert!(found.is_empty(), "{}\nin\n{text}", told(&found));
        let made = meaning(&config, &text);
        let repositories = |blocks: &[Meaning]| {
            let all = blocks[0].blocks.iter().find(|block| block.name == "repositories").unwrap();
            all.blocks.clone()
        };
        prop_assert_eq!(repositories(&made), repositories(&config.meaning()), "{}", text);
    }

    #[test]
    fn property_4b_secret_through_a_file(
        config in config_of(&schema::EGG, path(Place::Egg)),
        secret in value(Type::Secret),
    ) {
        let mut config = config;
        let gitlab = config.root.blocks.iter_mut().find(|block| block.name == "gitlab").unwrap();
        let schema = gitlab.schema.attribute("token_secret").unwrap();
        gitlab.attributes.retain(|attribute| attribute.name != "token_secret");
        let name = "token_secret".to_owned();
        gitlab.attributes.push(crate::generate::Attr { schema, name, written: secret.clone() });
        let text = config.print().text;
        let compiler = Compiler::new(config.nest(&text));
        let typed = &compiler.typed(config.path).unwrap().blocks[0];
        let found = typed.block("gitlab").unwrap().value("token_secret").unwrap();
        prop_assert_eq!(found, &secret.value);
        let Value::Secret(parts) = found else { panic!("{found:?}") };
        prop_assert_eq!(format!("\"{}\"", parts.uri()), secret.source);
    }
}

/// A block's keyword, label, attributes and blocks.
#[derive(Debug, PartialEq)]
struct Shape {
    keyword: String,
    label: Option<String>,
    attributes: Vec<(String, String)>,
    blocks: Vec<Shape>,
}

fn written(node: &Node) -> Shape {
    let attributes = node.attributes.iter().map(|a| (a.name.clone(), a.written.source.clone()));
    Shape {
        keyword: node.keyword.clone(),
        label: node.label.clone(),
        attributes: attributes.collect(),
        blocks: node.blocks.iter().map(written).collect(),
    }
}

fn blocks(parsed: &Parse) -> impl Iterator<Item = Block<'_>> {
    parsed.items().filter_map(|item| match item {
        Item::Block(block) => Some(block),
        _ => None,
    })
}

fn shape(block: Block<'_>) -> Shape {
    let mut found = Shape {
        keyword: block.keyword().unwrap().text().to_owned(),
        label: block.labels().next().map(|label| label.name.to_owned()),
        attributes: Vec::new(),
        blocks: Vec::new(),
    };
    for item in block.items() {
        match item {
            Item::Block(inner) => found.blocks.push(shape(inner)),
            Item::Attribute(attribute) => {
                let (name, value) = (attribute.name().unwrap(), attribute.value().unwrap());
                found.attributes.push((name.text().to_owned(), value.text().to_owned()));
            }
            Item::Junk(node) => panic!("junk: {:?}", node.text()),
        }
    }
    found
}

/// Moves some values into locals.
fn extract(node: &mut Node, which: u64) -> Vec<(String, String)> {
    let mut locals = Vec::new();
    for at in 0..node.walk().len() {
        let Some(node) = node.at(at) else { continue };
        for attribute in &mut node.attributes {
            // A script and a condition are read in a way of their own where they stand.
            // Words of the language are no values.
            let word = matches!(
                attribute.schema.ty,
                Type::Keyword(_) | Type::TypeName | Type::Profile | Type::Predicate
            );
            if word || matches!(attribute.schema.ty, Type::Script | Type::Condition) {
                continue;
            }
            let name = format!("v{}", locals.len());
            if which >> (locals.len() % 64) & 1 == 1 {
                let source = std::mem::replace(&mut attribute.written.source, format!("local.{name}"));
                locals.push((name, source));
            }
        }
    }
    locals
}
