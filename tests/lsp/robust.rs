//! What the server survives: editors that say nonsense or do not listen, and files that are none.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    client::Client,
    protocol::{EGG, codes, nest},
};

const WEB: &str = "Eggs/web/config.fly";

#[test]
fn nonsense_about_documents_changes_nothing_else() {
    let folder = nest(&[(WEB, EGG)]);
    let mut client = Client::start(folder.path());
    client.change("Eggs/never/config.fly", 7, json!([{ "text": "egg" }]));
    client.close("Eggs/never/config.fly");
    client.open(WEB, "egg");
    client.open(WEB, EGG);
    assert_eq!(client.pulled(WEB), Vec::<String>::new(), "as it was opened last");
    // Backwards, out of the text, and the wrong way round.
    let whole = json!({ "start": { "line": 9999, "character": 9999 }, "end": { "line": 0, "character": 0 } });
    client.change(WEB, -3, json!([{ "range": whole, "text": EGG.replace("4GiB", "true") }]));
    assert_eq!(codes(&client.diagnostics(WEB, Some(-3))), ["type-mismatch"]);
    let wrong = json!({ "start": { "line": -1, "character": 0 }, "end": { "line": 0, "character": 0 } });
    client.change(WEB, 4, json!([{ "range": wrong, "text": "x" }]));
    client.change(WEB, 5, json!([{ "text": EGG }]));
    assert_eq!(client.diagnostics(WEB, Some(5)), Vec::<Value>::new());
    client.close(WEB);
    client.close(WEB);
    client.settle();
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn files_that_are_none_are_told_of() {
    let folder = nest(&[(WEB, EGG), ("Eggs/binary/config.fly", "")]);
    let at = |path: &str| folder.path().join(path);
    fs::write(at("Eggs/binary/config.fly"), b"egg \"\xff\" {}").unwrap();
    for name in ["dangling", "pipe", "large", "folder"] {
        fs::create_dir_all(at("Eggs").join(name)).unwrap();
    }
    symlink(at("nowhere"), at("Eggs/dangling/config.fly")).unwrap();
    assert!(Command::new("mkfifo").arg(at("Eggs/pipe/config.fly")).status().unwrap().success());
    File::create(at("Eggs/large/config.fly")).unwrap().set_len(1 << 30).unwrap();
    fs::create_dir(at("Eggs/folder/config.fly")).unwrap();
    let mut client = Client::start(folder.path());
    for (name, code) in [
        ("binary", "not-utf8"),
        ("dangling", "unreadable"),
        ("pipe", "unreadable"),
        ("large", "too-large"),
        ("folder", "unreadable"),
    ] {
        let path = format!("Eggs/{name}/config.fly");
        assert_eq!(codes(&client.diagnostics(&path, None)), [code]);
        // Opened and closed again, it is what it was.
        client.open(&path, &EGG.replace("web", name).replace("= 1\n", "= 2\n"));
        client.until(|message| {
            message["params"]["uri"] == *client_uri(folder.path(), &path) && message["params"]["version"] == 1
        });
        client.close(&path);
        let uri = client.uri(&path);
        client.until(|message| {
            message["params"]["uri"] == *uri
                && message["params"]["diagnostics"][0]["code"] == code
                && message["params"]["version"].is_null()
        });
    }
    // And each is told again, and a file made of it, while the server runs.
    fs::remove_file(at("Eggs/pipe/config.fly")).unwrap();
    fs::write(at("Eggs/pipe/config.fly"), EGG.replace("web", "pipe").replace("= 1\n", "= 3\n")).unwrap();
    client.watched(&[("Eggs/pipe/config.fly", 2)]);
    assert_eq!(client.diagnostics("Eggs/pipe/config.fly", None), Vec::<Value>::new());
    fs::remove_file(at(WEB)).unwrap();
    assert!(Command::new("mkfifo").arg(at(WEB)).status().unwrap().success());
    client.watched(&[(WEB, 2)]);
    assert_eq!(codes(&client.diagnostics(WEB, None)), ["unreadable"]);
    assert_eq!(client.stop(), Some(0));
}

fn client_uri(root: &std::path::Path, path: &str) -> String {
    format!("file://{}/{path}", root.canonicalize().unwrap().display())
}

#[test]
fn a_nest_is_deleted_and_comes_back() {
    let wrong = EGG.replace("4GiB", "true");
    let folder = nest(&[("n/nest.fly", "nest {\n  name = \"n\"\n}\n"), ("n/Eggs/web/config.fly", &wrong)]);
    let at = |path: &str| folder.path().join(path);
    let mut client = Client::start(folder.path());
    let path = "n/Eggs/web/config.fly";
    for _ in 0..3 {
        assert_eq!(codes(&client.diagnostics(path, None)), ["type-mismatch"]);
        fs::remove_dir_all(at("n")).unwrap();
        client.watched(&[("n", 3)]);
        assert_eq!(client.diagnostics(path, None), Vec::<Value>::new());
        fs::create_dir_all(at("n/Eggs/web")).unwrap();
        fs::write(at(path), &wrong).unwrap();
        client.watched(&[("n", 1)]);
    }
    assert_eq!(codes(&client.diagnostics(path, None)), ["type-mismatch"]);
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn an_editor_that_does_not_read_loses_nothing() {
    let folder = nest(&[(WEB, EGG)]);
    // A client of our own, whose reader begins when it is told to: more is said than any pipe holds.
    let mut client = Client::deaf(folder.path());
    let hello = client.hello();
    let first = client.ask("initialize", hello);
    client.notify("initialized", json!({}));
    client.open(WEB, EGG);
    // Each gives diagnostics of some hundred bytes for each of its lines.
    let wrong: Vec<String> = (0..200).map(|at| format!("  unknown_{at} = {at}\n")).collect();
    let wrong = wrong.concat();
    let edits = 3000;
    for version in 0..edits {
        let text = EGG.replace("  gitlab", &format!("{wrong}# {version}\n  gitlab"));
        client.change(WEB, version + 2, json!([{ "text": if version + 1 == edits { EGG } else { &text } }]));
    }
    client.listen();
    assert!(client.answer(first)["error"].is_null());
    assert_eq!(client.diagnostics(WEB, Some(edits + 1)), Vec::<Value>::new(), "the last is told");
    if let Some(memory) = client.memory() {
        assert!(memory < 200 << 10, "{memory} KiB");
    }
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn the_answer_to_one_who_asks_is_what_others_are_told() {
    let folder = nest(&[
        ("nest.fly", "nest {\n  name = \"n\"\n}\nlocals {\n  unused = 1\n}\n"),
        (WEB, EGG),
        ("Eggs/b/config.fly", EGG),
        (
            "UF/config.fly",
            "uglyfox {\n  runners_condition \"all\" {\n    eggs_entities = [\"gone\"]\n  }\n}\n",
        ),
    ]);
    let mut client = Client::start(folder.path());
    for (version, path) in ["nest.fly", WEB, "Eggs/b/config.fly", "UF/config.fly"].into_iter().enumerate() {
        let text = fs::read_to_string(folder.path().join(path)).unwrap();
        client.open(path, &text);
        for (at, change) in ["", "}", "egg \"c\" {\n}\n", "🔑"].into_iter().enumerate() {
            let version = i64::try_from(version * 10 + at + 2).unwrap();
            client.change(path, version, json!([{ "text": format!("{change}{text}") }]));
            let pushed = client.diagnostics(path, Some(version));
            let document = json!({ "textDocument": { "uri": client.uri(path) } });
            let pulled = client.request("textDocument/diagnostic", document)["result"]["items"].clone();
            assert_eq!(Value::Array(pushed), pulled, "{path} {change:?}");
        }
        client.close(path);
    }
    client.stop();
}

#[test]
fn what_is_no_message_ends_nothing() {
    let folder = nest(&[(WEB, EGG)]);
    let mut client = Client::start(folder.path());
    let bodies: [(&[u8], i64, Value); 5] = [
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":502,\"method\":\"x\",\"params\":{\"a\":\"\xff\xfe\"}}",
            -32700,
            Value::Null,
        ),
        (br#"{"jsonrpc":"2.0","method":"x","params":[1e999]}"#, -32700, Value::Null),
        (b"{}", -32600, Value::Null),
        (br#"{"id":"a","method":"x"}"#, -32600, json!("a")),
        (br#"{"jsonrpc":"2.0","id":9999,"method":"$/foo"}"#, -32601, json!(9999)),
    ];
    for (body, code, id) in bodies {
        let mut message = format!("X: ?\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        message[3] = b'\xff';
        message.extend_from_slice(body);
        client.write_bytes(&message);
        let answer = client.until(|message| message["error"]["code"] == code);
        assert_eq!(answer["id"], id, "{answer}");
    }
    client.notify("$/foo", json!({}));
    client.settle();
    assert!(!client.has(|message| message["error"].is_object()));
    assert_eq!(client.stop(), Some(0));
}

/// An editor may have halves of letters in its text: as many as it says stand where it says.
#[test]
fn halves_of_letters_shift_nothing() {
    let folder = nest(&[(WEB, EGG)]);
    let mut client = Client::start(folder.path());
    client.open(WEB, EGG);
    let uri = client.uri(WEB);
    let edit = |version: i64, line: u32, from: u32, to: u32, text: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"textDocument/didChange","params":{{"textDocument":{{"uri":"{uri}","version":{version}}},"contentChanges":[{{"range":{{"start":{{"line":{line},"character":{from}}},"end":{{"line":{line},"character":{to}}}}},"text":"{text}"}}]}}}}"#
        )
    };
    let half = edit(2, 0, 0, 0, r"/* \ud83d\udd11 \ud83d */ ");
    client.write(&half);
    // `web` stands eleven units further on by now.
    let rename = edit(3, 0, 5 + 11, 8 + 11, "site");
    client.write(&rename);
    let mut asked = client.at(WEB, 0, 5 + 11);
    asked["newName"] = json!("x");
    let edit = client.request("textDocument/rename", asked)["result"].clone();
    let range = &edit["documentChanges"][0]["edits"][0]["range"];
    let at = |character: u32| json!({ "line": 0, "character": character });
    assert_eq!((&range["start"], &range["end"]), (&at(16), &at(20)), "{edit}");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn of_very_many_mistakes_the_first_are_shown() {
    let folder = nest(&[(WEB, EGG)]);
    let mut client = Client::start(folder.path());
    client.open(WEB, &"cloud {\n".repeat(1000));
    let found = client.diagnostics(WEB, Some(1));
    assert_eq!(found.len(), 501);
    let last = found[500]["message"].as_str().unwrap();
    assert!(last.contains(" more in this file are not shown"), "{last}");
    client.change(WEB, 2, json!([{ "text": EGG }]));
    assert_eq!(client.diagnostics(WEB, Some(2)), Vec::<Value>::new());
    assert_eq!(client.stop(), Some(0));
}
