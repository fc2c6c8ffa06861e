//! What is shown beside the text, and commands, over standard input and output.

use std::{fs, process::Command};

use fly_lsp::ide::{self, HintOptions, Moment};
use flyc::{
    compiler::Compiler,
    syntax::parse,
    text::{TextRange, TextSize},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    client::Client,
    corpus::{Example, seeds},
};

const NEST: &str = r#"nest {
  name = "n"
}

profile "small" {
  type = "vm"

  resources {
    cpu = 2
  }
}
"#;
const EGG: &str = r#"egg "web" {
  extends = profile.small

  resources {
    memory = 4096
  }

  gitlab {
    project_id = 12
  }

  runner {
    tags = ["docker"]
  }
}
"#;
const POLICY: &str = r#"uglyfox {
  runners_condition "web" {
    eggs_entities = ["web"]

    apex {
      max_count = 2
      min_count = 1
    }
  }
}
"#;
const JOB: &str = "# https://example.com/runbook\njob \"night\" {\n  schedule = \"0 2 * * *\"\n  script   = file(\"scripts/night.sh\")\n}\n";
const EGG_PATH: &str = "Eggs/web/config.fly";

fn nest() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("nest.fly", NEST),
        (EGG_PATH, EGG),
        ("UF/config.fly", POLICY),
        ("Jobs/night.fly", JOB),
        ("scripts/night.sh", "true\n"),
    ];
    for (path, text) in files {
        let full = folder.path().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }
    folder
}

/// Begins a session with an editor that can do this as well; the server's capabilities.
fn begin(folder: &TempDir, capabilities: &Value) -> (Client, Value) {
    let mut client = Client::spawn(folder.path());
    let mut hello = client.hello();
    let all = hello["capabilities"].as_object_mut().unwrap();
    for (name, value) in capabilities.as_object().unwrap() {
        all.insert(name.clone(), value.clone());
    }
    let answer = client.request("initialize", hello);
    client.notify("initialized", json!({}));
    (client, answer["result"]["capabilities"].clone())
}

fn about(client: &Client, path: &str) -> Value {
    json!({ "textDocument": { "uri": client.uri(path) } })
}

fn ask(client: &mut Client, method: &str, path: &str) -> Value {
    let document = about(client, path);
    client.request(method, document)["result"].clone()
}

fn all_commands() -> Value {
    json!({ "experimental": { "commands": { "commands": ["fly.simulate", "fly.generated", "fly.references"] } } })
}

#[test]
fn lenses_are_counted_when_they_come_into_sight() {
    let folder = nest();
    let (mut client, able) = begin(&folder, &all_commands());
    assert_eq!(able["codeLensProvider"], json!({ "resolveProvider": true }));
    client.open(EGG_PATH, EGG);
    let lenses = ask(&mut client, "textDocument/codeLens", EGG_PATH);
    let uri = client.uri(EGG_PATH);
    assert_eq!(lenses[0]["command"]["title"], "▶ what would this deploy?");
    assert_eq!(lenses[0]["command"]["command"], "fly.simulate");
    assert_eq!(lenses[0]["command"]["arguments"], json!([uri]));
    assert_eq!(lenses[1]["command"]["command"], "fly.generated");
    assert!(lenses[2]["command"].is_null(), "{lenses}");

    let resolved = client.request("codeLens/resolve", lenses[2].clone())["result"]["command"].clone();
    assert_eq!(resolved["title"], "used by 1 condition");
    assert_eq!(resolved["command"], "fly.references");
    assert_eq!(resolved["arguments"][0], *uri);
    assert_eq!(resolved["arguments"][1], json!({ "line": 0, "character": 0 }));
    assert_eq!(resolved["arguments"][2][0]["uri"], *client.uri("UF/config.fly"));
    assert_eq!(resolved["arguments"][2][0]["range"]["start"], json!({ "line": 2, "character": 22 }));

    // A lens of an older text is refused, even where it would fit: it may be another egg by now.
    client.change(EGG_PATH, 2, json!([{ "text": EGG.replace("\"web\"", "\"bew\"") }]));
    let late = client.request("codeLens/resolve", lenses[2].clone());
    assert_eq!(late["error"]["code"], -32801, "{late}");

    client.open("Jobs/night.fly", JOB);
    let lenses = ask(&mut client, "textDocument/codeLens", "Jobs/night.fly");
    let next = client.request("codeLens/resolve", lenses[1].clone())["result"]["command"].clone();
    let title = next["title"].as_str().unwrap();
    assert!(title.starts_with("next run ") && title.ends_with(" 02:00 (UTC)"), "{title}");
    client.stop();
}

