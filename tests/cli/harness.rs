//! Runs `flyc` in a folder of its own and compares what it prints.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use expect_test::Expect;
use tempfile::TempDir;

/// A folder with files.
pub(crate) struct Nest {
    folder: TempDir,
}

/// What a run printed.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A folder with these files.
pub(crate) fn nest(files: &[(&str, &str)]) -> Nest {
    let nest = Nest { folder: TempDir::new().expect("a temporary folder") };
    for (path, text) in files {
        nest.write_bytes(path, text.as_bytes());
    }
    nest
}

impl Nest {
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write_bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("the path has a folder"))
            .expect("the folder can be made");
        std::fs::write(path, bytes).expect("the file can be written");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).expect("the file is there")
    }

    pub(crate) fn flyc(&self, arguments: &[&str]) -> Run {
        self.flyc_with(arguments, "")
    }

    pub(crate) fn flyc_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut child = Command::new(polar_gosling_tests::tools::flyc())
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("flyc starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        // A command that reads nothing may be gone already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("flyc ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("flyc prints UTF-8");
        Run {
            code: output.status.code().expect("flyc ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Run {
    /// Compares everything the run printed; times are shown as `N`.
    pub(crate) fn is(&self, expected: impl std::borrow::Borrow<Expect>) {
        let mut all = format!("exit {}\n", self.code);
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                all.extend(["--- ", name, "\n", text]);
            }
        }
        let line = |line: &str| match (line.split_once(" in "), line.split_once(" ms: ")) {
            (Some((before, _)), Some((_, after)))
                if line.starts_with("checked ") || line.starts_with("built ") =>
            {
                format!("{before} in N ms: {after}\n")
            }
            _ => format!("{line}\n"),
        };
        let all: String = all.lines().map(line).collect();
        expected.borrow().assert_eq(&all);
    }
}
