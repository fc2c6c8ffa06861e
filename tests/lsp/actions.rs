//! Code actions and formatting, over standard input and output.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;

const NEST: &str = "nest {\n  name = \"n\"\n}\n";
const EGG: &str = "egg \"web\" {\n  type = \"vm\"\n\n  resources {\n    cpu    = 2\n    memory = 4GiB\n  }\n\n  gitlab {\n    project_id = 1\n  }\n}\n";
const PATH: &str = "Eggs/web/config.fly";

fn nest(egg: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("Eggs/web")).unwrap();
    fs::write(folder.path().join("nest.fly"), NEST).unwrap();
    fs::write(folder.path().join(PATH), egg).unwrap();
    folder
}

/// A client that resolves actions, or one that does not.
fn start(root: &Path, resolves: bool) -> (Client, Value) {
    let mut client = Client::spawn(root);
    let mut hello = client.hello();
    if resolves {
        hello["capabilities"]["textDocument"]["codeAction"] = json!({
            "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } },
            "dataSupport": true,
            "resolveSupport": { "properties": ["edit"] },
        });
    }
    let answer = client.request("initialize", hello);
    client.notify("initialized", json!({}));
    (client, answer["result"]["capabilities"].clone())
}

fn at(line: u32, character: u32) -> Value {
    json!({ "line": line, "character": character })
}

fn actions(client: &mut Client, start: Value, end: Value, context: Value) -> Vec<Value> {
    let asked = json!({
        "textDocument": { "uri": client.uri(PATH) },
        "range": { "start": start, "end": end },
        "context": context,
    });
    client.request("textDocument/codeAction", asked)["result"].as_array().unwrap().clone()
}

fn titles(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["title"].as_str().unwrap()).collect()
}

/// A text with edits as an editor makes them; everything here is ASCII.
fn applied(text: &str, edits: &Value) -> String {
    let offset = |position: &Value| {
        let line = usize::try_from(position["line"].as_u64().unwrap()).unwrap();
        let character = usize::try_from(position["character"].as_u64().unwrap()).unwrap();
        text.split_inclusive('\n').take(line).map(str::len).sum::<usize>() + character
    };
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort_unstable();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

#[test]
fn the_kinds_that_are_asked_for() {
    let text = EGG.replace("cpu  ", "cpuu ").replace("\"vm\"", "vm");
    let folder = nest(&text);
    let (mut client, capabilities) = start(folder.path(), true);
    let kinds = &capabilities["codeActionProvider"]["codeActionKinds"];
    assert_eq!(
        *kinds,
        json!([
            "quickfix",
            "quickfix.every.fly",
            "refactor.extract",
            "refactor.inline",
            "refactor.rewrite",
            "source.fixAll.fly"
        ])
    );
    assert_eq!(capabilities["codeActionProvider"]["resolveProvider"], true);
    client.open(PATH, &text);
    let found = client.diagnostics(PATH, Some(1));
    assert_eq!(found.len(), 2, "{found:?}");
    let all = |client: &mut Client, context| actions(client, at(0, 0), at(20, 0), context);

    // Only what is shown, and only the kinds that are wanted.
    let shown = all(&mut client, json!({ "diagnostics": [found[1]], "only": ["quickfix"] }));
    assert_eq!(titles(&shown), ["Did you mean `cpu`?", "Remove `cpuu`"]);
    assert_eq!(shown[0]["diagnostics"], json!([found[1]]));
    assert!(shown[0]["isPreferred"].is_null(), "{shown:?}");
    assert_eq!(shown[0]["edit"]["documentChanges"][0]["textDocument"]["version"], 1);
    let preferred = all(&mut client, json!({ "diagnostics": [found[0]], "only": ["quickfix"] }));
    assert_eq!(preferred[0]["isPreferred"], true);
    for only in ["refactor.extract", "refactor.inline", "quick", "source.organizeImports"] {
        let none = all(&mut client, json!({ "diagnostics": [], "only": [only] }));
        assert_eq!(titles(&none), Vec::<&str>::new(), "{only}");
    }

    // What takes long comes when it is wanted, and is about the text as it is then.
    let later = all(&mut client, json!({ "diagnostics": [], "only": ["source.fixAll"] }));
    assert_eq!(titles(&later), ["Apply all safe fixes in this file"]);
    assert!(later[0]["edit"].is_null() && later[0]["data"].is_object(), "{later:?}");
    let newer = format!("# Mine.\n{text}");
    client.change(PATH, 2, json!([{ "text": newer }]));
    let resolved = client.request("codeAction/resolve", later[0].clone())["result"].clone();
    let change = &resolved["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"]["version"], 2);
    assert_eq!(applied(&newer, &change["edits"]), newer.replace("= vm", "= \"vm\""));
    client.stop();

    // An editor that can't ask again gets all at once.
    let (mut client, _) = start(folder.path(), false);
    client.open(PATH, &text);
    let now = all(&mut client, json!({ "diagnostics": [], "only": ["source"] }));
    let change = &now[0]["edit"]["documentChanges"][0];
    assert_eq!(applied(&text, &change["edits"]), text.replace("= vm", "= \"vm\""));
    client.stop();
}

