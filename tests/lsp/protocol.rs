//! The protocol, over standard input and output.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;

pub(crate) const EGG: &str = "egg \"web\" {\n  type = \"vm\"\n\n  resources {\n    cpu    = 2\n    memory = 4GiB\n  }\n\n  gitlab {\n    project_id = 1\n  }\n}\n";

pub(crate) fn nest(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let full = folder.path().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }
    folder
}

pub(crate) fn codes(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics.iter().map(|found| found["code"].as_str().unwrap()).collect()
}

#[test]
fn a_session_from_hello_to_goodbye() {
    let folder = nest(&[("nest.fly", "nest {\n  name = \"n\"\n}\n"), ("Eggs/web/config.fly", EGG)]);
    let mut client = Client::start(folder.path());
    let path = "Eggs/web/config.fly";
    client.open(path, &EGG.replace("4GiB", "true"));
    let found = client.diagnostics(path, Some(1));
    assert_eq!(codes(&found), ["type-mismatch"]);
    assert_eq!(found[0]["range"]["start"], json!({ "line": 5, "character": 13 }));

    let change = json!([{ "range": { "start": { "line": 5, "character": 13 }, "end": { "line": 5, "character": 17 } }, "text": "8GiB" }]);
    client.change(path, 2, change);
    assert_eq!(client.diagnostics(path, Some(2)), Vec::<Value>::new());

    let at = client.at(path, 5, 6);
    let hover = client.request("textDocument/hover", at.clone());
    assert!(hover["result"]["contents"]["value"].as_str().unwrap().contains("memory = size"), "{hover}");
    let at_type = client.at(path, 1, 11);
    let found = client.request("textDocument/completion", at_type);
    let labels: Vec<_> =
        found["result"].as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["vm", "serverless"], "what begins as typed comes first");

    let mut rename = client.at(path, 0, 6);
    rename["newName"] = json!("site");
    let edit = client.request("textDocument/rename", rename);
    let changes = edit["result"]["documentChanges"].as_array().unwrap();
    assert_eq!(changes[0]["edits"][0]["newText"], "site");
    assert_eq!(changes[1]["kind"], "rename");
    assert!(changes[1]["newUri"].as_str().unwrap().ends_with("/Eggs/site"));

    let document = json!({ "textDocument": { "uri": client.uri(path) } });
    for method in ["documentSymbol", "foldingRange", "semanticTokens/full"] {
        let answer = client.request(&format!("textDocument/{method}"), document.clone());
        assert!(!answer["result"].is_null(), "{method}: {answer}");
    }
    let symbols = client.request("workspace/symbol", json!({ "query": "eggweb" }));
    assert_eq!(symbols["result"][0]["name"], "web");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn quick_fixes_remove_what_they_are_for() {
    let text = EGG.replace("memory", "memry");
    let folder = nest(&[("Eggs/web/config.fly", &text)]);
    let mut client = Client::start(folder.path());
    let path = "Eggs/web/config.fly";
    client.open(path, &text);
    let found = client.diagnostics(path, Some(1));
    assert_eq!(codes(&found), ["unknown-attribute"]);
    let asked = json!({ "textDocument": { "uri": client.uri(path) }, "range": found[0]["range"], "context": { "diagnostics": found } });
    let actions = client.request("textDocument/codeAction", asked);
    let edits = &actions["result"][0]["edit"]["documentChanges"][0]["edits"];
    client.change(path, 2, json!([{ "range": edits[0]["range"], "text": edits[0]["newText"] }]));
    assert_eq!(client.diagnostics(path, Some(2)), Vec::<Value>::new());
    client.stop();
}

#[test]
fn what_a_rule_asks_for_is_told_and_has_no_other_name() {
    let rule = "assert \"small\" {\n  over      = egg\n  condition = egg.resources.cpu <= 16\n  message   = \"no\"\n}\n";
    let folder = nest(&[("nest.fly", rule), ("Eggs/web/config.fly", EGG)]);
    let mut client = Client::start(folder.path());
    client.open("nest.fly", rule);
    let cpu = client.at("nest.fly", 2, 29);
    let hover = client.request("textDocument/hover", cpu.clone());
    assert!(hover["result"]["contents"]["value"].as_str().unwrap().contains("cpu = int"), "{hover}");
    let found = client.request("textDocument/definition", cpu.clone())["result"].clone();
    assert_eq!(found[0]["uri"], client.uri("Eggs/web/config.fly"));
    assert_eq!(found[0]["range"]["start"], json!({ "line": 4, "character": 4 }));
    // Whoever would change it is told why not.
    let refused = client.request("textDocument/prepareRename", cpu);
    assert_eq!(refused["error"]["code"], -32602);
    let why = "`cpu` is what the language calls it, so it has no other name";
    assert_eq!(refused["error"]["message"], why);
    let nothing = client.at("nest.fly", 3, 0);
    let nothing = client.request("textDocument/prepareRename", nothing);
    assert_eq!((&nothing["error"], &nothing["result"]), (&Value::Null, &Value::Null));
    // The rule's own name can be another.
    let mut named = client.at("nest.fly", 0, 10);
    named["newName"] = json!("16 CPUs at most");
    let edit = client.request("textDocument/rename", named)["result"].clone();
    assert_eq!(edit["documentChanges"][0]["edits"][0]["newText"], "16 CPUs at most", "{edit}");
    client.stop();
}

