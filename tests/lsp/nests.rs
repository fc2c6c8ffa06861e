//! Several Nests in one window, and documents that are in none.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};

use crate::{
    client::Client,
    protocol::{EGG, codes, nest},
};

const NEST: &str = "nest {\n  name = \"n\"\n}\n";

/// UglyFox before the name of an egg is typed.
const FOX: &str = "uglyfox {\n  runners_condition \"all\" {\n    eggs_entities = [\"\"]\n  }\n}\n";

/// Where that is.
const NAME: (u32, u32) = (2, 22);

fn egg(name: &str) -> String {
    EGG.replace("web", name)
}

fn eggs_offered(client: &mut Client, nest: &str) -> Vec<String> {
    let path = format!("{nest}UF/config.fly");
    client.open(&path, FOX);
    let mut found = client.completed(&path, NAME.0, NAME.1);
    client.close(&path);
    found.sort();
    found
}

#[test]
fn nests_below_a_folder_are_found_and_know_nothing_of_each_other() {
    let folder = nest(&[
        ("a/nest.fly", NEST),
        ("a/Eggs/one/config.fly", &egg("one")),
        ("a/UF/config.fly", FOX),
        ("b/Eggs/two/config.fly", &egg("two").replace("4GiB", "true")),
        ("b/UF/config.fly", FOX),
        ("README.md", "no Nest"),
    ]);
    let mut client = Client::start(folder.path());
    assert_eq!(
        codes(&client.diagnostics("b/Eggs/two/config.fly", None)),
        ["type-mismatch"],
        "nobody opened it"
    );
    assert_eq!(eggs_offered(&mut client, "a/"), ["one"]);
    assert_eq!(eggs_offered(&mut client, "b/"), ["two"]);

    // The same name in both is one in each.
    client.open("a/Eggs/one/config.fly", &egg("two"));
    assert_eq!(client.pulled("a/Eggs/one/config.fly"), Vec::<String>::new());
    let mut asked = client.at("a/Eggs/one/config.fly", 0, 6);
    asked["context"] = json!({ "includeDeclaration": true });
    let found = client.request("textDocument/references", asked);
    assert_eq!(found["result"].as_array().unwrap().len(), 1, "{found}");

    // From one to the other.
    client.close("a/Eggs/one/config.fly");
    let at = |path: &str| folder.path().join(path);
    fs::rename(at("a/Eggs/one"), at("b/Eggs/one")).unwrap();
    client.watched(&[("a/Eggs/one", 3), ("b/Eggs/one", 1)]);
    assert_eq!(eggs_offered(&mut client, "a/"), Vec::<String>::new());
    assert_eq!(eggs_offered(&mut client, "b/"), ["one", "two"]);
    client.stop();
}

#[test]
fn folders_come_and_go() {
    let (first, second) = (
        nest(&[("Eggs/a/config.fly", &egg("a"))]),
        nest(&[("Eggs/b/config.fly", &egg("b").replace("4GiB", "true"))]),
    );
    let mut client = Client::start(first.path());
    let root = second.path().canonicalize().unwrap();
    let uri = format!("file://{}", root.display());
    let file = format!("{uri}/Eggs/b/config.fly");
    let wanted = |message: &Value| message["params"]["uri"] == *file;
    let folder = json!([{ "uri": uri, "name": "second" }]);
    client.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({ "event": { "added": folder, "removed": [] } }),
    );
    assert_eq!(client.until(wanted)["params"]["diagnostics"][0]["code"], "type-mismatch");
    let found = client.request("workspace/symbol", json!({ "query": "egg" }));
    assert_eq!(found["result"].as_array().unwrap().len(), 2, "{found}");
    client.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({ "event": { "added": [], "removed": folder } }),
    );
    assert_eq!(client.until(wanted)["params"]["diagnostics"], json!([]));
    let found = client.request("workspace/symbol", json!({ "query": "egg" }));
    assert_eq!(found["result"].as_array().unwrap().len(), 1, "{found}");
    client.stop();
}

#[test]
fn a_nest_within_a_nest_is_its_own() {
    let folder = nest(&[
        ("nest.fly", NEST),
        ("Eggs/outer/config.fly", &egg("outer")),
        ("UF/config.fly", FOX),
        ("examples/small/nest.fly", NEST),
        ("examples/small/Eggs/inner/config.fly", &egg("inner")),
        ("examples/small/UF/config.fly", FOX),
    ]);
    let mut client = Client::start(folder.path());
    assert_eq!(eggs_offered(&mut client, ""), ["outer"]);
    assert_eq!(eggs_offered(&mut client, "examples/small/"), ["inner"]);
    // It is a part of the outer one when it is a Nest no more, as far as its folders are of Nests.
    fs::remove_file(folder.path().join("nest.fly")).unwrap();
    client.watched(&[("nest.fly", 3)]);
    assert_eq!(eggs_offered(&mut client, ""), ["outer"], "its other folders make it one");
    client.stop();
}