#[test]
fn a_profile_of_a_block_changes_two_files() {
    let folder = nest(EGG);
    let (mut client, _) = start(folder.path(), true);
    client.open(PATH, EGG);
    let found = actions(&mut client, at(3, 4), at(3, 4), json!({ "diagnostics": [], "only": ["refactor"] }));
    let action =
        found.iter().find(|action| action["title"] == "Turn it into `profile \"resources\"`").unwrap();
    assert_eq!(action["kind"], "refactor.extract");
    let changes = action["edit"]["documentChanges"].as_array().unwrap();
    // The one that is open has a version.
    assert_eq!(changes[0]["textDocument"], json!({ "uri": client.uri(PATH), "version": 1 }));
    assert_eq!(changes[1]["textDocument"], json!({ "uri": client.uri("nest.fly"), "version": null }));
    let egg = applied(EGG, &changes[0]["edits"]);
    assert_eq!(
        egg,
        "egg \"web\" {\n  extends = profile.resources\n  type    = \"vm\"\n\n  gitlab {\n    project_id = 1\n  }\n}\n"
    );
    let nest = applied(NEST, &changes[1]["edits"]);
    assert_eq!(
        nest,
        format!(
            "{NEST}\nprofile \"resources\" {{\n  resources {{\n    cpu    = 2\n    memory = 4GiB\n  }}\n}}\n"
        )
    );
    client.open("nest.fly", &nest);
    client.change(PATH, 2, json!([{ "text": egg }]));
    assert_eq!(client.diagnostics(PATH, Some(2)), Vec::<Value>::new());
    client.stop();
}

#[test]
fn formatting_of_all_of_a_part_and_while_typing() {
    let text = EGG.replace("    cpu    = 2", "  cpu=2").replace("  type =", "   type  =");
    let folder = nest(&text);
    let (mut client, capabilities) = start(folder.path(), true);
    assert_eq!(capabilities["documentRangeFormattingProvider"], true);
    let typed = json!({ "firstTriggerCharacter": "}", "moreTriggerCharacter": ["\n"] });
    assert_eq!(capabilities["documentOnTypeFormattingProvider"], typed);
    client.open(PATH, &text);
    let document = json!({ "uri": client.uri(PATH) });
    let options = json!({ "tabSize": 8, "insertSpaces": false });

    let whole =
        client.request("textDocument/formatting", json!({ "textDocument": document, "options": options }));
    assert!(whole["result"].as_array().unwrap().len() > 2, "{whole}");
    assert_eq!(applied(&text, &whole["result"]), EGG);
    let range = json!({ "start": at(1, 0), "end": at(1, 5) });
    let asked = json!({ "textDocument": document, "range": range, "options": options });
    let part = client.request("textDocument/rangeFormatting", asked);
    assert_eq!(applied(&text, &part["result"]), text.replace("   type  =", "  type ="));

    let closed = json!({ "textDocument": document, "position": at(6, 3), "ch": "}", "options": options });
    let block = client.request("textDocument/onTypeFormatting", closed.clone());
    assert_eq!(applied(&text, &block["result"]), text.replace("  cpu=2", "    cpu    = 2"));
    let line = "egg \"web\" {\n\n}\n";
    client.change(PATH, 2, json!([{ "text": line }]));
    let opened = json!({ "textDocument": document, "position": at(1, 0), "ch": "\n", "options": options });
    let indented = client.request("textDocument/onTypeFormatting", opened);
    assert_eq!(applied(line, &indented["result"]), "egg \"web\" {\n  \n}\n");
    client.stop();
}