#[test]
fn an_editor_without_the_commands_gets_no_lens_that_needs_them() {
    let folder = nest();
    let (mut client, _) = begin(&folder, &json!({}));
    client.open(EGG_PATH, EGG);
    let lenses = ask(&mut client, "textDocument/codeLens", EGG_PATH);
    let commands: Vec<_> =
        lenses.as_array().unwrap().iter().map(|lens| lens["command"]["command"].clone()).collect();
    // What is left the server can do, and tells the answer in a message.
    assert_eq!(commands, ["fly.simulate", "fly.generated"]);
    let params = json!({ "command": "fly.simulate", "arguments": lenses[0]["command"]["arguments"].clone() });
    let answer = client.request("workspace/executeCommand", params);
    assert!(answer["result"]["markdown"].is_string(), "{answer}");
    let told = client.until(|message| message["method"] == "window/showMessage");
    let text = told["params"]["message"].as_str().unwrap();
    assert!(text.contains("serves project 12") && !text.contains("```"), "{text}");
    client.stop();
}

#[test]
fn commands_answer_or_say_why_not() {
    let folder = nest();
    let (mut client, able) = begin(&folder, &all_commands());
    assert_eq!(
        able["executeCommandProvider"]["commands"],
        json!(["fly.explain", "fly.generated", "fly.simulate", "fly.plan"])
    );
    let mut run = |command: &str, arguments: Value| {
        client.request("workspace/executeCommand", json!({ "command": command, "arguments": arguments }))
    };
    let page = run("fly.explain", json!(["unclosed"]));
    assert!(page["result"]["markdown"].as_str().unwrap().starts_with("# unclosed\n"), "{page}");
    let wrong = run("fly.explain", json!(["unclosd"]));
    assert_eq!(wrong["error"]["message"], "there is no diagnostic `unclosd`; did you mean `unclosed`?");
    assert_eq!(wrong["error"]["code"], -32803);
    for arguments in [json!([]), json!([5]), json!([null])] {
        assert_eq!(run("fly.explain", arguments)["error"]["code"], -32602);
    }
    assert_eq!(run("fly.generated", json!(["no uri"]))["error"]["code"], -32602);
    assert_eq!(run("fly.nothing", json!([]))["error"]["code"], -32602);

    // No document need be open.
    let uri = format!("file://{}/{EGG_PATH}", folder.path().canonicalize().unwrap().display());
    let built = run("fly.generated", json!([uri]));
    let files = built["result"]["files"].as_array().unwrap();
    let main = files.iter().find(|file| file["path"] == "eggs/web/resources.tf").unwrap();
    assert!(main["text"].as_str().unwrap().contains("module \""), "{main}");
    assert!(!folder.path().join(".fly").exists(), "nothing is written");

    let told = run("fly.simulate", json!([uri]));
    let text = told["result"]["markdown"].as_str().unwrap();
    assert!(text.contains("egg       web\n") && text.contains("has `docker`"), "{text}");
    let event = json!({ "object_kind": "build", "build_id": 5, "build_name": "test", "build_status": "pending", "project_id": 99 });
    // As an object or as the text of one.
    for event in [event.clone(), Value::String(event.to_string())] {
        let told = run("fly.simulate", json!([uri, event]));
        let text = told["result"]["markdown"].as_str().unwrap();
        assert!(text.contains("web: serves project 12, not 99"), "{text}");
    }
    let elsewhere = run("fly.simulate", json!(["file:///nowhere/at/all.fly"]));
    assert_eq!(
        elsewhere["error"]["message"],
        "`all.fly` is a file of no Nest that is open here; open the Nest's folder"
    );
    let broken = EGG.replace("4096", "true");
    client.open(EGG_PATH, &broken);
    let params = json!({ "command": "fly.generated", "arguments": [uri] });
    let refused = client.request("workspace/executeCommand", params);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message
            .starts_with("nothing is built while the Nest has errors: Eggs/web/config.fly:5: `memory` wants"),
        "{message}"
    );
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn hints_and_their_tooltips() {
    let folder = nest();
    let everything = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let labels = |hints: &Value| {
        let all = hints.as_array().unwrap().iter();
        all.map(|hint| hint["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (mut client, able) = begin(&folder, &json!({}));
    assert_eq!(able["inlayHintProvider"], json!({ "resolveProvider": true }));
    client.open(EGG_PATH, EGG);
    let mut asked = about(&client, EGG_PATH);
    asked["range"] = everything;
    let hints = client.request("textDocument/inlayHint", asked.clone())["result"].clone();
    assert_eq!(labels(&hints), ["→ type = \"vm\", resources.cpu = 2", "MB = 4GiB"]);
    assert_eq!(hints[1]["position"], json!({ "line": 4, "character": 17 }));
    assert!(hints[0]["tooltip"]["value"].as_str().unwrap().contains("from `profile.small`"));
    client.stop();

    let later =
        json!({ "textDocument": { "inlayHint": { "resolveSupport": { "properties": ["tooltip"] } } } });
    let (mut client, _) = begin(&folder, &later);
    client.open(EGG_PATH, EGG);
    let hints = client.request("textDocument/inlayHint", asked)["result"].clone();
    assert!(hints[0]["tooltip"].is_null());
    let whole = client.request("inlayHint/resolve", hints[0].clone())["result"].clone();
    assert!(whole["tooltip"]["value"].as_str().unwrap().contains("from `profile.small`"), "{whole}");
    client.change(EGG_PATH, 2, json!([{ "text": EGG.replace("12", "13") }]));
    let late = client.request("inlayHint/resolve", hints[0].clone());
    assert_eq!(late["error"]["code"], -32801);

    client.open("Jobs/night.fly", JOB);
    let mut asked = about(&client, "Jobs/night.fly");
    asked["range"] = json!({ "start": { "line": 2, "character": 0 }, "end": { "line": 3, "character": 0 } });
    let hints = client.request("textDocument/inlayHint", asked)["result"].clone();
    assert_eq!(labels(&hints)[0].matches("02:00").count(), 3, "{hints}");
    client.stop();
}

#[test]
fn links_and_type_definitions() {
    let folder = nest();
    let (mut client, able) = begin(&folder, &json!({}));
    assert_eq!(able["documentLinkProvider"], json!({}));
    assert_eq!(able["typeDefinitionProvider"], json!(true));
    client.open("Jobs/night.fly", JOB);
    let links = ask(&mut client, "textDocument/documentLink", "Jobs/night.fly");
    assert_eq!(links[0]["target"], "https://example.com/runbook");
    assert_eq!(links[1]["target"], *client.uri("scripts/night.sh"));
    let range = json!({ "start": { "line": 3, "character": 19 }, "end": { "line": 3, "character": 35 } });
    assert_eq!(links[1]["range"], range);

    client.open(EGG_PATH, EGG);
    let at = client.at(EGG_PATH, 0, 6);
    let found = client.request("textDocument/typeDefinition", at)["result"].clone();
    assert_eq!(found[0]["uri"], *client.uri("nest.fly"));
    assert_eq!(found[0]["range"]["start"], json!({ "line": 4, "character": 9 }));
    client.stop();
}

#[test]
fn completion_says_the_rest_of_an_item_when_it_is_looked_at() {
    let folder = nest();
    let text = "egg \"web\" {\n  \n}\n";
    let (mut client, able) = begin(&folder, &json!({}));
    assert_eq!(able["completionProvider"]["resolveProvider"], json!(true));
    client.open(EGG_PATH, text);
    let at = client.at(EGG_PATH, 1, 2);
    let plain = client.request("textDocument/completion", at)["result"].clone();
    assert!(plain[0]["documentation"]["value"].is_string(), "{plain}");
    client.stop();

    let later = json!({ "textDocument": { "completion": { "completionItem": { "resolveSupport": { "properties": ["documentation", "detail"] } } } } });
    let (mut client, _) = begin(&folder, &later);
    client.open(EGG_PATH, text);
    let at = client.at(EGG_PATH, 1, 2);
    let short = client.request("textDocument/completion", at)["result"].clone();
    // What was typed meanwhile changes nothing about the item.
    client.change(EGG_PATH, 2, json!([{ "text": "egg \"web\" {\n  ty\n}\n" }]));
    for (item, plain) in short.as_array().unwrap().iter().zip(plain.as_array().unwrap()) {
        assert!(item["documentation"].is_null() && item["detail"].is_null(), "{item}");
        let whole = client.request("completionItem/resolve", item.clone())["result"].clone();
        for part in ["label", "documentation", "detail"] {
            assert_eq!(whole[part], plain[part], "{part}");
        }
    }
    let mut gone = short[0].clone();
    gone["data"] = json!({ "list": 99, "item": 0 });
    assert_eq!(client.request("completionItem/resolve", gone.clone())["result"], gone);

    // A name of the user's own is another with each letter.
    client.change(EGG_PATH, 3, json!([{ "text": "egg \"web\" {\n  environment {\n    F\n  }\n}\n" }]));
    let at = client.at(EGG_PATH, 2, 5);
    let found = client.request("textDocument/completion", at)["result"].clone();
    assert_eq!(found["isIncomplete"], json!(true), "{found}");
    client.stop();
}

#[test]
fn tokens_come_as_what_has_changed() {
    let folder = nest();
    let (mut client, able) = begin(&folder, &json!({}));
    assert_eq!(able["semanticTokensProvider"]["full"], json!({ "delta": true }));
    client.open(EGG_PATH, EGG);
    let numbers = |tokens: &Value| -> Vec<u64> {
        tokens["data"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
    };
    let first = ask(&mut client, "textDocument/semanticTokens/full", EGG_PATH);
    let mut held = numbers(&first);
    let mut id = first["resultId"].clone();
    let texts = [
        EGG.to_owned(),
        EGG.replace("4096", "# four\n    4096"),
        EGG.replace("[\"docker\"]", "[\"docker\", upper(\"x\")]"),
        String::new(),
        format!("# before\n{EGG}"),
    ];
    for (version, text) in (2..).zip(&texts) {
        client.change(EGG_PATH, version, json!([{ "text": text }]));
        let mut asked = about(&client, EGG_PATH);
        asked["previousResultId"] = id.clone();
        let delta = client.request("textDocument/semanticTokens/full/delta", asked)["result"].clone();
        let edits = delta["edits"].as_array().unwrap();
        assert!(edits.len() <= 1, "{delta}");
        for edit in edits {
            let place = |name: &str| usize::try_from(edit[name].as_u64().unwrap()).unwrap();
            let new = if edit["data"].is_null() { Vec::new() } else { numbers(edit) };
            held.splice(place("start")..place("start") + place("deleteCount"), new);
        }
        id = delta["resultId"].clone();
        let whole = ask(&mut client, "textDocument/semanticTokens/full", EGG_PATH);
        assert_eq!(held, numbers(&whole), "after version {version}");
        // The whole is what the next difference is from.
        let mut stale = about(&client, EGG_PATH);
        stale["previousResultId"] = id;
        let answer = client.request("textDocument/semanticTokens/full/delta", stale)["result"].clone();
        assert_eq!(numbers(&answer), held, "an id that is gone gives the whole");
        id = answer["resultId"].clone();
    }
    let uri = client.uri(EGG_PATH);
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    client.open(EGG_PATH, EGG);
    client.stop();
}

#[test]
fn a_plan_against_a_revision() {
    let folder = nest();
    let run = |client: &mut Client, arguments: Value| {
        client.request("workspace/executeCommand", json!({ "command": "fly.plan", "arguments": arguments }))
    };
    let (mut client, _) = begin(&folder, &all_commands());
    let uri = client.uri(EGG_PATH);
    let none = run(&mut client, json!([uri, "main"]));
    let message = none["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("there is no plan: the Nest is not in a git repository"), "{message}");
    assert_eq!(run(&mut client, json!([uri]))["error"]["code"], -32602);

    for arguments in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "a"],
    ] {
        let status = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-C"])
            .arg(folder.path())
            .args(arguments)
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .status()
            .unwrap();
        assert!(status.success(), "{arguments:?}");
    }
    // What is compared is what the editor holds, not what is on disk.
    client.open(EGG_PATH, &EGG.replace("4096", "8GiB"));
    let plan = run(&mut client, json!([uri, "main"]));
    let text = plan["result"]["markdown"].as_str().unwrap_or_else(|| panic!("{plan}"));
    assert!(text.starts_with("**Fly plan** against `main"), "{text}");
    assert!(text.contains("changed `egg \"web\"`") && text.contains("`8GiB`"), "{text}");
    let wrong = run(&mut client, json!([uri, "mian"]));
    assert_eq!(
        wrong["error"]["message"],
        "there is no revision `mian` in the git repository; did you mean `main`?"
    );
    client.change(EGG_PATH, 2, json!([{ "text": EGG.replace("4096", "true") }]));
    let refused = run(&mut client, json!([uri, "main"]));
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("there is no plan while the Nest has errors: Eggs/web/config.fly:5:"),
        "{message}"
    );
    client.stop();
}

/// In every example, cut after each token: what is shown stands in the text, in order, and says something.
#[test]
fn what_is_shown_beside_unfinished_texts_stands_in_them() {
    let (now, mut hints, mut lenses) = (Moment(1_767_227_400), 0, 0);
    for Example { path, text } in seeds() {
        let parsed = parse(text.as_str().into());
        let ends = parsed.tree().tokens().iter().skip(1).map(|token| token.start as usize);
        for end in ends.chain([text.len()]) {
            let cut = &text[..end];
            let nest = Compiler::new([(path.as_str(), cut)]);
            let (size, whole) = (TextSize::of(cut), TextRange::up_to(TextSize::of(cut)));
            let found = ide::hints(&nest, &path, whole, now, HintOptions::default());
            assert!(found.is_sorted_by_key(|hint| hint.at), "{path} {end}");
            for hint in &found {
                assert!(cut.is_char_boundary(hint.at.into()), "{path} {end} {hint:?}");
                assert!(!hint.label.is_empty() && !hint.tooltip.is_empty(), "{path} {end} {hint:?}");
            }
            let above = ide::lenses(&nest, &path, now);
            for lens in &above {
                assert!(!cut[lens.range].contains('\n'), "{path} {end} {lens:?}");
                let said = ide::lens_text(&nest, &path, lens, now);
                assert!(said.is_some(), "{path} {end} {lens:?}");
            }
            for link in ide::links(&nest, &path) {
                assert!(!cut[link.range].is_empty(), "{path} {end} {link:?}");
            }
            if let Some(hover) = ide::hover(&nest, &path, size, now) {
                assert!(cut.get(std::ops::Range::<usize>::from(hover.range)).is_some(), "{path} {end}");
            }
            ide::type_definition(&nest, &path, size);
            hints += found.len();
            lenses += above.len();
        }
    }
    assert!(hints > 1000 && lenses > 1000, "{hints} hints, {lenses} lenses");
}
