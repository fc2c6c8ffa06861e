//! What the pages and the packages say of the server is what the server says of itself: settings, commands, abilities.
//!
//! The settings' names and kinds are read from the server's source, their defaults from what it says to values that are
//! none. What never lives here: a list of them.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use super::{current, editors, read, root};
use crate::client::Client;

/// What a setting may be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Bool,
    Choice(Vec<String>),
}

/// `snake_case` or `CamelCase` as the protocol has it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap();
    let mut camel = first[..1].to_lowercase() + &first[1..];
    words.for_each(|word| camel += &(word[..1].to_uppercase() + &word[1..]));
    camel
}

/// The lines of a type of the server's source, without comments.
fn type_of<'a>(source: &'a str, name: &str) -> Option<(bool, Vec<&'a str>)> {
    let find = |kind: &str| source.split_once(&format!(" {kind} {name} {{\n")).map(|(_, rest)| rest);
    let (is_struct, rest) =
        find("struct").map(|rest| (true, rest)).or_else(|| Some((false, find("enum")?)))?;
    let lines = rest.lines().map(str::trim).take_while(|line| *line != "}");
    Some((is_struct, lines.filter(|line| !line.starts_with("//")).collect()))
}

/// Reads the settings of a type of the source, by path.
fn collect(source: &str, name: &str, path: &str, found: &mut BTreeMap<String, Kind>) {
    let (is_struct, lines) = type_of(source, name).unwrap_or_else(|| panic!("the source has no {name}"));
    if !is_struct {
        let choices = lines.iter().map(|line| camel(line.trim_end_matches(','))).collect();
        found.insert(path.to_owned(), Kind::Choice(choices));
        return;
    }
    for line in lines {
        let line = line.trim_start_matches("pub(crate) ").trim_end_matches(',');
        let (field, ty) = line.split_once(": ").unwrap_or_else(|| panic!("{name}: {line}"));
        let path = format!("{path}.{}", camel(field));
        match ty {
            "bool" => assert!(found.insert(path, Kind::Bool).is_none()),
            other => collect(source, other, &path, found),
        }
    }
}

fn source() -> String {
    read(&root().join("fly-lsp/src/server/settings.rs"))
}

fn settings() -> BTreeMap<String, Kind> {
    let mut found = BTreeMap::new();
    collect(&source(), "Settings", "fly", &mut found);
    assert!(found.len() > 3, "{found:?}");
    found
}

fn put(into: &mut Value, path: &str, value: Value) {
    let parts: Vec<&str> = path.split('.').collect();
    let place = parts.iter().fold(into, |at, part| &mut at[*part]);
    *place = value;
}

/// What counts when nothing is set, by path.
fn defaults(settings: &BTreeMap<String, Kind>) -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("nest.fly"), "").unwrap();
    let mut none = json!({});
    for path in settings.keys() {
        put(&mut none, path, json!([]));
    }
    let mut client = Client::start_as(folder.path(), |hello| hello["initializationOptions"] = none);
    let mut found = BTreeMap::new();
    while found.len() < settings.len() {
        let told = client.told("window/showMessage");
        let text = told["params"]["message"].as_str().unwrap();
        let mut quoted = text.split('`').skip(1).step_by(2);
        let (path, default) = (quoted.next().unwrap(), quoted.nth(1).unwrap_or_else(|| panic!("{text}")));
        assert!(settings.contains_key(path), "{text}");
        found.insert(path.to_owned(), serde_json::from_str(default).unwrap());
    }
    client.stop();
    found
}

/// The rows of a page's tables whose first cell is a name in backticks.
fn rows(page: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let name = cells[0].strip_prefix('`')?.strip_suffix('`')?;
        Some((name, cells[1..].to_vec()))
    })
}

