//! The session as an editor sees it: who is told of diagnostics and how, settings, progress, watched and moved files, and
//! the beginning and end of a conversation.

use std::fs;

use serde_json::{Value, json};

use crate::{
    client::Client,
    protocol::{EGG, codes, nest},
};

const WEB: &str = "Eggs/web/config.fly";
const DB: &str = "Eggs/db/config.fly";

/// Two eggs, the second of which has a mistake of its own.
fn two() -> tempfile::TempDir {
    let wrong = EGG.replace("web", "db").replace("project_id = 1", "project_id = 2").replace("4GiB", "true");
    nest(&[("nest.fly", "nest {\n  name = \"n\"\n}\n"), (WEB, EGG), (DB, &wrong)])
}

fn pulls(hello: &mut Value) {
    hello["capabilities"]["textDocument"]["diagnostic"] = json!({ "relatedDocumentSupport": true });
    hello["capabilities"]["workspace"]["diagnostics"] = json!({ "refreshSupport": true });
}

fn published(message: &Value, uri: &str) -> bool {
    message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == *uri
}

#[test]
fn an_editor_that_asks_is_not_told_as_well() {
    let folder = two();
    let mut client = Client::start_as(folder.path(), pulls);
    // What is wrong in a file that is not open can be seen by nobody who asks for documents alone.
    assert_eq!(codes(&client.diagnostics(DB, None)), ["type-mismatch"]);
    client.open(WEB, &EGG.replace("4GiB", "true"));
    assert_eq!(client.pulled(WEB), ["type-mismatch"]);
    client.open(DB, &fs::read_to_string(folder.path().join(DB)).unwrap());
    assert_eq!(client.diagnostics(DB, Some(1)), Vec::<Value>::new(), "it asks for it now");
    client.close(DB);
    assert_eq!(codes(&client.diagnostics(DB, None)), ["type-mismatch"]);

    // From here on it asks for everything.
    let all = client.request("workspace/diagnostic", json!({ "previousResultIds": [] }));
    assert_eq!(client.diagnostics(DB, None), Vec::<Value>::new(), "it asks for all now");
    let items = all["result"]["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 2, "{items:?}");
    assert!(items.iter().all(|item| item["kind"] == "full" && item["items"][0]["code"] == "type-mismatch"));
    let known: Vec<_> =
        items.iter().map(|item| json!({ "uri": item["uri"], "value": item["resultId"] })).collect();
    client.change(WEB, 2, json!([{ "text": EGG }]));
    let all = client.request("workspace/diagnostic", json!({ "previousResultIds": known }));
    let items = all["result"]["items"].as_array().unwrap();
    let of = |path: &str| items.iter().find(|item| item["uri"] == *client.uri(path)).unwrap();
    assert_eq!(of(DB)["kind"], "unchanged");
    assert_eq!((&of(WEB)["kind"], &of(WEB)["items"]), (&json!("full"), &json!([])), "it is right by now");
    assert!(!client.has(|message| published(message, &client.uri(WEB))), "never told");
    client.stop();
}

#[test]
fn the_same_diagnostics_have_the_same_name() {
    let folder = two();
    let mut client = Client::start_as(folder.path(), pulls);
    client.open(WEB, &EGG.replace("4GiB", "true"));
    let mut asked = json!({ "textDocument": { "uri": client.uri(WEB) } });
    let first = client.request("textDocument/diagnostic", asked.clone());
    asked["previousResultId"] = first["result"]["resultId"].clone();
    let again = client.request("textDocument/diagnostic", asked.clone());
    assert_eq!(again["result"], json!({ "kind": "unchanged", "resultId": first["result"]["resultId"] }));
    // The same mistake on another line is another answer.
    client.change(WEB, 2, json!([{ "text": format!("\n{}", EGG.replace("4GiB", "true")) }]));
    let moved = client.request("textDocument/diagnostic", asked);
    assert_eq!(moved["result"]["kind"], "full");
    assert_ne!(moved["result"]["resultId"], first["result"]["resultId"]);
    client.stop();
}

#[test]
fn a_long_answer_comes_in_parts_with_its_progress() {
    let files: Vec<(String, String)> = (0..300)
        .map(|at| {
            let text = EGG.replace("web", &format!("e{at}")).replace("= 1\n", &format!("= {}\n", at + 1));
            (format!("Eggs/e{at}/config.fly"), text.replace("4GiB", "true"))
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = nest(&files);
    let mut client = Client::start_as(folder.path(), pulls);
    let asked = json!({ "previousResultIds": [], "partialResultToken": "part", "workDoneToken": "work" });
    let id = client.ask("workspace/diagnostic", asked);
    let mut told = 0;
    while told < 300 {
        let part = client.until(|message| message["params"]["token"] == "part");
        told += part["params"]["value"]["items"].as_array().unwrap().len();
    }
    assert_eq!(client.answer(id)["result"]["items"], json!([]), "everything was in the parts");
    for kind in ["begin", "end"] {
        let step = client.until(|message| message["params"]["token"] == "work");
        assert_eq!(step["params"]["value"]["kind"], kind);
    }
    let mut asked = client.at("Eggs/e1/config.fly", 0, 6);
    client.open("Eggs/e1/config.fly", &EGG.replace("web", "e1"));
    asked["context"] = json!({ "includeDeclaration": true });
    asked["workDoneToken"] = json!("references");
    assert_eq!(client.request("textDocument/references", asked)["result"].as_array().unwrap().len(), 1);
    for kind in ["begin", "end"] {
        let step = client.until(|message| message["params"]["token"] == "references");
        assert_eq!(step["params"]["value"]["kind"], kind);
    }
    client.stop();
}

#[test]
fn an_editor_that_asks_is_told_when_other_files_become_wrong() {
    // Nothing is wrong with it, so nobody has to ask anew when it has been checked for the first time.
    let text = EGG.replace("web", "db").replace("project_id = 1", "project_id = 2");
    let folder = nest(&[("nest.fly", "nest {\n  name = \"n\"\n}\n"), (WEB, EGG), (DB, &text)]);
    let mut client = Client::start_as(folder.path(), pulls);
    client.open(DB, &text);
    client.pulled(DB);
    assert!(
        !client.has(|message| message["method"] == "workspace/diagnostic/refresh"),
        "nothing is other yet"
    );
    // An egg of the same name makes the other wrong, too.
    client.change(DB, 2, json!([{ "text": text.replace("\"db\"", "\"web\"") }]));
    let asked = client.told("workspace/diagnostic/refresh");
    client.change(DB, 3, json!([{ "text": text }]));
    client.reply(&asked, Value::Null);
    let again = client.told("workspace/diagnostic/refresh");
    client.reply(&again, Value::Null);
    client.stop();
}

#[test]
fn an_editor_gets_only_what_it_can_show() {
    let text = format!("locals {{\n  a = 1\n}}\n{}", EGG.replace("memory", "memry"));
    let full = |client: &mut Client| -> Value {
        client.open(WEB, &text);
        let uri = client.uri(WEB);
        client.until(|message| published(message, &uri) && message["params"]["diagnostics"] != json!([]))
    };
    let folder = nest(&[(WEB, EGG)]);
    let mut client = Client::start(folder.path());
    let told = full(&mut client);
    assert_eq!(told["params"]["version"], 1);
    let unused = &told["params"]["diagnostics"][0];
    assert_eq!((&unused["code"], &unused["tags"]), (&json!("unused-local"), &json!([1])), "{told}");
    assert!(unused["codeDescription"]["href"].as_str().unwrap().ends_with("unused-local.html"));
    let misspelt = &told["params"]["diagnostics"][1];
    assert_eq!(misspelt["data"]["safe"], false, "{misspelt}");
    client.stop();

    let plain = |hello: &mut Value| hello["capabilities"] = json!({});
    let mut client = Client::start_as(folder.path(), plain);
    let told = full(&mut client);
    assert!(told["params"]["version"].is_null(), "{told}");
    for found in told["params"]["diagnostics"].as_array().unwrap() {
        for name in ["tags", "codeDescription", "relatedInformation", "data"] {
            assert!(found[name].is_null(), "{name}: {found}");
        }
    }
    client.stop();
}

#[test]
fn other_places_are_shown_to_editors_that_show_them() {
    let twice = EGG.replace("= 1\n", "= 2\n");
    let folder = nest(&[(WEB, EGG), ("Eggs/other/config.fly", &twice)]);
    let mut client = Client::start(folder.path());
    let found = client.diagnostics(WEB, None);
    let related = found.iter().find_map(|found| found["relatedInformation"].as_array());
    let related = related.unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(related[0]["location"]["uri"], client.uri("Eggs/other/config.fly"));
    client.stop();
}

#[test]
fn settings_are_read_and_mistakes_in_them_told_once() {
    let folder = two();
    let mut client = Client::start_as(folder.path(), |hello| {
        hello["capabilities"]["workspace"]["configuration"] = json!(true);
        hello["initializationOptions"] = json!({ "diagnostics": { "workspace": false }, "inlayHint": {} });
    });
    let told = client.told("window/showMessage");
    assert_eq!(told["params"]["message"], "there is no setting `fly.inlayHint`; it is left out.");
    let asked = client.told("workspace/configuration");
    assert_eq!(asked["params"]["items"], json!([{ "section": "fly" }]));
    client.open(WEB, EGG);
    assert_eq!(client.diagnostics(WEB, Some(1)), Vec::<Value>::new());
    assert!(!client.has(|message| published(message, &client.uri(DB))), "it is not wanted");
    client.reply(&asked, json!([{ "diagnostics": { "workspace": true }, "inlayHint": {} }]));
    assert_eq!(codes(&client.diagnostics(DB, None)), ["type-mismatch"], "it is wanted now");
    client.notify("workspace/didChangeConfiguration", json!({ "settings": null }));
    let asked = client.told("workspace/configuration");
    client.reply(&asked, json!([{ "diagnostics": { "workspace": false } }]));
    assert_eq!(client.diagnostics(DB, None), Vec::<Value>::new());
    assert!(!client.has(|message| message["method"] == "window/showMessage"), "told once");
    client.stop();
}

#[test]
fn an_editor_that_is_not_asked_says_its_settings_itself() {
    let folder = two();
    let mut client = Client::start(folder.path());
    assert_eq!(codes(&client.diagnostics(DB, None)), ["type-mismatch"]);
    let settings = json!({ "settings": { "fly": { "diagnostics": { "workspace": false } } } });
    client.notify("workspace/didChangeConfiguration", settings);
    assert_eq!(client.diagnostics(DB, None), Vec::<Value>::new());
    client.stop();
}

#[test]
fn an_editor_that_never_answers_blocks_nothing() {
    let folder = two();
    let mut client = Client::start_as(folder.path(), |hello| {
        pulls(hello);
        hello["capabilities"]["window"] = json!({ "workDoneProgress": true });
        hello["capabilities"]["workspace"]["configuration"] = json!(true);
        hello["capabilities"]["workspace"]["didChangeWatchedFiles"] = json!({ "dynamicRegistration": true });
    });
    for method in ["window/workDoneProgress/create", "workspace/configuration", "client/registerCapability"] {
        client.told(method);
    }
    client.open(WEB, EGG);
    let text = fs::read_to_string(folder.path().join(DB)).unwrap();
    client.open(DB, &text);
    for version in 2..20 {
        let name = if version % 2 == 0 { "\"web\"" } else { "\"db\"" };
        client.change(DB, version, json!([{ "text": text.replace("\"db\"", name) }]));
        assert_eq!(client.pulled(WEB).is_empty(), version % 2 != 0);
    }
    assert!(!client.has(|message| message["method"] == "$/progress"), "nobody said that it is shown");
    client.told("workspace/diagnostic/refresh");
    client.settle();
    assert!(!client.has(|message| message["method"] == "workspace/diagnostic/refresh"), "asked once");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn files_are_watched_and_a_burst_is_read_once() {
    let folder = nest(&[
        (WEB, &EGG.replace("type = \"vm\"", "type = \"vm\"\n  script = file(\"scripts/a.sh\")")),
        (DB, EGG),
    ]);
    let mut client = Client::start_as(folder.path(), |hello| {
        hello["capabilities"]["workspace"]["didChangeWatchedFiles"] = json!({ "dynamicRegistration": true });
        hello["initializationOptions"] = json!({ "logLevel": "info" });
    });
    let globs = |asked: &Value| -> Vec<String> {
        let watchers =
            asked["params"]["registrations"][0]["registerOptions"]["watchers"].as_array().unwrap().iter();
        watchers.map(|watcher| watcher["globPattern"].as_str().unwrap().to_owned()).collect()
    };
    let (first, second) =
        (client.told("client/registerCapability"), client.told("client/registerCapability"));
    let mut all = [globs(&first), globs(&second)].concat();
    all.sort();
    assert!(all.contains(&"**/*.fly".to_owned()) && all.contains(&"**/scripts/a.sh".to_owned()), "{all:?}");
    client.told("window/logMessage");

    // Ten thousand events, among them one that matters.
    fs::write(folder.path().join(DB), EGG.replace("web", "db").replace("4GiB", "true")).unwrap();
    let mut files: Vec<(String, i64)> =
        (0..10_000).map(|at| (format!("Eggs/gone-{at}/config.fly"), 3)).collect();
    files.push((DB.to_owned(), 2));
    let files: Vec<(&str, i64)> = files.iter().map(|(path, kind)| (path.as_str(), *kind)).collect();
    client.watched(&files);
    let uri = client.uri(DB);
    client.until(|message| {
        published(message, &uri) && message["params"]["diagnostics"][0]["code"] == "type-mismatch"
    });
    client.settle();
    let told = client.told("window/logMessage");
    assert!(told["params"]["message"].as_str().unwrap().ends_with("again: 2 files"), "{told}");
    assert!(!client.has(|message| message["method"] == "window/logMessage"), "read once");
    client.stop();
}

#[test]
fn what_is_written_on_disk_is_seen() {
    let folder = two();
    let mut client = Client::start(folder.path());
    assert_eq!(codes(&client.diagnostics(DB, None)), ["type-mismatch"]);
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    // Another text.
    let right = EGG.replace("web", "db").replace("= 1\n", "= 2\n");
    write(DB, &right);
    client.watched(&[(DB, 2)]);
    assert_eq!(client.diagnostics(DB, None), Vec::<Value>::new());
    // A folder that is moved, of which nothing else is told.
    fs::rename(folder.path().join("Eggs/db"), folder.path().join("Eggs/other")).unwrap();
    write("Eggs/other/config.fly", &right.replace("4GiB", "true"));
    client.watched(&[("Eggs/db", 3), ("Eggs/other", 1)]);
    assert_eq!(codes(&client.diagnostics("Eggs/other/config.fly", None)), ["type-mismatch"]);
    // One that is deleted.
    fs::remove_dir_all(folder.path().join("Eggs/other")).unwrap();
    client.watched(&[("Eggs/other", 3)]);
    assert_eq!(client.diagnostics("Eggs/other/config.fly", None), Vec::<Value>::new());
    // An editor that watches nothing tells what it has saved.
    client.open(WEB, EGG);
    write(DB.replace("db", "web").as_str(), &EGG.replace("4GiB", "true"));
    client.notify("textDocument/didSave", json!({ "textDocument": { "uri": client.uri(WEB) } }));
    assert_eq!(client.pulled(WEB), Vec::<String>::new(), "what is open counts more than what is on disk");
    client.close(WEB);
    let uri = client.uri(WEB);
    client.until(|message| {
        published(message, &uri) && message["params"]["diagnostics"][0]["code"] == "type-mismatch"
    });
    client.stop();
}

#[test]
fn moving_what_is_called_by_its_folder_renames_it_everywhere() {
    let fox = "uglyfox {\n  runners_condition \"all\" {\n    eggs_entities = [\"web\"]\n  }\n}\n";
    let job = "job \"nightly\" {\n  schedule = \"0 2 * * *\"\n  script   = \"make\"\n}\n";
    let folder = nest(&[
        (WEB, EGG),
        ("UF/config.fly", fox),
        ("Jobs/nightly.fly", job),
        ("Eggs/odd/config.fly", &EGG.replace("web", "b")),
    ]);
    let mut client = Client::start(folder.path());
    client.open("UF/config.fly", fox);
    let moves = |client: &mut Client, from: &str, to: &str| {
        let files = json!({ "files": [{ "oldUri": client.uri(from), "newUri": client.uri(to) }] });
        client.request("workspace/willRenameFiles", files)["result"].clone()
    };
    for (from, to) in [("Eggs/web", "Eggs/site"), (WEB, "Eggs/site/config.fly")] {
        let edit = moves(&mut client, from, to);
        let changes = edit["documentChanges"].as_array().unwrap_or_else(|| panic!("{edit}"));
        let of = |path: &str| {
            changes.iter().find(|change| change["textDocument"]["uri"] == *client.uri(path)).unwrap()
        };
        assert_eq!(changes.len(), 2, "{edit}");
        assert_eq!(of(WEB)["edits"][0]["newText"], "site");
        assert_eq!(of("UF/config.fly")["edits"][0]["newText"], "site");
        assert_eq!(
            (&of(WEB)["textDocument"]["version"], &of("UF/config.fly")["textDocument"]["version"]),
            (&Value::Null, &json!(1))
        );
    }
    let edit = moves(&mut client, "Jobs/nightly.fly", "Jobs/weekly.fly");
    assert_eq!(edit["documentChanges"][0]["edits"][0]["newText"], "weekly");
    // Nothing is called by these, or could be called so.
    for (from, to) in [
        ("Eggs/odd", "Eggs/even"),
        ("Eggs/web", "attic/web"),
        ("Eggs/web", "Eggs/b"),
        ("Eggs/web", "Eggs/a%20b"),
        ("nest.fly", "n.fly"),
    ] {
        assert_eq!(moves(&mut client, from, to), Value::Null, "{from} to {to}");
    }
    // Whoever gives a name that can't be one is told why.
    for why in [
        "there is an egg `b` already",
        "`a b` can't name an egg: it is letters, digits, `-` and `_`, and begins with a letter or digit",
    ] {
        let message = client.told("window/showMessage")["params"]["message"].clone();
        assert_eq!(message, format!("Nothing in the Nest is renamed with `Eggs/web`: {why}"));
    }
    client.settle();
    assert!(!client.has(|message| message["method"] == "window/showMessage"), "no more than these");
    client.stop();
}

#[test]
fn an_older_editor_gets_what_it_knows() {
    let fox = "uglyfox {\n  runners_condition \"all\" {\n    eggs_entities = [\"web\"]\n  }\n}\n";
    let text = EGG.replace("cpu  ", "cpuu ");
    let folder = nest(&[(WEB, &text), ("UF/config.fly", fox)]);
    let mut client = Client::start_as(folder.path(), |hello| {
        let text = &mut hello["capabilities"]["textDocument"];
        text["documentSymbol"] = json!({});
        hello["capabilities"]["workspace"]["workspaceEdit"] = json!({});
    });
    client.open(WEB, &text);
    let (web, fox) = (client.uri(WEB), client.uri("UF/config.fly"));
    let mut named = client.at(WEB, 0, 6);
    named["newName"] = json!("site");
    let files = json!({ "files": [{ "oldUri": client.uri("Eggs/web"), "newUri": client.uri("Eggs/site") }] });
    for (method, params) in [("textDocument/rename", named), ("workspace/willRenameFiles", files)] {
        let edit = client.request(method, params)["result"].clone();
        assert!(edit["documentChanges"].is_null(), "{edit}");
        for uri in [&web, &fox] {
            assert_eq!(edit["changes"][uri][0]["newText"], "site", "{edit}");
        }
    }
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
    let asked = json!({
        "textDocument": { "uri": web },
        "range": whole,
        "context": { "diagnostics": [], "only": ["quickfix"] },
    });
    let found = client.request("textDocument/codeAction", asked.clone())["result"].clone();
    assert!(found[0]["edit"]["documentChanges"].is_null(), "{found}");
    assert_eq!(found[0]["edit"]["changes"][&web].as_array().map(Vec::len), Some(1), "{found}");
    let symbols = client.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": web } }));
    let symbols = symbols["result"].as_array().unwrap();
    assert_eq!(symbols[0]["location"]["uri"], web);
    assert!(symbols.iter().all(|symbol| symbol["children"].is_null()), "{symbols:?}");
    let memory = symbols.iter().find(|symbol| symbol["name"] == "memory").unwrap();
    assert_eq!(memory["containerName"], "resources");
    client.stop();

    // One that knows commands alone has nothing to do with these.
    let mut client = Client::start_as(folder.path(), |hello| {
        hello["capabilities"]["textDocument"]["codeAction"] = json!({});
    });
    client.open(WEB, &text);
    assert_eq!(client.request("textDocument/codeAction", asked)["result"], json!([]));
    client.stop();
}

#[test]
fn a_conversation_has_an_order() {
    let folder = two();
    let mut client = Client::spawn(folder.path());
    let at = client.at(WEB, 1, 3);
    assert_eq!(client.request("textDocument/hover", at.clone())["error"]["code"], -32002);
    client.open(WEB, "nothing before the beginning counts");
    // All in one breath, without waiting for an answer.
    let hello = client.hello();
    let (first, second) = (client.ask("initialize", hello.clone()), client.ask("initialize", hello));
    client.notify("initialized", json!({}));
    client.open(WEB, &EGG.replace("4GiB", "true"));
    assert!(client.answer(first)["error"].is_null());
    assert_eq!(client.answer(second)["error"]["code"], -32600);
    assert_eq!(codes(&client.diagnostics(WEB, Some(1))), ["type-mismatch"]);
    assert!(client.request("shutdown", Value::Null)["error"].is_null());
    assert_eq!(client.request("textDocument/hover", at)["error"]["code"], -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.end(), Some(0));

    let mut client = Client::start(folder.path());
    client.notify("exit", Value::Null);
    assert_eq!(client.end(), Some(1), "without a goodbye");
}

#[test]
fn what_is_cancelled_is_answered_so() {
    let folder = two();
    let mut client = Client::start(folder.path());
    let mut cancelled = 0;
    for _ in 0..50 {
        let id = client.ask("workspace/diagnostic", json!({ "previousResultIds": [] }));
        client.notify("$/cancelRequest", json!({ "id": id }));
        let answer = client.answer(id);
        if answer["error"].is_object() {
            assert_eq!(answer["error"]["code"], -32800, "{answer}");
            cancelled += 1;
        }
    }
    assert!(cancelled > 0, "some of them were still open");
    client.stop();
}

#[test]
fn a_server_whose_editor_has_died_ends() {
    let folder = two();
    let mut editor = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    let id = editor.id();
    let mut client = Client::start_as(folder.path(), |hello| hello["processId"] = json!(id));
    client.settle();
    drop(editor.stdin.take());
    editor.wait().unwrap();
    // Its input stays open: somebody else holds it.
    assert_eq!(client.end(), Some(1));
}