#[test]
fn links_lead_to_one_nest() {
    let folder = nest(&[("real/Eggs/a/config.fly", &egg("a")), ("real/UF/config.fly", FOX)]);
    symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
    let mut client = Client::start(&folder.path().join("real"));
    client.root = folder.path().canonicalize().unwrap();
    let (real, link) = ("real/Eggs/a/config.fly", "link/Eggs/a/config.fly");
    client.open(real, &egg("a"));
    client.open(link, &egg("b").replace("4GiB", "true"));
    assert_eq!(codes(&client.diagnostics(link, Some(1))), ["type-mismatch"]);
    let found = client.request("workspace/symbol", json!({ "query": "egg" }));
    let names: Vec<_> = found["result"].as_array().unwrap().iter().map(|found| &found["name"]).collect();
    assert_eq!(names, ["b"], "one egg, as it was opened last");
    client.close(link);
    client.settle();
    assert_eq!(client.pulled(real), Vec::<String>::new(), "the other document counts again");
    client.stop();
}

#[test]
fn what_was_told_under_another_name_is_taken_back() {
    let wrong = egg("a").replace("4GiB", "true");
    let folder = nest(&[("real/nest.fly", NEST), ("real/Eggs/a/config.fly", &wrong)]);
    symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
    let mut client = Client::start(&folder.path().join("real"));
    client.root = folder.path().canonicalize().unwrap();
    let (real, link) = ("real/Eggs/a/config.fly", "link/Eggs/a/config.fly");
    assert_eq!(codes(&client.diagnostics(real, None)), ["type-mismatch"], "nobody has opened it");
    client.open(link, &wrong);
    assert_eq!(codes(&client.diagnostics(link, Some(1))), ["type-mismatch"]);
    assert_eq!(client.diagnostics(real, None), Vec::<Value>::new(), "it would be shown twice");
    client.change(link, 2, json!([{ "text": wrong }]));
    assert_eq!(codes(&client.diagnostics(link, Some(2))), ["type-mismatch"]);
    client.close(link);
    assert_eq!(client.diagnostics(link, None), Vec::<Value>::new());
    assert_eq!(codes(&client.diagnostics(real, None)), ["type-mismatch"]);
    client.settle();
    let uris = [client.uri(real), client.uri(link)];
    assert!(!client.has(|message| uris.iter().any(|uri| message["params"]["uri"] == **uri)), "each once");
    client.stop();
}

#[test]
fn a_document_in_no_nest_is_checked_for_its_form() {
    let folder = nest(&[("notes.fly", "egg \"a\" {\n  type = \n")]);
    let mut client = Client::start(folder.path());
    client.open("notes.fly", "egg \"a\" {\n  kind = missing.name\n");
    assert_eq!(codes(&client.diagnostics("notes.fly", Some(1))), ["unclosed"], "and nothing about names");
    assert_eq!(client.pulled("notes.fly"), ["unclosed"]);

    // One that was never saved.
    let uri = "untitled:Untitled-1";
    let text = "egg   \"a\"   {\n}\n";
    client.notify(
        "textDocument/didOpen",
        json!({ "textDocument": { "uri": uri, "languageId": "fly", "version": 1, "text": text } }),
    );
    let document =
        json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } });
    let formatted = client.request("textDocument/formatting", document.clone());
    assert!(formatted["result"][0]["newText"].is_string(), "{formatted}");
    let folds = client.request("textDocument/foldingRange", document.clone());
    assert!(folds["result"].is_array(), "{folds}");
    client.notify(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": "}" }] }),
    );
    let told = client.until(|message| message["params"]["uri"] == uri && message["params"]["version"] == 2);
    assert_eq!(told["params"]["diagnostics"][0]["code"], "stray-brace");
    client.notify("textDocument/didClose", document);
    let told =
        client.until(|message| message["params"]["uri"] == uri && message["params"]["version"].is_null());
    assert_eq!(told["params"]["diagnostics"], json!([]));
    client.stop();
}

#[test]
fn a_document_becomes_part_of_a_nest_that_is_made_around_it() {
    let folder = nest(&[("config.fly", "egg \"a\" {\n}\n")]);
    let mut client = Client::start(folder.path());
    client.open("config.fly", "egg \"a\" {\n}\n");
    assert_eq!(client.pulled("config.fly"), Vec::<String>::new());
    fs::write(folder.path().join("nest.fly"), NEST).unwrap();
    client.watched(&[("nest.fly", 1)]);
    assert!(!client.pulled("config.fly").is_empty(), "the Nest's rules count now");
    client.stop();
}

#[test]
fn what_is_left_out_of_a_nest_is_no_part_of_it() {
    let folder = nest(&[
        (".flyignore", "Eggs/old/\n"),
        ("Eggs/old/config.fly", &egg("a")),
        ("Eggs/a/config.fly", &egg("a")),
    ]);
    let mut client = Client::start(folder.path());
    client.open("Eggs/old/config.fly", &egg("a"));
    client.open("Eggs/a/config.fly", &egg("a"));
    assert_eq!(client.pulled("Eggs/a/config.fly"), Vec::<String>::new(), "there is one egg of the name");
    client.stop();
}
