//! What all commands have in common: which installation is meant, what is tried again, versions, wrong use, pages.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use expect_test::expect;
use serde_json::json;

use super::{ask, check, command, gosling, mother};

fn write_profiles(folder: &std::path::Path, text: &str) {
    fs::create_dir_all(folder.join("gosling")).unwrap();
    fs::write(folder.join("gosling/config.toml"), text).unwrap();
}

/// What it says of a file of profiles, whose folder is another each time.
fn said(folder: &std::path::Path, arguments: &[&str]) -> String {
    let output = gosling(folder, arguments);
    let text = format!(
        "exit {}\n{}{}",
        output.status.code().unwrap(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    text.replace(&folder.display().to_string(), "CONFIG")
}

#[test]
fn a_profile_says_which_installation_is_meant() {
    let dead = json!({ "items": [] });
    let (prod, staging) =
        (mother(vec![("GET /queue/dead", 200, dead.clone())]), mother(vec![("GET /queue/dead", 500, dead)]));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_profiles(
        folder,
        &format!(
            "default = \"prod\"\n\n[profiles.prod]\napi = \"http://{prod}\"\ntoken_file = \"token\"\n\n\
             [profiles.staging]\napi = \"http://{staging}\"\ntoken_secret = \"vault://gosling/tokens/me\"\n\
             data = \"data\"\n"
        ),
    );
    fs::write(folder.join("gosling/token"), "the-token\n").unwrap();
    let list = |more: &[&str]| gosling(folder, &[&["queue", "list"], more].concat());
    assert!(list(&[]).status.success(), "the default one");
    // The token comes out of the sealed file of that installation, once it is there.
    let missing = list(&["--profile", "staging"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("the profile's token can't be read"));
    fs::write(folder.join("secret"), "the-token\n").unwrap();
    let put = command(folder, &["secret", "put", "vault://gosling/tokens/me", "--profile", "staging"])
        .stdin(fs::File::open(folder.join("secret")).unwrap())
        .output()
        .unwrap();
    assert!(put.status.success() && folder.join("gosling/data/secrets.sealed").is_file());
    assert_eq!(list(&["--profile", "staging"]).status.code(), Some(1), "it answers 500 to who has the token");
    assert_eq!(gosling(folder, &["--profile", "staging", "queue", "list"]).status.code(), Some(1));
    // A flag comes before a variable, and that before the file.
    let variable = |name: &str, value: &str, more: &[&str]| {
        command(folder, &[&["queue", "list"], more].concat()).env(name, value).output().unwrap()
    };
    assert_eq!(variable("GOSLING_PROFILE", "staging", &[]).status.code(), Some(1));
    assert!(variable("GOSLING_PROFILE", "staging", &["--profile", "prod"]).status.success());
    let staging_url = format!("http://{staging}");
    assert!(variable("GOSLING_API", &staging_url, &["--profile", "prod"]).status.success());
    // A flag comes before a profile, in whatever order they stand; the token of that one is not shown to it.
    let prod_url = format!("http://{prod}");
    for flags in [["--api", &prod_url, "--profile", "staging"], ["--profile", "staging", "--api", &prod_url]]
    {
        assert_eq!(list(&flags).status.code(), Some(5), "{flags:?}: it is asked, and nothing opens it");
        assert!(
            list(&[&flags[..], &["--token-file", "gosling/token"]].concat()).status.success(),
            "{flags:?}"
        );
    }
    // The token of an installation is shown to that one alone.
    assert_eq!(variable("GOSLING_API", &staging_url, &[]).status.code(), Some(5));
}

#[test]
fn a_wrong_profile_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    expect![[r#"
        exit 2
        error: there is no profile `prod`: there is no CONFIG/gosling/config.toml
        help: profiles stand in ~/.config/gosling/config.toml: [profiles.NAME] with `api` and `token_file`
    "#]]
    .assert_eq(&said(folder, &["status", "--profile", "prod"]));
    write_profiles(folder, "default = \"prd\"\n[profiles.prod]\napi = \"http://127.0.0.1:1\"\n");
    expect![[r#"
        exit 2
        error: CONFIG/gosling/config.toml:1:11: there is no profile `prd`
        help: did you mean `prod`?
    "#]]
    .assert_eq(&said(folder, &["status"]));
    write_profiles(folder, "[profiles.prod]\napi = \"http://127.0.0.1:1\"\ntoken = \"gosling-secret\"\n");
    expect![[r#"
        exit 2
        error: CONFIG/gosling/config.toml:3:1: unknown field `token`, expected one of `api`, `token_file`, `token_secret`, `data`, `key_file`
        help: a profile has `api`, `token_file` or `token_secret`, `data` and `key_file`
    "#]].assert_eq(&said(folder, &["status"]));
    write_profiles(folder, "default = \"prod\"\n[profiles.prod]\napi = \"gosling.example.com\"\n");
    expect![[r#"
        exit 2
        error: CONFIG/gosling/config.toml:3:7: the `api` of the profile `prod` is no URL
        help: it begins with http:// or https://
    "#]]
    .assert_eq(&said(folder, &["status"]));
    write_profiles(folder, "default = \"prod\"\n[profiles.prod]\ntoken_file = \"a\"\ntoken_secret = \"b\"\n");
    expect![[r#"
        exit 2
        error: CONFIG/gosling/config.toml:4:16: the profile `prod` has a `token_file` as well
        help: keep one of the two
    "#]]
    .assert_eq(&said(folder, &["status"]));
    write_profiles(folder, "default = \"prod\"\n[profiles.prod]\ntoken_secret = \"gosling-secret\"\n");
    expect![[r#"
        exit 2
        error: CONFIG/gosling/config.toml:3:16: this is no URI of a secret: a secret is given by its URI, such as `yc-lockbox://<id>/<key>`
        help: say where the token is kept, and never the token itself: vault://gosling/tokens/me
    "#]].assert_eq(&said(folder, &["status"]));
}

/// A stand-in that says something else each time, and how often it was asked.
fn moody(answers: Vec<String>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let at = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            let _ = stream.write_all(answers[at].as_bytes());
        }
    });
    (address, asked)
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[test]
fn what_passes_in_a_moment_is_tried_again() {
    let good = answer(200, "", "{\"items\":[]}");
    let list = ["queue", "list", "--retry-for", "30s"];
    let busy = vec![answer(503, "", ""), answer(429, "retry-after: 1\r\n", ""), good.clone()];
    let (address, asked) = moody(busy);
    let output = ask(address, &list);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert!(String::from_utf8_lossy(&output.stderr).contains("trying again for"), "a second is long");
    // What may have been done is not asked for twice.
    let (address, asked) = moody(vec![answer(503, "", ""), answer(202, "", "{\"new\":true}")]);
    assert_eq!(ask(address, &["queue", "replay", "m", "--retry-for", "30s"]).status.code(), Some(4));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Neither is waited for longer than is wanted.
    let (address, asked) = moody(vec![answer(429, "retry-after: 3600\r\n", ""), good]);
    check(
        &ask(address, &list),
        &expect![[r#"
        exit 4
        error: MotherGoose at http://ADDRESS/ answered 429 Too Many Requests
        help: try it again in 3600 s
    "#]],
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // What is wrong stays wrong.
    let (address, asked) = moody(vec![answer(500, "", "")]);
    assert_eq!(ask(address, &list).status.code(), Some(1));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn another_version_says_so() {
    let other = "gosling-version: 99.1.0\r\n";
    let (address, _) = moody(vec![
        answer(200, other, "{\"items\":[],\"next\":\"a\"}"),
        answer(200, other, "{\"items\":[]}"),
    ]);
    check(
        &ask(address, &["queue", "list"]),
        &expect![[r#"
        exit 0
        Nothing was given up.
        warning: MotherGoose at http://ADDRESS/ is gosling 99.1.0, and this is gosling 0.1.0: they may misunderstand each other
    "#]],
    );
    let (address, _) = moody(vec![answer(200, other, "{\"things\":[]}")]);
    check(
        &ask(address, &["queue", "list"]),
        &expect![[r#"
        exit 1
        warning: MotherGoose at http://ADDRESS/ is gosling 99.1.0, and this is gosling 0.1.0: they may misunderstand each other
        error: MotherGoose at http://ADDRESS/ answered what can't be understood: missing field `items` at line 1 column 13
        help: it is gosling 99.1.0, and this is gosling 0.1.0: use the same version of both
    "#]],
    );
    let (address, _) = moody(vec![answer(200, "", "<html>")]);
    check(
        &ask(address, &["queue", "list"]),
        &expect![[r#"
        exit 1
        error: MotherGoose at http://ADDRESS/ answered what can't be understood: expected value at line 1 column 1
        help: is there a `gosling serve` of version 0.1.0 at that URL, or something else?
    "#]],
    );
}

#[test]
fn wrong_use_tells_the_nearest_that_is_right() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["lsit", "eggs"][..],
        &["list", "egs"],
        &["list", "runners", "--state", "idel"],
        &["status", "--ouput", "json"],
        &["status", "--output", "jsn"],
    ] {
        let output = gosling(folder.path(), arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("similar"), "{said}");
    }
}

#[test]
fn there_are_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    assert!(gosling(folder.path(), &["man", "pages"]).status.success());
    for page in ["gosling.1", "gosling-status.1", "gosling-list-eggs.1"] {
        let text = fs::read_to_string(folder.path().join("pages").join(page)).unwrap();
        assert!(text.contains(".TH") && text.contains("Example: gosling"), "{page}");
    }
    let page = gosling(folder.path(), &["man"]);
    assert!(page.status.success() && String::from_utf8_lossy(&page.stdout).contains(".TH gosling 1"));
}