#[test]
fn what_can_only_be_removed_is_removed_at_once() {
    let text = EGG.replace("    cpu ", "    zzzzz = 1\n    qqqqq = 2\n    cpu ");
    let folder = nest(&[("Eggs/web/config.fly", &text)]);
    let path = "Eggs/web/config.fly";
    let mut client = Client::start_as(folder.path(), |hello| {
        let actions = &mut hello["capabilities"]["textDocument"]["codeAction"];
        actions["dataSupport"] = json!(true);
        actions["resolveSupport"] = json!({ "properties": ["edit"] });
    });
    client.open(path, &text);
    let found = client.diagnostics(path, Some(1));
    assert_eq!(codes(&found), ["unknown-attribute", "unknown-attribute"]);
    let asked = json!({ "textDocument": { "uri": client.uri(path) }, "range": found[0]["range"], "context": { "diagnostics": found } });
    let actions = client.request("textDocument/codeAction", asked)["result"].clone();
    let every = actions
        .as_array()
        .unwrap()
        .iter()
        .find(|action| action["title"] == "Remove every attribute that is not known in this file");
    let every = every.unwrap_or_else(|| panic!("{actions}")).clone();
    let edits =
        client.request("codeAction/resolve", every)["result"]["edit"]["documentChanges"][0]["edits"].clone();
    let changes: Vec<_> = edits.as_array().unwrap().iter().rev().collect();
    let changes = changes.into_iter().map(|edit| json!({ "range": edit["range"], "text": edit["newText"] }));
    client.change(path, 2, Value::Array(changes.collect()));
    assert_eq!(client.diagnostics(path, Some(2)), Vec::<Value>::new());
    client.stop();
}

#[test]
fn what_is_in_no_nest_is_left_alone_and_nonsense_is_answered() {
    let folder = nest(&[("notes/a.fly", EGG)]);
    let mut client = Client::start(folder.path());
    client.open("notes/a.fly", EGG);
    let at = client.at("notes/a.fly", 1, 3);
    assert!(client.request("textDocument/hover", at)["result"].is_null());
    client.write("{ this is no JSON");
    let answer = client.until(|message| message["error"]["code"] == -32700);
    assert!(answer["id"].is_null());
    let answer = client.request("no/such/method", json!({}));
    assert_eq!(answer["error"]["code"], -32601);
    let answer = client.request("textDocument/hover", json!({ "position": 3 }));
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn a_client_that_goes_away_takes_the_server_with_it() {
    let folder = nest(&[("Eggs/web/config.fly", EGG)]);
    let mut client = Client::start(folder.path());
    client.open("Eggs/web/config.fly", EGG);
    assert_eq!(client.leave(), Some(1));
}

/// A stream of numbers that is the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// The position of an offset as an editor counts: lines, and UTF-16 units.
fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": line, "character": before[start..].encode_utf16().count() })
}

