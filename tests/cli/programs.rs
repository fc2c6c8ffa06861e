//! What comes with the program: its manual, and the language server it starts.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use polar_gosling_tests::tools;

use super::harness::nest;

#[test]
fn the_manual_is_made_from_the_arguments() {
    let nest = nest(&[]);
    assert!(nest.flyc(&["man"]).stdout.starts_with(".ie"), "roff");
    assert_eq!(nest.flyc(&["man", "--out", "man"]).code, 0);
    let page = nest.read("man/flyc-check.1");
    assert!(page.contains("output\\-format"), "{page}");
}

#[test]
fn flyc_lsp_is_the_language_server() {
    // A goodbye without a hello: the server ends, and says that this was not orderly.
    tools::fly_lsp();
    let mut server = Command::new(tools::flyc())
        .arg("lsp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("flyc starts");
    let exit = r#"{"jsonrpc":"2.0","method":"exit"}"#;
    write!(server.stdin.take().expect("a pipe"), "Content-Length: {}\r\n\r\n{exit}", exit.len())
        .expect("it listens");
    assert_eq!(server.wait().expect("it ends").code(), Some(1));
}

#[test]
fn the_language_server_says_what_it_is() {
    let run = |arguments: &[&str]| {
        let output = Command::new(tools::fly_lsp())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("fly-lsp starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) = run(&["--version"]);
    assert_eq!((code, out.starts_with("fly-lsp ")), (Some(0), true), "{out}");
    let (code, out, _) = run(&["--help"]);
    assert!(code == Some(0) && out.contains("standard input and output"), "{out}");
    let (code, out, err) = run(&["--tcp"]);
    assert!(code == Some(2) && out.is_empty() && err.contains("unexpected argument '--tcp'"), "{err}");
    // Nobody speaks to it: it ends, and says nothing of its own.
    let (code, out, err) = run(&["--stdio"]);
    assert!(code.is_some_and(|code| code != 2) && out.is_empty() && err.is_empty(), "{code:?} {out} {err}");
}