fn told(value: &Value) -> String {
    format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

#[test]
fn the_page_has_the_servers_settings() {
    let settings = settings();
    let wanted: BTreeMap<String, String> =
        defaults(&settings).iter().map(|(path, default)| (path.clone(), told(default))).collect();
    let page = read(&root().join("docs/src/editors.md"));
    let found: BTreeMap<String, String> = rows(&page)
        .filter(|(name, _)| name.starts_with("fly."))
        .map(|(name, cells)| (name.to_owned(), cells[0].to_owned()))
        .collect();
    assert_eq!(found, wanted, "docs/src/editors.md");
    for (path, kind) in &settings {
        let Kind::Choice(choices) = kind else { continue };
        let (_, cells) = rows(&page).find(|(name, _)| name == path).unwrap();
        for choice in choices {
            assert!(cells.concat().contains(&format!("`{choice}`")), "{choice}");
        }
    }
}

#[test]
fn vs_code_has_the_servers_settings() {
    let settings = settings();
    let manifest: Value = serde_json::from_str(&read(&editors().join("vscode/package.json"))).unwrap();
    let properties = manifest["contributes"]["configuration"]["properties"].as_object().unwrap();
    // What the server leaves to editors stands in its source as well.
    let source = source();
    let (_, own) = source.split_once("const OF_THE_EDITOR:").unwrap();
    let own: Vec<String> =
        own.split(';').nth(1).unwrap().split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(!own.is_empty());
    let found: BTreeMap<String, Value> = properties
        .iter()
        .filter(|(name, _)| !own.iter().any(|own| name.starts_with(&format!("fly.{own}."))))
        .map(|(name, property)| (name.clone(), property["default"].clone()))
        .collect();
    assert_eq!(found, defaults(&settings), "editors/vscode/package.json");
    for (path, kind) in &settings {
        let property = &properties[path];
        match kind {
            Kind::Bool => assert_eq!(property["type"], "boolean", "{path}"),
            Kind::Choice(choices) => assert_eq!(property["enum"], json!(choices), "{path}"),
        }
    }
}

/// The template for `LSP4IJ` has them as a file and as its schema; what they mean is told in VS Code's manifest.
#[test]
fn jetbrains_has_the_servers_settings() {
    let settings = settings();
    let defaults = defaults(&settings);
    let manifest: Value = serde_json::from_str(&read(&editors().join("vscode/package.json"))).unwrap();
    let mut file = json!({});
    let mut properties = Map::new();
    for (path, kind) in &settings {
        put(&mut file, path, defaults[path].clone());
        let told = &manifest["contributes"]["configuration"]["properties"][path];
        let text = told["description"].as_str().or(told["markdownDescription"].as_str()).unwrap();
        let mut property = json!({ "default": defaults[path], "description": text.replace(['`', '*'], "") });
        match kind {
            Kind::Bool => property["type"] = json!("boolean"),
            Kind::Choice(choices) => property["enum"] = json!(choices),
        }
        properties.insert(path.clone(), property);
    }
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Settings of fly-lsp",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    let folder = editors().join("jetbrains/fly-lsp");
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap() + "\n";
    current(&folder.join("settings.json"), &pretty(&file));
    current(&folder.join("settings.schema.json"), &pretty(&schema));
}

/// Who writes a client reads which commands and abilities there are: exactly these.
#[test]
fn the_page_for_other_clients_has_what_the_server_can_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("nest.fly"), "").unwrap();
    let mut client = Client::spawn(folder.path());
    let hello = client.hello();
    let answer = client.request("initialize", hello);
    let abilities = answer["result"]["capabilities"].as_object().unwrap();
    let page = read(&root().join("docs/src/editors/others.md"));
    let names = |ending: &str| {
        let mut names: Vec<&str> =
            rows(&page).map(|(name, _)| name).filter(|name| name.contains(ending)).collect();
        names.sort_unstable();
        names
    };
    let wanted: Vec<&str> =
        abilities.keys().map(String::as_str).filter(|key| key.contains("Provider")).collect();
    assert_eq!(names("Provider"), wanted);
    let mut commands: Vec<&str> = abilities["executeCommandProvider"]["commands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|command| command.as_str().unwrap())
        .collect();
    // What the server sends for an editor to carry out.
    let lens = read(&root().join("fly-lsp/src/server/features/lens.rs"));
    let (_, sent) = lens.split_once("const REFERENCES: &str = \"").unwrap();
    commands.push(sent.split('"').next().unwrap());
    commands.sort_unstable();
    assert_eq!(names("fly."), commands);
    let kinds = &abilities["codeActionProvider"]["codeActionKinds"];
    let triggers = &abilities["completionProvider"]["triggerCharacters"];
    let mut listed = String::new();
    for value in kinds.as_array().unwrap().iter().chain(triggers.as_array().unwrap()) {
        let value = format!("`{}`", value.as_str().unwrap());
        if !page.contains(&value) {
            write!(listed, "{value} ").unwrap();
        }
    }
    assert_eq!(listed, "", "not in docs/src/editors/others.md");
}