#[test]
fn ten_thousand_random_edits_end_where_a_fresh_analysis_begins() {
    let folder = nest(&[("nest.fly", "nest {\n  name = \"n\"\n}\n"), ("Eggs/web/config.fly", EGG)]);
    let path = "Eggs/web/config.fly";
    let mut client = Client::start(folder.path());
    client.open(path, EGG);
    let mut random = Random(7);
    let mut text = EGG.to_owned();
    let pieces = [
        "x",
        "\n",
        "\r\n",
        "🔑",
        "ключ",
        "{",
        "}",
        "\"",
        "cpu = 3\n",
        " ",
        "${",
        "# c\n",
        "egg \"b\" {\n}\n",
        "=",
    ];
    let mut undo: Vec<String> = Vec::new();
    let edits = 10_000;
    let mut warm = None;
    for version in 0..edits {
        if version == edits / 10 {
            // Once it has seen what there is to see.
            client.settle();
            warm = client.memory();
        }
        let mut changes = Vec::new();
        for _ in 0..=random.below(2) {
            if random.below(20) == 0 || text.len() > 4000 {
                // Undone: an earlier text as a whole.
                text = undo.get(random.below(undo.len())).cloned().unwrap_or_else(|| EGG.to_owned());
                if text.len() > 3000 {
                    text = EGG.to_owned();
                }
                changes.push(json!({ "text": text }));
                continue;
            }
            let boundary = |mut at: usize| {
                // Between `\r` and `\n` an editor has no cursor.
                while !text.is_char_boundary(at) || text[..at].ends_with('\r') && text[at..].starts_with('\n')
                {
                    at -= 1;
                }
                at
            };
            let start = boundary(random.below(text.len() + 1));
            let end = boundary((start + random.below(6)).min(text.len())).max(start);
            let piece = pieces[random.below(pieces.len())];
            // A lone `\r` would be a line's end to some editors and not to others.
            if text[..start].ends_with('\r') || text[end..].starts_with('\n') && piece.ends_with('\r') {
                continue;
            }
            changes.push(json!({ "range": { "start": position(&text, start), "end": position(&text, end) }, "text": piece }));
            text.replace_range(start..end, piece);
        }
        if random.below(10) == 0 {
            undo.push(text.clone());
        }
        client.change(path, i64::from(version) + 2, Value::Array(changes));
    }
    let last = i64::from(edits) + 1;
    client.change(path, last + 1, json!([]));
    // An answer shows that all of them are taken; it is about the last text.
    let document = json!({ "textDocument": { "uri": client.uri(path) } });
    let answer = client.request("textDocument/diagnostic", document.clone());
    let live = answer["result"]["items"].clone();
    let folds = client.request("textDocument/foldingRange", document)["result"].clone();
    if let (Some(warm), Some(now)) = (warm, client.memory()) {
        // A few pages are the allocator's affair.
        assert!(now <= warm + warm / 10 + 2048, "{warm} KiB before, {now} KiB after");
    }
    client.stop();

    fs::write(folder.path().join(path), &text).unwrap();
    let mut fresh = Client::start(folder.path());
    fresh.open(path, &text);
    let document = json!({ "textDocument": { "uri": fresh.uri(path) } });
    assert_eq!(fresh.request("textDocument/diagnostic", document.clone())["result"]["items"], live);
    assert_eq!(fresh.request("textDocument/foldingRange", document)["result"], folds);
    fresh.stop();
}

#[test]
fn a_question_about_an_older_text_is_answered_with_an_error() {
    let folder = nest(&[("Eggs/web/config.fly", EGG)]);
    let path = "Eggs/web/config.fly";
    let mut client = Client::start(folder.path());
    client.open(path, EGG);
    // Asked and changed in one breath: either it is answered about the old text, or refused; never about the new one.
    for version in 2..200 {
        let at = client.at(path, 0, 6);
        let id = client.ask("textDocument/prepareRename", at);
        let name = format!("web{version}");
        client.change(path, version, json!([{ "text": EGG.replace("web", &name) }]));
        let answer = client.answer(id);
        if answer["error"].is_null() {
            let before = if version == 2 { "web".to_owned() } else { format!("web{}", version - 1) };
            assert_eq!(answer["result"]["placeholder"], *before);
        } else {
            assert_eq!(answer["error"]["code"], -32801, "{answer}");
        }
    }
    client.stop();
}

#[test]
fn a_nest_that_is_deleted_and_files_that_become_folders() {
    let folder = nest(&[("Eggs/web/config.fly", EGG), ("Eggs/b/config.fly", &EGG.replace("web", "b"))]);
    let path = "Eggs/web/config.fly";
    let mut client = Client::start(folder.path());
    client.open(path, EGG);
    let other = folder.path().join("Eggs/b/config.fly");
    fs::remove_file(&other).unwrap();
    fs::create_dir(&other).unwrap();
    let uri = client.uri("Eggs/b/config.fly");
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 2 }] }));
    let at = client.at(path, 1, 3);
    assert!(!client.request("textDocument/hover", at.clone())["result"].is_null());
    remove(folder.path());
    let uri = client.uri("");
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 3 }] }));
    assert!(!client.request("textDocument/hover", at)["result"].is_null(), "an open text is still there");
    assert_eq!(client.stop(), Some(0));
}

fn remove(folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
}
